"""A month in which every fault of a scene befalls every type it can, each device resting between two of its own."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scene_runs import DAY_MS, Run
from scenewatch.devices.faults import FaultPlan, PlannedFault, lay
from scenewatch.model.alarm import Step
from scenewatch.model.fault import Scope
from scenewatch.model.insight import Departure
from scenewatch.scenes import demonstration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scenewatch.model.alarm import Transition
    from scenewatch.model.fault import Fault
    from scenewatch.model.place import Device
    from scenewatch.model.rule import Rule
    from scenewatch.model.scene import Scene

HOUR_MS = 3_600_000
NEW_YEAR_MS = 1_767_225_600_000
DAYS = 30
"""With faults."""
SITES = 3
SETTLED_MS = DAY_MS
"""Before the first fault, and behind what the scene's channels learn."""
REST_MS = 8 * HOUR_MS
"""Between what a fault leaves behind and the next one of the device."""


@dataclass(frozen=True, slots=True)
class Case:
    """One fault of the month, and whom it reaches."""

    fault: Fault
    planned: PlannedFault
    reached: frozenset[str]

    @property
    def over_ms(self) -> int:
        """Until then an alarm still belongs to it."""
        return self.planned.to_ms + self.fault.tail


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm of the month."""

    rule: str
    """Its key."""
    device: Device
    raised_ms: int
    cleared_ms: int | None

    def belongs_to(self, case: Case) -> bool:
        in_time = case.planned.from_ms <= self.raised_ms <= case.over_ms
        return in_time and self.device.id in case.reached and self.rule in case.fault.rules


class Month:
    """Faults of devices are spread over all sites but the last; those of whole sites take turns there."""

    def __init__(self, scene: Scene, seed: int) -> None:
        chance = random.Random(f"{seed}/{scene.key}/month")
        first_ms, last_ms = scene.busy_ms or (NEW_YEAR_MS, NEW_YEAR_MS + 365 * DAY_MS)
        self._settled_ms = SETTLED_MS + longest_learning_ms(scene)
        begin_ms = chance.randrange(first_ms, max(first_ms + 1, last_ms - DAYS * DAY_MS), HOUR_MS)
        self.from_ms, self.to_ms = begin_ms - self._settled_ms, begin_ms + DAYS * DAY_MS
        self._scene = scene
        self._devices = demonstration(scene).devices(SITES)
        self.cases = tuple(self._cases(chance))
        self.alarms = tuple(self._alarms(chance.randrange(2**32)))

    def proofs(self, rule: Rule, type_key: str) -> list[Case]:
        """The cases of the rule's proof that reach a device of this type."""
        reached = {d.id for d in self._devices if d.type == type_key}
        return [case for case in self.cases if case.fault.key == rule.proof and case.reached & reached]

    def _cases(self, chance: random.Random) -> Iterator[Case]:
        scene, last_site = self._scene, self._devices[-1].site_id
        free_ms = {d.id: self.from_ms + self._settled_ms for d in self._devices}
        due = [(fault, type_key) for fault in self._scene.faults for type_key in fault.on]
        chance.shuffle(due)
        for fault, type_key in due:
            of_device = fault.scope is Scope.DEVICE
            can = [d.id for d in self._devices if d.type == type_key and (d.site_id != last_site) is of_device]
            device = min(can, key=lambda d: free_ms[d])
            from_ms = free_ms[device] + chance.randrange(4 * HOUR_MS)
            planned = PlannedFault(fault.key, device, from_ms, from_ms + max(fault.minimum, fault.deadline))
            (laid,) = lay(self._scene, self._devices, FaultPlan((planned,)))
            case = Case(fault, planned, frozenset(self._devices[n].id for n in laid.devices))
            lasting_ms = max((scene.rule(key).off_delay for key in fault.rules), default=0)
            free_ms[device] = case.over_ms + lasting_ms + REST_MS
            if free_ms[device] > self.to_ms:
                raise ValueError(f"{fault.key} finds no time in this month")
            yield case

    def _alarms(self, seed: int) -> Iterator[Alarm]:
        plan = FaultPlan(tuple(case.planned for case in self.cases))
        run = Run(self._scene, sites=SITES, seed=seed, from_ms=self.from_ms, to_ms=self.to_ms, plan=plan)
        moves = [t for _, moved in run for t in moved]
        # A latching alarm waits for an operator, who is not here.
        cleared = {_identity(t): t.at_ms for t in moves if t.step in {Step.CLEARED, Step.RETURNED}}
        for raised in (t for t in moves if t.step is Step.RAISED):
            key, device = raised.rule.partition(".")[2], run.devices[raised.device]
            yield Alarm(key, device, raised.raised_at_ms, cleared.get(_identity(raised)))


def longest_learning_ms(scene: Scene) -> int:
    derived = (c.derived for t in scene.device_types for c in t.channels)
    return max((d.learning for d in derived if isinstance(d, Departure)), default=0)


def _identity(t: Transition) -> tuple[str, int, int]:
    return t.rule, t.device, t.raised_at_ms
