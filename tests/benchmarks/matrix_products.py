"""How fast this machine multiplies matrices of the networks' shapes, with numpy.

  python matrix_products.py '[[5, 138, 400], ...]'  ->  [operations a second, ...]

A process of its own, so that the number of threads can be chosen by the environment.
"""

import json
import sys
import time

import numpy as np


def rate(rows, inner, columns, seconds=0.1):
    """Floating-point operations a second of [rows, inner] x [inner, columns]."""
    left = np.ones([rows, inner], np.float32)
    right = np.ones([inner, columns], np.float32)
    product = np.empty([rows, columns], np.float32)
    best, calls = 0.0, 1
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        begin = time.perf_counter()
        for _ in range(calls):
            np.matmul(left, right, out=product)
        took = time.perf_counter() - begin
        best = max(best, calls * 2.0 * rows * inner * columns / took)
        calls = max(1, int(calls * 0.01 / took))  # ten milliseconds' worth
    return best


if __name__ == "__main__":
    print(json.dumps([rate(*shape) for shape in json.loads(sys.argv[1])]))
