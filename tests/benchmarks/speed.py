"""Measures this machine: steps a second of training, melodies and rewards a second.

  python tests/benchmarks/speed.py [--note_rnn_checkpoint_dir=...]

At the paper's setting, one update of 32 transitions per five environment steps. The
first call of everything is left out, since it compiles.
"""

import time

from absl import flags

from rl_tuner import cli, config, tuning_flags, worlds

FLAGS = flags.FLAGS
flags.DEFINE_integer("num_melodies", 20_000, "Melodies to evaluate and to reward.")


def main() -> None:
    """Measures and prints."""
    cli.load_tensorflow()
    from melody_rnn.melody_task import MelodyTask
    from rl_tuner.rl_tuner import RLTuner
    from rl_tuner.sequence_rnn import SequenceRNN

    prior = SequenceRNN.load(tuning_flags.prior_path(worlds.find_world("melody")))
    task = MelodyTask()
    for algorithm in config.ALGORITHMS:
        tuner = RLTuner(prior, task, tuning_flags.tuner_config(algorithm=algorithm))
        rate = _rate(lambda tuner=tuner: tuner.train(50_000, report_every=50_000))
        print(f"training, {algorithm:8}{50_000 * rate:12,.0f} steps/s")
    number = FLAGS.num_melodies
    rate = _rate(lambda: tuner.evaluate(number))
    print(f"evaluation        {number * rate:12,.0f} melodies/s, all metrics")
    melodies = tuner.generate(number)
    rate = _rate(lambda: task.rewards(melodies))
    print(f"rewards           {melodies.size * rate:12,.0f} rewards/s")


def _rate(work) -> float:
    """Runs a second, after a first call that compiles."""
    work()
    start = time.perf_counter()
    work()
    return 1.0 / (time.perf_counter() - start)


if __name__ == "__main__":
    cli.run(main)
