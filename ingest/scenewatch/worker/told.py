"""What people tell a worker becomes records of its journal, and so has its place among the messages.

A later run over the journal then takes each message by the inventory and the limits of its time.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from scenewatch.alarms.overrides import mistakes
from scenewatch.model.devices import Devices
from scenewatch.model.errors import ConfigurationError
from scenewatch.model.ports import Record, RecordKind
from scenewatch.model.ruleversion import version_of_limits
from scenewatch.pipeline import encode_inventory, encode_limits
from scenewatch.store.devices import Inventory
from scenewatch.store.holds import HoldTable

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable

    from scenewatch.model.ports import Clock, Journal
    from scenewatch.model.registry import Registry
    from scenewatch.model.scene import Scene
    from scenewatch.pipeline import OperatorLimits, Pipeline
    from scenewatch.store.relational import Database

log = logging.getLogger(__name__)


def check_limits(scenes: Iterable[Scene], limits: OperatorLimits) -> None:
    """Raises ConfigurationError with all mistakes."""
    if found := mistakes(scenes, limits):
        raise ConfigurationError(found)


def known_devices(inventory: Inventory, registry: Registry) -> tuple[Devices, int]:
    """Those of scenes and types that are in use, and how many are not."""
    taken, left_out = Devices(), 0
    for device in inventory.each():
        if (device.scene, device.type) in registry.types:
            taken.append(device)
        else:
            left_out += 1
    return taken, left_out


def tell_again(pipeline: Pipeline, database: Database, at_ms: int) -> None:
    """To a pipeline that has lost its state: what devices there are, and what operators keep from being shown.

    The records that said so may be gone, and without the inventory every message would be a dead letter.
    """
    devices, _ = known_devices(Inventory(database), pipeline.registry)
    here = pipeline.position
    pipeline.run(Record(here, here, RecordKind.INVENTORY, at_ms, None, encode_inventory(devices)))
    pipeline.alarms.hold_again(HoldTable(database).holds())


class Told:
    """Inventory and operators' limits. `begin` and `sync` come from one thread, `change_limits` from any.

    `lock` is the one under which the pipeline's state changes.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        lock: threading.Lock,
        *,
        inventory: Inventory,
        limits: OperatorLimits,
        journal: Journal,
        clock: Clock,
    ) -> None:
        self._pipeline = pipeline
        self._lock = lock
        self._inventory = inventory
        self._inventory_seen = -1
        self.limits = limits
        self._limits_recorded: OperatorLimits = {}
        self._journal = journal
        self._clock = clock

    def change_limits(self, limits: OperatorLimits) -> None:
        """In force after the next `sync`. Raises ConfigurationError, and then the old ones stay."""
        check_limits(self._pipeline.registry.scenes.values(), limits)
        self.limits = limits

    def begin(self) -> None:
        """All of the journal is run: what it holds last is known."""
        self._limits_recorded = self._pipeline.limits
        self.sync()

    def sync(self) -> None:
        """Raises TemporaryError, and then can be called again."""
        self._sync_limits()
        self._sync_inventory()

    def _sync_limits(self) -> None:
        limits = self.limits
        if limits == self._limits_recorded:
            return
        end = self._journal.append_record(RecordKind.LIMITS, encode_limits(limits), self._clock.now_ms())
        self._limits_recorded = limits
        version = version_of_limits(limits) or "none"
        log.info("operators' limits %s, of %d rules, are in force from position %d on", version, len(limits), end)

    def _sync_inventory(self) -> None:
        revision = self._inventory.revision()
        if revision == self._inventory_seen:
            return
        if (changed := self._changed_inventory()) is not None:
            self._journal.append_record(RecordKind.INVENTORY, changed, self._clock.now_ms())
        self._inventory.take(revision)
        self._inventory_seen = revision

    def _changed_inventory(self) -> bytes | None:
        """The body of its record; None if the pipeline has it so."""
        registry = self._pipeline.registry
        taken, left_out = known_devices(self._inventory, registry)
        if left_out:
            log.warning("%d devices of the inventory are of scenes or types that are not in use", left_out)
        with self._lock:
            return None if registry.holds(taken) else encode_inventory(taken)
