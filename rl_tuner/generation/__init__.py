"""Sampling sequences from a policy, and judging them."""
