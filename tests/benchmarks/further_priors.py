"""Two more kinds of music to tune on: slow chorales and fast reels.

  python tests/benchmarks/further_priors.py --output_dir=priors

Needs music21. The sopranos of Bach's chorales move in quarters, four sixteenths each;
the reels of Ryan's Mammoth Collection are written in eighths and played twice as fast,
a note a sixteenth. Each becomes a folder of MIDI files, a dataset and a Note RNN of a
single layer, by the ordinary commands. What was made is not made again.
"""

import argparse
import pathlib
import subprocess
from collections.abc import Iterable, Iterator

import pretty_midi

SECONDS_OF_QUARTER = 0.5  # 120 quarters a minute, what files mean that do not say
_STEPS = 2_000


def chorales() -> Iterator[tuple[str, list[tuple[int, float]]]]:
    """Name, and pitch and length in quarters of each note, of the sopranos."""
    from music21 import corpus

    for path in corpus.getComposer("bach"):
        if "bwv" in path.stem and path.suffix in (".mxl", ".xml"):
            parts = corpus.parse(path).parts
            if len(parts) >= 4:
                yield path.stem, _notes(parts[0], 1.0)


def reels() -> Iterator[tuple[str, list[tuple[int, float]]]]:
    """The same of reels, at twice their speed."""
    from music21 import corpus

    for path in corpus.getComposer("ryansMammoth"):
        if "Reel" in path.stem:
            yield path.stem, _notes(corpus.parse(path), 0.5)


def _notes(stream, factor: float) -> list[tuple[int, float]]:
    """Rests are left out, and of chords but the highest note."""
    found = []
    for note in stream.flatten().notes:
        if note.isNote or note.isChord:
            pitch = max(pitch.midi for pitch in note.pitches)
            found.append((pitch, float(note.quarterLength) * factor))
    return [(pitch, length) for pitch, length in found if length > 0]


def write_midi_files(
    tunes: Iterable[tuple[str, list[tuple[int, float]]]], folder: pathlib.Path
) -> int:
    """Writes each tune; how many."""
    folder.mkdir(parents=True)
    count = 0
    for name, notes in tunes:
        midi = pretty_midi.PrettyMIDI(initial_tempo=60.0 / SECONDS_OF_QUARTER)
        piano, at = pretty_midi.Instrument(program=0), 0.0
        for pitch, length in notes:
            end = at + length * SECONDS_OF_QUARTER
            piano.notes.append(pretty_midi.Note(90, pitch, at, end))
            at = end
        midi.instruments.append(piano)
        midi.write(str(folder / f"{name}.mid"))
        count += 1
    return count


def main() -> None:
    """Makes what is not there yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output_dir", type=pathlib.Path, required=True)
    root = parser.parse_args().output_dir
    for name, tunes in (("chorales", chorales), ("reels", reels)):
        folder = root / name
        if not (folder / "midi").exists():
            print(name, write_midi_files(tunes(), folder / "midi"), "tunes", flush=True)
        if not (folder / "data").exists():
            _run(
                "note_rnn_create_dataset",
                f"--source={folder / 'midi'}",
                f"--output_dir={folder / 'data'}",
            )
        _run(
            "note_rnn_train",
            f"--dataset_dir={folder / 'data'}",
            f"--output_dir={folder / 'model'}",
            f"--num_training_steps={_STEPS}",
            "--layer_sizes=100",
        )


def _run(*command: str) -> None:
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
