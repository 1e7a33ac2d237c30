"""Which code a figure depends on, in groups."""

from __future__ import annotations

_NETWORKS = ("rl_tuner/networks/*.py", "rl_tuner/weights.py")
# All that serves the papers' algorithms, which learn values.
VALUE_LEARNING = (
    *_NETWORKS,
    "rl_tuner/algorithms/__init__.py",
    "rl_tuner/algorithms/algorithm.py",
    "rl_tuner/algorithms/centering.py",
    "rl_tuner/algorithms/exploration.py",
    "rl_tuner/algorithms/value_learning.py",
    "rl_tuner/generation/*.py",
    "rl_tuner/training/**/*.py",
    "rl_tuner/assembly.py",
    "rl_tuner/config.py",
    "rl_tuner/rl_tuner.py",
    "rl_tuner/scored_task.py",
    "rl_tuner/sequence_ends.py",
    "rl_tuner/task.py",
)
# And what policy gradients need besides.
TUNING = (*VALUE_LEARNING, "rl_tuner/algorithms/*.py", "rl_tuner/on_policy/*.py")
MELODY_TASK = (
    "melody_rnn/music_theory/*.py",
    "melody_rnn/encoding.py",
    "melody_rnn/table1.py",
    "melody_rnn/task.py",
    "melody_rnn/world.py",
)
MELODIES = (*TUNING, *MELODY_TASK)
MELODY_NETWORKS = ("melody_rnn/networks/*.py",)
MOLECULE_TASK = (
    "molecule_rnn/moses/*.py",
    "molecule_rnn/scoring/*.py",
    "molecule_rnn/scoring/components/*.py",
    "molecule_rnn/table2.py",
    "molecule_rnn/tuning_defaults.py",
    "molecule_rnn/task.py",
    "molecule_rnn/vocabulary.py",
    "molecule_rnn/world.py",
)
MOLECULES = (*TUNING, *MOLECULE_TASK, "molecule_rnn/policy_gradient_defaults.py")
PRETRAINING = (*_NETWORKS, "rl_tuner/pretraining/*.py")
NOTE_RNN = ("checkpoints/note_rnn/weights.npz", "checkpoints/note_rnn/config.json")
SMILES_RNN = (
    "checkpoints/smiles_rnn/weights.npz",
    "checkpoints/smiles_rnn/config.json",
)
