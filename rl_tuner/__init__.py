"""RL Tuner: KL-controlled fine-tuning of sequence models by reinforcement learning."""

__version__ = "0.1.0"
