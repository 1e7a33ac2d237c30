"""Every command of the documents runs, made small; a page is gone through in order."""

import itertools
import pathlib
import signal
import subprocess
import sys

import documents
import numpy as np
import pytest
from binaries import run_binary

pytestmark = pytest.mark.docs

# Flags that are added; of a flag that is given twice the last counts.
SMALL = {
    "note_rnn_create_dataset": ["--source=my_tunes", "--eval_ratio=0.5"],
    "note_rnn_train": ["--num_training_steps=4", "--eval_every=2", "--layer_sizes=8"],
    "smiles_rnn_create_dataset": ["--source=my_molecules.smi", "--eval_ratio=0.5"],
    "smiles_rnn_train": ["--num_training_steps=4", "--eval_every=2", "--layer_sizes=8"],
    "rl_tuner_train": [
        "--training_steps=400",
        "--output_every_nth=200",
        "--num_samples=2",
        "--num_melodies=20",
    ],
    "rl_tuner_generate": ["--num_outputs=2"],
    "rl_tuner_score": [],
    "rl_tuner_evaluate": ["--num_melodies=20"],
    "rl_tuner_export": [],
    "rl_tuner_reproduce": [
        "--training_steps=400",
        "--seeds=1",
        "--algorithms=psi",
        "--output_every_nth=200",
        "--num_samples=2",
        "--num_melodies=20",
    ],
    "rl_tuner_tradeoff": [
        "--training_steps=400",
        "--c=1",
        "--algorithms=psi",
        "--num_melodies=20",
    ],
    "rl_tuner_listen": ["--port=0", "--num_melodies=2"],
}
# Of what learns values of molecules; a policy gradient would refuse them.
OF_VALUES = [
    "--train_every_nth=10",
    "--rounds_per_scoring=2",
    "--minibatch_size=8",
    "--replay_capacity=1000",
]
NOT_RUN = {
    "lint-imports": "is run by .ci/run",
    "mypy": "is run by .ci/run",
    "pip": "installs what the tests have installed",
    "pre-commit": "would change the checkout",
    "pytest": "is what runs this",
    "python": "measures, or writes into the checkout",
    "python3": "makes an environment: .ci/run does",
    "ruff": "is run by .ci/run",
}
COMMANDS = [
    (page, index, words)
    for page in documents.PAGES
    if (documents.ROOT / page).exists()
    for index, words in enumerate(documents.commands(page))
]
INLINE = [
    (page, index, words)
    for page in documents.PAGES
    if (documents.ROOT / page).exists()
    for index, words in enumerate(documents.inline_commands(page))
    if not any("..." in word for word in words)
]
TUNE = "X:1\nL:1/16\nK:C\n" + "c2d2e2f2 g2a2b2c'2 b2a2g2f2 e2d2c4|" * 4


@pytest.fixture(name="folders", scope="module")
def _folders(tmp_path_factory):
    """A folder for each page, with what its reader has."""
    from melody_rnn.networks.kinds import AttentionRNN
    from melody_rnn.notation.midi import write_midi
    from rl_tuner.formats.writing import export
    from rl_tuner.networks.sequence_rnn import SequenceRNN

    folders = {}
    for page in documents.PAGES:
        folder = folders[page] = tmp_path_factory.mktemp("reader")
        (folder / "checkpoints").symlink_to(documents.ROOT / "checkpoints")
        for other in documents.PAGES:
            for name, text in documents.named_files(other).items():
                (folder / name).write_text(text)
        (folder / "my_tunes").mkdir()
        notes = np.random.default_rng(0).integers(2, 38, [5, 32]).repeat(2, axis=1)
        notes[:, 1::2] = 0
        for number, melody in enumerate(notes):
            write_midi(melody, folder / "my_tunes" / f"tune_{number}.mid")
        write_midi(notes[0], folder / "my_tunes" / "tune.mid")
        (folder / "my_tunes" / "tune.abc").write_text(TUNE)
        ends = ("O", "N", "c1ccccc1")
        molecules = ["C" * length + end for length in range(1, 9) for end in ends]
        (folder / "my_molecules.smi").write_text("\n".join(molecules))
        model = SequenceRNN(38, (8,))
        export(model, "magenta_checkpoint", folder / "my_magenta_run")
        export(model, "mag", folder / "basic_rnn.mag")
        attention = AttentionRNN(38, (8,), attention_length=4)
        export(attention, "mag", folder / "attention_rnn.mag")
        (folder / "note_rnn_paper").symlink_to(documents.ROOT / "checkpoints/note_rnn")
    return folders


@pytest.mark.parametrize(
    ("page", "words"),
    [(page, words) for page, _, words in COMMANDS],
    ids=[f"{page}-{index}-{words[0]}" for page, index, words in COMMANDS],
)
def test_command_runs(page, words, folders):
    program, *flags = words
    if program in NOT_RUN:
        pytest.skip(f"{program} {NOT_RUN[program]}")
    if "--distribution=multi_worker" in flags:
        pytest.skip("it needs two machines")
    if "--distribution=mirrored" in flags and "--device=cpu" not in flags:
        pytest.skip("it needs GPUs")
    runners = {"--runner=DirectRunner", "--runner=FlinkRunner"}
    if not runners.isdisjoint(flags):
        pytest.skip("it needs Apache Beam, or a cluster: the tests of runners have it")
    flags += SMALL[program]
    if program == "smiles_rnn_train" and any("--checkpoint_dir" in x for x in flags):
        flags.remove("--layer_sizes=8")  # those are the model's
    if "--task=molecule" in flags and program != "rl_tuner_score":
        flags.append("--num_sequences=10")
        values = {"--protocol=random_token", "--algorithm=g", "--algorithm=psi"}
        is_grid = program in ("rl_tuner_reproduce", "rl_tuner_tradeoff")
        if is_grid or (program == "rl_tuner_train" and values & set(flags)):
            flags += OF_VALUES
    if program == "rl_tuner_listen":
        _listen(flags, folders[page])
        return
    result = run_binary(program, *flags, cwd=folders[page], timeout=1800)
    assert result.returncode == 0, result.stderr[-4000:]


@pytest.mark.parametrize(
    ("page", "index", "words"),
    INLINE,
    ids=[f"{page}-{index}-{words[0]}" for page, index, words in INLINE],
)
def test_inline_command_runs(page, index, words, folders):
    if "--corpus_dir=data" in words and not (folders[page] / "data").exists():
        world = "smiles" if "--task=molecule" in words else "note"
        program = f"{world}_rnn_create_dataset"
        made = run_binary(
            program, "--output_dir=data", *SMALL[program], cwd=folders[page]
        )
        assert made.returncode == 0, made.stderr[-4000:]
    # What stands in a sentence may write to where a block of the page did.
    if any(word.startswith("--output_dir=") for word in words):
        words = [*words, f"--output_dir=inline_{index}"]
    test_command_runs(page, words, folders)


def test_python_of_the_readme_runs(folders):
    [code] = documents.blocks("README.md", "python")
    code = code.replace("300_000", "200").replace("100_000", "20")
    code += "\nassert melodies.shape == (8, 32)\nassert 'kl' in metrics\n"
    subprocess.run(
        [sys.executable, "-c", code], cwd=folders["README.md"], check=True, timeout=600
    )


def _listen(flags, folder):
    """Waits until the page is there, and ends it as a user does."""
    program = pathlib.Path(sys.executable).with_name("rl_tuner_listen")
    with subprocess.Popen(
        [program, *flags],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # What a shell runs in the background does not hear Ctrl-C, nor would this.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        try:
            said = list(itertools.takewhile(lambda x: "://" not in x, process.stdout))
            process.send_signal(signal.SIGINT)
            # 130 where it had not begun to serve when it heard it.
            assert process.wait(60) in (0, 130), "".join(said)
        finally:
            process.kill()
