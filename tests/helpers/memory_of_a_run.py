"""Trains as rl_tuner_train does; prints the resident memory along the way, as JSON."""

import json
import pathlib
import sys

from melody_rnn.task import MelodyTask
from rl_tuner.networks.sequence_rnn import SequenceRNN
from rl_tuner.rl_tuner import RLTuner, RLTunerConfig
from rl_tuner.runs import training_run


def resident_bytes():
    """What the process holds in memory now."""
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmRSS")


def main(model, directory, num_steps):
    tuner = RLTuner(SequenceRNN.load(model), MelodyTask(), RLTunerConfig())
    outputs = training_run.Outputs(
        pathlib.Path(directory), 50_000, 10, 2_000, "a run", save_every=20.0
    )
    sizes = []

    def note(progress):
        if progress.step % 10_000 == 0:
            sizes.append((progress.step, resident_bytes()))

    training_run.train_and_save(tuner, num_steps, outputs, note)
    # What users do with a tuner, over and over.
    used = []
    for seed in range(40):
        tuner.generate(50, seed=seed)
        tuner.evaluate(300, seed=seed)
        used.append(resident_bytes())
    print(json.dumps({"training": sizes, "using": used}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
