"""What was acted, kept to be learned from: the memory, its buffers and its modes."""
