"""What the documents ask their readers to type, and to read."""

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
)
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page, *languages):
    """The texts of a page's fenced blocks of some languages, "" for none."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [body for name, body in _BLOCK.findall(text) if name in languages]


def commands(page):
    """The commands of a page as lists of words, in order, programs without folders."""
    text = "\n".join(blocks(page, "", "bash"))
    found = []
    for line in text.replace("\\\n", " ").replace("&&\n", "\n").splitlines():
        found.append([])
        for word in shlex.split(line, comments=True):
            if word == "&&":
                found.append([])
            else:
                found[-1].append(word)
    return [[pathlib.Path(first).name, *rest] for first, *rest in filter(None, found)]


def named_files(page):
    """The Python blocks that begin with the name of a file, by that name."""
    named = (re.match(r"# (\w+\.py)\n", body) for body in blocks(page, "python"))
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
