import pytest

from melody_rnn.listening import pictures
from melody_rnn.listening.results import ModelResult


def test_notes_lie_at_their_time_and_pitch():
    roll = pictures.piano_roll([(0, 2, 60), (4, 5, 72)], 16)
    low, high = roll.notes
    assert (low.name, high.name) == ("C4", "C5")
    assert high.x - low.x == 4 * pictures.STEP_WIDTH
    assert low.width + 1 == 2 * (high.width + 1)
    assert low.y - high.y == 12 * pictures.PITCH_HEIGHT
    assert all(0 <= note.y < roll.height for note in roll.notes)
    assert high.x + high.width < roll.width
    assert [is_bar for _, is_bar in roll.bars] == [True, False, False, False, True]
    # A C's line is the lower edge of its row.
    assert dict((name, y) for y, name in roll.octaves)["C4"] > low.y


def test_a_melody_without_notes_has_an_empty_roll():
    roll = pictures.piano_roll([], 8)
    assert roll.notes == []
    assert roll.height > 0


def test_rewards_rise_and_punishments_fall():
    (strip,) = pictures.reward_strips({"tonic": [3.0, 0.0, -1.5]})
    assert strip.total == 1.5
    (rise,), (fall,) = strip.rises, strip.falls
    middle = pictures.STRIP_HEIGHT / 2
    assert (rise.y, rise.height) == (0, middle)
    assert (fall.y, fall.height) == (middle, middle / 2)
    assert fall.x - rise.x == 2 * pictures.STEP_WIDTH
    (nothing,) = pictures.reward_strips({"key": [0.0, 0.0]})
    assert (nothing.rises, nothing.falls, nothing.total) == ([], [], 0.0)


@pytest.mark.parametrize("wins", [0, 1, 7, 48, 999, 12345])
def test_wins_are_bars_to_scale(wins):
    results = [
        ModelResult("a", wins, 0, 5, 2.0, 3.0),
        ModelResult("b", 0, 0, 0, 0.0, 3.0),
    ]
    chart = pictures.wins_chart(results)
    at = {tick: x for x, tick in chart.ticks}
    assert 2 <= len(at) <= 7
    assert max(at) >= wins
    zero, (most, x_most) = at[0], max(at.items())
    scale = (x_most - zero) / most
    bar = chart.bars[0]
    assert bar.end == pytest.approx(zero + wins * scale, abs=0.02)
    assert bar.error_end - bar.end == pytest.approx(2.0 * scale, abs=0.02)
    assert zero <= bar.error_start <= bar.end
    assert bar.error_end <= chart.width
