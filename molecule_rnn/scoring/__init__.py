"""What molecules are worth, by RDKit, in processes beside the training."""
