"""Models of other notes than the 38 classes that the rules know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from melody_rnn.encoding import FIRST_NOTE, MAX_PITCH, MIN_PITCH, NUM_CLASSES
from melody_rnn.magenta.configurations import RANGE_KEY, melody_range
from rl_tuner.errors import UserError

if TYPE_CHECKING:
    from rl_tuner.networks.sequence_rnn import SequenceRNN


def in_our_range(model: SequenceRNN) -> SequenceRNN:
    """The model restricted to the notes 48 to 83, for which rules and MIDI are made.

    A model of more notes, such as mono_rnn with all 128, becomes p(a | a in range); a
    model of fewer classes than 38 is left as it is, for the task to refuse.

    Raises:
      UserError: nothing says which notes it has, or 48 to 83 are not all among them.
    """
    if model.num_classes < NUM_CLASSES:
        return model
    low, high = melody_range(model.num_classes, model.metadata)
    if (low, high) == (MIN_PITCH, MAX_PITCH):
        return model
    if low > MIN_PITCH or high < MAX_PITCH:
        raise UserError(
            f"the model's notes are {low} to {high}; the rules need {MIN_PITCH} to "
            f"{MAX_PITCH}, so choose a model that has them all"
        )
    lowest = MIN_PITCH - low + FIRST_NOTE
    notes = range(lowest, lowest + NUM_CLASSES - FIRST_NOTE)
    narrowed = model.with_classes([*range(FIRST_NOTE), *notes])
    narrowed.metadata[RANGE_KEY] = [MIN_PITCH, MAX_PITCH]
    narrowed.read_from = (
        f"{model.read_from}; of its notes {low} to {high} only {MIN_PITCH} to "
        f"{MAX_PITCH} are used"
    )
    return narrowed
