"""Lays the scenes' rules out as arrays for the kernel: each kind of channel and each type has its in a row."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from scenewatch.alarms.rows import (
    ALONE,
    AT_LEAST,
    FLAGGED,
    FOREVER,
    GROUP,
    HAPPENED,
    KIND,
    MEMBER,
    RULE,
    SILENCE,
    TERM,
    THEN,
    TYPE,
    VALUE,
)
from scenewatch.alarms.terms import terms_of
from scenewatch.model.errors import Mistake
from scenewatch.model.scene import Above, AtLeast, Below, During, Flagged, Happened, NoData, Outside, Then, While

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from scenewatch.model.scene import Comparison, DeviceType, Rule, Scene

    Row = tuple[Any, ...]

INF = float("inf")


@dataclass(slots=True)
class _Rows:
    """The tables while they are written."""

    kinds: list[Row] = field(default_factory=list)
    rules: list[Row] = field(default_factory=list)
    terms: list[Row] = field(default_factory=list)
    types: list[Row] = field(default_factory=list)
    groups: list[Row] = field(default_factory=list)
    members: list[Row] = field(default_factory=list)
    rule_number: list[int] = field(default_factory=list)
    group_number: list[int] = field(default_factory=list)
    events: dict[tuple[int, str], list[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RuleTables:
    """The rules' rows. KIND in the order of the registry's kinds and one more without rules; TYPE as its types."""

    kinds: NDArray[np.void]
    rules: NDArray[np.void]
    terms: NDArray[np.void]
    types: NDArray[np.void]
    groups: NDArray[np.void]
    members: NDArray[np.void]
    rule_number: NDArray[np.int32]
    """For each row of `rules`, which of the engine's rules it is; next the same of `groups`."""
    group_number: NDArray[np.int32]
    events: Mapping[tuple[int, str], Sequence[int]]
    """The places within their type of the groups that an event raises, by type and kind of event."""


def lay_out(types: Iterable[tuple[Scene, DeviceType]], rules: Mapping[str, Rule]) -> RuleTables:
    """`rules` by `<scene>.<rule>`, in the order of their numbers."""
    rows = _Rows()
    for scene, device_type in types:
        mine = [
            (number, rule, on)
            for number, (key, rule) in enumerate(rules.items())
            if key == f"{scene.key}.{rule.key}" and (on := _channel_of(rule, device_type)) is not None
        ]
        _lay_out_type(rows, scene, device_type, mine)
    rows.kinds.append((FOREVER, 0, 0, 0, 0, 0))
    return RuleTables(
        kinds=np.array(rows.kinds, KIND),
        rules=np.array(rows.rules, RULE),
        terms=np.array(rows.terms, TERM),
        types=np.array(rows.types, TYPE),
        groups=np.array(rows.groups, GROUP),
        members=np.array(rows.members, MEMBER),
        rule_number=np.array(rows.rule_number, np.int32),
        group_number=np.array(rows.group_number, np.int32),
        events=rows.events,
    )


def is_grouped(rule: Rule) -> bool:
    """Whether it takes more than one reading to decide the rule."""
    return bool(rule.suppressed_by) or isinstance(rule.when, AtLeast | Then | Happened)


def unusable(scenes: Iterable[Scene]) -> Iterator[Mistake]:
    """Rules that the engine does not know how to judge."""
    for scene in scenes:
        for rule in scene.rules:
            if rule.suppressed_by and isinstance(rule.when, NoData):
                yield Mistake(f"{scene.key}: rule {rule.key}: suppressed_by", "must be empty for missing data")


def occasions(scene: Scene) -> list[str]:
    """Those that suppress a rule; in the tables each is its place here."""
    used = {s.occasion for rule in scene.rules for s in rule.suppressed_by if isinstance(s, During)}
    return sorted(used)


def _channel_of(rule: Rule, device_type: DeviceType) -> str | None:
    """The channel of this type that the rule is on, empty for the type alone; None if it is not on it."""
    parts = (on.partition(".") for on in rule.on)
    return next((channel for type_key, _, channel in parts if type_key == device_type.key), None)


def _lay_out_type(
    rows: _Rows, scene: Scene, device_type: DeviceType, mine: Sequence[tuple[int, Rule, str]]
) -> None:
    single = [entry for entry in mine if not is_grouped(entry[1])]
    grouped = [entry for entry in mine if is_grouped(entry[1])]
    group_from, term_from, rule_from = len(rows.groups), len(rows.terms), len(rows.rules)
    place = _lay_out_terms(rows, device_type, grouped)
    for k, (number, rule, on) in enumerate(grouped):
        _lay_out_group(rows, scene, device_type, rule, on, place[k])
        rows.group_number.append(number)
        if isinstance(rule.when, Happened):
            rows.events.setdefault((len(rows.types), rule.when.event), []).append(k)
    at_term = term_from
    for c, channel in enumerate(device_type.channels):
        begin, first_term = len(rows.rules), at_term
        on_channel = [(number, rule) for number, rule, on in single if on == channel.key]
        rows.rules.extend(_rule_row(rule) for _, rule in on_channel)
        rows.rule_number.extend(number for number, _ in on_channel)
        while at_term < len(rows.terms) and rows.terms[at_term][1] == c:
            at_term += 1
        waits = [rule.when.after + rule.on_delay for _, rule in on_channel if isinstance(rule.when, NoData)]
        if at_term > first_term:
            waits.append(device_type.gap_of(channel) + 1)
        silence_ms = min(waits, default=FOREVER)
        rows.kinds.append((silence_ms, device_type.gap_of(channel), begin, len(rows.rules), first_term, at_term))
    most_moves = 2 * (len(rows.rules) - rule_from) + len(grouped)
    calendar = any(not isinstance(s, While) for _, rule, _ in grouped for s in rule.suppressed_by)
    rows.types.append(
        (device_type.gap, group_from, len(rows.groups), term_from, len(rows.terms), most_moves, calendar)
    )


def _lay_out_terms(
    rows: _Rows, device_type: DeviceType, grouped: Sequence[tuple[int, Rule, str]]
) -> list[list[int]]:
    """Rows of TERM by channel; of each group, where in the type its own and then its suppressing terms are."""
    keys = [channel.key for channel in device_type.channels]
    found = []
    for k, (_, rule, on) in enumerate(grouped):
        alone = k if not isinstance(rule.when, AtLeast | Then) else -1
        found += [(keys.index(term.channel), k, alone, term) for term in terms_of(rule.when, on)]
        whiles = (s.term for s in rule.suppressed_by if isinstance(s, While))
        found += [(keys.index(term.channel), k, -1, term) for term in whiles]
    order = sorted(range(len(found)), key=lambda n: found[n][0])
    place: list[list[int]] = [[] for _ in grouped]
    for n in sorted(range(len(found)), key=lambda n: found[n][1]):
        place[found[n][1]].append(order.index(n))
    rows.terms.extend((_comparison(found[n][3].is_), found[n][0], found[n][2]) for n in order)
    return place


def _lay_out_group(
    rows: _Rows, scene: Scene, device_type: DeviceType, rule: Rule, on: str, place: Sequence[int]
) -> None:
    member_from, own, known = len(rows.members), len(terms_of(rule.when, on)), occasions(scene)
    afters = [0] * own + [s.after for s in rule.suppressed_by if isinstance(s, While)]
    rows.members.extend(zip(afters, place, strict=True))
    members = (member_from, member_from + own, len(rows.members))
    rows.members.extend((s.after, known.index(s.occasion)) for s in rule.suppressed_by if isinstance(s, During))
    shape, count, within_ms, off_ms = ALONE, 1, 0, int(rule.off_delay)
    match rule.when:
        case AtLeast(count=count):
            shape = AT_LEAST
        case Then(within=within):
            shape, within_ms = THEN, within
        case Happened(quiet=quiet):
            shape, off_ms = HAPPENED, quiet + rule.off_delay
    channel = next((c for c, channel in enumerate(device_type.channels) if channel.key == on), -1)
    rows.groups.append((rule.on_delay, off_ms, within_ms, shape, count, channel, *members, len(rows.members)))


def _rule_row(rule: Rule) -> Row:
    if isinstance(rule.when, NoData):
        return 0.0, 0.0, 0.0, 0.0, rule.when.after + rule.on_delay, rule.off_delay, SILENCE, 0
    (term,) = terms_of(rule.when)
    return _comparison(term.is_, rule.on_delay, rule.off_delay)


def _comparison(is_: Comparison, on_ms: int = 0, off_ms: int = 0) -> Row:
    match is_:
        case Above(limit, deadband):
            limits = (-INF, limit, -INF, limit - deadband)
        case Below(limit, deadband):
            limits = (limit, INF, limit + deadband, INF)
        case Outside(low, high, deadband):
            limits = (low, high, low + deadband, high - deadband)
        case Flagged(test):
            return 0.0, 0.0, 0.0, 0.0, on_ms, off_ms, FLAGGED, int(test)
    return *limits, on_ms, off_ms, VALUE, 0
