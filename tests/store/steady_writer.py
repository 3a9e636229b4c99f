"""Writes batches for ever and says each position once it is durable; its parent kills it.

Batch k is the same in every run, so that whoever finds position k knows all that must be there.
"""

import sys
from pathlib import Path

import numpy as np
from stores import STORES

from scenewatch.model.batch import Batch
from scenewatch.model.ledger import Counts

SERIES = 20
ROWS = 500


def name(series):
    return f"kitchen.north.fridge{series}.temp"


def batch(k):
    """Position k: new times, and every third batch some that were there before."""
    first = k * ROWS if k % 3 else (k - 1) * ROWS
    row = np.arange(first, first + ROWS)
    made = Batch.of(row % SERIES, row // SERIES * 1000, row * 0.5, position=k)
    made.counts = Counts(stored=1)
    return made


def main():
    store = STORES[sys.argv[1]](Path(sys.argv[2]))
    for k in range(store.position() + 1, 1_000_000):
        store.write(batch(k), name)
        sys.stdout.write(f"{k}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
