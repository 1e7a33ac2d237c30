"""Magenta 2.1.4's side of the comparison; runs in Magenta's own environment."""

import os
import tempfile
import time

import numpy as np
import tensorflow.compat.v1 as tf
import work_server
from magenta.contrib import training as contrib_training
from magenta.models.rl_tuner import rl_tuner, rl_tuner_eval_metrics, rl_tuner_ops

tf.disable_v2_behavior()
EXPLORATION_STEPS = 1_500_000


class MagentaSide:
    """Does the work as Magenta does it; each method returns JSON-serializable facts."""

    def __init__(self):
        self._tuners = {}
        self._note_rnn = None

    def prepare(self, checkpoint, algorithms, examples, window_steps):
        """Builds everything and does it once, so that nothing is left to set up."""
        for algorithm in algorithms:
            self._tuners[algorithm] = _tuner(checkpoint, algorithm)
            self.train(algorithm, 200)
        self._note_rnn = _note_rnn_training(examples, window_steps)
        self.note_rnn(2)
        self.evaluate(2)
        return {}

    def train(self, algorithm, amount):
        """Trains for `amount` environment steps; seconds."""
        tuner = self._tuners[algorithm]
        begin = time.perf_counter()
        tuner.train(num_steps=amount, exploration_period=EXPLORATION_STEPS)
        return {"seconds": time.perf_counter() - begin}

    def evaluate(self, amount):
        """Generates melodies and computes all metrics; seconds."""
        tuner = next(iter(self._tuners.values()))
        begin = time.perf_counter()
        rl_tuner_eval_metrics.compute_composition_stats(tuner, num_compositions=amount)
        return {"seconds": time.perf_counter() - begin}

    def rewards(self, corpus, amount):
        """Rewards the first `amount` melodies; seconds, and the sum of all rewards."""
        melodies = np.load(corpus)[:amount]
        tuner = next(iter(self._tuners.values()))
        one_hot = np.eye(rl_tuner_ops.NUM_CLASSES)
        total = 0.0
        begin = time.perf_counter()
        for melody in melodies:
            tuner.reset_composition()
            for note in melody:
                total += tuner.reward_music_theory(one_hot[note])
                tuner.composition.append(note)
                tuner.beat += 1
        return {"seconds": time.perf_counter() - begin, "total": float(total)}

    def note_rnn(self, amount):
        """Trains a Note RNN for `amount` steps; seconds."""
        session, train_op = self._note_rnn
        begin = time.perf_counter()
        for _ in range(amount):
            session.run(train_op)
        return {"seconds": time.perf_counter() - begin}

    def first_step(self, checkpoint):
        """Builds a tuner and trains until the first update."""
        tuner = self._tuners["q"] = _tuner(checkpoint, "q")
        tuner.train(num_steps=40, exploration_period=EXPLORATION_STEPS)
        return {}

    def full_memory(self, capacity, amount):
        """Fills the replay memory and trains on; the peak memory, in bytes."""
        tuner = self._tuners["q"]
        for _ in range(capacity):
            note = np.eye(rl_tuner_ops.NUM_CLASSES)[0]
            states = np.ones([3, tuner.q_network.cell.state_size], np.float32)
            tuner.store(note, states[0], note, 0.0, note, states[1], states[2])
        tuner.train(num_steps=amount, exploration_period=EXPLORATION_STEPS)
        return {"bytes": work_server.peak_memory()}


def _tuner(checkpoint, algorithm):
    """An RLTuner at the paper's setting."""
    tuner = rl_tuner.RLTuner(
        tempfile.mkdtemp(),
        dqn_hparams=contrib_training.HParams(
            random_action_probability=0.1,
            store_every_nth=1,
            train_every_nth=5,
            minibatch_size=32,
            discount_rate=0.5,
            max_experience=100_000,
            target_network_update_rate=0.01,
        ),
        reward_scaler=2.0,
        note_rnn_checkpoint_dir=os.path.dirname(checkpoint),
        note_rnn_checkpoint_file=checkpoint,
        algorithm=algorithm,
        output_every_nth=10**9,
    )
    # `train` begins with an evaluation, which is measured apart.
    tuner.evaluate_model = lambda: None
    return tuner


def _note_rnn_training(examples, window_steps):
    """A session and the training op of melody_rnn, on a network like the Note RNN."""
    from magenta.models.melody_rnn import melody_rnn_model
    from magenta.models.shared import events_rnn_graph
    from tensorflow.python.framework import ops

    del window_steps  # the examples are of that length
    ops.IndexedSlices = tf.IndexedSlices  # where tf_slim looks for it
    config = melody_rnn_model.default_configs["basic_rnn"]
    config.hparams.parse(
        "batch_size=128,rnn_layer_sizes=[100],dropout_keep_prob=1.0,clip_norm=5,"
        "learning_rate=0.01"
    )
    with tf.Graph().as_default() as graph:
        events_rnn_graph.get_build_graph_fn("train", config, [examples])()
        session = tf.Session(graph=graph)
        session.run(tf.global_variables_initializer())
        tf.train.start_queue_runners(session)
        return session, graph.get_collection("train_op")[0]


if __name__ == "__main__":
    work_server.serve(MagentaSide())
