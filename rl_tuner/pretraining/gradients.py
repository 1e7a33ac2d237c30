"""BatchGradients: the gradients of a batch, whose sequences the cores share."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from rl_tuner.networks.network import Network
from rl_tuner.pretraining.batches import Batch
from rl_tuner.pretraining.config import PretrainingConfig
from rl_tuner.pretraining.scores import score_logits
from rl_tuner.system.provenance import available_cores

# More are of no use: the products of a share become too small.
_MOST_SHARES = 8


class BatchGradients:
    """Differentiates the mean loss of a batch, in compiled shares of its sequences."""

    def __init__(self, model: Network, config: PretrainingConfig):
        """Takes the network in training, and what its loss is."""
        self._model, self._config = model, config
        has_gpu = bool(tf.config.list_physical_devices("GPU"))
        self._num_shares = 1 if has_gpu else min(available_cores(), _MOST_SHARES)

    def of(
        self, batch: Batch, step: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, list[tf.Tensor]]:
        """Of a batch of known shape.

        Args:
          batch: N sequences.
          step: the number of the training step, which dropout depends on.

        Returns:
          the mean loss, without L2, the accuracy, and the gradients, with L2's.
        """
        number = tf.maximum(tf.reduce_sum(batch.weights), 1.0)
        seed = tf.stack([self._config.seed, tf.cast(step, tf.int32)])
        of_shares = [
            self._of_share(share, number, tf.random.fold_in(seed, index))
            for index, share in enumerate(self._shares(batch))
        ]
        losses, rights, gradients = zip(*of_shares, strict=True)
        total = [tf.add_n(parts) for parts in zip(*gradients, strict=True)]
        if self._config.l2:
            # The gradient of half the square of a matrix is the matrix.
            total = [
                gradient + self._config.l2 * v if len(v.shape) > 1 else gradient
                for gradient, v in zip(
                    total, self._model.trainable_variables, strict=True
                )
            ]
        return tf.add_n(losses), tf.add_n(rights) / number, total

    def _shares(self, batch: Batch) -> list[Batch]:
        """The batch in parts, whose sizes differ by no more than one."""
        count = batch.inputs.shape[0]
        parts = np.array_split(np.arange(count), min(self._num_shares, count))
        sizes = [len(part) for part in parts]
        split = [tf.split(values, sizes) for values in batch]
        return [Batch(*x) for x in zip(*split, strict=True)]

    # XLA runs on one core; the graph around it runs the shares side by side.
    @tf.function(jit_compile=True, autograph=False)
    def _of_share(
        self, share: Batch, number: tf.Tensor, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, list[tf.Tensor]]:
        """A share of the loss, right guesses, and the gradients of that loss."""
        with tf.GradientTape() as tape:
            logits = self._logits(share.inputs, seed)
            nats, right, _ = score_logits(logits, share)
            loss = nats / number
        variables = self._model.trainable_variables
        return loss, right, tape.gradient(loss, variables)

    def _logits(self, inputs: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """What the model in training makes of sequences."""
        if not self._config.dropout:
            return self._model.unroll(inputs)
        return self._model.unroll_with_dropout(inputs, self._config.dropout, seed)
