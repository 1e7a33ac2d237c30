"""Where tunes come from: a folder of MIDI and ABC, or the music21 wheel."""

import dataclasses
import importlib.util
import os
import pathlib

from rl_tuner.errors import UserError

MUSIC21 = "music21"
_SUFFIXES = frozenset({".mid", ".midi", ".kar", ".rmi", ".smf", ".abc"})


@dataclasses.dataclass(frozen=True)
class Collection:
    """A collection of tunes within music21's corpus.

    Attributes:
      folder: its folder there.
      title: the printed source and who encoded it.
      terms: on what terms it may be used, as far as the wheel says so.
      commercial: whether those terms leave commercial use open.
    """

    folder: str
    title: str
    terms: str
    commercial: bool = True


_WHEEL_TERMS = (
    "tunes out of copyright; the wheel's corpus licence says that encodings are "
    "distributed with their encoders' permission and may be restricted further; "
    "the files name no such restriction"
)
MUSIC21_COLLECTIONS = (
    Collection(
        "oneills1850",
        "O'Neill's Music of Ireland (1903), encoded by volunteers",
        _WHEEL_TERMS,
    ),
    Collection(
        "ryansMammoth",
        "Ryan's Mammoth Collection (1883), encoded by volunteers",
        _WHEEL_TERMS,
    ),
    Collection(
        "airdsAirs",
        "Aird's Airs (six books from 1778 on), encoded by Jack Campin",
        _WHEEL_TERMS,
    ),
    Collection(
        "miscFolk",
        "Northumbrian Minstrelsy (1882) and American fife tunes, by Jack Campin",
        _WHEEL_TERMS,
    ),
    Collection(
        "essenFolksong",
        "Essen folksong collection (Schaffrath, Dahlig-Turek, Schlien)",
        "non-commercial distribution and use only; legal status called unclear",
        commercial=False,
    ),
)


@dataclasses.dataclass(frozen=True)
class Corpus:
    """Files to read and the terms they come on.

    Attributes:
      root: the folder that `files` are relative to.
      files: relative paths, sorted.
      terms: JSON-serializable: what is known of the origin and terms of the files.
    """

    root: pathlib.Path
    files: tuple[str, ...]
    terms: tuple[dict[str, str], ...]


def find_corpus(source: str, include_noncommercial: bool = False) -> Corpus:
    """Lists the MIDI and ABC files of a source.

    Args:
      source: a folder, searched recursively for MIDI (.mid, .midi, .kar, .rmi, .smf)
        and .abc, or such a file,
        or "music21" for the tune collections in the music21 wheel.
      include_noncommercial: with music21, also take collections that are not free for
        commercial use.

    Raises:
      UserError: nothing is there, it cannot be read, or it holds no such file.
    """
    if source == MUSIC21:
        return _music21_corpus(include_noncommercial)
    if include_noncommercial:
        raise UserError(
            "--include_noncommercial goes with --source=music21 only; "
            f"drop it for --source={source}"
        )
    path = pathlib.Path(source).expanduser()
    if not source or not path.exists():
        raise UserError(
            f"--source={source} does not exist; name a folder of .mid, .midi or .abc "
            f"files, or {MUSIC21}"
        )
    terms = ({"source": str(path), "terms": "not recorded; yours to know"},)
    if path.is_file():
        root, files = path.parent, [path.name] if _is_tune_file(path.name) else []
    else:
        root, files = path, _tune_files(path)
    if not files:
        raise UserError(
            f"--source={source} holds no .mid, .midi or .abc file; "
            "name a folder that does"
        )
    return Corpus(root, tuple(files), terms)


def _music21_corpus(include_noncommercial: bool) -> Corpus:
    spec = importlib.util.find_spec("music21")  # found, not imported: we need no code
    if spec is None or not spec.submodule_search_locations:
        raise UserError(
            "--source=music21 needs the music21 package for its tunes; "
            "pip install 'rl-tuner[corpus]'"
        )
    root = pathlib.Path(spec.submodule_search_locations[0]) / "corpus"
    files, terms = [], []
    for collection in MUSIC21_COLLECTIONS:
        if collection.commercial or include_noncommercial:
            found = _tune_files(root / collection.folder)
            if not found:
                raise UserError(
                    f"the installed music21 carries no corpus/{collection.folder}; "
                    "install the full wheel (pip install --force-reinstall music21)"
                )
            files += [f"{collection.folder}/{name}" for name in found]
            terms.append(
                {
                    "source": f"music21 corpus/{collection.folder}",
                    "title": collection.title,
                    "terms": collection.terms,
                }
            )
    return Corpus(root, tuple(sorted(files)), tuple(terms))


def _is_tune_file(name: str) -> bool:
    return pathlib.PurePath(name).suffix.lower() in _SUFFIXES


def _tune_files(folder: pathlib.Path) -> list[str]:
    """Sorted relative paths of the tune files below `folder`."""

    def complain(error: OSError) -> None:
        raise UserError(
            f"cannot read {error.filename}: {error.strerror}; "
            "make it readable or choose another --source"
        ) from error

    return sorted(
        pathlib.Path(directory, name).relative_to(folder).as_posix()
        for directory, _, names in os.walk(folder, onerror=complain)
        for name in names
        if _is_tune_file(name)
    )
