"""The binaries with --task=molecule, as commands, on a tiny model."""

import csv
import json

import pytest
from binaries import assert_refused, run_binary
from rdkit import Chem
from rdkit.Chem import QED
from tiny_smiles_rnn import tiny_smiles_rnn

from rl_tuner.networks.sequence_rnn import SequenceRNN
from rl_tuner.system.csv_shards import read_shards


@pytest.fixture(name="run_dir", scope="module")
def _run_dir(tmp_path_factory):
    directory = tmp_path_factory.mktemp("molecules")
    tiny_smiles_rnn().save(directory / "prior")
    result = run_binary(
        "rl_tuner_train",
        "--task=molecule",
        f"--checkpoint_dir={directory / 'prior'}",
        f"--output_dir={directory / 'run'}",
        "--training_steps=1000",
        "--output_every_nth=400",
        "--num_sequences=20",
        "--max_length=20",
        "--num_samples=40",
        "--num_evaluated=50",
        "--reward_weights=qed=100",
        "--scoring_processes=1",
        "--write_scored",
        "--diversity_filter",
        "--scaffold_bucket_size=2",
        "--scaffold_minimum_score=-1e9",
    )
    assert result.returncode == 0, result.stderr
    assert "| Percent valid" in result.stdout
    return directory / "run"


def test_run_leaves_all_that_it_promises(run_dir):
    with open(run_dir / "curves.csv", newline="") as file:
        steps = [int(row["step"]) for row in csv.DictReader(file)]
    # As soon as they are due: a round is as long as its molecules are.
    assert steps[0] == 0
    assert len(steps) == 4
    assert all(
        due <= step < due + 20 * 20
        for due, step in zip((400, 800, 1000), steps[1:], strict=True)
    )
    with open(run_dir / "samples" / "after" / "molecules.csv", newline="") as file:
        assert len(list(csv.DictReader(file))) == 40
    settings = json.loads((run_dir / "settings.json").read_text())
    assert settings["task_settings"]["reward_weights"] == {"qed": 100.0}
    metrics = json.loads((run_dir / "metrics.json").read_text())
    assert metrics["before"]["kl"] < 1e-6 < metrics["after"]["kl"]
    # All that the task is made of is in the run's folder.
    tuned = SequenceRNN.load(run_dir / "q_network")
    assert tuned.metadata == tiny_smiles_rnn().metadata


def test_run_writes_all_molecules_that_were_scored(run_dir):
    rows = list(read_shards(run_dir / "scored", "scored"))
    rewards = ["step", "reward", "filtered_reward"]
    assert list(rows[0]) == [*rewards, "smiles", "valid", "sa", "ring", "qed"]
    assert 1000 <= int(rows[-1]["step"]) < 1400
    assert len(rows) % 20 == 0
    for row in rows:
        molecule = Chem.MolFromSmiles(row["smiles"]) if row["smiles"] else None
        assert row["valid"] == str(int(molecule is not None))
        if molecule is None:
            assert row["qed"] == ""
        else:
            assert float(row["qed"]) == pytest.approx(QED.qed(molecule), rel=1e-5)
    assert {row["valid"] for row in rows} == {"0", "1"}
    good = [row for row in rows if row["valid"] == "1"]
    earning = [row["smiles"] for row in good if row["filtered_reward"] == row["reward"]]
    assert 0 < len(earning) == len(set(earning)) <= len(good)


def test_run_generates_measures_and_exports(run_dir, tmp_path):
    result = run_binary(
        "rl_tuner_generate",
        f"--run_dir={run_dir}",
        f"--output_dir={tmp_path}",
        "--num_outputs=30",
        "--sdf",
    )
    assert result.returncode == 0, result.stderr
    assert "30 sequences of up to 20 steps" in result.stdout
    with open(tmp_path / "molecules.csv", newline="") as file:
        smiles = [row["smiles"] for row in csv.DictReader(file)]
    assert len(smiles) == 30
    assert len(set(smiles)) > 10
    assert (tmp_path / "molecules.sdf").is_file()
    result = run_binary(
        "rl_tuner_evaluate",
        f"--run_dir={run_dir}",
        "--num_sequences=1100",
        f"--output_dir={tmp_path}",
        "--page",
    )
    assert result.returncode == 0, result.stderr
    assert "| Percent valid" in result.stdout
    assert "measured on the first" not in result.stdout  # prefixes earn nothing here
    assert "SMILES RNN" in result.stdout  # the untuned model, beside the tuned
    page = (tmp_path / "index.html").read_text()
    for text in ("Curves of the training", "The best of all", "A random sample:"):
        assert text in page
    result = run_binary(
        "rl_tuner_export",
        f"--run_dir={run_dir}",
        "--format=mag",
        f"--output={tmp_path / 'model.mag'}",
    )
    message = "--format=mag is for melodies, which this model does not make"
    assert_refused(result, message)


def test_a_page_needs_a_place(run_dir):
    result = run_binary("rl_tuner_evaluate", f"--run_dir={run_dir}", "--page")
    assert_refused(result, "--page needs --output_dir; name a directory to write to")


def test_shards_are_text_and_no_sd_file(run_dir, tmp_path):
    flags = [f"--run_dir={run_dir}", f"--output_dir={tmp_path}"]
    result = run_binary("rl_tuner_generate", *flags, "--num_shards=2", "--sdf")
    assert_refused(result, "--sdf is not for --num_shards; leave one of them out")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--protocol=first"], "unknown --protocol=first; choose one of random_token"),
        (["--reward_weights=beauty=2"], "unknown term 'beauty'; choose one of valid"),
        (["--reward=no_such:score"], "no_such"),
        (
            ["--diversity_filter", "--scaffold_bucket_size=0"],
            "scaffold_bucket_size is 0; it must be at least 1",
        ),
    ],
)
def test_bad_flags_are_refused_in_one_line(flags, message, tmp_path):
    result = run_binary("rl_tuner_train", "--task=molecule", *flags, cwd=tmp_path)
    assert_refused(result, message)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--protocol=first"], "unknown --protocol=first; choose one of random_token"),
        (["--protocol=random_token"], "was trained for --protocol=start_token, not"),
        (["--reward=no_such:score"], "no_such"),
        (["--oracle=no_such"], "no_such"),
        (["--reward_weights=qed=1"], "Unknown command line flag 'reward_weights'"),
        (["--diversity_filter"], "Unknown command line flag 'diversity_filter'"),
    ],
)
def test_generation_refuses_flags_that_it_would_not_heed(flags, message, tmp_path):
    model = tmp_path / "prior"
    tiny_smiles_rnn().save(model)
    command = ("rl_tuner_generate", "--task=molecule", f"--checkpoint_dir={model}")
    result = run_binary(*command, f"--output_dir={tmp_path / 'out'}", *flags)
    told = [line for line in result.stderr.splitlines() if "loading" not in line]
    assert result.returncode == 1
    assert len(told) == 1
    assert message in told[0]


def test_an_untuned_model_generates_what_the_flags_say(tmp_path):
    model = tmp_path / "prior"
    tiny_smiles_rnn().save(model)
    result = run_binary(
        *("rl_tuner_generate", "--task=molecule", f"--checkpoint_dir={model}"),
        *(f"--output_dir={tmp_path}", "--num_outputs=40", "--max_length=7"),
        "--oracle=qed",
    )
    assert result.returncode == 0, result.stderr
    assert "40 sequences of up to 7 steps" in result.stdout
    assert "molecules do not end within 7 tokens" in result.stdout
    with open(tmp_path / "molecules.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(len(row["smiles"]) <= 7 for row in rows)
    assert "score" in rows[0]


def test_help_tells_the_defaults_of_molecules(tmp_path):
    paper = run_binary(
        "rl_tuner_train",
        "--task=molecule",
        "--protocol=random_token",
        "--help",
        cwd=tmp_path,
    )
    assert paper.returncode == 0
    text = " ".join(paper.stdout.split())
    for default in ("'0.35'", "'128'", "'whole_sequence'", "'16384'", "'zero'"):
        assert f"(default: {default})" in text
    assert "--reward_weights" in text
    start = run_binary("rl_tuner_train", "--task=molecule", "--help", cwd=tmp_path)
    text = " ".join(start.stdout.split())
    for default in ("'dpg'", "'0.0165'", "'0.004'", "'0.0007'", "'0.03'"):
        assert f"(default: {default})" in text
