"""Where `SequenceRNN` was in version 0.1.0; it is in `rl_tuner.networks` now."""

from rl_tuner.networks.sequence_rnn import SequenceRNN

__all__ = ["SequenceRNN"]
