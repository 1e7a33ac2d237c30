"""How melody networks read events, and what the labels that they give mean.

Magenta's lookback_rnn and attention_rnn read more of a melody than its last event, and
have two labels more than there are events: repeat the event of one bar ago, and of two.
An encoding keeps what it must know of the melody so far in a row of floats, which is
all zeros before the first event.
"""

from __future__ import annotations

import abc

import tensorflow as tf

BAR = 16  # sixteenths


class Encoding(abc.ABC):
    """One way to read events 0 (no event), 1 (note off), 2 and up (notes).

    Attributes:
      num_events: how many events there are.
      min_note: the MIDI pitch of event 2.
      num_labels: how many classes the network's last layer has.
      input_size: numbers that a network reads of each event.
      state_size: numbers that must be remembered of the events so far.
    """

    num_labels: int
    input_size: int
    state_size: int

    def __init__(self, num_events: int, min_note: int):
        """Takes which events there are."""
        self.num_events = num_events
        self.min_note = min_note

    @abc.abstractmethod
    def advance(self, tokens: tf.Tensor, state: tf.Tensor) -> tf.Tensor:
        """What is known after an event: [N] integers, [N, state_size] -> the same."""

    @abc.abstractmethod
    def inputs(
        self, tokens: tf.Tensor, before: tf.Tensor, after: tf.Tensor
    ) -> tf.Tensor:
        """What the network reads of events.

        Args:
          tokens: [N] integers.
          before: [N, state_size], what was known before them.
          after: [N, state_size], what `advance` makes of that.

        Returns:
          [N, input_size] float32.
        """

    @abc.abstractmethod
    def event_logits(self, logits: tf.Tensor, state: tf.Tensor) -> tf.Tensor:
        """Logits of events, from those of labels.

        The probability of an event is the sum of those of the labels that mean it.

        Args:
          logits: [N, num_labels].
          state: [N, state_size], what is known of the events so far.

        Returns:
          [N, num_events]; they sum up, as exponents, to what those of the labels do.
        """

    @abc.abstractmethod
    def labels(self, tokens: tf.Tensor, state: tf.Tensor) -> tf.Tensor:
        """The labels that Magenta's training data have for events.

        Args:
          tokens: [N] integers, the events that follow.
          state: [N, state_size], what is known of the events before them.

        Returns:
          [N] int32.
        """

    @abc.abstractmethod
    def own_labels(self) -> list[int]:
        """Of each event the label that is no repeat."""

    def follow(self, tokens: tf.Tensor, state: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """Reads whole melodies: [N, T] integers, [N, state_size].

        Returns:
          inputs [N, T, input_size], and states [N, T, state_size] after each event.
        """
        by_step = tf.transpose(tokens)
        steps, count = tf.shape(by_step)[0], tokens.shape[0]
        states = tf.TensorArray(
            tf.float32, steps, element_shape=[count, self.state_size]
        )

        def step(
            t: tf.Tensor, state: tf.Tensor, states: tf.TensorArray
        ) -> tuple[tf.Tensor, tf.Tensor, tf.TensorArray]:
            state = self.advance(by_step[t], state)
            return t + 1, state, states.write(t, state)

        first = tf.stop_gradient(state)
        *_, states = tf.while_loop(
            lambda t, *_: t < steps,
            step,
            (tf.constant(0), first, states),
            maximum_iterations=tokens.shape[1],
        )
        after = tf.transpose(states.stack(), [1, 0, 2])
        after = tf.ensure_shape(after, [*tokens.shape, self.state_size])
        before = tf.concat([first[:, tf.newaxis], after[:, :-1]], axis=1)
        flat = self.inputs(
            tf.reshape(tokens, [-1]),
            tf.reshape(before, [-1, self.state_size]),
            tf.reshape(after, [-1, self.state_size]),
        )
        shape = [tf.shape(tokens)[0], tf.shape(tokens)[1], self.input_size]
        inputs = tf.ensure_shape(
            tf.reshape(flat, shape), [*tokens.shape, self.input_size]
        )
        return tf.stop_gradient(inputs), tf.stop_gradient(after)


class OneHotEncoding(Encoding):
    """The last event alone, as basic_rnn and mono_rnn read it; labels are events."""

    def __init__(self, num_events: int, min_note: int):
        """As of `Encoding`."""
        super().__init__(num_events, min_note)
        self.num_labels = self.input_size = num_events
        self.state_size = 0

    def advance(self, tokens: tf.Tensor, state: tf.Tensor) -> tf.Tensor:
        """As of `Encoding`: nothing is remembered."""
        del tokens
        return state

    def inputs(
        self, tokens: tf.Tensor, before: tf.Tensor, after: tf.Tensor
    ) -> tf.Tensor:
        """As of `Encoding`."""
        del before, after
        return tf.one_hot(tokens, self.num_events)

    def event_logits(self, logits: tf.Tensor, state: tf.Tensor) -> tf.Tensor:
        """As of `Encoding`."""
        del state
        return logits

    def labels(self, tokens: tf.Tensor, state: tf.Tensor) -> tf.Tensor:
        """As of `Encoding`."""
        del state
        return tf.cast(tokens, tf.int32)

    def own_labels(self) -> list[int]:
        """As of `Encoding`."""
        return list(range(self.num_events))
