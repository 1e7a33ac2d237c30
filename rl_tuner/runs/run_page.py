"""One page of a model: its figures, its curves, and what it generates."""

from __future__ import annotations

import dataclasses
import json
import pathlib
from collections.abc import Mapping, Sequence

from rl_tuner.generation.evaluation import generate_for_task
from rl_tuner.generation.policy import Policy
from rl_tuner.metrics import Evaluation
from rl_tuner.reports import comparison, models
from rl_tuner.reports.comparison import Entry
from rl_tuner.reports.web_page import PAGE_NAME, WebPage
from rl_tuner.runs.run_directory import RunSettings
from rl_tuner.task import Task
from rl_tuner.world import World

# Sequences of each policy that a world may show.
_SHOWN = 1000


@dataclasses.dataclass(frozen=True)
class Measured:
    """A model, the untuned one beside it if there is a run.

    Attributes:
      path: the folder of the run, or where the untuned model lies.
      run: the run's settings, None of an untuned model.
      policies: by their names in `reports.models`, the tuned one last.
      evaluations: of each.
      seed: of what is shown.
    """

    path: pathlib.Path
    run: RunSettings | None
    policies: Mapping[str, Policy]
    evaluations: Mapping[str, Evaluation]
    seed: int


def write(
    directory: pathlib.Path,
    measured: Measured,
    world: World,
    task: Task,
    entries: Sequence[Entry],
    remarks: Sequence[str],
) -> pathlib.Path:
    """Writes the page, with all that it shows inside it, into a folder.

    Args:
      directory: where to.
      measured: the model.
      world: which knows how its sequences are shown.
      task: of the model.
      entries: the table of the evaluations.
      remarks: sentences that a reader must know, the first before all else.

    Returns:
      where it is.
    """
    publication = world.publication()
    page = WebPage(f"RL Tuner: {measured.path.name or measured.path}")
    page.paragraphs(remarks[:1])
    page.table(comparison.layout(entries, publication))
    page.paragraphs([*remarks[1:], *comparison.legend(entries, publication)])
    curves = measured.path / "curves.png"
    if measured.run and curves.is_file():
        page.heading("Curves of the training")
        page.picture(curves, "measures of the policy along its training")
    sequences, evaluations = {}, {}
    for name, policy in measured.policies.items():
        label = models.label(name, publication.prior_label)
        evaluations[label] = evaluation = measured.evaluations[name]
        count = min(_SHOWN, evaluation.num_sequences)
        generated = generate_for_task(policy, task, count, seed=measured.seed)
        sequences[label] = generated.sequences
    world.add_to_page(page, task, sequences, evaluations, measured.path)
    if measured.run:
        page.heading("Settings")
        page.text(json.dumps(dataclasses.asdict(measured.run), indent=2))
    page.write(directory / PAGE_NAME)
    return directory / PAGE_NAME
