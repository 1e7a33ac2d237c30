import subprocess
import sys

import pytest

from melody_rnn import encoding


def test_agrees_with_note_seq_on_every_class():
    note_seq = pytest.importorskip("note_seq")
    oracle = note_seq.MelodyOneHotEncoding(48, 84)
    assert oracle.num_classes == encoding.NUM_CLASSES
    events = [oracle.decode_event(c) for c in range(oracle.num_classes)]
    assert encoding.classes_to_melody_events(range(38)) == events
    assert encoding.melody_events_to_classes(events) == list(range(38))


def test_class_2_is_c3():
    assert encoding.class_to_pitch(encoding.FIRST_NOTE) == 48
    assert encoding.pitch_to_class(60) == 14


@pytest.mark.parametrize("event_class", [-1, 0, 1, 38])
def test_only_note_classes_have_a_pitch(event_class):
    with pytest.raises(ValueError, match="not a note"):
        encoding.class_to_pitch(event_class)


@pytest.mark.parametrize("pitch", [-3, 47, 84])
def test_pitches_out_of_range_are_refused(pitch):
    with pytest.raises(ValueError, match=r"48\.\.83"):
        encoding.melody_events_to_classes([pitch])


def test_imports_nothing_heavy():
    program = (
        "import sys, melody_rnn.encoding\n"
        "print({'tensorflow', 'note_seq', 'numpy'} & set(sys.modules))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    assert printed.strip() == "set()"
