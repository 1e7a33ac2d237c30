"""Flags that name an untuned model, in any of the formats that users have."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING

from absl import flags

from melody_rnn.magenta import configurations
from rl_tuner.errors import UserError

if TYPE_CHECKING:
    from rl_tuner.networks.network import Network
    from rl_tuner.worlds import World

FLAGS = flags.FLAGS
NAMES = ("note_rnn_checkpoint_dir", "note_rnn_checkpoint_file", "bundle_file")

flags.DEFINE_string(
    "note_rnn_checkpoint_dir",
    "",
    "Folder of an untuned model: what note_rnn_train or smiles_rnn_train wrote, or the "
    "newest checkpoint in a training directory of Magenta's.",
)
flags.DEFINE_alias("checkpoint_dir", "note_rnn_checkpoint_dir")
flags.DEFINE_string(
    "note_rnn_checkpoint_file", "", "The same, but a TensorFlow 1 checkpoint file."
)
flags.DEFINE_string("bundle_file", "", "The same, but a Magenta bundle, *.mag.")
flags.DEFINE_integer(
    "min_note",
    None,
    "MIDI pitch of that model's lowest note class; by default what its bundle says, 48 "
    "where it has 38 classes and 0 where it has 130.",
)


def path() -> pathlib.Path | None:
    """Where the model lies that the flags name; None if they name none.

    Raises:
      UserError: they name several, or --bundle_file is no bundle.
    """
    given = [name for name in NAMES if FLAGS[name].value]
    if len(given) > 1:
        raise UserError(f"give --{given[0]} or --{given[1]}, not both")
    if not given:
        return None
    named = pathlib.Path(FLAGS[given[0]].value).expanduser()
    if given == ["bundle_file"] and named.suffix != ".mag":
        raise UserError(
            f"--bundle_file={named} is not called *.mag; name a checkpoint by "
            "--note_rnn_checkpoint_file"
        )
    return named


def load(source: pathlib.Path, world: World | None = None) -> Network:
    """Loads a model, and prints one line of what was read.

    Args:
      source: where it lies.
      world: what it shall be used for; None takes it as it is.

    Raises:
      UserError: it cannot be loaded, or does not suit the flags or the world.
    """
    from rl_tuner.networks.network import Network

    model = Network.load(source)
    if FLAGS.min_note is not None:
        given = configurations.range_from(FLAGS.min_note, model.num_classes)
        if not 0 <= given[0] <= given[1] <= 127:
            raise UserError(
                f"--min_note={FLAGS.min_note} makes the model's {model.num_classes} "
                f"classes the notes {given[0]} to {given[1]}; they must be in 0 to 127"
            )
        model.metadata[configurations.RANGE_KEY] = given
    if hasattr(world, "adapt_model"):
        model = world.adapt_model(model)
    print(model.read_from, flush=True)
    return model
