"""The music-theory reward r_MT(a, s), for one live step and for a whole corpus.

The rules are those of Jaques et al. 2017, section 5, as Magenta's `rl_tuner` has
them; rules.py holds them, settings.py what can be chosen.
"""

import functools
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from melody_rnn.music_theory import rules as music_theory_rules
from melody_rnn.music_theory.corpus_scan import in_chunks, scan
from melody_rnn.music_theory.melody_step import MelodyStep
from melody_rnn.music_theory.settings import MusicTheorySettings


def step_rewards(
    composition: tf.Tensor,
    beat: tf.Tensor,
    action: tf.Tensor,
    leap_state: tf.Tensor,
    settings: MusicTheorySettings,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Scores the next event of each of N melodies, which may be at different beats.

    Compiles into a training loop: no Python is left in the graph. The reward r_MT of
    the mode is the sum of the columns, `tf.reduce_sum(rewards, axis=1)`.

    Args:
      composition: int32 [N, T], the events so far; entries from `beat` on are not
        looked at. T, the length of a whole melody, must be static.
      beat: int32 [N], position of the new event, 0 to T - 1.
      action: int32 [N], the new event, a class.
      leap_state: int32 [N, LEAP_STATE_SIZE], zeros at the start, then from the
        previous step. It starts again by itself at beat 0.
      settings: the rules, their weights, the key and the mode.

    Returns:
      rewards: float32 [N, columns], weighted, in the order of
        `settings.reward_names`: the nine rules first. A rule that the mode or a
        weight of 0 switches off is not computed and has zeros.
      leap_state: int32 [N, 3] for the next step.
    """
    step = MelodyStep(composition, beat, action, leap_state, settings)
    rules = {**music_theory_rules.RULES, **dict(settings.extra_rules)}
    nothing = tf.zeros_like(beat, tf.float32)
    columns = []
    for name in settings.reward_names:
        weight = settings.weight(name)
        columns.append(weight * rules[name](step) if weight else nothing)
    if settings.weight("leaps"):
        leap_state = step.next_leap_state
    return tf.stack(columns, axis=1), leap_state


def rule_rewards(
    compositions: npt.ArrayLike | tf.Tensor,
    rules: str = "paper",
    key: str = "C major",
) -> dict[str, np.ndarray]:
    """Scores every event of a corpus by each of the nine rules.

    Args:
      compositions: [N, T] ints in 0..37, an array or a tensor.
      rules: "paper" or "corrected", the meaning of classes 0 and 1.
      key: such as "C major" or "A minor".

    Returns:
      {rule name: float32 [N, T]}.

    Raises:
      UserError: not melodies of classes, or an unknown reading or key.
    """
    return corpus_rewards(compositions, MusicTheorySettings(rules=rules, key=key))


def corpus_rewards(
    compositions: npt.ArrayLike | tf.Tensor, settings: MusicTheorySettings
) -> dict[str, np.ndarray]:
    """Scores every event of a corpus as `settings` say.

    Args:
      compositions: [N, T] classes, an array or a tensor.
      settings: the rules, their weights, the key and the mode.

    Returns:
      {reward name: float32 [N, T]}, names as in `settings.reward_names`; r_MT is
      their sum.

    Raises:
      UserError: not melodies of classes.
    """
    rewards = in_chunks(_compiled_scan(settings), compositions, settings.notes)
    return dict(zip(settings.reward_names, rewards, strict=True))


@functools.lru_cache(maxsize=32)
def _compiled_scan(
    settings: MusicTheorySettings,
) -> Callable[[tf.Tensor], list[tf.Tensor]]:
    """Returns int32 [N, T] -> a list of float32 [N, T], compiled once per settings."""
    step = functools.partial(step_rewards, settings=settings)

    @tf.function(jit_compile=True, autograph=False)
    def rewards(compositions: tf.Tensor) -> list[tf.Tensor]:
        collected = scan(step, compositions, len(settings.reward_names))
        return tf.unstack(tf.transpose(collected, [2, 1, 0]))

    return rewards
