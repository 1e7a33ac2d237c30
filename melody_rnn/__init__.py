"""Melodies as a world for RL Tuner: corpus, music theory rules, metrics and MIDI."""
