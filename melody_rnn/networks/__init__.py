"""Networks of Magenta's melody_rnn: lookback, attention, residual connections."""
