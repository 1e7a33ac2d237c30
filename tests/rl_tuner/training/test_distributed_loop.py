"""Replicas on two logical devices, and on two workers over loopback."""

import json
import os
import pathlib
import socket
import subprocess
import sys

import numpy as np
import pytest

SCRIPT = pathlib.Path(__file__).parents[2] / "helpers" / "distributed_runs.py"
NETWORKS = ("q_network/", "target_network/", "reward_rnn/", "optimizer/")


def _start(kind, output, **variables):
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "2"} | variables
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), kind, str(output)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _results(processes, outputs):
    said = [process.communicate(timeout=300)[0] for process in processes]
    for process, text in zip(processes, said, strict=True):
        assert process.returncode == 0, text[-4000:]
    found = []
    for output in outputs:
        with np.load(output) as arrays:
            found.append(dict(arrays))
    return found


def _part(arrays, prefix):
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


def _networks(arrays):
    return {k: v for k, v in arrays.items() if k.startswith(NETWORKS)}


def _free_ports(number):
    sockets = [socket.socket() for _ in range(number)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@pytest.fixture(
    name="mirrored",
    scope="module",
    params=["mirrored", pytest.param("on_policy", marks=pytest.mark.learning)],
)
def _mirrored(request, tmp_path_factory):
    output = tmp_path_factory.mktemp("mirrored") / "states.npz"
    return _results([_start(request.param, output)], [output])[0]


def test_one_replica_learns_what_an_undistributed_tuner_learns(mirrored):
    plain, alone = _part(mirrored, "plain:"), _part(mirrored, "alone:")
    assert plain.keys() == alone.keys()
    assert len(_networks(plain)) > 15
    for name in plain:
        np.testing.assert_allclose(plain[name], alone[name], rtol=2e-5, atol=1e-6)
    assert np.any(plain["q_network/logits/bias"] != plain["reward_rnn/logits/bias"])


def test_two_replicas_end_with_identical_weights(mirrored):
    first, second = _part(mirrored, "pair:"), _part(mirrored, "pair:replica_1/")
    ours, theirs = _networks(first), _networks(second)
    assert len(ours) == len(theirs) > 15
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name])
    one = _part(mirrored, "plain:")["q_network/logits/kernel"]
    assert np.abs(first["q_network/logits/kernel"] - one).max() > 1e-3


def test_replicas_act_and_remember_for_themselves(mirrored):
    first, second = _part(mirrored, "pair:"), _part(mirrored, "pair:replica_1/")
    kept = ("replay/actions", "rollout/sequences", "last/actions")
    for name in (name for name in kept if name in first):
        assert np.any(first[name] != second[name])
    # The first one's randomness is that of a tuner that is alone.
    [primes] = {"rollout/primes", "last/primes"} & first.keys()
    alone = _part(mirrored, "plain:")[primes]
    np.testing.assert_array_equal(first[primes], alone)


def test_steps_are_those_of_all_replicas(mirrored):
    # Ten sequences each: of one step a round, or of all four.
    assert mirrored["pair:step"] in (2 * 30 * 10, 2 * 30 * 10 * 4)
    assert mirrored["pair:report"][0] == 2 * mirrored["plain:report"][0]
    rewards = mirrored["plain:report"][2], mirrored["pair:report"][2]
    assert rewards[0] == pytest.approx(rewards[1], rel=0.2)


def test_a_distributed_run_goes_on_as_if_it_had_not_been_cut(mirrored):
    whole, gone_on = _part(mirrored, "pair:"), _part(mirrored, "gone_on:")
    assert whole.keys() - {"report", "step"} == gone_on.keys()
    for name in gone_on:
        np.testing.assert_array_equal(gone_on[name], whole[name])


@pytest.mark.learning
def test_two_workers_learn_what_two_devices_learn(mirrored, tmp_path):
    kind = "on_policy_worker" if "pair:last/actions" in mirrored else "worker"
    cluster = {"worker": [f"127.0.0.1:{port}" for port in _free_ports(2)]}
    outputs = [tmp_path / "0.npz", tmp_path / "1.npz"]
    processes = []
    for number, output in enumerate(outputs):
        task = {"type": "worker", "index": number}
        config = json.dumps({"cluster": cluster, "task": task})
        processes.append(_start(kind, output, TF_CONFIG=config))
    found = _results(processes, outputs)
    ours, theirs = map(_networks, found)
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name])
    expected = _part(mirrored, "pair:"), _part(mirrored, "pair:replica_1/")
    for worker, replica in zip(found, expected, strict=True):
        kept = ("replay/actions", "rollout/sequences", "last/actions")
        for name in [*ours, *(name for name in kept if name in replica)]:
            np.testing.assert_allclose(
                worker[name], replica[name], rtol=2e-5, atol=1e-6
            )
        assert worker["wishes"].tolist() == [True, False]
        assert worker["least"] == 10
        np.testing.assert_allclose(worker["report"], mirrored["pair:report"], rtol=1e-5)
