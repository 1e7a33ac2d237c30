"""Models that tables and figures compare: their names, labels and order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rl_tuner.algorithms import ALGORITHMS, get_algorithm

UNTUNED = "untuned"
# The policy that maximizes the objective, known by importance sampling only.
OPTIMUM = "optimum"
# G as the reference implementation updated it, with gradients into the Reward RNN.
REFERENCE_G, REFERENCE_ALGORITHM = "g_reference", "g"


def model_of(config: Mapping[str, Any]) -> str:
    """Which model the fields of an `RLTunerConfig` make: see `GridRun.model`."""
    has_moved = config["reference_g_update"]
    if has_moved and get_algorithm(config["algorithm"]).acts_with_prior:
        return REFERENCE_G
    return config["algorithm"]


def label(model: str, prior_label: str = UNTUNED) -> str:
    """What a model is called in tables and figures, the untuned one as is said."""
    if model == UNTUNED:
        return prior_label
    if model == REFERENCE_G:
        return "G, reference update"
    if model == OPTIMUM:
        return "exact optimum"
    if model not in ALGORITHMS and ":" not in model:
        return model  # named by the user
    return get_algorithm(model).label


def in_order(models: Iterable[str]) -> list[str]:
    """Models, each once, in the order of tables and legends."""
    order = [UNTUNED]
    for name in ALGORITHMS:
        order += [name, REFERENCE_G] if name == REFERENCE_ALGORITHM else [name]
    wanted = list(dict.fromkeys(models))
    known = [model for model in order if model in wanted]
    return [*known, *(model for model in wanted if model not in order)]
