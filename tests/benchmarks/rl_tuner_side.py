"""Our side of the comparison."""

import pathlib
import tempfile
import time

import numpy as np
import work_server

EXPLORATION_STEPS = 1_500_000
EXAMPLES = 512  # for the Note RNN


class RLTunerSide:
    """Does the work as our binaries do it; each method returns JSON-serializable facts.

    All imports are inside, since start-up is measured too.
    """

    def __init__(self):
        self._tuners = {}
        self._trainer = None
        self._windows = None
        self._molecules = None

    def write_files(self, checkpoint, folder, melodies, window_steps):
        """Writes what both sides read: a checkpoint, a corpus and training examples.

        Returns their paths, and [inputs, outputs] of each product of the networks.
        """
        from melody_rnn.note_rnn.sequence_examples import write_shards
        from melody_rnn.task import MelodyTask
        from rl_tuner.formats.writing import export
        from rl_tuner.generation.evaluation import generate_for_task
        from rl_tuner.generation.policy import Policy
        from rl_tuner.networks.sequence_rnn import SequenceRNN

        folder = pathlib.Path(folder)
        prior = SequenceRNN.load(checkpoint)
        export(prior, "magenta_checkpoint", folder / "checkpoint")
        state = (folder / "checkpoint" / "checkpoint").read_text()
        name = state.split('"')[1]
        policy = Policy.of_prior(prior)
        sampled = generate_for_task(policy, MelodyTask(), melodies).sequences
        np.save(folder / "corpus.npy", sampled)
        # Melodies of the length of a window: what is read whole there is cut here.
        long = sampled.reshape([-1])[: EXAMPLES * (window_steps + 1)]
        long = long.reshape([EXAMPLES, window_steps + 1])
        names = write_shards(folder, "long", long.tolist(), prior.num_classes, 1)
        return {
            "magenta_checkpoint": str(folder / "checkpoint" / name),
            "corpus": str(folder / "corpus.npy"),
            "examples": str(folder / names[0]),
            "layers": products_of(prior),
        }

    def prepare(self, checkpoint, algorithms, examples, window_steps):
        """Builds everything and does it once, so that nothing is left to compile."""
        for algorithm in algorithms:
            self._tuners[algorithm] = _tuner(checkpoint, algorithm)
            self.train(algorithm, 200)
        self._prepare_note_rnn(examples, window_steps)
        self.note_rnn(2)
        self.evaluate(2000)
        return {}

    def train(self, algorithm, amount):
        """Trains for `amount` environment steps; seconds."""
        begin = time.perf_counter()
        self._tuners[algorithm].train(amount, report_every=10_000)
        return {"seconds": time.perf_counter() - begin}

    def evaluate(self, amount):
        """Generates melodies and computes all metrics; seconds."""
        tuner = next(iter(self._tuners.values()))
        begin = time.perf_counter()
        tuner.evaluate(amount)
        return {"seconds": time.perf_counter() - begin}

    def rewards(self, corpus, amount):
        """Rewards the first `amount` melodies; seconds, and the sum of all rewards."""
        melodies = np.load(corpus)[:amount]
        task = next(iter(self._tuners.values())).task
        begin = time.perf_counter()
        total = task.rewards(melodies).sum()
        return {"seconds": time.perf_counter() - begin, "total": float(total)}

    def note_rnn(self, amount):
        """Trains a Note RNN for `amount` steps; seconds."""
        begin = time.perf_counter()
        for _, batch in zip(range(amount), self._windows, strict=False):
            loss, _ = self._trainer._train_step(batch)
        float(loss)
        return {"seconds": time.perf_counter() - begin}

    def prepare_molecules(self, algorithms):
        """Builds what works on molecules; the products of their network."""
        from molecule_work import MoleculeWork

        self._molecules = MoleculeWork(algorithms)
        return {"layers": products_of(self._molecules.prior)}

    def molecules(self, step, amount, **arguments):
        """Does a step of `MoleculeWork`: what that returns."""
        return getattr(self._molecules, step)(amount=amount, **arguments)

    def first_step(self, checkpoint):
        """Builds a tuner and trains until the first update, as the command would."""
        from rl_tuner.commands import cli

        cli.load_tensorflow()
        tuner = self._tuners["q"] = _tuner(checkpoint, "q")
        tuner.train(40, report_every=40)
        return {}

    def full_memory(self, capacity, amount):
        """Fills the replay memory and trains on; the peak memory, in bytes."""
        del capacity  # it is allocated at once
        self.train("q", amount)
        return {"bytes": work_server.peak_memory()}

    def _prepare_note_rnn(self, examples, window_steps):
        from melody_rnn.note_rnn import training
        from melody_rnn.note_rnn.config import TrainingConfig
        from melody_rnn.note_rnn.sequence_examples import read_melodies
        from melody_rnn.note_rnn.windows import training_windows
        from rl_tuner.pretraining.trainer import SequenceTrainer

        melodies = read_melodies([examples], 38)
        config = TrainingConfig(window_steps=window_steps)
        run_dir = pathlib.Path(tempfile.mkdtemp())
        data = training.Data(melodies, melodies[:8], {})
        self._trainer = SequenceTrainer(config, training.corpus(config, data), run_dir)
        self._windows = iter(
            training_windows(melodies, config.batch_size, window_steps, 0, seed=0)
        )


def products_of(network):
    """[inputs, outputs] of each product of a SequenceRNN; a token is a one-hot row."""
    layers, width = [], network.num_classes
    for size in network.layer_sizes:
        layers.append([width + size, 4 * size])
        width = size
    return [*layers, [width, network.num_classes]]


def _tuner(checkpoint, algorithm):
    """An RLTuner at the paper's setting."""
    from melody_rnn.task import MelodyTask
    from rl_tuner.networks.sequence_rnn import SequenceRNN
    from rl_tuner.rl_tuner import RLTuner, RLTunerConfig

    config = RLTunerConfig(algorithm=algorithm, exploration_steps=EXPLORATION_STEPS)
    return RLTuner(SequenceRNN.load(checkpoint), MelodyTask(), config)


if __name__ == "__main__":
    work_server.serve(RLTunerSide())
