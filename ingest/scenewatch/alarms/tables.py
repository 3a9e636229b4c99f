"""Lays the scenes' rules out as arrays for the kernel: each kind of channel has its rules in a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scenewatch.alarms.kernel import FOREVER, KIND, RULE
from scenewatch.model.scene import Above, Below, NoData

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from scenewatch.model.scene import Channel, DeviceType, Rule, Scene

    Kinds = Sequence[tuple[Scene, DeviceType, Channel]]
    """The registry's kinds of series, in its order."""


class RuleTables(NamedTuple):
    """Rows of KIND in the order of the registry's kinds and one more without rules; the rows of RULE they name."""

    kinds: NDArray[np.void]
    rules: NDArray[np.void]
    number: NDArray[np.int32]
    """For each row of `rules`, which of the engine's rules it is."""


def lay_out(kinds: Kinds, rules: Mapping[str, Rule]) -> RuleTables:
    """`rules` by `<scene>.<rule>`, in the order of their numbers."""
    kind_rows: list[tuple[float, ...]] = []
    rule_rows: list[tuple[float, ...]] = []
    number: list[int] = []
    for scene, device_type, channel in kinds:
        on = f"{device_type.key}.{channel.key}"
        mine = [
            (n, rule)
            for n, (key, rule) in enumerate(rules.items())
            if on in rule.on and key == f"{scene.key}.{rule.key}"
        ]
        begin = len(rule_rows)
        rule_rows.extend(_rule_row(rule) for _, rule in mine)
        number.extend(n for n, _ in mine)
        kind_rows.append((_shortest_silence(rule for _, rule in mine), device_type.gap, begin, len(rule_rows)))
    kind_rows.append((FOREVER, 0, 0, 0))
    return RuleTables(np.array(kind_rows, KIND), np.array(rule_rows, RULE), np.array(number, np.int32))


def _rule_row(rule: Rule) -> tuple[float, ...]:
    match rule.when:
        case Above(limit, deadband):
            return 1.0, limit, limit - deadband, rule.on_delay, rule.off_delay
        case Below(limit, deadband):
            return -1.0, -limit, -limit - deadband, rule.on_delay, rule.off_delay
        case NoData(after):
            return 0.0, 0.0, 0.0, after + rule.on_delay, rule.off_delay


def _shortest_silence(rules: Iterable[Rule]) -> int:
    return min((r.when.after + r.on_delay for r in rules if isinstance(r.when, NoData)), default=FOREVER)
