"""A world small enough to enumerate: exact soft values and the exact posterior.

Everything here is NumPy in double precision and knows nothing of the objectives' code.
"""

import numpy as np
import scipy.special
import tensorflow as tf

from rl_tuner.networks.sequence_rnn import SequenceRNN
from rl_tuner.scored_task import ScoredTask
from rl_tuner.task import Task


class EnumerableTask(Task):
    """Sequences over a few tokens with rewards drawn at random.

    A node of the tree is a prefix. Every step has a reward of its own, drawn for each
    node, and every whole sequence has one more, which its last step earns.

    Nodes are numbered level by level: the children of node n are n * A + 1 + a.
    """

    name = "enumerable"
    reward_state_size = 1  # the node of the prefix

    def __init__(self, num_classes, max_length, seed, end_token=None, spread=1.0):
        self.num_classes = num_classes
        self.max_length = max_length
        self.end_token = end_token
        self.num_nodes = sum(num_classes**t for t in range(max_length + 1))
        rng = np.random.default_rng(seed)
        self.node_rewards = spread * rng.normal(size=self.num_nodes)
        self.sequence_rewards = spread * rng.normal(size=self.num_nodes)

    def prime(self, batch_size, seed):
        """Always token 0, so that there is one tree."""
        del seed
        return tf.zeros([batch_size], tf.int32)

    def reward(self, sequences, positions, actions, reward_state):
        child = reward_state[:, 0] * self.num_classes + 1 + actions
        reward = tf.gather(tf.constant(self.node_rewards, tf.float32), child)
        last = positions + 1 == self.max_length
        if self.end_token is not None:
            last |= actions == self.end_token
        whole = tf.gather(tf.constant(self.sequence_rewards, tf.float32), child)
        return reward + tf.where(last, whole, 0.0), child[:, tf.newaxis]

    def rewards(self, sequences):
        found = np.zeros(sequences.shape, np.float32)
        for row, sequence in enumerate(sequences):
            node = 0
            for t, action in enumerate(sequence):
                found[row, t] = self.edge_reward(node, action)
                if self.is_end(node, action):
                    break
                node = self.child(node, action)
        return found

    def metrics(self, sequences):
        return {}

    def is_end(self, node, action):
        """Whether a sequence ends with this action at this node."""
        at_end_token = self.end_token is not None and action == self.end_token
        return at_end_token or len(self.prefix(node)) + 1 == self.max_length

    def child(self, node, action):
        return node * self.num_classes + 1 + action

    def prefix(self, node):
        """The tokens of a node."""
        tokens = []
        while node > 0:
            tokens.append((node - 1) % self.num_classes)
            node = (node - 1) // self.num_classes
        return tokens[::-1]

    def states(self):
        """The nodes in which there is something left to choose, roots first."""
        found, level = [], [0]
        while level:
            found += level
            level = [
                self.child(node, action)
                for node in level
                for action in range(self.num_classes)
                if not self.is_end(node, action)
            ]
        return found

    def edge_reward(self, node, action):
        """r(s, a), as `reward` gives it."""
        child = self.child(node, action)
        whole = self.sequence_rewards[child] if self.is_end(node, action) else 0.0
        return self.node_rewards[child] + whole


class ScoredEnumerableTask(EnumerableTask, ScoredTask):
    """`EnumerableTask`, whose rewards come from outside the graph."""

    def start_scoring(self, prefixes):
        nodes = []
        for tokens, length in zip(prefixes.tokens, prefixes.lengths, strict=True):
            node = 0
            for token in tokens[:length]:
                node = self.child(node, token)
            nodes.append(node)
        whole = np.where(prefixes.ended, self.sequence_rewards[nodes], 0.0)
        rewards = self.node_rewards[nodes] + whole
        return lambda: rewards.astype(np.float32)


def random_prior(task, seed, layer_sizes=(64,), spread=0.5):
    """A SequenceRNN over the task's tokens with weights drawn at random."""
    prior = SequenceRNN(task.num_classes, layer_sizes)
    rng = np.random.default_rng(seed)
    prior.set_weights(
        [spread * rng.normal(size=weight.shape) for weight in prior.get_weights()]
    )
    return prior


def node_logits(task, model):
    """What a model puts out in each state: {node: [A]}, float64."""
    states = task.states()
    inputs = np.zeros([len(states), task.max_length], np.int32)
    lengths = []
    for row, node in enumerate(states):
        prefix = task.prefix(node)
        inputs[row, 1 : len(prefix) + 1] = prefix  # after the priming token 0
        lengths.append(len(prefix))
    logits = model.unroll(inputs).numpy().astype(np.float64)
    return {n: logits[row, lengths[row]] for row, n in enumerate(states)}


def log_softmax(nodes):
    return {node: scipy.special.log_softmax(x) for node, x in nodes.items()}


def backward_induction(task, log_p, c, discount=1.0, soft=True, log_prior=True):
    """Exact action values from the last token back: {node: [A]}.

    value(s, a) = r(s, a)/c + [log p(a|s)] + discount V(s'), V = 0 after the last
    token, else log sum exp (soft) or max of value(s', .). With soft and the log prior
    this is Psi*.
    """
    values = {}
    for node in reversed(task.states()):
        row = np.zeros(task.num_classes)
        for action in range(task.num_classes):
            row[action] = task.edge_reward(node, action) / c
            if log_prior:
                row[action] += log_p[node][action]
            if not task.is_end(node, action):
                following = values[task.child(node, action)]
                v = scipy.special.logsumexp(following) if soft else following.max()
                row[action] += discount * v
        values[node] = row
    return values


def all_sequences(task, node=0):
    """Every whole sequence, as the list of its (node, action)."""
    for action in range(task.num_classes):
        if task.is_end(node, action):
            yield [(node, action)]
        else:
            for rest in all_sequences(task, task.child(node, action)):
                yield [(node, action), *rest]


def sequence_log_probs(task, log_policy):
    """The log probability of each whole sequence under {node: log pi [A]}."""
    return np.array(
        [sum(log_policy[n][a] for n, a in edges) for edges in all_sequences(task)]
    )


def sequence_rewards(task):
    """r(tau) of each whole sequence."""
    return np.array(
        [sum(task.edge_reward(n, a) for n, a in edges) for edges in all_sequences(task)]
    )


def log_posterior(task, log_p, c):
    """log of p(tau) exp(r(tau) / c) / Z, by summing over all sequences."""
    return scipy.special.log_softmax(
        sequence_log_probs(task, log_p) + sequence_rewards(task) / c
    )


def kl(log_a, log_b):
    """KL(a || b) of two distributions over all sequences, in nats."""
    return float(np.sum(np.exp(log_a) * (log_a - log_b)))
