"""Trains a Note RNN: batches of windows in, the best model on the eval split out."""

import pathlib
from collections.abc import Iterable, Sequence

import numpy as np

from melody_rnn.note_rnn.config import TrainingConfig
from melody_rnn.note_rnn.windows import training_windows
from rl_tuner.networks.sequence_rnn import SequenceRNN
from rl_tuner.pretraining.batches import Batch
from rl_tuner.pretraining.ngrams import Score
from rl_tuner.pretraining.trainer import SequenceTrainer, score_sequences

EVAL_UNSCORED_STEPS = 8  # of each tune, as in the paper


class NoteRnnTrainer(SequenceTrainer):
    """Trains on windows of melodies and stops by whole ones; in `note_rnn/`."""

    def __init__(
        self,
        config: TrainingConfig,
        training: Sequence[np.ndarray],
        evaluation: Sequence[np.ndarray],
        num_classes: int,
        run_dir: pathlib.Path,
    ):
        """Builds the network or goes on with the run in `run_dir`.

        Args:
          config: how to train.
          training: melodies to train on, each [steps] ints.
          evaluation: melodies to stop by.
          num_classes: how many tokens there are.
          run_dir: the run's folder, which exists.

        Raises:
          UserError: the folder holds a run of other settings or cannot be read.
        """
        data = {
            name: [len(melodies), int(sum(map(len, melodies)))]
            for name, melodies in (("training", training), ("eval", evaluation))
        }
        super().__init__(config, num_classes, run_dir, "note_rnn", data)
        self._training, self._evaluation = training, evaluation

    def batches(self, first_batch: int) -> Iterable[Batch]:
        """Windows cut at random places."""
        config = self.config
        return training_windows(
            self._training,
            config.batch_size,
            config.window_steps,
            config.unscored_steps,
            config.seed,
            first_batch,
        )

    def score(self) -> Score:
        """Scores the model on the whole evaluation melodies."""
        return evaluate(self.model, self._evaluation, self.config.batch_size)


def evaluate(
    model: SequenceRNN,
    melodies: Sequence[np.ndarray],
    batch_size: int = 128,
    unscored_steps: int = EVAL_UNSCORED_STEPS,
) -> Score:
    """Scores a model on whole melodies, each from a zero state."""
    return score_sequences(model, melodies, batch_size, unscored_steps)
