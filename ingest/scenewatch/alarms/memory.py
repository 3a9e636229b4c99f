"""Where every series, device and alarm stands: the rows that grow with the inventory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scenewatch.alarms.relations import NONE, Instances, Relations, relate
from scenewatch.alarms.rows import (
    DEVICE,
    FOREVER,
    GROUPED,
    HELD,
    INSTANCE,
    NEVER,
    SERIES,
    SILENCE,
    Tables,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scenewatch.alarms.calendars import Calendars
    from scenewatch.alarms.tables import RuleTables
    from scenewatch.model.registry import Registry


class Memory:
    """Rows are only added; a device that leaves keeps its own, as its numbers are never used again."""

    def __init__(self) -> None:
        self.series = np.empty(0, SERIES)
        self.series_device = np.empty(0, np.int32)
        self.since_ms = np.empty(0, np.int64)
        """By series, from when on its device is in the inventory; FOREVER while it is not."""
        self.devices = np.empty(0, DEVICE)
        self.instances = np.empty(0, INSTANCE)
        self.instance_device = np.empty(0, np.int32)
        self.instance_series = np.empty(0, np.int32)
        """-1 for those of groups."""
        self.instance_row = np.empty(0, np.int32)
        """Which row of RULE each is of, or of GROUP as that row's bits turned over."""
        self.instance_grouped = np.empty(0, np.int32)
        """Its row of `grouped`, or -1."""
        self.grouped = no_grouped(0)
        self.held = no_held(0)
        self.held_device = np.empty(0, np.int32)
        self.device_since_ms = np.empty(0, np.int64)
        """As `since_ms`, by device."""
        self.relations: Relations = NONE
        self.asked = np.zeros(2, np.int64)

    def grow(self, registry: Registry, rules: RuleTables, calendars: Calendars) -> None:
        """Take up what is new, and which devices are active since when."""
        kind = np.array(registry.series_kind, np.int32)
        self.series_device = np.array(registry.series_device, np.int32)
        self._add_series(kind, rules)
        self._add_devices(registry, rules, calendars)
        active = np.array(registry.active, np.bool_)
        self.device_since_ms = np.where(active, np.array(registry.since_ms, np.int64), FOREVER)
        self.since_ms = self.device_since_ms[self.series_device]
        without_rules = len(rules.kinds) - 1
        self.series["kind"] = np.where(active[self.series_device], kind, without_rules)
        numbers = self.numbers(np.arange(len(self.instances)), rules)
        instances = Instances(numbers, self.instance_device, self.instance_grouped)
        self.relations = relate(registry, rules, self.devices, instances)

    def tables(self, rules: RuleTables, calendars: Calendars) -> Tables:
        """All that the kernel works on. Good until one of the arrays is replaced."""
        return Tables(
            rules.kinds,
            rules.rules,
            rules.terms,
            rules.types,
            rules.groups,
            rules.members,
            rules.grades,
            self.series,
            self.series_device,
            self.devices,
            self.instances,
            self.grouped,
            self.held,
            *self.relations,
            calendars.known,
            calendars.spans,
            self.asked,
        )

    def numbers(self, which: NDArray[np.int64], rules: RuleTables) -> NDArray[np.int32]:
        """Which of the engine's rules these instances are of."""
        row = self.instance_row[which]
        number = np.empty(len(row), np.int32)
        number[row >= 0] = rules.rule_number[row[row >= 0]]
        number[row < 0] = rules.group_number[~row[row < 0]]
        return number

    def silences(self, rules: RuleTables) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
        """The instances of rules about missing data, and after how long each is raised."""
        single = np.flatnonzero(self.instance_row >= 0)
        row = rules.rules[self.instance_row[single]]
        is_silence = row["sort"] == SILENCE
        return single[is_silence], row["on_ms"][is_silence]

    def forget(self, gone: NDArray[np.bool_]) -> None:
        """What is known of the readings and events of these devices, but not when their alarms ended."""
        self.held[gone[self.held_device]] = no_held(1)
        grouped = self.instance_grouped[gone[self.instance_device]]
        grouped = grouped[grouped >= 0]
        afresh = no_grouped(len(grouped))
        for name in ("ended", "ended_heard"):
            afresh[name] = self.grouped[name][grouped]
        self.grouped[grouped] = afresh

    def _add_series(self, kind: NDArray[np.int32], rules: RuleTables) -> None:
        """Rows for the series that are new, each with one instance a rule of its kind."""
        known, before = len(self.series), len(self.instances)
        begin, end = (rules.kinds[name][kind[known:]] for name in ("rule_from", "rule_to"))
        first, rows = _in_turn(begin, end)
        series = np.zeros(len(first), SERIES)
        series["good_t"] = series["heard"] = NEVER
        series["first"] = before + first
        of_series = np.repeat(np.arange(known, len(kind), dtype=np.int32), end - begin)
        self.series = np.concatenate([self.series, series])
        self._add_instances(self.series_device[of_series], of_series, rows, np.full(len(rows), -1, np.int32))

    def _add_devices(self, registry: Registry, rules: RuleTables, calendars: Calendars) -> None:
        """Rows for the devices that are new, each with its type's groups and terms."""
        known = len(self.devices)
        number = {(scene, device_type): n for n, (scene, device_type) in enumerate(registry.types)}
        new = range(known, len(registry))
        devices = np.zeros(len(new), DEVICE)
        sites = [registry.ids[n].rpartition(".")[0] for n in new]
        types = [
            number[site.partition(".")[0], registry.type_of(n).key] for n, site in zip(new, sites, strict=True)
        ]
        devices["type"], devices["site"] = types, [calendars.number(site) for site in sites]
        devices["first_series"] = np.array(registry.first_series, np.int32)[known:]
        of_type = rules.types[devices["type"]]
        first, rows = _in_turn(of_type["group_from"], of_type["group_to"])
        devices["first_instance"], devices["first_grouped"] = len(self.instances) + first, len(self.grouped) + first
        first, terms = _in_turn(of_type["term_from"], of_type["term_to"])
        devices["first_held"] = len(self.held) + first
        groups, held = (of_type[f"{what}_to"] - of_type[f"{what}_from"] for what in ("group", "term"))
        numbers = np.arange(known, known + len(new), dtype=np.int32)
        place = np.arange(len(self.grouped), len(self.grouped) + len(rows), dtype=np.int32)
        self.devices = np.concatenate([self.devices, devices])
        self.grouped = np.concatenate([self.grouped, no_grouped(len(rows))])
        self.held = np.concatenate([self.held, no_held(len(terms))])
        self.held_device = np.concatenate([self.held_device, np.repeat(numbers, held)])
        self._add_instances(np.repeat(numbers, groups), np.full(len(rows), -1, np.int32), ~rows, place)

    def _add_instances(
        self,
        device: NDArray[np.int32],
        series: NDArray[np.int32],
        row: NDArray[np.int32],
        grouped: NDArray[np.int32],
    ) -> None:
        self.instances = np.concatenate([self.instances, np.zeros(len(row), INSTANCE)])
        self.instance_device = np.concatenate([self.instance_device, device])
        self.instance_series = np.concatenate([self.instance_series, series])
        self.instance_row = np.concatenate([self.instance_row, row])
        self.instance_grouped = np.concatenate([self.instance_grouped, grouped])


def no_grouped(count: int) -> NDArray[np.void]:
    rows = np.zeros(count, GROUPED)
    for name in ("seen", "heard", "ended", "ended_heard"):
        rows[name] = NEVER
    return rows


def no_held(count: int) -> NDArray[np.void]:
    rows = np.zeros(count, HELD)
    rows["began"] = rows["since"] = rows["ended"] = NEVER
    return rows


def _in_turn(begin: NDArray[np.int32], end: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """All numbers from each begin to its end, one after the other, and where each one's come first."""
    count = end - begin
    behind = np.cumsum(count)
    first = behind - count
    total = int(count.sum())
    return first, (np.repeat(begin - first, count) + np.arange(total)).astype(np.int32)
