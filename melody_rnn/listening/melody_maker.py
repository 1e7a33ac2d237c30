"""Generates a model's melodies and judges them by the rules; needs TensorFlow."""

from __future__ import annotations

import dataclasses
import pathlib

from melody_rnn.encoding import OUR_NOTES
from melody_rnn.listening.sources import Judge
from melody_rnn.music_theory.rewards import corpus_rewards
from melody_rnn.task import MelodyTask
from rl_tuner import worlds
from rl_tuner.errors import UserError
from rl_tuner.generation.evaluation import generate_for_task
from rl_tuner.generation.policy import SMALL_BATCH, Policy
from rl_tuner.networks.network import Network
from rl_tuner.runs import run_directory

MAX_COUNT = SMALL_BATCH


@dataclasses.dataclass(frozen=True)
class JudgedMelody:
    """A melody, and what each rule gives each of its events.

    Attributes:
      classes: T ints in 0..37.
      rewards: {rule: T rewards}; the rules that count, weighted.
    """

    classes: list[int]
    rewards: dict[str, list[float]]


class MelodyMaker:
    """A loaded model."""

    def __init__(self, directory: pathlib.Path, judge: Judge):
        """Loads a run of rl_tuner_train, or an untuned model.

        Raises:
          UserError: it is missing or damaged, or makes no melodies.
        """
        world = worlds.find_world(judge.task)
        if run_directory.holds_run(directory):
            settings = run_directory.read_settings(directory)
            self._policy = run_directory.load_policy(directory, settings)
        else:
            self._policy = Policy.of_prior(Network.load(directory))
        task = world.make_task(judge.settings, self._policy.q_network)
        if not isinstance(task, MelodyTask):
            raise UserError(
                f"{directory} belongs to --task={judge.task}; only melodies can be "
                "listened to"
            )
        self._task = task
        task.check_model(self._policy.q_network)
        if task.notes != OUR_NOTES:
            raise UserError(
                f"{directory} plays the notes {task.notes.min_note} to "
                f"{task.notes.max_note}; the listening page only plays "
                f"{OUR_NOTES.min_note} to {OUR_NOTES.max_note}"
            )

    def make(
        self, count: int, num_steps: int, temperature: float, seed: int
    ) -> list[JudgedMelody]:
        """Generates melodies; the same arguments make the same.

        Args:
          count: of melodies, at most `MAX_COUNT`.
          num_steps: sixteenths in each.
          temperature: the policy scores are divided by it.
          seed: of all randomness.
        """
        # Always as many, so that melody k of a seed does not depend on the count; a
        # policy generates no fewer at a time anyway.
        sequences = generate_for_task(
            self._policy, self._task, MAX_COUNT, temperature, seed, num_steps
        ).sequences
        settings = self._task.settings
        rewards = {
            name: values
            for name, values in corpus_rewards(sequences, settings).items()
            if settings.weight(name)
        }
        return [
            JudgedMelody(
                classes=[int(event) for event in sequence],
                # Rewards are sums of a few decimals in float32: 4 places are theirs.
                rewards={
                    name: [round(float(value), 4) for value in values[index]]
                    for name, values in rewards.items()
                },
            )
            for index, sequence in enumerate(sequences[:count])
        ]
