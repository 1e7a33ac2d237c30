"""Where the counts were in version 0.1.0; now in `melody_rnn.music_theory`."""

from melody_rnn.music_theory.statistics import composition_stats

__all__ = ["composition_stats"]
