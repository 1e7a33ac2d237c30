"""The flags of --distribution and --device: what they refuse, and in which words."""

import keras
import numpy as np
import pytest
from binaries import assert_refused, run_binary
from toy_task import CountingTask

from rl_tuner.config import RLTunerConfig
from rl_tuner.networks.sequence_rnn import SequenceRNN
from rl_tuner.rl_tuner import RLTuner


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--device=gpu", "--device=gpu, but TensorFlow finds no GPU here"),
        ("--distribution=tpu", "--distribution=tpu, but TensorFlow finds no TPU here"),
        ("--mixed_precision", "--mixed_precision gains nothing on a CPU"),
    ],
)
def test_devices_that_are_not_there_are_refused_in_one_line(
    flag, message, tmp_path, monkeypatch
):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert_refused(run_binary("rl_tuner_train", flag, cwd=tmp_path), message)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            ["--distribution=all"],
            "unknown --distribution=all; choose one of none, mirr",
        ),
        (["--device=abacus"], "unknown --device=abacus; choose one of auto, cpu, gpu"),
        (["--num_replicas=2"], "--num_replicas=2 must be at least 0, and goes with"),
        (
            ["--distribution=multi_worker"],
            "TF_CONFIG='' does not say which worker this is",
        ),
    ],
)
def test_bad_flags_are_refused_in_one_line(flags, message, tmp_path):
    assert_refused(run_binary("rl_tuner_train", *flags, cwd=tmp_path), message)


@pytest.fixture(name="mixed")
def _mixed():
    keras.mixed_precision.set_dtype_policy("mixed_bfloat16")
    yield
    keras.mixed_precision.set_dtype_policy("float32")


def test_mixed_precision_multiplies_in_bfloat16_and_keeps_float32(mixed):
    model = SequenceRNN(5, (16,))
    keras.mixed_precision.set_dtype_policy("float32")
    exact = SequenceRNN(5, (16,))
    exact.set_named_weights(model.weight_arrays())
    tokens = np.random.default_rng(0).integers(0, 5, [20, 30])
    rough, fine = model.unroll(tokens).numpy(), exact.unroll(tokens).numpy()
    assert rough.dtype == np.float32
    difference = np.abs(rough - fine).max()
    assert 1e-5 < difference < 0.03  # bfloat16 has 8 bits, float32 24
    keras.mixed_precision.set_dtype_policy("mixed_bfloat16")
    tuner = RLTuner(model, CountingTask(), RLTunerConfig(replay_capacity=100))
    tuner.train(200)
    weights = tuner.q_network.weight_arrays()
    assert {array.dtype for array in weights.values()} == {np.dtype(np.float32)}
    assert np.abs(weights["logits/bias"]).max() > 0.01
