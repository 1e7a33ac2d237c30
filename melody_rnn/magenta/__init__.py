"""Magenta's configurations, checkpoints, bundles and magenta.js."""
