"""Lays the scenes' rules out as arrays for the kernel: each kind of channel and each type has its in a row."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from scenewatch.alarms.rows import (
    ALONE,
    AT_LEAST,
    FLAGGED,
    FOREVER,
    GRADE,
    GROUP,
    HAPPENED,
    KIND,
    MEMBER,
    RULE,
    SILENCE,
    SILENT,
    TERM,
    THEN,
    TYPE,
    VALUE,
)
from scenewatch.alarms.terms import terms_of
from scenewatch.model.alarm import PRIORITIES
from scenewatch.model.errors import Mistake
from scenewatch.model.rule import (
    Above,
    AtLeast,
    Below,
    CausedBy,
    During,
    Flagged,
    Happened,
    NoData,
    Outside,
    Term,
    Then,
    While,
)

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from scenewatch.model.rule import Comparison, Reach, Rule
    from scenewatch.model.scene import DeviceType, Scene
    from scenewatch.model.words import Duration

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
    grades: list[Row] = field(default_factory=list)
    rule_number: list[int] = field(default_factory=list)
    group_number: list[int] = field(default_factory=list)
    events: dict[tuple[int, str], list[int]] = field(default_factory=dict)
    causes: list[tuple[Cause, ...]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RuleTables:
    """The rules' rows. KIND in the order of the registry's kinds and one more without rules; TYPE as its types."""

    kinds: NDArray[np.void]
    rules: NDArray[np.void]
    terms: NDArray[np.void]
    types: NDArray[np.void]
    groups: NDArray[np.void]
    members: NDArray[np.void]
    grades: NDArray[np.void]
    rule_number: NDArray[np.int32]
    """For each row of `rules`, which of the engine's rules it is; next the same of `groups`."""
    group_number: NDArray[np.int32]
    events: Mapping[tuple[int, str], Sequence[int]]
    """The places within their type of the groups that an event raises, by type and kind of event."""
    causes: Sequence[tuple[Cause, ...]]
    """By type, where its groups look for causes."""
    rank: NDArray[np.int32]
    """By rule, how many others it takes at most to explain it: causes come first where they come at once."""


class Cause(NamedTuple):
    """An alarm that may suppress or explain others, and where."""

    rule: int
    """By its number."""
    at: Reach


def lay_out(types: Iterable[tuple[Scene, DeviceType]], rules: Mapping[str, Rule]) -> RuleTables:
    """`rules` by `<scene>.<rule>`, in the order of their numbers."""
    rows = _Rows()
    groups = grouped(rules)
    for scene, device_type in types:
        mine = [
            (number, rule, on)
            for number, (key, rule) in enumerate(rules.items())
            if key == f"{scene.key}.{rule.key}" and (on := _channel_of(rule, device_type)) is not None
        ]
        _lay_out_type(rows, scene, device_type, mine, groups, list(rules))
    rows.kinds.append((FOREVER, 0, 0, 0, 0, 0, 0))
    return RuleTables(
        kinds=np.array(rows.kinds, KIND),
        rules=np.array(rows.rules, RULE),
        terms=np.array(rows.terms, TERM),
        types=np.array(rows.types, TYPE),
        groups=np.array(rows.groups, GROUP),
        members=np.array(rows.members, MEMBER),
        grades=np.array(rows.grades, GRADE),
        rule_number=np.array(rows.rule_number, np.int32),
        group_number=np.array(rows.group_number, np.int32),
        events=rows.events,
        causes=rows.causes,
        rank=np.array(_ranks(rules), np.int32),
    )


def grouped(rules: Mapping[str, Rule]) -> set[str]:
    """Those that take more than one reading to decide, or with which there is more to do than raise and clear."""
    found = {key for key, rule in rules.items() if _is_grouped(rule)}
    for key, rule in rules.items():
        found.update(f"{key.partition('.')[0]}.{cause.rule}" for cause in _causes(rule))
    return found


def unusable(scenes: Iterable[Scene]) -> Iterator[Mistake]:
    """Rules that the engine does not know how to judge."""
    for scene in scenes:
        keys = {rule.key for rule in scene.rules}
        for rule in scene.rules:
            where = f"{scene.key}: rule {rule.key}"
            if isinstance(rule.when, NoData | Happened) and any(step.beyond for step in rule.priority_steps):
                yield Mistake(f"{where}: priority_steps", "can go by time alone, as there is no reading to compare")
            for cause in _causes(rule):
                if cause.rule not in keys:
                    yield Mistake(where, f"there is no rule {cause.rule!r} that could be its cause")


def _is_grouped(rule: Rule) -> bool:
    is_alone = isinstance(rule.when, Above | Below | Outside | Flagged)
    is_silence = isinstance(rule.when, NoData) and all("." in on for on in rule.on)
    more = rule.suppressed_by or rule.follows or rule.priority_steps or rule.latching
    return bool(more) or not (is_alone or is_silence)


def _ranks(rules: Mapping[str, Rule]) -> list[int]:
    """Cycles, which no table in use has, end at as many as there are rules."""
    ranks = dict.fromkeys(rules, 0)
    for _ in rules:
        before = dict(ranks)
        for key, rule in rules.items():
            of_causes = (before[f"{key.partition('.')[0]}.{cause.rule}"] for cause in _causes(rule))
            ranks[key] = 1 + max(of_causes, default=-1)
        if ranks == before:
            break
    return list(ranks.values())


def _causes(rule: Rule) -> list[CausedBy]:
    return [*(s for s in rule.suppressed_by if isinstance(s, CausedBy)), *rule.follows]


def occasions(scene: Scene) -> list[str]:
    """Those that suppress a rule; in the tables each is its place here."""
    used = {s.occasion for rule in scene.rules for s in rule.suppressed_by if isinstance(s, During)}
    return sorted(used)


def _channel_of(rule: Rule, device_type: DeviceType) -> str | None:
    """The channel of this type that the rule is on, empty for the type alone; None if it is not on it."""
    parts = (on.partition(".") for on in rule.on)
    return next((channel for type_key, _, channel in parts if type_key == device_type.key), None)


def _lay_out_type(
    rows: _Rows,
    scene: Scene,
    device_type: DeviceType,
    mine: Sequence[tuple[int, Rule, str]],
    groups: Container[str],
    keys: list[str],
) -> None:
    is_single = [f"{scene.key}.{rule.key}" not in groups for _, rule, _ in mine]
    single = [entry for entry, alone in zip(mine, is_single, strict=True) if alone]
    together = [entry for entry, alone in zip(mine, is_single, strict=True) if not alone]
    group_from, term_from, rule_from = len(rows.groups), len(rows.terms), len(rows.rules)
    place = _lay_out_terms(rows, device_type, together)
    rules = (rule for _, rule, _ in together)
    named = dict.fromkeys(Cause(keys.index(f"{scene.key}.{c.rule}"), c.at) for rule in rules for c in _causes(rule))
    rows.causes.append(tuple(named))
    for k, (number, rule, on) in enumerate(together):
        _lay_out_group(rows, scene, device_type, (rule, on, place[k]), keys)
        rows.group_number.append(number)
        if isinstance(rule.when, Happened):
            rows.events.setdefault((len(rows.types), rule.when.event), []).append(k)
    at_term = term_from
    for c, channel in enumerate(device_type.channels):
        first_term = at_term
        while at_term < len(rows.terms) and rows.terms[at_term][1] == c:
            at_term += 1
        here = [[(number, rule) for number, rule, on in some if on == channel.key] for some in (single, together)]
        _lay_out_kind(rows, scene, device_type.gap_of(channel), here, (first_term, at_term))
    listened = sum(_is_of_gateway(rule) for rule in scene.rules)
    rows.types.append(
        (
            device_type.gap,
            group_from,
            len(rows.groups),
            term_from,
            len(rows.terms),
            len(device_type.channels),
            2 * (len(rows.rules) - rule_from) + len(together) + listened,
            any(isinstance(s, During) for _, rule, _ in together for s in rule.suppressed_by),
            any(_is_of_gateway(rule) for _, rule, _ in together),
        )
    )


def _lay_out_kind(
    rows: _Rows, scene: Scene, gap: Duration, here: list[list[tuple[int, Rule]]], terms: tuple[int, int]
) -> None:
    """`here` are the channel's rules that are judged alone, and those of groups; `terms` its rows of TERM."""
    single, together = here
    begin = len(rows.rules)
    rows.rules.extend(_rule_row(rule) for _, rule in single)
    rows.rule_number.extend(number for number, _ in single)
    listening = [rule for rule in scene.rules if _is_of_gateway(rule)]
    silences = [rule for _, rule in (*single, *together)] + listening
    waits = [rule.when.after + rule.on_delay for rule in silences if isinstance(rule.when, NoData)]
    if terms[0] < terms[1]:
        waits.append(gap + 1)
    is_grouped = bool(together or listening or terms[0] < terms[1])
    rows.kinds.append((min(waits, default=FOREVER), gap, begin, len(rows.rules), *terms, is_grouped))


def _is_of_gateway(rule: Rule) -> bool:
    """Whether it is about the silence of all who speak through a device."""
    return isinstance(rule.when, NoData) and not all("." in on for on in rule.on)


def _lay_out_terms(
    rows: _Rows, device_type: DeviceType, together: Sequence[tuple[int, Rule, str]]
) -> list[list[int]]:
    """Rows of TERM by channel; of each group, where in the type those of `_terms_of_group` are."""
    channels = {channel.key: c for c, channel in enumerate(device_type.channels)}
    found = []
    for k, (_, rule, on) in enumerate(together):
        own, more = _terms_of_group(rule, on)
        alone = k if isinstance(rule.when, Above | Below | Outside | Flagged) else -1
        found += [(channels[term.channel], k, alone, term) for term in own]
        found += [(channels[term.channel], k, -1, term) for term in more]
    order = sorted(range(len(found)), key=lambda n: found[n][0])
    place: list[list[int]] = [[] for _ in together]
    for n in sorted(range(len(found)), key=lambda n: found[n][1]):
        place[found[n][1]].append(order.index(n))
    gaps = [device_type.gap_of(channel) for channel in device_type.channels]
    silent = [isinstance(rule.when, NoData) for _, rule, _ in together]
    rows.terms.extend(
        (_comparison(is_.is_), c, alone, gaps[c], silent[k]) for c, k, alone, is_ in (found[n] for n in order)
    )
    return place


def _terms_of_group(rule: Rule, on: str) -> tuple[Sequence[Term], list[Term]]:
    """Its own, and those of its priority's steps and of what suppresses it."""
    grades = [Term(on, step.beyond) for step in rule.priority_steps if step.beyond is not None]
    return terms_of(rule.when, on), grades + [s.term for s in rule.suppressed_by if isinstance(s, While)]


def _lay_out_group(
    rows: _Rows,
    scene: Scene,
    device_type: DeviceType,
    of: tuple[Rule, str, Sequence[int]],
    keys: list[str],
) -> None:
    """`of` is the rule, its channel, and the places of its terms."""
    rule, on, place = of
    known = occasions(scene)
    causes = rows.causes[-1]
    whiles = [s.after for s in rule.suppressed_by if isinstance(s, While)]
    graded, members = len(place) - len(whiles), [len(rows.members)]

    def lay(some: Iterable[Row]) -> None:
        rows.members.extend(some)
        members.append(len(rows.members))

    def number(cause: CausedBy) -> int:
        return causes.index(Cause(keys.index(f"{scene.key}.{cause.rule}"), cause.at))

    own = len(terms_of(rule.when, on))
    lay((0, n) for n in place[:own])
    lay((0, n) for n in place[own:graded])
    lay(zip(whiles, place[graded:], strict=True))
    lay((s.after, known.index(s.occasion)) for s in rule.suppressed_by if isinstance(s, During))
    lay((s.after, number(s)) for s in rule.suppressed_by if isinstance(s, CausedBy))
    lay((s.after, number(s)) for s in rule.follows)
    grades = _lay_out_grades(rows, rule, place[own:graded])
    keys_here = [channel.key for channel in device_type.channels]
    channel = keys_here.index(on) if on in keys_here else -1
    own_terms, _ = _terms_of_group(rule, on)
    watched = {term.channel for term in own_terms} | {on}
    gap = min((device_type.gap_of(c) for c in device_type.channels if c.key in watched), default=device_type.gap)
    rows.groups.append((*_shape(rule, gap), channel, rule.latching, *members, *grades))


def _lay_out_grades(rows: _Rows, rule: Rule, place: Sequence[int]) -> tuple[int, int]:
    """Returns where they begin and end. `place` are those of their terms."""
    begin, terms = len(rows.grades), iter(place)
    for step in rule.priority_steps:
        term = -1 if step.beyond is None else next(terms)
        rows.grades.append((step.lasting, term, PRIORITIES.index(step.to)))
    return begin, len(rows.grades)


def _shape(rule: Rule, gap: Duration) -> Row:
    """The first columns of GROUP, up to `count`."""
    shape, count, within_ms, on_ms, off_ms = ALONE, 1, 0, int(rule.on_delay), int(rule.off_delay)
    match rule.when:
        case AtLeast(count=count):
            shape = AT_LEAST
        case Then(within=within):
            shape, within_ms = THEN, within
        case Happened(quiet=quiet):
            shape, off_ms = HAPPENED, quiet + rule.off_delay
        case NoData(after=after):
            shape, on_ms = SILENT, after + rule.on_delay
    return on_ms, off_ms, within_ms, gap, shape, count


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
