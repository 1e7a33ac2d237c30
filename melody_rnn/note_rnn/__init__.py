"""The Note RNN: its data, and its training."""
