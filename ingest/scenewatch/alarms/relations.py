"""How devices bear on each other's alarms: who speaks through whom, whose alarm explains whose, site by site."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scenewatch.alarms.rows import CLOCKED, HAPPENED, NEVER, PIECE, SILENT, SITE, SOURCE
from scenewatch.model.rule import Reach

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from scenewatch.alarms.tables import Cause, RuleTables
    from scenewatch.model.registry import Registry


class Relations(NamedTuple):
    """Rows of all of the inventory; the devices' own rows say where theirs are."""

    family: NDArray[np.int32]
    caused: NDArray[np.void]
    sources: NDArray[np.void]
    clocked: NDArray[np.void]
    sites: NDArray[np.void]


NONE = Relations(
    np.empty(0, np.int32), np.empty(0, PIECE), np.empty(0, SOURCE), np.empty(0, CLOCKED), np.empty(0, SITE)
)


class Instances(NamedTuple):
    """Of each row of INSTANCE, which rule of which device it is, and its row of GROUPED."""

    number: NDArray[np.int32]
    device: NDArray[np.int32]
    grouped: NDArray[np.int32]


def relate(registry: Registry, rules: RuleTables, devices: NDArray[np.void], instances: Instances) -> Relations:
    """Fills in the columns of DEVICE that point into what is returned."""
    family = _families(registry, devices)
    caused, sources = _causes(rules, devices, instances)
    clocked, sites = _clocked(rules, devices)
    return Relations(family, caused, sources, clocked, sites)


def _families(registry: Registry, devices: NDArray[np.void]) -> NDArray[np.int32]:
    """By gateway, the devices in the inventory that speak through it."""
    wanted = set(registry.gateway_ids)
    numbers = {device_id: n for n, device_id in enumerate(registry.ids) if device_id in wanted}
    gateway = np.array([numbers.get(gateway_id, -1) for gateway_id in registry.gateway_ids], np.int32)
    devices["through"] = gateway
    speak = np.flatnonzero((gateway >= 0) & np.array(registry.active, np.bool_))
    family: NDArray[np.int32] = speak[np.argsort(gateway[speak], kind="stable")].astype(np.int32)
    every = np.arange(len(devices))
    devices["family_from"] = np.searchsorted(gateway[family], every, "left")
    devices["family_to"] = np.searchsorted(gateway[family], every, "right")
    return family


def _causes(
    rules: RuleTables, devices: NDArray[np.void], instances: Instances
) -> tuple[NDArray[np.void], NDArray[np.void]]:
    """Rows of CAUSED and of SOURCE."""
    wanted = {cause.rule for causes in rules.causes for cause in causes}
    if not wanted:
        return NONE.caused, NONE.sources
    by_place: dict[tuple[Reach, int, int], list[int]] = {}
    for at in np.flatnonzero(np.isin(instances.number, list(wanted))).tolist():
        number, device = int(instances.number[at]), int(instances.device[at])
        by_place.setdefault((Reach.DEVICE, device, number), []).append(at)
        by_place.setdefault((Reach.SITE, int(devices["site"][device]), number), []).append(at)
    pieces: dict[tuple[Reach, int, int], tuple[int, int]] = {}
    sources: list[int] = []
    for key, found in by_place.items():
        pieces[key] = len(sources), len(sources) + len(found)
        sources += found
    caused: list[tuple[int, int]] = []
    for device, (of_type, site, gateway) in enumerate(devices[["type", "site", "through"]].tolist()):
        devices["first_caused"][device] = len(caused)
        keys = _keys(rules.causes[of_type], device, site, gateway)
        caused += [pieces.get(key, (0, 0)) for key in keys]
    at_instances = np.array(sources, np.int32)
    rows = np.empty(len(sources), SOURCE)
    rows["instance"], rows["grouped"] = at_instances, instances.grouped[at_instances]
    return np.array(caused, PIECE), rows


def _keys(causes: tuple[Cause, ...], device: int, site: int, gateway: int) -> Iterator[tuple[Reach, int, int]]:
    """A gateway's alarm is one of a device."""
    for cause in causes:
        match cause.at:
            case Reach.DEVICE:
                yield Reach.DEVICE, device, cause.rule
            case Reach.PARENT:
                yield Reach.DEVICE, gateway, cause.rule
            case Reach.SITE:
                yield Reach.SITE, site, cause.rule


def _clocked(rules: RuleTables, devices: NDArray[np.void]) -> tuple[NDArray[np.void], NDArray[np.void]]:
    """Rows of CLOCKED by site, causes before what they explain; and rows of SITE."""
    parts = [np.empty((0, 4), np.int64)]
    for number, of_type in enumerate(rules.types):
        groups = rules.groups[of_type["group_from"] : of_type["group_to"]]
        mine = np.flatnonzero(devices["type"] == number)
        for place in np.flatnonzero(np.isin(groups["shape"], (SILENT, HAPPENED))).tolist():
            rank = rules.rank[rules.group_number[of_type["group_from"] + place]]
            columns = (devices["site"][mine], np.full(len(mine), rank), mine, np.full(len(mine), place))
            parts.append(np.column_stack(columns))
    found = np.concatenate(parts)
    site, _, device, place = found[np.lexsort((found[:, 3], found[:, 2], found[:, 1], found[:, 0]))].T
    clocked = np.empty(len(found), CLOCKED)
    clocked["device"], clocked["place"] = device, place
    every = np.arange(int(devices["site"].max(initial=-1)) + 1)
    sites = np.empty(len(every), SITE)
    sites["due"] = NEVER
    sites["begin"], sites["end"] = np.searchsorted(site, every, "left"), np.searchsorted(site, every, "right")
    return clocked, sites
