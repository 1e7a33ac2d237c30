"""Molecules: a SMILES RNN and the drug-likeness reward, as a world of RL Tuner."""
