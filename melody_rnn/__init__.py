"""Melodies as a world for RL Tuner: corpus, music theory rules, metrics and MIDI."""

import warnings

# pydub, which note_seq imports, warns of a missing ffmpeg that nothing here uses.
warnings.filterwarnings("ignore", module="pydub")
