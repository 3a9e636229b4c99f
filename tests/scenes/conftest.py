import numpy as np
import pytest

from scenewatch.scenes.kitchen.demonstration import KitchenDemonstration

DAY_MS = 86_400_000
MONDAY_MS = 1_772_380_800_000
"""2 March 2026, midnight in Luqiao."""


@pytest.fixture(scope="session")
def day_ms():
    return DAY_MS


@pytest.fixture(scope="session")
def monday_ms():
    return MONDAY_MS


@pytest.fixture(scope="session")
def two_kitchens():
    """Gateways, fridges and freezers: six devices each."""
    return [d for d in KitchenDemonstration().devices(2) if d.type in {"gateway", "fridge", "freezer"}]


@pytest.fixture(scope="session")
def longest_run():
    """Of true values down a column, in steps, over all columns."""

    def longest(mask):
        edges = np.diff(np.pad(mask.astype(np.int8), ((1, 1), (0, 0))), axis=0)
        begin = np.argwhere(edges.T == 1)[:, 1]
        end = np.argwhere(edges.T == -1)[:, 1]
        return int((end - begin).max(initial=0))

    return longest
