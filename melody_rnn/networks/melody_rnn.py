"""MelodyRNN: any model of Magenta's melody_rnn that is not a plain LSTM stack."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from melody_rnn.encoding import MIN_PITCH
from melody_rnn.networks import parts
from melody_rnn.networks.layouts import ATTENTION_LAYOUTS
from rl_tuner.errors import UserError
from rl_tuner.networks.network import Network

# Less than the logits of what a network shall put out: e^-20 is lost in rounding.
_UNSEEN = 20.0


class MelodyRNN(Network):
    """Predicts the next event of a melody, of more than the last event.

    Events of the task are read by an `Encoding`, pass LSTM cells, which may attend to
    what they put out before, and a dense layer, whose labels may repeat an earlier
    event. The logits are those of events: labels that mean the same event add their
    probability.

    The state is one float tensor [N, state_size]: that of the cells as Magenta has it,
    then what the encoding remembers.

    Attributes:
      num_classes: how many events there are.
      layer_sizes: LSTM cells per layer.
      encoding: how events are read, and what labels mean.
      stack: the cells.
      state_size: length of a state vector.
      metadata: as of `Network`, as is `read_from`.
    """

    def __init__(
        self,
        num_classes: int,
        layer_sizes: Sequence[int] = (128, 128),
        encoding: str = "onehot",
        attention_length: int = 0,
        attention_layout: str = ATTENTION_LAYOUTS[0],
        residual: bool = False,
        min_note: int = MIN_PITCH,
        has_old_error: bool = False,
        metadata: Mapping[str, Any] | None = None,
        name: str = "melody_rnn",
    ):
        """Makes a network of random weights.

        Args:
          num_classes: events: no event, note off, and notes.
          layer_sizes: LSTM cells per layer.
          encoding: a name in `encodings.ENCODINGS`.
          attention_length: outputs that are attended to; 0 for no attention.
          attention_layout: where attention is, one of `ATTENTION_LAYOUTS`.
          residual: whether each layer's input is added to its output.
          min_note: MIDI pitch of the lowest note, event 2.
          has_old_error: as of `LookbackEncoding`.
          metadata: as of `Network`.
          name: of the model.

        Raises:
          ValueError: one makes no sense.
        """
        super().__init__(name=name)
        self.num_classes = num_classes
        self.layer_sizes = tuple(layer_sizes)
        self.metadata = dict(metadata or {})
        self.read_from = ""
        self._arguments: dict[str, Any] = {
            "num_classes": num_classes,
            "layer_sizes": list(layer_sizes),
            "encoding": encoding,
            "attention_length": attention_length,
            "attention_layout": attention_layout,
            "residual": residual,
            "min_note": min_note,
            "has_old_error": has_old_error,
        }
        self._set_up()
        for weight, shape in self.weight_shapes(self._arguments).items():
            self.add_weight(
                shape,
                initializer="zeros" if weight.endswith("/bias") else "glorot_uniform",
                name=weight.replace("/", "."),
            )
        self.built = True

    @property
    def attention_length(self) -> int:
        """Outputs that are attended to; 0 for no attention."""
        return self.stack.attention_length

    def set_up_as(self, **arguments: Any) -> None:
        """Changes arguments of the constructor that no weight's shape shows.

        These are `attention_length`, of a network that attends, `min_note` and
        `has_old_error`.

        Raises:
          ValueError: one makes no sense, or needs other weights.
        """
        changed = {**self._arguments, **arguments}
        shapes = self.weight_shapes(changed)
        if shapes != {k: tuple(v.shape) for k, v in self.named_weights().items()}:
            raise ValueError(f"{', '.join(arguments)} needs other weights")
        self._arguments = changed
        self._set_up()

    def step(self, tokens: tf.Tensor, state: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """As of `Network`."""
        logits, cells, known = self.label_step(tokens, state)
        return self.encoding.event_logits(logits, known), tf.concat([cells, known], 1)

    def label_step(
        self, tokens: tf.Tensor, state: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Reads one event of each melody, and predicts Magenta's labels.

        Returns:
          logits [N, num_labels] of the next event's label, the cells' state after this
          one, and what the encoding remembers then.
        """
        cells, before = self._split(state)
        known = self.encoding.advance(tokens, before)
        x = self._computed(self.encoding.inputs(tokens, before, known))
        start = self.stack.start(self._weight, self._computed(cells))
        output, stack_state = self.stack.step(self._weight, x, start)
        cells = tf.cast(self.stack.finish(stack_state), tf.float32)
        return self._logits(output), cells, known

    def unroll_with_state(
        self, tokens: tf.Tensor, state: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """As of `Network`."""
        logits, known, cells = self.unroll_labels(tokens, state)
        return self._event_logits(logits, known), tf.concat([cells, known[:, -1]], 1)

    def unroll_with_dropout(
        self, tokens: tf.Tensor, rate: float, seed: tf.Tensor
    ) -> tf.Tensor:
        """As of `Network`; what is attended to is not dropped, as in Magenta."""
        logits, known, _ = self.unroll_labels(tokens, dropout=(rate, seed))
        return self._event_logits(logits, known)

    def _event_logits(self, logits: tf.Tensor, known: tf.Tensor) -> tf.Tensor:
        """Logits of events from those of labels, of whole melodies: [N, T, ...]."""
        shape = [*logits.shape[:2], self.num_classes]
        flat = self.encoding.event_logits(
            tf.reshape(logits, [-1, self.encoding.num_labels]),
            tf.reshape(known, [tf.size(logits[..., 0]), self.encoding.state_size]),
        )
        steps = tf.shape(logits)[:2]
        events = tf.reshape(flat, tf.concat([steps, [self.num_classes]], axis=0))
        return tf.ensure_shape(events, shape)

    def unroll_labels(
        self,
        tokens: tf.Tensor,
        state: tf.Tensor | None = None,
        dropout: tuple[float, tf.Tensor] | None = None,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Reads whole melodies, and predicts Magenta's labels.

        Args:
          tokens: [N, T] integers.
          state: [N, state_size] before the first event; zeros if None.
          dropout: rate and seed as of `unroll_with_dropout`.

        Returns:
          logits [N, T, num_labels] of the next event's label after each event, what the
          encoding remembers then [N, T, its state_size], and the cells' state in the
          end.
        """
        tokens = tf.convert_to_tensor(tokens)
        if state is None:
            state = self.initial_state(tf.shape(tokens)[0])
            state = tf.ensure_shape(state, [tokens.shape[0], self.state_size])
        cells, before = self._split(state)
        inputs, known = self.encoding.follow(tokens, before)
        by_step = tf.transpose(self._computed(inputs), [1, 0, 2])
        masks = self._masks(tf.shape(by_step)[:2], *dropout) if dropout else []
        start = self.stack.start(self._weight, self._computed(cells))
        outputs, stack_state = self.stack.unroll(self._weight, by_step, start, masks)
        outputs = tf.transpose(outputs, [1, 0, 2])
        cells = tf.cast(self.stack.finish(stack_state), tf.float32)
        return self._logits(outputs), known, cells

    def named_weights(self) -> dict[str, tf.Variable]:
        """The variables by their names in a checkpoint, in TensorFlow 1's layout.

        `cell_K/kernel` [inputs + units, 4 units], gates i, j, f, o; `cell_K/bias`;
        `logits/{kernel,bias}`; with attention `attention/...`, with residual
        connections `projection_K/...`: see `RecurrentStack.weight_shapes`.
        """
        return dict(self._variables_by_name)

    @property
    def clipping_groups(self) -> list[list[int]]:
        """As of `Network`: each variable stands alone."""
        return [[index] for index in range(len(self.trainable_variables))]

    def fill_logits(self, value: float) -> None:
        """As of `Network`: events by their own labels, and next to none by repeats."""
        weights = self.named_weights()
        kernel, bias = weights["logits/kernel"], weights["logits/bias"]
        kernel.assign(tf.zeros_like(kernel))
        own = self.encoding.own_labels()
        bias.assign(
            [
                value if label in own else value - _UNSEEN
                for label in range(self.encoding.num_labels)
            ]
        )

    def architecture(self) -> dict[str, Any]:
        """As of `Network`."""
        return dict(self._arguments)

    @classmethod
    def weight_shapes(
        cls, architecture: Mapping[str, Any]
    ) -> dict[str, tuple[int, ...]]:
        """As of `Network`, from the sizes alone.

        Raises:
          ValueError: one makes no sense.
        """
        encoding, stack = parts.make(**architecture)
        labels, units = encoding.num_labels, stack.layer_sizes[-1]
        return stack.weight_shapes() | {
            "logits/kernel": (units, labels),
            "logits/bias": (labels,),
        }

    def in_words(self) -> str:
        """As of `Network`."""
        return parts.in_words(self._arguments)

    def summed_with(self, other: Network) -> Network:
        """As of `Network`: there is none.

        Raises:
          UserError: always; says why.
        """
        del other
        raise UserError(
            f"{self.name} sums the probabilities of labels that mean one event, so no "
            "single network of its kind gives G + log p; export a model tuned by "
            "another algorithm, or play the run itself by rl_tuner_generate"
        )

    def _set_up(self) -> None:
        self.encoding, self.stack = parts.make(**self._arguments)
        self.state_size = self.stack.state_size + self.encoding.state_size

    @functools.cached_property
    def _variables_by_name(self) -> dict[str, tf.Variable]:
        names = self.weight_shapes(self._arguments)
        return dict(zip(names, self.trainable_variables, strict=True))

    def _weight(self, name: str) -> tf.Tensor:
        """A weight in the type that the network computes in."""
        return self._computed(self._variables_by_name[name])

    def _computed(self, value: tf.Tensor) -> tf.Tensor:
        return tf.cast(value, self.compute_dtype)

    def _masks(self, shape: tf.Tensor, rate: float, seed: tf.Tensor) -> list[tf.Tensor]:
        """What each layer's outputs are multiplied by: [T, N, units] each."""
        masks = []
        for layer, size in enumerate(self.layer_sizes):
            ones = tf.ones(tf.concat([shape, [size]], axis=0), self.compute_dtype)
            own = tf.random.fold_in(seed, layer)
            masks.append(
                tf.nn.experimental.stateless_dropout(ones, rate, own, "philox")
            )
        return masks

    def _logits(self, output: tf.Tensor) -> tf.Tensor:
        """The dense layer, in float32 under a policy of mixed precision too."""
        product = tf.tensordot(output, self._weight("logits/kernel"), 1)
        return tf.cast(product + self._weight("logits/bias"), tf.float32)

    def _split(self, state: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The cells' part of a state, and the encoding's."""
        sizes = [self.stack.state_size, self.encoding.state_size]
        cells, known = tf.split(state, sizes, axis=1)
        return cells, known
