"""Learning from whole sequences that the policy has just sampled itself."""
