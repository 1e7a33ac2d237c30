"""Where things lie in the page's pictures; the templates draw them as SVG."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from melody_rnn import encoding
from melody_rnn.listening.results import ModelResult

STEP_WIDTH, PITCH_HEIGHT = 14, 7
# Room for the names of the notes.
LEFT = 30
_LEAST_PITCHES = 14
_NAMES = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")


@dataclasses.dataclass(frozen=True)
class Box:
    """A rectangle in a picture's own units."""

    x: float
    y: float
    width: float
    height: float


@dataclasses.dataclass(frozen=True)
class NoteBox(Box):
    """A note: its rectangle, and when it sounds, in sixteenths."""

    start: int
    end: int
    name: str


@dataclasses.dataclass(frozen=True)
class PianoRoll:
    """A piano roll: time to the right, a sixteenth `STEP_WIDTH`; pitch upwards.

    Attributes:
      octaves: (y, name) of each C.
      bars: (x, whether it is a bar's) of each quarter.
    """

    width: int
    height: int
    notes: list[NoteBox]
    octaves: list[tuple[float, str]]
    bars: list[tuple[int, bool]]


def piano_roll(notes: Sequence[tuple[int, int, int]], num_steps: int) -> PianoRoll:
    """Lays out notes, each (start, end, pitch), times in sixteenths."""
    pitches = [pitch for _, _, pitch in notes] or [60]
    low, high = min(pitches) - 1, max(pitches) + 1
    missing = max(0, _LEAST_PITCHES - (high - low + 1))
    low -= missing // 2
    high += missing - missing // 2
    boxes = [
        NoteBox(
            x=LEFT + start * STEP_WIDTH + 0.5,
            y=(high - pitch) * PITCH_HEIGHT + 0.5,
            width=(end - start) * STEP_WIDTH - 1,
            height=PITCH_HEIGHT - 1,
            start=start,
            end=end,
            name=note_name(pitch),
        )
        for start, end, pitch in notes
    ]
    return PianoRoll(
        width=LEFT + num_steps * STEP_WIDTH + 2,
        height=(high - low + 1) * PITCH_HEIGHT,
        notes=boxes,
        octaves=[
            ((high - pitch + 1) * PITCH_HEIGHT, note_name(pitch))
            for pitch in range(low, high + 1)
            if pitch % 12 == 0
        ],
        bars=[
            (LEFT + step * STEP_WIDTH, step % (4 * encoding.STEPS_PER_QUARTER) == 0)
            for step in range(0, num_steps + 1, encoding.STEPS_PER_QUARTER)
        ],
    )


def note_name(pitch: int) -> str:
    """The name of a MIDI pitch: 60 is C4."""
    return f"{_NAMES[pitch % 12]}{pitch // 12 - 1}"


@dataclasses.dataclass(frozen=True)
class RewardStrip:
    """What a rule gives each event: bars up for rewards, down for punishments.

    They stand below the piano roll's sixteenths.

    Attributes:
      total: of the melody.
    """

    name: str
    total: float
    rises: list[Box]
    falls: list[Box]


STRIP_HEIGHT = 20


def reward_strips(rewards: dict[str, list[float]]) -> list[RewardStrip]:
    """Lays out {rule: a reward an event}."""
    strips = []
    for name, values in rewards.items():
        largest = max((abs(value) for value in values), default=0.0) or 1.0
        middle = STRIP_HEIGHT / 2
        rises: list[Box] = []
        falls: list[Box] = []
        for step, value in enumerate(values):
            height = abs(value) / largest * middle
            top = middle - height if value > 0 else middle
            box = Box(LEFT + step * STEP_WIDTH + 2, top, STEP_WIDTH - 4, height)
            if value:
                (rises if value > 0 else falls).append(box)
        strips.append(RewardStrip(name, sum(values), rises, falls))
    return strips


@dataclasses.dataclass(frozen=True)
class WinsBar:
    """A bar of Figure 3, lying: from 0 to `end`, with an error bar across its end."""

    result: ModelResult
    y: float
    end: float
    error_start: float
    error_end: float


@dataclasses.dataclass(frozen=True)
class WinsChart:
    """Figure 3.

    Attributes:
      ticks: (x, wins) along the axis.
    """

    width: int
    height: int
    bars: list[WinsBar]
    ticks: list[tuple[float, int]]


BAR_PITCH = 46


def wins_chart(results: Sequence[ModelResult]) -> WinsChart:
    """Lays out the wins of each model."""
    width, margin = 420, 12
    most = max((each.wins + each.error for each in results), default=0.0)
    step = _tick_step(most)
    top = max(step * -(-most // step), step)
    scale = (width - 2 * margin) / top

    def x(wins: float) -> float:
        return round(margin + max(wins, 0.0) * scale, 2)

    bars = [
        WinsBar(
            each,
            index * BAR_PITCH + 22,
            x(each.wins),
            x(each.wins - each.error),
            x(each.wins + each.error),
        )
        for index, each in enumerate(results)
    ]
    ticks = [(x(tick), tick) for tick in range(0, int(top) + 1, step)]
    return WinsChart(width, len(bars) * BAR_PITCH + 26, bars, ticks)


def _tick_step(most: float) -> int:
    """A round number of wins, so that there are at most six ticks above 0."""
    step = 1
    while most / step > 5:
        digit = int(str(step)[0])
        step = step * 5 // 2 if digit == 2 else step * 2
    return step
