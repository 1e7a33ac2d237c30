"""Melodies as MIDI, ABC, sound and pictures."""
