"""Puts the files of a dataset into their folder, all of them or none."""

from __future__ import annotations

import os
import pathlib
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping

from rl_tuner.errors import UserError

_PARTIAL = ".unfinished-"


def publish(
    output_dir: pathlib.Path, files: Mapping[str, bytes], description: str
) -> None:
    """Writes a dataset as `publish_folder` does, from its files' contents by name."""

    def write(folder: pathlib.Path) -> None:
        for name, data in files.items():
            (folder / name).write_bytes(data)

    publish_folder(output_dir, write, description)


def publish_folder(
    output_dir: pathlib.Path,
    write: Callable[[pathlib.Path], None],
    description: str,
    stale: Iterable[str] = (),
) -> None:
    """Writes files beside their place, then moves them there, the description last.

    A folder without a description holds no dataset: the old description goes first,
    so that a cut at any moment leaves the old dataset, none, or the new one.

    Args:
      output_dir: an existing directory.
      write: writes all files into the folder that it is given.
      description: the file among them whose presence says that the dataset is whole.
      stale: glob patterns of files of an earlier dataset to be removed.

    Raises:
      UserError: the directory cannot be written.
    """
    try:
        for remains in output_dir.glob(f"{_PARTIAL}*"):  # of a run that was killed
            shutil.rmtree(remains, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=output_dir, prefix=_PARTIAL) as name:
            partial = pathlib.Path(name)
            write(partial)
            (output_dir / description).unlink(missing_ok=True)
            for pattern in stale:
                for path in output_dir.glob(pattern):
                    path.unlink()
            for path in sorted(partial.iterdir()):
                if path.name != description:
                    os.replace(path, output_dir / path.name)
            os.replace(partial / description, output_dir / description)
    except OSError as error:
        raise UserError(
            f"cannot write to {output_dir}: {error.strerror}; "
            "free space or choose another --output_dir"
        ) from error
