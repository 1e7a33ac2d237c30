"""The models that come with RL Tuner: a folder each, with its model card."""
