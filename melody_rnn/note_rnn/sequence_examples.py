"""TFRecords of SequenceExamples, in the layout of Magenta's melody models.

A melody of T steps is one `tf.train.SequenceExample` with two feature lists of T - 1
entries: `inputs`, the one-hot vector of each step but the last, and `labels`, the class
of the step after it, as note_seq's `OneHotEventSequenceEncoderDecoder` encodes them.
Magenta's `--sequence_example_file` reads these files.
"""

import os
import pathlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from rl_tuner.errors import UserError


def to_sequence_example(tokens: Sequence[int], num_classes: int) -> Any:
    """Encodes a melody of T >= 2 classes as a `tf.train.SequenceExample`."""
    one_hot = np.eye(num_classes, dtype=np.float32)
    feature, feature_list = tf.train.Feature, tf.train.FeatureList
    inputs = [
        feature(float_list=tf.train.FloatList(value=one_hot[token]))
        for token in tokens[:-1]
    ]
    labels = [
        feature(int64_list=tf.train.Int64List(value=[token])) for token in tokens[1:]
    ]
    lists = {
        "inputs": feature_list(feature=inputs),
        "labels": feature_list(feature=labels),
    }
    return tf.train.SequenceExample(
        feature_lists=tf.train.FeatureLists(feature_list=lists)
    )


def write_shards(
    directory: pathlib.Path,
    stem: str,
    melodies: Iterable[Sequence[int]],
    num_classes: int,
    num_shards: int,
) -> list[str]:
    """Writes melodies in turn to `stem.tfrecord-00000-of-...`; returns the names."""
    names = [f"{stem}.tfrecord-{i:05d}-of-{num_shards:05d}" for i in range(num_shards)]
    writers = [tf.io.TFRecordWriter(os.fsencode(directory / name)) for name in names]
    for index, melody in enumerate(melodies):
        example = to_sequence_example(melody, num_classes)
        record = example.SerializeToString(deterministic=True)
        writers[index % num_shards].write(record)
    for writer in writers:
        writer.close()
    return names


def read_melodies(
    paths: Sequence[str | os.PathLike], num_classes: int
) -> list[np.ndarray]:
    """Reads the melodies of TFRecord files, each [T] int32, in the order of the files.

    Raises:
      UserError: a file is missing, damaged or of another layout.
    """
    features = {
        "inputs": tf.io.FixedLenSequenceFeature([num_classes], tf.float32),
        "labels": tf.io.FixedLenSequenceFeature([], tf.int64),
    }

    def tokens(record: tf.Tensor) -> tf.Tensor:
        _, lists = tf.io.parse_single_sequence_example(
            record, sequence_features=features
        )
        first = tf.argmax(lists["inputs"][:1], axis=-1)
        return tf.cast(tf.concat([first, lists["labels"]], axis=0), tf.int32)

    melodies = []
    for path in paths:
        try:
            records = tf.data.TFRecordDataset([os.fsencode(path)]).map(tokens)
            melodies += list(records.as_numpy_iterator())
        except tf.errors.NotFoundError as error:
            raise UserError(
                f"{path} does not exist; create the dataset anew"
            ) from error
        except (tf.errors.DataLossError, tf.errors.InvalidArgumentError) as error:
            raise UserError(
                f"{path} is no TFRecord of SequenceExamples with one-hot inputs of "
                f"{num_classes} classes and labels, or it is damaged; "
                "create the dataset anew"
            ) from error
    for melody in melodies:
        if melody.size and not 0 <= melody.min() <= melody.max() < num_classes:
            raise UserError(
                f"{paths[0]} and its like hold labels outside 0..{num_classes - 1}; "
                "create the dataset anew"
            )
    return melodies
