"""Sequence models that can be tuned."""
