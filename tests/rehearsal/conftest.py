"""What tests of a run's report stand on."""

import pytest

from scenewatch.model.registry import Registry
from scenewatch.scenes import SCENES, demonstration

SCENE = next(s for s in SCENES if s.key == "kitchen")


@pytest.fixture(scope="module")
def registry():
    """One kitchen's devices."""
    found = Registry([SCENE])
    found.apply(demonstration(SCENE).devices(1), at_ms=0)
    return found
