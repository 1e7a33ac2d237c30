"""The SMILES RNN: its data, and its training."""
