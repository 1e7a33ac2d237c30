"""Trains a Note RNN: batches of windows in, the best model on the eval split out."""

import dataclasses
import json
import os
import pathlib
import time
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from melody_rnn.baselines import Score
from melody_rnn.note_windows import Batch, training_windows, whole_melodies
from rl_tuner.errors import UserError
from rl_tuner.sequence_rnn import SequenceRNN

EVAL_UNSCORED_STEPS = 8  # of each tune, as in the paper


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """How to train; the defaults follow Jaques et al. 2017 but for what is said.

    Attributes:
      layer_sizes: LSTM cells per layer.
      batch_size: sequences per step.
      window_steps: steps that a sequence is cut to.
      unscored_steps: predictions at the beginning of a sequence without a loss. The
        paper has 8, which leaves a melody's first steps to chance: reinforcement
        learning begins there, with a zero state and a random note.
      learning_rate: Adam's, at the beginning. The paper's .5 gets no further than a
        unigram model with Adam.
      decay_rate: the learning rate is multiplied with it ...
      decay_steps: ... each time so many steps are done.
      clip_norm: the global norm that gradients are clipped to.
      l2: weight of half the squared norm of all weight matrices.
      num_training_steps: the most steps to do.
      eval_every: steps between two evaluations, each with a checkpoint.
      patience: evaluations without a better one before training ends.
      seed: of the initial weights and the choice of windows.
    """

    layer_sizes: tuple[int, ...] = (100,)
    batch_size: int = 128
    window_steps: int = 128
    unscored_steps: int = 0
    learning_rate: float = 0.01
    decay_rate: float = 0.85
    decay_steps: int = 1000
    clip_norm: float = 5.0
    l2: float = 2.5e-5
    num_training_steps: int = 30_000
    eval_every: int = 250
    patience: int = 12
    seed: int = 0


class NoteRnnTrainer:
    """Trains one model in one folder, and goes on where an earlier run was cut.

    Folder: `checkpoints/` for resuming, `logs/` for TensorBoard, `note_rnn/` the best
    model so far as `SequenceRNN.save` writes it.

    Attributes:
      model: the network in training.
      best_dir: the folder of the best model.
    """

    def __init__(
        self,
        config: TrainingConfig,
        training: Sequence[np.ndarray],
        evaluation: Sequence[np.ndarray],
        num_classes: int,
        run_dir: pathlib.Path,
    ):
        """Builds the network and restores the last checkpoint in `run_dir`, if any.

        Args:
          config: how to train.
          training: melodies to train on, each [steps] ints.
          evaluation: melodies to stop by.
          num_classes: how many tokens there are.
          run_dir: the run's folder, which exists.

        Raises:
          UserError: the folder holds a run of other settings or cannot be read.
        """
        self.config = config
        self.best_dir = run_dir / "note_rnn"
        self._training, self._evaluation = training, evaluation
        keras.utils.set_random_seed(config.seed)
        self.model = SequenceRNN(num_classes, config.layer_sizes)
        self._optimizer = keras.optimizers.Adam(
            keras.optimizers.schedules.ExponentialDecay(
                config.learning_rate,
                config.decay_steps,
                config.decay_rate,
                staircase=True,
            ),
            global_clipnorm=config.clip_norm,
        )
        self._optimizer.build(self.model.trainable_variables)
        self._step = tf.Variable(0, dtype=tf.int64, trainable=False)
        self._best = tf.Variable(np.inf, dtype=tf.float64, trainable=False)
        self._evals_since_best = tf.Variable(0, trainable=False)
        checkpoint = tf.train.Checkpoint(
            model=self.model,
            optimizer=self._optimizer,
            step=self._step,
            best=self._best,
            evals_since_best=self._evals_since_best,
        )
        self._check_settings(run_dir)
        self._manager = tf.train.CheckpointManager(
            checkpoint, str(run_dir / "checkpoints"), max_to_keep=2
        )
        try:
            self._manager.restore_or_initialize()
        except (tf.errors.OpError, ValueError) as error:
            raise UserError(
                f"the checkpoint in {run_dir / 'checkpoints'} is damaged; "
                "delete that folder to begin anew"
            ) from error
        self._writers = {
            name: tf.summary.create_file_writer(str(run_dir / "logs" / name))
            for name in ("train", "eval")
        }

    @property
    def step(self) -> int:
        """Training steps done."""
        return int(self._step)

    @property
    def best(self) -> float:
        """Log perplexity of the best evaluation so far, in nats per step."""
        return float(self._best)

    def train(self, report_every: int = 50) -> None:
        """Trains until the eval split gains no more or the steps are used up.

        Every `report_every` steps it prints a line and writes the curves.
        """
        config = self.config
        batches = training_windows(
            self._training,
            config.batch_size,
            config.window_steps,
            config.unscored_steps,
            config.seed,
            first_batch=self.step,
        )
        if self.step:
            print(f"going on at step {self.step}", flush=True)
        totals, done, began = np.zeros(2), 0, time.monotonic()
        for batch in batches:
            if self._is_finished():
                break
            totals += [float(value) for value in self._train_step(batch)]
            self._step.assign_add(1)
            done += 1
            if done == report_every or self.step % config.eval_every == 0:
                self._report(*(totals / done), done / (time.monotonic() - began))
                totals, done, began = np.zeros(2), 0, time.monotonic()
            if self.step % config.eval_every == 0 or self._is_finished():
                self._evaluate_and_save()
                began = time.monotonic()

    def _is_finished(self) -> bool:
        return (
            self.step >= self.config.num_training_steps
            or int(self._evals_since_best) >= self.config.patience
        )

    @tf.function
    def _train_step(self, batch: Batch) -> tuple[tf.Tensor, tf.Tensor]:
        """One step of Adam; returns the mean loss, without L2, and the accuracy."""
        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            nats, right, number = score_batch(self.model, batch)
            loss = nats / tf.maximum(number, 1)
            matrices = [v for v in variables if len(v.shape) > 1]
            penalty = tf.add_n([tf.nn.l2_loss(matrix) for matrix in matrices])
            total = loss + self.config.l2 * penalty
        self._optimizer.apply(tape.gradient(total, variables), variables)
        return loss, right / tf.maximum(number, 1)

    def _report(self, loss: float, accuracy: float, steps_per_second: float) -> None:
        left = (self.config.num_training_steps - self.step) / steps_per_second
        print(
            f"step {self.step}/{self.config.num_training_steps}  loss {loss:.4f}  "
            f"accuracy {accuracy:.4f}  perplexity {np.exp(loss):.3f}  "
            f"{steps_per_second:.1f} steps/s  at most {_duration(left)} left",
            flush=True,
        )
        rate = float(self._optimizer.learning_rate)
        self._write_curves("train", loss, accuracy, learning_rate=rate)

    def _evaluate_and_save(self) -> None:
        score = evaluate(self.model, self._evaluation, self.config.batch_size)
        is_better = score.log_perplexity < self.best
        print(
            f"step {self.step}: eval loss {score.log_perplexity:.4f}  accuracy "
            f"{score.accuracy:.4f}  perplexity {np.exp(score.log_perplexity):.3f}"
            + ("  (best so far)" if is_better else ""),
            flush=True,
        )
        self._write_curves("eval", score.log_perplexity, score.accuracy)
        # The model first: a run that is cut in between repeats this evaluation.
        if is_better:
            self.model.save(self.best_dir)
            self._best.assign(score.log_perplexity)
        self._evals_since_best.assign(0 if is_better else self._evals_since_best + 1)
        self._manager.save(checkpoint_number=self.step)

    def _write_curves(
        self, name: str, loss: float, accuracy: float, **more: float
    ) -> None:
        values = {"loss": loss, "accuracy": accuracy, "perplexity": np.exp(loss)}
        with self._writers[name].as_default(step=self.step):
            for key, value in (values | more).items():
                tf.summary.scalar(key, value)
        self._writers[name].flush()

    def _check_settings(self, run_dir: pathlib.Path) -> None:
        """Refuses to go on with a run of other settings, but for when it ends."""
        path = run_dir / "training_config.json"
        settings = json.loads(json.dumps(dataclasses.asdict(self.config)))
        settings["data"] = {
            name: [len(melodies), int(sum(map(len, melodies)))]
            for name, melodies in (
                ("training", self._training),
                ("eval", self._evaluation),
            )
        }
        if path.exists():
            try:
                earlier = json.loads(path.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                earlier = {}
            for key in settings.keys() - {"num_training_steps", "patience"}:
                if settings[key] != earlier.get(key):
                    raise UserError(
                        f"{run_dir} holds a run with {key}={earlier.get(key)}, not "
                        f"{settings[key]}; use the same flags and data, or another "
                        "--output_dir"
                    )
        partial = path.with_suffix(".unfinished")
        partial.write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
        os.replace(partial, path)


def score_batch(
    model: SequenceRNN, batch: Batch
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Returns the sums over a batch: -log p in nats, right guesses, predictions."""
    logits = model.unroll(batch.inputs)
    nats = tf.nn.sparse_softmax_cross_entropy_with_logits(batch.labels, logits)
    guesses = tf.argmax(logits, axis=-1, output_type=tf.int32)
    right = tf.cast(guesses == batch.labels, tf.float32)
    return (
        tf.reduce_sum(nats * batch.weights),
        tf.reduce_sum(right * batch.weights),
        tf.reduce_sum(batch.weights),
    )


def evaluate(
    model: SequenceRNN,
    melodies: Sequence[np.ndarray],
    batch_size: int = 128,
    unscored_steps: int = EVAL_UNSCORED_STEPS,
) -> Score:
    """Scores a model on whole melodies, each from a zero state."""
    totals = np.zeros(3)
    for batch in whole_melodies(melodies, batch_size, unscored_steps):
        totals += [float(value) for value in _score_batch(model, batch)]
    nats, right, number = totals
    number = int(number)
    return Score(float(right / max(number, 1)), float(nats / max(number, 1)), number)


@tf.function(reduce_retracing=True)
def _score_batch(model: SequenceRNN, batch: Batch):
    return score_batch(model, batch)


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"
