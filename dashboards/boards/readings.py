"""What all panels of readings share: how silence, states, limits and flags are shown at any level."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boards import palette
from boards.influxql import (
    BY_TIME,
    CHOSEN,
    IN_RANGE,
    highest,
    lowest,
    select,
    target,
    worst_flag,
)
from boards.limits import limits_on, steps
from boards.panels import Column, timeline
from boards.units import unit_id
from boards.words import both, say
from scenewatch.model.quantity import Quantity
from scenewatch.model.rule import Below, Outside

if TYPE_CHECKING:
    from collections.abc import Sequence

    from boards.limits import Limited
    from boards.panels import Json
    from scenewatch.model.rule import Rule
    from scenewatch.model.scene import Channel, DeviceType, Scene


def is_state(channel: Channel) -> bool:
    return channel.quantity is Quantity.STATE


def why(rules: Sequence[Rule]) -> str:
    """The documents that a panel's limits come from."""
    return "\n".join(f"{both(rule.title)}: {both(rule.source.document)}" for rule in rules)


def silence(device_type: DeviceType, channel: Channel) -> str:
    """A reading that is older is not now: the device is silent."""
    return f"{device_type.gap_of(channel)}ms"


def steady(panel: Json, device_type: DeviceType, channel: Channel) -> Json:
    """The panel, with lines across intervals that are empty because a derived channel is told less often."""
    if channel.derived is not None:
        panel["fieldConfig"]["defaults"]["custom"]["spanNulls"] = device_type.gap_of(channel)
    return panel


def titled(device_type: DeviceType, channel: Channel) -> str:
    return f"{both(device_type.title)}: {both(channel.title)}"


def telling(channel: Channel, found: Sequence[Limited]) -> str:
    """Of the states within an interval the one to show: the lowest where a rule waits for it, else the highest."""
    low = any(isinstance(one.is_, Below | Outside) for one in found)
    return lowest(channel.key) if low else highest(channel.key)


def words_of_states(channel: Channel) -> list[Json]:
    """The lowest number is how things rest."""
    rest = min((value for value, _ in channel.states), default=0)
    return palette.words_of_numbers(
        (value, both(word), palette.QUIET if value == rest else palette.ACCENT) for value, word in channel.states
    )


def column(scene: Scene, device_type: DeviceType, channel: Channel) -> Column:
    if is_state(channel):
        return Column(name=channel.key, title=both(channel.title), mappings=words_of_states(channel))
    return Column(
        name=channel.key,
        title=both(channel.title),
        unit=unit_id(channel.unit),
        steps=steps(limits_on(scene, device_type, channel), normal=palette.NORMAL),
    )


def judged(
    ref: str, channel: Channel, measurement: str, where: str, *, alias: str, by: tuple[str, ...] = ()
) -> Json:
    query = select(worst_flag(channel.key), measurement, where, IN_RANGE, by=(BY_TIME, *by), fill="0")
    return target(ref, query, alias=alias)


def judgement_of(targets: list[Json]) -> Json:
    return timeline(
        say("Quality and silence", "数据质量与中断"),
        targets,
        mappings=palette.flags(),
        description=say(
            "The worst flag of each interval; the last interval may still be without readings.",
            "各时段最差的质量标志；最后一个时段可能尚无读数。",
        ),
    )


def over_time(ref: str, what: str, measurement: str, where: str, *, alias: str, by: tuple[str, ...] = ()) -> Json:
    """An interval without a reading is null, not left out: so silence is seen as a gap."""
    query = select(what, measurement, where, IN_RANGE, by=(BY_TIME, *by), fill="null")
    return target(ref, query, source=CHOSEN, alias=alias)
