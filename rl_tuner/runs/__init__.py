"""Whole runs and grids of them, in folders."""
