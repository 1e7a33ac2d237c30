"""Sequence models that can be tuned: see `network.Network`."""
