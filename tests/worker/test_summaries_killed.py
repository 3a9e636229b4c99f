"""Killed at any moment, the summaries of a real store are in the end those of one that never was."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import summarising_writer
from summarising_writer import Going, batch, clock_ms

from memory_levels import MADE
from scenewatch.store.duck import DuckStore
from scenewatch.worker.lateness import LONGEST_SETTLE_MS
from summary_rig import DAY_MS, MIDNIGHT_MS, NAMES

BATCHES = (9, 20)
"""That each life stores before it is killed."""


def run_and_kill(folder, batches):
    paths = os.pathsep.join(dict.fromkeys([str(Path(__file__).parents[1]), *sys.path]))
    program = subprocess.Popen(
        [sys.executable, summarising_writer.__file__, folder],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": paths},
    )
    with program, program.stdout as told:
        for _ in range(batches):
            assert told.readline()
        program.kill()


def finish(going):
    """Let what is late settle, and be made anew."""
    for _ in range(2):
        going.clock.ms += LONGEST_SETTLE_MS
        while going.summaries.step():
            pass
    assert going.summaries.state().waiting == 0
    return going.summaries.state().progress


def levels(store):
    """Every window of every series, by level."""
    columns = ("t_ms", "low", "high", "mean", "count", "good", "flag")
    return {
        (level, name): [np.round(getattr(found, column), 9).tolist() for column in columns]
        for level in MADE
        for name in NAMES
        for found in [store.summaries(name, level, 0, 2**62, 100_000)]
    }


def test_after_any_kill_the_summaries_are_those_of_the_readings(tmp_path):
    for batches in BATCHES:
        run_and_kill(tmp_path, batches)
    with closing(Going(tmp_path)) as going:
        for k in range(going.store.position() + 1, going.store.position() + 4):
            going.write(k)
        progress = finish(going)
        assert progress.minute_ms > MIDNIGHT_MS + sum(BATCHES) * 9 * 60_000
        assert progress.day_ms > MIDNIGHT_MS - DAY_MS
        found, last = levels(going.store), going.store.position()
    with closing(DuckStore(tmp_path / "other.duckdb")) as other:
        for k in range(1, last + 1):
            other.write(batch(k), NAMES.__getitem__)
        for level in MADE:
            other.summarise(level, MIDNIGHT_MS - 3 * DAY_MS, progress.until_ms(level))
        assert levels(other) == found
    assert clock_ms(last) > progress.minute_ms
