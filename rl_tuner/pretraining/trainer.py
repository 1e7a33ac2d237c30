"""Trains a sequence RNN: batches of tokens in, the best model on the eval split out."""

from __future__ import annotations

import dataclasses
import datetime
import math
import pathlib
import sys
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rl_tuner.errors import UserError
from rl_tuner.networks.network import Network
from rl_tuner.networks.sequence_rnn import SequenceRNN
from rl_tuner.pretraining.batches import Batch
from rl_tuner.pretraining.config import PretrainingConfig
from rl_tuner.pretraining.corpus import Corpus
from rl_tuner.pretraining.gradients import BatchGradients
from rl_tuner.pretraining.scores import score_sequences
from rl_tuner.reports.tensorboard_curves import TensorBoardCurves
from rl_tuner.system import same_settings, saves
from rl_tuner.system.stop_request import Stopped

SETTINGS_FILE = "training_config.json"
# That runs of version 0.1.0 have not kept.
_NEWER_SETTINGS = ("clip_each", "dropout")


class SequenceTrainer:
    """Trains one model in one folder, and resumes where an earlier run was cut.

    Folder: `checkpoints/` for resuming, `logs/` for TensorBoard, and the best model so
    far, as `SequenceRNN.save` writes it, in a folder that is called as the corpus is.

    Attributes:
      config: how to train.
      corpus: what on.
      model: the network in training.
      best_dir: the folder of the best model.
    """

    def __init__(
        self, config: PretrainingConfig, corpus: Corpus, run_dir: pathlib.Path
    ):
        """Builds the network and restores the last checkpoint in `run_dir`, if any.

        Args:
          config: how to train.
          corpus: what on.
          run_dir: the run's folder, which exists.

        Raises:
          UserError: the folder holds a run of other settings or cannot be read.
        """
        self.config = config
        self.corpus = corpus
        self.best_dir = run_dir / corpus.name
        keras.utils.set_random_seed(config.seed)
        if corpus.prior is not None:
            self.model = corpus.prior.clone()
        else:
            make_network = corpus.make_network or _sequence_rnn(corpus.num_classes)
            self.model = make_network(config)
        self.model.metadata = dict(corpus.metadata)  # also of a run that is cut
        self._optimizer = keras.optimizers.Adam(
            keras.optimizers.schedules.ExponentialDecay(
                config.learning_rate,
                config.decay_steps,
                config.decay_rate,
                staircase=True,
            ),
            **{"clipnorm" if config.clip_each else "global_clipnorm": config.clip_norm},
        )
        self._optimizer.build(self.model.trainable_variables)
        self._gradients = BatchGradients(self.model, config)
        self._step = tf.Variable(0, dtype=tf.int64, trainable=False)
        self._best = tf.Variable(np.inf, dtype=tf.float64, trainable=False)
        self._evals_since_best = tf.Variable(0, trainable=False)
        self._saves = run_dir / "checkpoints"
        self._curves = {
            name: TensorBoardCurves(run_dir / "logs" / name, _warn)
            for name in ("train", "eval")
        }
        checksum = {"data_checksum": corpus.checksum} if corpus.checksum else {}
        same_settings.claim(
            run_dir / SETTINGS_FILE,
            dataclasses.asdict(config) | {"data": corpus.identity} | checksum,
            free=("num_training_steps", "patience"),  # when it ends
            has_checksum=False,
            newer=(*checksum, *_NEWER_SETTINGS, *corpus.newer_settings),
        )
        self._restore()

    @property
    def step(self) -> int:
        """Training steps done."""
        return int(self._step)

    @property
    def best(self) -> float:
        """Log perplexity of the best evaluation so far, in nats per step."""
        return float(self._best)

    def train(
        self,
        report_every: int = 50,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        """Trains until the eval split gains no more or the steps are used up.

        Every `report_every` steps it prints a line and writes the curves.

        Args:
          report_every: steps.
          should_stop: asked after each step; True saves, and raises `Stopped`.

        Raises:
          Stopped: it was asked to stop, and is saved.
          UserError: the loss is not finite.
        """
        if self.step:
            print(f"resuming at step {self.step}", flush=True)
        elif self.corpus.prior is not None:
            self._evaluate_and_save()  # what is no better is not the best model
        totals, done, began = np.zeros(2), 0, time.monotonic()
        for batch in self.corpus.batches(self.step):
            if self._is_finished():
                break
            totals += [float(value) for value in self._train_step(batch)]
            self._step.assign_add(1)
            done += 1
            self._check_finite(totals[0])
            if done == report_every or self.step % self.config.eval_every == 0:
                loss, accuracy = totals / done
                self._report(loss, accuracy, done / (time.monotonic() - began))
                totals, done, began = np.zeros(2), 0, time.monotonic()
            if self.step % self.config.eval_every == 0 or self._is_finished():
                self._evaluate_and_save()
                began = time.monotonic()
            elif should_stop() and self._save():
                raise Stopped(self.step)

    def _is_finished(self) -> bool:
        return (
            self.step >= self.config.num_training_steps
            or int(self._evals_since_best) >= self.config.patience
        )

    @tf.function(autograph=False)
    def _train_step(self, batch: Batch) -> tuple[tf.Tensor, tf.Tensor]:
        """One step of Adam; returns the mean loss, without L2, and the accuracy."""
        loss, accuracy, gradients = self._gradients.of(batch, self._step)
        self._optimizer.apply(gradients, self.model.trainable_variables)
        return loss, accuracy

    def _report(self, loss: float, accuracy: float, steps_per_second: float) -> None:
        steps = self.config.num_training_steps - self.step
        left = datetime.timedelta(0, round(steps / steps_per_second))
        print(
            f"step {self.step}/{self.config.num_training_steps}  loss {loss:.4f}  "
            f"accuracy {accuracy:.4f}  perplexity {np.exp(loss):.3f}  "
            f"{steps_per_second:.1f} steps/s  at most {left} left",
            flush=True,
        )
        rate = {"learning_rate": float(self._optimizer.learning_rate)}
        self._write_curves("train", loss, accuracy, **rate)

    def _evaluate_and_save(self) -> None:
        score = score_sequences(
            self.model,
            self.corpus.stopping,
            self.config.batch_size,
            self.corpus.unscored_steps,
        )
        is_better = score.log_perplexity < self.best
        print(
            f"step {self.step}: eval loss {score.log_perplexity:.4f}  accuracy "
            f"{score.accuracy:.4f}  perplexity {np.exp(score.log_perplexity):.3f}"
            + ("  (best so far)" if is_better else ""),
            flush=True,
        )
        self._check_finite(score.log_perplexity)
        self._write_curves("eval", score.log_perplexity, score.accuracy)
        # The model first: a run that is cut in between repeats this evaluation.
        if is_better:
            self.model.save(self.best_dir)
            self._best.assign(score.log_perplexity)
        self._evals_since_best.assign(0 if is_better else self._evals_since_best + 1)
        self._save()

    def _check_finite(self, loss: float) -> None:
        """Stops before anything is saved that is no number."""
        if math.isfinite(loss):
            return
        last = saves.latest(self._saves)
        raise UserError(
            f"the loss is {loss} at step {self.step}; try a smaller --learning_rate in "
            "another --output_dir; "
            + (f"the last good save is {last}" if last else "nothing was saved before")
        )

    def _state_variables(self) -> dict[str, Any]:
        """Every variable of the training, by a name that no other has."""
        variables: dict[str, Any] = {
            "step": self._step,
            "best": self._best,
            "evals_since_best": self._evals_since_best,
        }
        for name, variable in self.model.named_weights().items():
            variables[f"model/{name}"] = variable
        for index, variable in enumerate(self._optimizer.variables):
            variables[f"optimizer/{index}"] = variable
        return variables

    def _save(self) -> bool:
        """Saves the training; if that fails it warns, and training continues."""
        arrays = {name: var.numpy() for name, var in self._state_variables().items()}
        return saves.try_to_save(self._saves, self.step, arrays, {}, _warn)

    def _restore(self) -> None:
        saved = saves.load_latest(self._saves, _warn)
        if saved is None:
            if any(self._saves.glob("*.index")):
                raise UserError(
                    f"{self._saves} is of an earlier version; resume with that, or "
                    "delete it to begin anew"
                )
            return
        try:
            for name, variable in self._state_variables().items():
                variable.assign(saved.arrays[name])
        except (KeyError, ValueError) as error:
            raise UserError(
                f"{self._saves} is of another version: {error}; resume with that, or "
                "delete it to begin anew"
            ) from error

    def _write_curves(
        self, name: str, loss: float, accuracy: float, **more: float
    ) -> None:
        values = {"loss": loss, "accuracy": accuracy, "perplexity": np.exp(loss)}
        self._curves[name].write(self.step, values | more)


def _sequence_rnn(num_classes: int) -> Callable[[PretrainingConfig], Network]:
    """Makes plain LSTM stacks."""
    return lambda config: SequenceRNN(num_classes, config.layer_sizes)


def limit_threads(number: int) -> None:
    """Makes TensorFlow use `number` threads; only before it has done anything."""
    tf.config.threading.set_intra_op_parallelism_threads(number)
    tf.config.threading.set_inter_op_parallelism_threads(number)


def _warn(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
