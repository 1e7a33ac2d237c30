"""The matrix products that the networks are made of, and how fast they can be."""

import json
import os
import pathlib
import subprocess
import sys

SCRIPT = pathlib.Path(__file__).with_name("matrix_products.py")
_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")


def forward(layers, batch):
    """The products [rows, inner, columns] of one network reading `batch` tokens.

    `layers` are the [inputs, outputs] of each product; a token is a one-hot row.
    """
    return [(batch, inputs, outputs) for inputs, outputs in layers]


def backward(layers, batch):
    """Those of the gradients of all weights, and of what the upper layers read."""
    weights = [(inputs, batch, outputs) for inputs, outputs in layers]
    read = [(batch, outputs, inputs) for inputs, outputs in layers[1:]]
    return weights + read


def training_round(layers, algorithm):
    """Those of five environment steps and an update of 32, at the paper's setting."""
    acting = 2 * forward(layers, 5)  # the Q network and the Reward RNN
    networks = 3 if algorithm == "g" else 2  # with the target network
    return acting + networks * forward(layers, 32) + backward(layers, 32)


def operations(products):
    """Floating-point operations of some products."""
    return sum(2.0 * rows * inner * columns for rows, inner, columns in products)


def fastest(products, cores):
    """Operations a second that this machine makes of these products, one by one.

    Each shape is measured in numpy on one core and on all; the faster counts.
    """
    shapes = sorted(set(products))
    rates = [_rates(shapes, threads) for threads in sorted({1, cores})]
    best = dict(zip(shapes, map(max, zip(*rates, strict=True)), strict=True))
    seconds = sum(operations([shape]) / best[shape] for shape in products)
    return operations(products) / seconds


def _rates(shapes, threads):
    environment = os.environ | dict.fromkeys(_THREADS, str(threads))
    command = [sys.executable, str(SCRIPT), json.dumps(shapes)]
    return json.loads(subprocess.check_output(command, env=environment))
