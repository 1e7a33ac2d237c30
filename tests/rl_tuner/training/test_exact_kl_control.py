"""KL control proven exactly, on tasks small enough to enumerate.

With gamma = 1 and no value after the last token, the optimum of Psi- and G-learning is
pi(tau) = p(tau) exp(r(tau)/c) / Z (Jaques et al. 2016, equations 6 to 9 and 21 to 30).
"""

import functools
import itertools

import numpy as np
import pytest
import scipy.special
import tensorflow as tf
from enumerable_task import (
    EnumerableTask,
    ScoredEnumerableTask,
    all_sequences,
    backward_induction,
    kl,
    log_posterior,
    log_softmax,
    node_logits,
    random_prior,
    sequence_log_probs,
    sequence_rewards,
)

from rl_tuner.algorithms import get_algorithm
from rl_tuner.algorithms.algorithm import total_reward
from rl_tuner.rl_tuner import RLTuner, RLTunerConfig
from rl_tuner.training.replay.replay_modes import StoredStates

C = 0.8
LEARNING = pytest.mark.learning
SEEDS = pytest.mark.parametrize(
    "seed", [0, *(pytest.param(s, marks=LEARNING) for s in (1, 2))]
)


class TableNetwork:
    """Stands in for a network: gives exactly the logits of a table of nodes."""

    def __init__(self, task, table):
        rows = np.zeros([task.num_nodes, task.num_classes])
        for node, row in table.items():
            rows[node] = row
        self._task = task
        self._rows = tf.constant(rows, tf.float32)

    def step(self, tokens, state):
        """The state's first entry is the node before the token."""
        nodes = self._task.child(tf.cast(state[:, 0], tf.int32), tokens)
        return tf.gather(self._rows, nodes), state


def _task(seed=0, end_token=None):
    if end_token is None:
        return EnumerableTask(num_classes=4, max_length=4, seed=seed)
    return EnumerableTask(3, 5, seed=seed, end_token=end_token)


@functools.cache
def _problem(seed, end_token=None):
    """A task, a prior, and log p of the prior in each state."""
    task = _task(seed, end_token)
    prior = random_prior(task, seed + 100)
    return task, prior, log_softmax(node_logits(task, prior))


def _tuner(task, prior, **settings):
    settings = {
        "reward_scaler": 1 / C,
        "discount_rate": 1.0,
        "terminal": "zero",
        # Random actions reach every sequence alike; what is learned is off-policy.
        "initial_epsilon": 1.0,
        "final_epsilon": 1.0,
        "num_sequences": 32,
        "train_every_nth": 32,
        "minibatch_size": 256,
        "replay_capacity": 4096,
        "clip_norm": 100.0,
        "target_network_update_rate": 0.05,
        **settings,
    }
    return RLTuner(prior, task, RLTunerConfig(**settings))


def _trained(task, prior, **settings):
    tuner = _tuner(task, prior, **settings)
    for rate, updates in ((4e-3, 2500), (1e-3, 700), (2e-4, 300)):
        tuner.learner.optimizer.learning_rate.assign(rate)
        tuner.train(updates * tuner.config.steps_per_round, report_every=10**9)
    for ours, theirs in zip(
        tuner.reward_rnn.get_weights(), prior.get_weights(), strict=True
    ):
        assert ours.tobytes() == theirs.tobytes()
    return tuner


def _log_policy(task, tuner):
    """{node: log pi}, by the definitions (12) and (14)."""
    scores = node_logits(task, tuner.q_network)
    if tuner.config.algorithm == "g":
        log_p = log_softmax(node_logits(task, tuner.reward_rnn))
        scores = {node: scores[node] + log_p[node] for node in scores}
    return log_softmax(scores)


def _edges(task):
    nodes, actions = zip(
        *((n, a) for n in task.states() for a in range(task.num_classes)), strict=True
    )
    return np.array(nodes), np.array(actions)


def _exact_batch(task, tuner, log_p):
    """Every transition there is, as the training loop would store it."""
    nodes, actions = _edges(task)
    log_priors = [log_p[n][a] for n, a in zip(nodes, actions, strict=True)]
    task_rewards = [task.edge_reward(n, a) for n, a in zip(nodes, actions, strict=True)]
    ended = [task.is_end(n, a) for n, a in zip(nodes, actions, strict=True)]
    states = np.zeros([len(nodes), tuner.q_network.state_size], np.float32)
    states[:, 0] = nodes
    return {
        "observations": tf.constant(actions, tf.int32),
        "actions": tf.constant(actions, tf.int32),
        "rewards": total_reward(
            tuner.algorithm,
            tf.constant(task_rewards, tf.float32),
            tf.constant(log_priors, tf.float32),
            tuner.config.reward_scaler,
        ),
        "continues": 1.0 - tf.cast(ended, tf.float32),
        "states": tf.constant(states),
        "new_states": tf.constant(states),
        "new_prior_states": tf.constant(states),
    }


def _targets(algorithm, task, prior, log_p, table, **settings):
    """The tuner's targets of every transition when the target network is a table."""
    tuner = _tuner(task, prior, algorithm=algorithm, **settings)
    stored = _exact_batch(task, tuner, log_p)
    target_network, reward_rnn = TableNetwork(task, table), TableNetwork(task, log_p)
    batch = StoredStates().read(stored, target_network, target_network, reward_rnn)
    return tuner.algorithm.targets(batch, tuner.config).numpy()


def _exact_table(algorithm, task, log_p, discount):
    """Exact values in the algorithm's own terms: Q, Psi or G; {node: [A]}."""
    if algorithm in ("q", "pure_rl"):
        has_prior = algorithm == "q"
        return backward_induction(task, log_p, C, discount, False, has_prior)
    psi = backward_induction(task, log_p, C, discount)
    if algorithm == "psi":
        return psi
    return {node: psi[node] - log_p[node] for node in psi}


def _flat(task, table):
    nodes, actions = _edges(task)
    return np.array([table[n][a] for n, a in zip(nodes, actions, strict=True)])


@pytest.mark.parametrize("end_token", [None, 2])
@pytest.mark.parametrize("discount", [1.0, 0.6])
@pytest.mark.parametrize("algorithm", ["q", "psi", "g", "pure_rl"])
def test_exact_targets_equal_backward_induction(algorithm, discount, end_token):
    task, prior, log_p = _problem(0, end_token)
    exact = _exact_table(algorithm, task, log_p, discount)
    targets = _targets(algorithm, task, prior, log_p, exact, discount_rate=discount)
    np.testing.assert_allclose(targets, _flat(task, exact), atol=1e-4)


@pytest.mark.parametrize("algorithm", ["psi", "g"])
def test_exact_bootstrap_goes_on_after_the_last_token(algorithm):
    task, prior, log_p = _problem(0)
    rng = np.random.default_rng(9)
    table = {n: rng.normal(size=task.num_classes) for n in range(task.num_nodes)}
    targets, stopped = (
        _targets(algorithm, task, prior, log_p, table, terminal=terminal)
        for terminal in ("bootstrap", "zero")
    )
    nodes, actions = _edges(task)
    for row, (node, action) in enumerate(zip(nodes, actions, strict=True)):
        following = task.child(node, action)
        is_end = task.is_end(node, action)
        # After the last token the table of log p has zeros: a sum of exp(G).
        weights = 1.0 if algorithm == "psi" else np.exp(log_p.get(following, 0.0))
        weights = np.broadcast_to(weights, 4)
        if algorithm == "g" and is_end:
            weights = np.full(4, 0.25)  # log_softmax of those zeros
        value = scipy.special.logsumexp(table[following], b=weights)
        expected = value if is_end else 0.0
        np.testing.assert_allclose(targets[row] - stopped[row], expected, atol=1e-4)


@pytest.mark.parametrize("end_token", [None, 2])
def test_exact_psi_is_g_plus_log_p_term_by_term(end_token):
    task, prior, log_p = _problem(1, end_token)
    rng = np.random.default_rng(10)
    g = {node: rng.normal(size=task.num_classes) for node in task.states()}
    psi = {node: g[node] + log_p[node] for node in g}
    psi_targets = _targets("psi", task, prior, log_p, psi)
    g_targets = _targets("g", task, prior, log_p, g)
    np.testing.assert_allclose(psi_targets, g_targets + _flat(task, log_p), atol=1e-5)
    for node in g:
        psi_policy, g_policy = (
            scipy.special.softmax(
                get_algorithm(name).policy_logits(table[node], log_p[node])
            )
            for name, table in (("psi", psi), ("g", g))
        )
        np.testing.assert_allclose(psi_policy, g_policy, atol=1e-12)


@SEEDS
@pytest.mark.parametrize("algorithm", ["psi", "g"])
def test_exact_posterior_is_learned(algorithm, seed):
    task, prior, log_p = _problem(seed)
    posterior = log_posterior(task, log_p, C)
    assert kl(posterior, sequence_log_probs(task, log_p)) > 0.2  # there is a way to go
    tuner = _trained(task, prior, algorithm=algorithm, seed=seed)
    learned = sequence_log_probs(task, _log_policy(task, tuner))
    print("KL", kl(learned, posterior))
    assert kl(learned, posterior) < 1e-3


@pytest.mark.parametrize("algorithm", [pytest.param("psi", marks=LEARNING), "g"])
def test_exact_posterior_is_learned_with_an_end_token(algorithm):
    task, prior, log_p = _problem(3, end_token=2)
    lengths = {len(edges) for edges in all_sequences(task)}
    assert lengths == {1, 2, 3, 4, 5}
    tuner = _trained(task, prior, algorithm=algorithm)
    learned = sequence_log_probs(task, _log_policy(task, tuner))
    assert kl(learned, log_posterior(task, log_p, C)) < 1e-3


@pytest.mark.learning
@pytest.mark.parametrize(
    ("algorithm", "trace_decay"), [("psi", 0.7), ("psi", 1.0), ("g", 0.7)]
)
def test_exact_posterior_is_learned_from_whole_sequences(algorithm, trace_decay):
    task, prior, log_p = _problem(3, end_token=2)
    tuner = _trained(
        ScoredEnumerableTask(task.num_classes, task.max_length, 3, task.end_token),
        prior,
        algorithm=algorithm,
        replay_mode="whole_sequence",
        trace_decay=trace_decay,
        minibatch_size=64,
        rounds_per_scoring=1,
    )
    learned = sequence_log_probs(task, _log_policy(task, tuner))
    assert kl(learned, log_posterior(task, log_p, C)) < 1e-3


@SEEDS
def test_exact_q_finds_the_best_sequence(seed):
    task, prior, log_p = _problem(seed)
    scores = sequence_rewards(task) / C + sequence_log_probs(task, log_p)
    best = list(all_sequences(task))[int(scores.argmax())]
    tuner = _trained(task, prior, algorithm="q", seed=seed)
    log_policy = _log_policy(task, tuner)
    greedy, node = [], 0
    for _ in range(task.max_length):
        action = int(log_policy[node].argmax())
        greedy.append((node, action))
        node = task.child(node, action)
    assert greedy == best


@pytest.mark.learning
def test_exact_sweep_of_c_goes_from_the_best_sequence_to_the_prior():
    task, prior, log_p = _problem(1)
    prior_of_sequences = sequence_log_probs(task, log_p)
    kls, learned = [], []
    for c in (0.15, 0.6, 2.0, 20.0):
        tuner = _trained(task, prior, algorithm="psi", reward_scaler=1 / c)
        learned.append(sequence_log_probs(task, _log_policy(task, tuner)))
        assert kl(learned[-1], log_posterior(task, log_p, c)) < 0.01
        kls.append(kl(learned[-1], prior_of_sequences))
    assert all(small > large for small, large in itertools.pairwise(kls))
    assert kls[-1] < 0.02
    best = int((sequence_rewards(task) / 0.15 + prior_of_sequences).argmax())
    assert learned[0].argmax() == best
    assert np.exp(learned[0][best]) > 0.8


@pytest.mark.parametrize("algorithm", ["psi", pytest.param("g", marks=LEARNING)])
def test_exact_discounted_policy_is_learned(algorithm):
    task, prior, log_p = _problem(2)
    exact = log_softmax(backward_induction(task, log_p, C, discount=0.5))
    undiscounted = log_softmax(backward_induction(task, log_p, C))
    tuner = _trained(task, prior, algorithm=algorithm, discount_rate=0.5)
    learned = sequence_log_probs(task, _log_policy(task, tuner))
    assert kl(learned, sequence_log_probs(task, exact)) < 1e-3
    assert kl(learned, sequence_log_probs(task, undiscounted)) > 0.05
