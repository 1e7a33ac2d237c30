"""Where training runs: `--device`, and `--distribution` by tf.distribute."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from absl import flags

from rl_tuner.errors import UserError

if TYPE_CHECKING:
    import tensorflow as tf

    from rl_tuner.config import RLTunerConfig
    from rl_tuner.networks.network import Network
    from rl_tuner.rl_tuner import RLTuner
    from rl_tuner.task import Task

FLAGS = flags.FLAGS
NONE = "none"
DISTRIBUTIONS = (NONE, "mirrored", "multi_worker", "tpu")
DEVICES = ("auto", "cpu", "gpu")


def define_flags() -> None:
    """Defines the flags."""
    flags.DEFINE_string(
        "distribution",
        NONE,
        f"One of {', '.join(DISTRIBUTIONS)}: replicas on all devices of this machine, "
        "on the machines that TF_CONFIG names, where each runs the same command, or on "
        "a TPU. Each replica acts and remembers for itself; gradients are averaged.",
    )
    flags.DEFINE_string(
        "device",
        "auto",
        f"One of {', '.join(DEVICES)}; auto takes GPUs where there are any.",
    )
    flags.DEFINE_bool(
        "mixed_precision",
        False,
        "Multiply in bfloat16, on GPUs and TPUs that have it; weights, losses and "
        "rewards stay float32.",
    )
    flags.DEFINE_integer(
        "num_replicas",
        0,
        "With --distribution=mirrored: how many; 0 is one for each GPU, or one for the "
        "processor. Several replicas on the processor share it.",
    )


def check_flags() -> None:
    """Refuses what makes no sense, before TensorFlow is loaded.

    Raises:
      UserError: names the flag.
    """
    for name, choices in (("distribution", DISTRIBUTIONS), ("device", DEVICES)):
        if FLAGS[name].value not in choices:
            raise UserError(
                f"unknown --{name}={FLAGS[name].value}; choose one of "
                f"{', '.join(choices)}"
            )
    if FLAGS.num_replicas < 0 or (
        FLAGS.num_replicas and FLAGS.distribution != "mirrored"
    ):
        raise UserError(
            f"--num_replicas={FLAGS.num_replicas} must be at least 0, and goes with "
            "--distribution=mirrored only"
        )
    if FLAGS.distribution == "multi_worker":
        worker_number()
        if not FLAGS.output_dir:
            raise UserError("--distribution=multi_worker needs --output_dir")
    if FLAGS.distribution == "tpu" and FLAGS.device != "auto":
        raise UserError(f"--device={FLAGS.device} makes no sense on a TPU")


def own_folder(output_dir: str) -> str:
    """Where this process writes: workers but the first have folders in the first's."""
    number = worker_number() if FLAGS.distribution == "multi_worker" else 0
    return os.path.join(output_dir, f"worker_{number}") if number else output_dir


def worker_number() -> int:
    """Which worker of `TF_CONFIG` this process is.

    Raises:
      UserError: TF_CONFIG does not say.
    """
    text = os.environ.get("TF_CONFIG", "")
    try:
        config = json.loads(text)
        workers = config["cluster"]["worker"]
        task = config["task"]
        number = int(task["index"])
        if task["type"] != "worker" or not 0 <= number < len(workers):
            raise ValueError
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"TF_CONFIG={text!r} does not say which worker this is; "
            "--distribution=multi_worker needs the likes of "
            '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, '
            '"task": {"type": "worker", "index": 0}}'
        ) from error
    return number


def prepare() -> tf.distribute.Strategy | None:
    """Makes TensorFlow use what the flags say; before it does anything else.

    Returns:
      the strategy of `--distribution`; None without one.

    Raises:
      UserError: there is no such device.
    """
    import keras
    import tensorflow as tf

    if FLAGS.device == "cpu":
        tf.config.set_visible_devices([], "GPU")
    gpus = tf.config.get_visible_devices("GPU")
    if FLAGS.device == "gpu" and not gpus:
        raise UserError(
            "--device=gpu, but TensorFlow finds no GPU here; take --device=cpu"
        )
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
    if not gpus and FLAGS.num_replicas > 1:
        tf.config.set_logical_device_configuration(
            tf.config.list_physical_devices("CPU")[0],
            [tf.config.LogicalDeviceConfiguration()] * FLAGS.num_replicas,
        )
    strategy = _strategy()
    if FLAGS.mixed_precision:
        _check_bfloat16(gpus)
        keras.mixed_precision.set_dtype_policy("mixed_bfloat16")
    return strategy


def make_tuner(
    prior: Network,
    task: Task,
    config: RLTunerConfig,
    strategy: tf.distribute.Strategy | None,
    is_restored: bool = False,
) -> RLTuner:
    """The tuner that learns as the flags say; arguments as of `RLTuner`.

    Raises:
      UserError: as of `RLTuner`.
    """
    from rl_tuner.rl_tuner import RLTuner

    return RLTuner(prior, task, config, strategy, is_restored)


def _strategy() -> tf.distribute.Strategy | None:
    import tensorflow as tf

    if FLAGS.distribution == "mirrored":
        kind = "GPU" if tf.config.get_visible_devices("GPU") else "CPU"
        number = len(tf.config.list_logical_devices(kind))
        if FLAGS.num_replicas > number:
            raise UserError(
                f"--num_replicas={FLAGS.num_replicas}, but there are only {number} GPUs"
            )
        devices = [f"{kind}:{i}" for i in range(FLAGS.num_replicas or number)]
        return tf.distribute.MirroredStrategy(devices)
    if FLAGS.distribution == "multi_worker":
        return tf.distribute.MultiWorkerMirroredStrategy()
    if FLAGS.distribution == "tpu":
        return _tpu_strategy()
    return None


def _tpu_strategy() -> tf.distribute.Strategy:
    import tensorflow as tf

    name = os.environ.get("TPU_NAME", "local")
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(tpu=name)
        if name != "local":
            tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
    except (ValueError, tf.errors.OpError) as error:
        line = " ".join(str(error).split())[:60]
        raise UserError(
            f"--distribution=tpu, but TensorFlow finds no TPU here ({line} ...); take "
            "--distribution=none"
        ) from error
    return tf.distribute.TPUStrategy(resolver)


def _check_bfloat16(gpus: list[tf.config.PhysicalDevice]) -> None:
    """Proves that the device multiplies in bfloat16."""
    import tensorflow as tf

    details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
    capabilities = [found.get("compute_capability", (0, 0)) for found in details]
    has_it = bool(gpus) and min(capabilities) >= (8, 0)
    if not has_it and FLAGS.distribution != "tpu":
        where = f"a GPU of compute capability {min(capabilities)}" if gpus else "a CPU"
        raise UserError(
            f"--mixed_precision gains nothing on {where}; it needs a GPU of compute "
            "capability 8.0 or a TPU"
        )
