"""Waits for a running worker to take a changed inventory; until then the old one judges what is published."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scenewatch.store.devices import Inventory
    from scenewatch.store.lease import Leases

TAKEN_WITHIN_S = 5.0
"""A worker that lives has looked by then."""
LOOK_S = 0.05


def taken(inventory: Inventory, leases: Leases, revision: int) -> bool | None:
    """Whether the worker has the revision, or a later one, in time; None where none runs."""
    lease = leases.read()
    if lease is None or not lease.holder:
        return None
    deadline_s = time.monotonic() + TAKEN_WITHIN_S
    pause = threading.Event()
    while not (there := inventory.taken() >= revision) and time.monotonic() < deadline_s:
        pause.wait(LOOK_S)
    return there
