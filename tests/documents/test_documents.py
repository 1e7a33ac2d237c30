"""The documents' commands, examples and links are true, as far as is quick to see."""

import ast
import json
import re
import subprocess
import sys

import documents
import numpy as np
import pytest

from melody_rnn import own_rules
from molecule_rnn.scoring.scorer import Scorer
from rl_tuner import worlds
from rl_tuner.networks.network import Network
from rl_tuner.networks.sequence_rnn import SequenceRNN
from rl_tuner.rl_tuner import RLTuner, RLTunerConfig

pytestmark = pytest.mark.skipif(
    not (documents.ROOT / "setup.py").exists(),
    reason="the documents are not all here, as in Bazel",
)

# Reads command lines, and does everything but what they ask for.
CHECK_FLAGS = """
import gc, importlib.metadata, json, os, sys, traceback
from rl_tuner.commands import cli
cli._guarded = lambda main, program: None
cli.load_tensorflow()  # once, and not in each fork that reads a task of one's own
gc.freeze()
scripts = importlib.metadata.entry_points(group="console_scripts")
for words in json.load(sys.stdin):
    process = os.fork()
    if not process:
        sys.argv, code = words, 1
        try:
            scripts[words[0]].load()()
        except SystemExit as end:
            code = end.code or 0
        except BaseException:
            traceback.print_exc()
        sys.stderr.flush()
        os._exit(code)
    if os.waitpid(process, 0)[1]:
        print(*words)
"""
CONFIG = RLTunerConfig(exploration_steps=50, rounds_per_scoring=2)


@pytest.fixture(name="examples", scope="module")
def _examples(tmp_path_factory):
    """A folder, importable, with the files that the documents say to write."""
    folder = tmp_path_factory.mktemp("examples")
    for page in documents.PAGES:
        for name, text in documents.named_files(page).items():
            (folder / name).write_text(text)
    sys.path.append(str(folder))
    yield folder
    sys.path.remove(str(folder))


def test_links_lead_somewhere():
    for page in documents.PAGES:
        for path, anchor in documents.links(page):
            assert path.exists(), f"{page}: {path}"
            if anchor:
                assert anchor in documents.anchors(path), f"{page}: #{anchor}"


def test_rows_of_a_table_have_the_cells_of_its_header():
    """A bar within a cell begins another, and what is too many is not shown."""
    for page in documents.PAGES:
        text = (documents.ROOT / page).read_text(encoding="utf-8")
        for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
            rows = [re.split(r"(?<!\\)\|", row) for row in table.splitlines()]
            for row in rows:
                assert len(row) == len(rows[0]), f"{page}: {'|'.join(row)}"


def test_papers_are_where_the_method_says():
    text = (documents.ROOT / "rl_tuner/README.md").read_text(encoding="utf-8")
    row = re.compile(r"^\| .+ \| \[\S+\]\((\S+\.py)\) \| (`.+`) \|$", re.MULTILINE)
    rows = row.findall(text)
    assert len(rows) > 25
    for path, names in rows:
        tree = ast.parse((documents.ROOT / "rl_tuner" / path).read_text("utf-8"))
        for name in re.findall(r"`([\w.]+)`", names):
            place = tree
            for part in name.split("."):
                parts = {getattr(node, "name", ""): node for node in place.body}
                assert part in parts, f"{path} has no {name}"
                place = parts[part]


def test_commands_have_the_flags_that_they_are_given(examples):
    scripts = [
        words
        for page in documents.PAGES
        for words in documents.commands(page)
        if words[0].startswith(("rl_tuner_", "note_rnn_", "smiles_rnn_"))
    ]
    assert len(scripts) > 20
    inline = [
        [word.replace("...", "1") for word in words if word not in ("...", "--help")]
        for page in documents.PAGES
        for words in documents.inline_commands(page)
    ]
    assert len(inline) > 15
    result = subprocess.run(
        [sys.executable, "-c", CHECK_FLAGS],
        input=json.dumps(scripts + inline),
        cwd=examples,
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == "", result.stderr


def test_scripts_that_are_run_are_there():
    for page in documents.PAGES:
        for program, *flags in documents.commands(page):
            if program == "python":
                assert (documents.ROOT / flags[0]).is_file(), flags


@pytest.mark.parametrize(
    "path", ["my_task:RisingTask", "my_python_task:PalindromeTask"]
)
def test_tasks_of_the_documents_tune(path, examples):
    task = worlds.find_world(path).make_task({})
    tuner = RLTuner(SequenceRNN(38, (4,)), task, CONFIG)
    seen = []
    tuner.train(100, seen.append)
    sequences = tuner.generate(50)
    rewards = task.rewards(sequences)
    assert rewards.shape == sequences.shape == (50, task.max_length)
    [name] = task.metrics(sequences)
    assert 0.0 <= tuner.evaluate(20)[name] <= 1.0
    if path.endswith("RisingTask"):
        rises = np.diff(sequences, prepend=0) > 0
        assert (rewards == np.where(rises, 1, -1)).all()
        # What the compiled loop paid is what whole sequences are worth.
        assert -1.0 <= seen[-1].task_reward <= 1.0
    else:
        mirrored = sequences == sequences[:, ::-1]
        assert (rewards[:, 4:] == mirrored[:, 4:]).all()
        assert not rewards[:, :4].any()


def test_an_algorithm_and_a_network_of_the_documents_tune(examples):
    import my_algorithm
    import my_network

    prior = my_network.TwoBack(38)
    prior.save(examples / "two_back")
    prior = Network.load(examples / "two_back")
    assert type(prior) is my_network.TwoBack
    config = RLTunerConfig(
        algorithm="my_algorithm:Reinforce",
        replay_mode="whole_sequence",
        num_sequences=4,
        train_every_nth=128,
        replay_capacity=1000,
    )
    task = worlds.find_world("my_world:RisingWorld").make_task({"length": 8})
    tuner = RLTuner(prior, task, config)
    assert type(tuner.algorithm) is my_algorithm.Reinforce
    before = [weights.copy() for weights in tuner.q_network.get_weights()]
    tuner.train(512)
    assert tuner.generate(5).shape == (5, 8)
    after = tuner.q_network.get_weights()
    assert any((old != new).any() for old, new in zip(before, after, strict=True))


def test_rules_of_the_documents_score(examples):
    rules = own_rules.find_rules(["my_rules:small_steps", "my_rules:answers"])
    [(_, small_steps)], [(_, answers)] = rules
    assert (small_steps.__name__, answers.__name__) == ("small_steps", "answers")
    melody = np.array([[14, 16, 0, 15, 22, 1, 2, 3, 14, 16, 30, 15, 0, 0, 0, 0]])
    task = own_rules.make_task(
        ["my_rules:small_steps", "my_rules:answers"],
        num_notes_in_melody=16,
        rule_weights={"answers": 10.0},
    )
    without = own_rules.make_task(num_notes_in_melody=16)
    steps = [0, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0]
    repeats = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 1, 0, 0, 0, 0]
    np.testing.assert_allclose(
        (task.rewards(melody) - without.rewards(melody))[0],
        np.add(steps, 20.0 * np.array(repeats)),
        atol=1e-4,
    )


def test_score_of_the_documents_scores(examples):
    score = Scorer(["my_scores:lightness"])
    assert score("CCO") == [1.0]
    assert score("C" * 40) == [0.0]
