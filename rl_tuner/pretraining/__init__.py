"""Training a prior on a corpus."""
