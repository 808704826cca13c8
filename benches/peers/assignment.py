"""The time of scipy's linear_sum_assignment on the matrices of `benches/interleave.rs`, median of ten.

    pip install numpy==2.4.6 scipy==1.17.1
    python benches/peers/assignment.py
    cargo bench -p tsumugi-interleave --bench interleave
"""

import statistics
import time

import numpy
from scipy.optimize import linear_sum_assignment


def matrix(rows, columns):
    at = numpy.arange(1, rows * columns + 1, dtype=numpy.uint64)
    z = numpy.uint64(7) + numpy.uint64(0x9E3779B97F4A7C15) * at
    z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
    return (((z ^ (z >> numpy.uint64(31))) >> numpy.uint64(11)) / 2.0**53).reshape(rows, columns)


for rows, columns in [(5, 50), (30, 100), (200, 400), (1000, 2000)]:
    scores = matrix(rows, columns)
    times = []
    for _ in range(10):
        start = time.process_time()
        chosen = linear_sum_assignment(scores, maximize=True)
        times.append(time.process_time() - start)
    print(f"{rows}x{columns}: {statistics.median(times) * 1e3:.3f} ms, total {scores[chosen].sum():.6f}")
