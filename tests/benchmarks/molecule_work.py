"""Molecules sampled, scored and learned from, and RDKit alone on the same strings."""

import multiprocessing
import time

import numpy as np
import scoring

from molecule_rnn.policy_gradient_defaults import POLICY_GRADIENT_SETTINGS
from molecule_rnn.scoring.rewards import RewardSettings
from molecule_rnn.scoring.scoring_pool import ScoringPool
from molecule_rnn.smiles_rnn.config import START_TOKEN
from molecule_rnn.task import MoleculeTask
from molecule_rnn.tuning_defaults import REWARD_WEIGHTS
from molecule_rnn.vocabulary import Vocabulary
from rl_tuner import worlds
from rl_tuner.generation.evaluation import generate_for_task
from rl_tuner.generation.policy import Policy
from rl_tuner.networks.network import Network
from rl_tuner.rl_tuner import RLTuner, RLTunerConfig
from rl_tuner.system import provenance

# Tokens in a molecule of the shipped prior, about.
_LENGTH = 40


class RecordingTask(MoleculeTask):
    """The task, which keeps the distinct strings that it is asked to score."""

    def __init__(self, *arguments, **settings):
        """As of `MoleculeTask`."""
        super().__init__(*arguments, **settings)
        self.strings = {}
        self.number = self.tokens = 0

    def start_scoring(self, prefixes):
        """As of `MoleculeTask`."""
        is_scored = prefixes.ended | self.reward_settings.scores_prefixes
        self.number += int(np.sum(prefixes.ended))
        self.tokens += len(prefixes.lengths)
        strings = self.vocabulary.decode(prefixes.tokens[is_scored])
        self.strings |= dict.fromkeys(strings)
        return super().start_scoring(prefixes)


class MoleculeWork:
    """Tunes the shipped SMILES RNN from a start token, as `--task=molecule` does.

    Attributes:
      prior: the SMILES RNN.
    """

    def __init__(self, algorithms):
        """Builds everything and does it once."""
        context = multiprocessing.get_context("forkserver")
        self._rdkit = context.Pool(provenance.available_cores(), scoring.begin)
        self._rdkit.map(scoring.rdkit_alone, ["CCO"] * 100)
        path = worlds.shipped_checkpoint(worlds.find_world("molecule"))
        self.prior = Network.load(path)
        self._tuners = {name: self._tuner(name) for name in algorithms}
        for algorithm in algorithms:
            self.learn(algorithm, 1000)
        self.sample(1024)

    def sample(self, amount):
        """Samples so many molecules of the prior; seconds."""
        task = next(iter(self._tuners.values())).task
        begin = time.perf_counter()
        generate_for_task(Policy.of_prior(self.prior), task, amount)
        return {"seconds": time.perf_counter() - begin, "results": amount}

    def score(self, amount):
        """Scores so many molecules of the prior; seconds, also of RDKit alone."""
        task = next(iter(self._tuners.values())).task
        sampled = generate_for_task(Policy.of_prior(self.prior), task, amount)
        strings = list(dict.fromkeys(task.vocabulary.decode(sampled.sequences)))
        with ScoringPool(scoring.COMPONENTS) as pool:
            pool.score(["C" * length for length in range(1, 100)])
            begin = time.perf_counter()
            pool.score(strings)
            seconds = time.perf_counter() - begin
        return {
            "seconds": seconds,
            "results": len(strings),
            "rdkit_seconds": self._alone(strings),
        }

    def learn(self, algorithm, amount):
        """Samples, scores, learns from about so many; seconds, also of RDKit alone."""
        tuner = self._tuners[algorithm]
        task = tuner.task
        task.strings, task.number, task.tokens = {}, 0, 0
        begin = time.perf_counter()
        tuner.train(amount * _LENGTH, report_every=amount * _LENGTH)
        return {
            "seconds": time.perf_counter() - begin,
            "results": task.number,
            "tokens": task.tokens,
            "rdkit_seconds": self._alone(list(task.strings)),
        }

    def _alone(self, strings):
        begin = time.perf_counter()
        self._rdkit.map(scoring.rdkit_alone, strings, chunksize=16)
        return time.perf_counter() - begin

    def _tuner(self, algorithm):
        task = RecordingTask(
            Vocabulary.from_json(self.prior.metadata["vocabulary"]),
            RewardSettings(weights=REWARD_WEIGHTS[START_TOKEN]),
            protocol=START_TOKEN,
        )
        config = RLTunerConfig(algorithm=algorithm, **POLICY_GRADIENT_SETTINGS)
        return RLTuner(self.prior, task, config)
