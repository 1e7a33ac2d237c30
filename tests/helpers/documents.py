"""What the documents ask their readers to type, and to read."""

import itertools
import pathlib
import re
import shlex

ROOT = pathlib.Path(__file__).parents[2]
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "rl_tuner/README.md",
    "melody_rnn/README.md",
    "molecule_rnn/README.md",
    "checkpoints/attention_rnn/MODEL_CARD.md",
    "checkpoints/lookback_rnn/MODEL_CARD.md",
    "checkpoints/note_rnn/MODEL_CARD.md",
    "checkpoints/smiles_rnn/MODEL_CARD.md",
    "checkpoints/smiles_rnn_paper/MODEL_CARD.md",
    "checkpoints/smiles_rnn_zinc250k/MODEL_CARD.md",
)
# A command with flags that stands in a sentence or a table.
_INLINE = re.compile(r"`((?:rl_tuner|note_rnn|smiles_rnn)_[a-z_]+\s[^`]*)`")
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page, *languages):
    """The texts of a page's fenced blocks of some languages, "" for none."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [body for name, body in _BLOCK.findall(text) if name in languages]


def commands(page):
    """The commands of a page as lists of words, in order.

    Without the folders of programs, and variables that are set for one command.
    """
    text = "\n".join(blocks(page, "", "bash"))
    found, line = [], ""
    for part in text.replace("\\\n", " ").replace("&&\n", "\n").splitlines():
        line += part
        try:
            words = shlex.split(line, comments=True)
        except ValueError:  # a quotation goes on in the next line
            line += "\n"
            continue
        for command in _split(words, "&&"):
            command = [*itertools.dropwhile(re.compile(r"[A-Z_]+=").match, command)]
            if command:
                found.append([pathlib.Path(command[0]).name, *command[1:]])
        line = ""
    return found


def inline_commands(page):
    """The commands with flags that stand inline on a page, as lists of words.

    Dots in one stand for what it leaves open.
    """
    text = _BLOCK.sub("", (ROOT / page).read_text(encoding="utf-8"))
    return [shlex.split(command) for command in _INLINE.findall(text)]


def _split(words, separator):
    """The words between separators."""
    parts = [[]]
    for word in words:
        if word == separator:
            parts.append([])
        else:
            parts[-1].append(word)
    return parts


def named_files(page):
    """The blocks that begin with the name of a file, by that name."""
    pattern = re.compile(r"# (\w+\.(?:py|toml))\n")
    named = map(pattern.match, blocks(page, "python", "toml"))
    return {match.group(1): match.string for match in named if match}


def links(page):
    """What a page links to and shows: (path from the root, anchor), no web pages."""
    text = _BLOCK.sub("", (ROOT / page).read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if "://" not in target:
            path, _, anchor = target.partition("#")
            there = (ROOT / page).parent / path if path else ROOT / page
            yield there.resolve(), anchor


def anchors(path):
    """The anchors of a page's headings, as GitHub names them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in headings
    }
