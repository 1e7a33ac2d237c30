"""What the progress bar of a training tells."""

from __future__ import annotations

import math

from tqdm import tqdm

from rl_tuner.rl_tuner import TrainingProgress


def show(bar: tqdm, progress: TrainingProgress) -> None:
    """Moves the progress bar."""
    shown = {
        "reward": f"{progress.task_reward:.2f}",
        "log p": f"{progress.log_prior:.2f}",
    }
    if math.isnan(progress.kl):
        shown["epsilon"] = f"{progress.epsilon:.2f}"
    else:
        shown |= {"KL": f"{progress.kl:.3f}", "1/c": f"{progress.reward_scaler:.3g}"}
    shown["loss"] = f"{progress.loss:.1f}"
    bar.set_postfix(shown, refresh=False)
    if not bar.n:
        bar.unpause()  # what compiling took says nothing of what is left
    bar.update(min(progress.step, bar.total) - bar.n)
