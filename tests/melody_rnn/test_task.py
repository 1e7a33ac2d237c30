import numpy as np
import pytest
import tensorflow as tf
from reference import REFERENCE, needs_reference

from melody_rnn.encoding import ALL_NOTES, NoteRange
from melody_rnn.task import MelodyTask
from rl_tuner.algorithms import get_algorithm
from rl_tuner.errors import UserError
from rl_tuner.generation.diversity import Corpus
from rl_tuner.networks.sequence_rnn import SequenceRNN
from rl_tuner.training.acting import act, start


@needs_reference
def test_rollout_earns_what_magenta_pays():
    """Plays Magenta's compositions token by token, through the rollout itself."""
    golden = np.load(REFERENCE / "music" / "music_theory_rewards.npz")
    compositions = golden["compositions"][:64].astype(np.int32)
    # Without autocorrelation, which has ties: test_music_theory.py names them.
    is_kept = golden["rule_names"] != "reward_penalize_autocorrelation"
    expected = golden["rule_rewards"][:64][..., is_kept].sum(-1)
    task = MelodyTask(rule_weights={"autocorrelation": 0.0})
    model = SequenceRNN(38, (4,))
    state = start(task, model, model, tf.zeros([64], tf.int32))
    for t in range(32):
        step, state = act(
            task,
            get_algorithm("q"),
            model,
            model,
            state,
            lambda scores, t=t: compositions[:, t],
        )
        np.testing.assert_allclose(step.task_rewards, expected[:, t], atol=1e-3)
        np.testing.assert_array_equal(step.ended, t == 31)
    np.testing.assert_allclose(task.rewards(compositions), expected, atol=1e-3)


@pytest.mark.parametrize(("all_notes", "highest"), [(False, 36), (True, 37)])
def test_priming_draws_the_highest_note_only_on_request(all_notes, highest):
    task = MelodyTask(prime_with_all_notes=all_notes)
    for draw in (task.prime, task.random_actions):
        drawn = draw(5000, tf.constant([1, 2])).numpy()
        assert set(drawn) == set(range(highest + 1))


def test_settings_reach_the_reward():
    melodies = np.random.default_rng(0).integers(0, 38, [8, 32])
    plain = MelodyTask(reward_mode="key_and_tonic").rewards(melodies)
    doubled = MelodyTask(
        reward_mode="key_and_tonic", rule_weights={"key": 2.0, "tonic": 2.0}
    ).rewards(melodies)
    np.testing.assert_allclose(doubled, 2 * plain)
    assert not MelodyTask(reward_mode="key").uses_log_prior
    assert MelodyTask().uses_log_prior


def test_own_rule_counts():
    def high(step):
        return tf.cast(step.action > 30, tf.float32)

    melodies = np.random.default_rng(0).integers(0, 38, [8, 32])
    extra = MelodyTask(extra_rules=(("high", high),)).rewards(melodies)
    np.testing.assert_allclose(
        extra - MelodyTask().rewards(melodies), melodies > 30, atol=1e-3
    )


@pytest.mark.parametrize("length", [0, -1, 5000])
def test_nonsense_length_is_refused(length):
    with pytest.raises(UserError, match=f"num_notes_in_melody is {length}"):
        MelodyTask(num_notes_in_melody=length)


def test_samples_are_midi_and_a_picture(tmp_path):
    pretty_midi = pytest.importorskip("pretty_midi")
    MelodyTask().write_samples(np.array([[14, 0, 1, 16]]), tmp_path, "title")
    midi = pretty_midi.PrettyMIDI(str(tmp_path / "melody_01.mid"))
    assert [note.pitch for note in midi.instruments[0].notes] == [60, 62]
    assert (tmp_path / "piano_roll.png").read_bytes().startswith(b"\x89PNG")


def test_the_share_of_notes_that_are_not_in_key_stands_beside_that_of_events():
    # C sharp, held, a rest, and C: one of four events, and one of two notes.
    judgement = MelodyTask().judge(np.array([[15, 0, 1, 14]]))
    assert judgement.metrics["notes_not_in_key"] == 25
    assert judgement.counts["percent_of_notes_not_in_key"] == 50
    assert any("percent_of_notes" in remark for remark in MelodyTask().remarks())


def test_corpus_is_compared_in_the_notes_of_the_model():
    """C4 D4 hold E4, C3 and G4: of a model from D4 to E5 what is between the others."""
    melody = np.array([14, 16, 0, 18, 2, 21])
    of_all = MelodyTask(notes=ALL_NOTES).from_corpus([melody])
    assert [list(found) for found in of_all] == [[62, 64, 0, 66, 50, 69]]
    of_some = MelodyTask(notes=NoteRange(62, 76)).from_corpus([melody])
    assert [list(found) for found in of_some] == [[2, 0, 4], [7]]
    assert MelodyTask().from_corpus([melody])[0] is melody
    copied = Corpus(of_all).copied_share(np.array([[64, 0, 66], [16, 0, 18]]))
    assert copied == 50.0
