"""Flags that choose where independent jobs run: here, or on a runner of Apache Beam."""

from absl import flags

from rl_tuner.system.jobs import LOCAL

FLAGS = flags.FLAGS


def define_flags() -> None:
    """Defines the flags that choose where jobs run."""
    flags.DEFINE_string(
        "runner",
        LOCAL,
        f"Where the work is done: '{LOCAL}' is this process and its like; any other is "
        "a runner of Apache Beam, as DirectRunner, FlinkRunner, SparkRunner or "
        "DataflowRunner, and needs pip install 'rl-tuner[beam]'. All its machines must "
        "have this package, and see the same folders under the same names.",
    )
    flags.DEFINE_string(
        "beam_options",
        "",
        "Options for Beam: '--direct_running_mode=multi_processing "
        "--direct_num_workers=8' or '--runner=FlinkRunner --flink_master=host:8081'.",
    )


def is_local() -> bool:
    """Whether the flags leave the work to this process."""
    return FLAGS.runner == LOCAL
