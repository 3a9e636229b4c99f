"""Rehearses a scene: simulated sites with labelled faults through the very stages that judge real ones, scored.

Nothing behind quality knows a label; see `siterun`.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from scenewatch.alarms.overrides import in_force, mistakes
from scenewatch.devices.faults import FaultPlan, lay
from scenewatch.load.figures import Shown, figures
from scenewatch.model.errors import ConfigurationError, Mistake
from scenewatch.model.insight import Departure
from scenewatch.model.registry import Registry
from scenewatch.model.words import days, hours
from scenewatch.rehearsal import entries, plain, spoilt
from scenewatch.rehearsal.draw import Wish, draw, planned
from scenewatch.rehearsal.excerpts import BUDGET_BYTES
from scenewatch.rehearsal.labels import label
from scenewatch.rehearsal.picks import Picker
from scenewatch.rehearsal.report import Named, Report
from scenewatch.rehearsal.score import Run, judge, moved
from scenewatch.scenes import demonstration
from scenewatch.sharing import crew
from scenewatch.siterun import Share, split

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from scenewatch.devices.faults import PlannedFault
    from scenewatch.model.load import Load
    from scenewatch.model.place import Device
    from scenewatch.model.scene import Scene
    from scenewatch.model.words import Text
    from scenewatch.rehearsal.draw import Drawn
    from scenewatch.rehearsal.report import Plain, ScoreEntry
    from scenewatch.siterun import SitesFound

NEW_YEAR_MS: Final = 1_767_225_600_000
"""2026: where a scene whose days are all alike is rehearsed."""
LEARNED: Final = Named(
    "The days before are simulated too, for what learns from the past; their alarms are counted apart.",
    "判定期之前的日子同样经过仿真，供基线学习；其间的报警单独计数。",
)
SITE_DAYS_A_PROCESS: Final = 150
"""A process costs as much as a few seconds of rehearsal."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rehearsal:
    """What to rehearse. The same wish gives the same report, but for the time it took."""

    sites: int = 20
    days: float = 30
    """Those that are judged; what learns from the past does so before them."""
    seed: int = 0
    start_ms: int | None = None
    """Where the days begin; None for an hour by chance when every device is used."""
    a_month: float = 1.0
    """How many faults of each kind befall a site in 30 days, more or less; 0 for none."""
    faults: tuple[PlannedFault, ...] | None = None
    """Instead of faults by chance."""
    limits: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Operators' numbers to try, by `<scene>.<rule>`."""
    plain: bool = True
    """Whether the same limits are applied plainly, side by side."""
    processes: int | None = None
    """None for as many as are worth it."""


def _quietly(_done: float) -> None:
    return


def rehearse(scene: Scene, wish: Rehearsal, *, progress: Callable[[float], None] = _quietly) -> Report:
    """`progress` is told how much is done, up to 1. Raises ConfigurationError with all that is wrong."""
    began_s = time.perf_counter()
    share = _whole(scene, wish)
    shares = split(share, wish.processes or _worth(wish, share))
    with crew(shares) as working:
        come_to = _CameTo(scene, wish, share, list(zip(shares, working.run(progress), strict=True)))
        report = come_to.report()
        excerpts = Picker(scene, come_to.registry, report.faults, report.alarms).pick(working)
    return replace(report, excerpts=excerpts, took_s=time.perf_counter() - began_s)


def _whole(scene: Scene, wish: Rehearsal) -> Share:
    if not (scene.demonstration and scene.simulator):
        raise ConfigurationError([Mistake(f"scene {scene.key}", "has no simulator: there is nothing to rehearse")])
    if wish.sites < 1 or wish.days <= 0:
        raise ConfigurationError([Mistake("rehearsal", "needs at least one site and some days")])
    if found := mistakes([scene], wish.limits):
        raise ConfigurationError(found)
    devices = tuple(demonstration(scene).devices(wish.sites))
    start_ms = _start_ms(scene, wish) if wish.start_ms is None else wish.start_ms
    to_ms = start_ms + days(wish.days)
    return Share(
        scene=scene,
        devices=devices,
        drawn=tuple(_drawn(scene, devices, wish, start_ms, to_ms)),
        seed=wish.seed,
        from_ms=start_ms - _learning(scene),
        judged_ms=start_ms,
        to_ms=to_ms,
        limits=wish.limits,
        plain=wish.plain,
        budget_bytes=BUDGET_BYTES,
    )


def _start_ms(scene: Scene, wish: Rehearsal) -> int:
    """So that all of it is in a time when everything is used, if that is long enough."""
    first_ms, last_ms = scene.busy_ms or (NEW_YEAR_MS, NEW_YEAR_MS + days(365))
    return random.Random(wish.seed).randrange(first_ms, max(last_ms - days(wish.days), first_ms) + 1, hours(1))


def _learning(scene: Scene) -> int:
    channels = (c.derived for t in scene.device_types for c in t.channels)
    return max((d.learning for d in channels if isinstance(d, Departure)), default=0)


def _drawn(scene: Scene, devices: Sequence[Device], wish: Rehearsal, from_ms: int, to_ms: int) -> list[Drawn]:
    if wish.faults is None:
        amount = Wish(a_month=wish.a_month, from_ms=from_ms, to_ms=to_ms)
        return draw(scene, devices, amount, seed=wish.seed)
    lay(scene, devices, FaultPlan(wish.faults))  # to refuse a wrong plan before anything runs
    by_id = {d.id: d for d in devices}
    return planned(
        devices, [(scene.fault(f.fault), by_id[f.device], f.from_ms, f.to_ms, f.size) for f in wish.faults]
    )


def _worth(wish: Rehearsal, share: Share) -> int:
    site_days = wish.sites * (share.to_ms - share.from_ms) / days(1)
    cores = len(os.sched_getaffinity(0))
    return max(1, min(cores, round(site_days / SITE_DAYS_A_PROCESS)))


class _CameTo:
    """What all shares came to, judged."""

    def __init__(
        self, scene: Scene, wish: Rehearsal, share: Share, parts: Sequence[tuple[Share, SitesFound]]
    ) -> None:
        self._scene, self._wish, self._share = scene, wish, share
        self._found = [found for _, found in parts]
        self.registry = Registry([scene])
        self.registry.apply(share.devices, at_ms=share.from_ms)
        effects = {
            drawn.key: effect
            for part, found in parts
            for drawn, effect in zip(part.drawn, found.effects, strict=True)
        }
        self._labels = [label(drawn, effects[drawn.key]) for drawn in share.drawn]
        self._alarms = sorted(
            (alarm for found in self._found for alarm in found.study.alarms),
            key=lambda a: (a.raised_at_ms, a.rule, a.device),
        )
        self._run = Run(share.judged_ms, share.to_ms, len(share.devices))
        self._judgement = judge(self._labels, self._alarms, self._run)

    def report(self) -> Report:
        """But for excerpts, and the time that it took."""
        scene, wish, share, judgement = self._scene, self._wish, self._share, self._judgement
        rules = in_force([scene], wish.limits)
        titles = {fault.key: fault.title for fault in scene.faults}
        flags = sum((Counter(found.study.flags) for found in self._found), Counter[str]())
        return Report(
            what="rehearsal",
            scene=scene.key,
            title=entries.named(scene.title),
            from_ms=share.from_ms,
            to_ms=share.to_ms,
            learning_until_ms=share.judged_ms,
            sites=wish.sites,
            devices=len(share.devices),
            readings=sum(found.study.readings for found in self._found),
            seed=wish.seed,
            files=[],
            took_s=0.0,
            faults=entries.fault_entries(judgement.faults),
            alarms=entries.alarm_entries(judgement.alarms),
            score=entries.score_entry(judgement, titles),
            chance=self._by_chance(titles),
            plain=self._plainly() if wish.plain else None,
            load=self._load(),
            raised_while_learning=sum(a.raised_at_ms < share.judged_ms for a in self._alarms),
            quality=spoilt.score([found.spoilt for found in self._found]),
            flags=dict(flags),
            rules=entries.rule_entries(scene, rules.values(), judgement.alarms),
            excerpts=[],
            notes=self._notes(),
            zone=scene.zone,
        )

    def _notes(self) -> list[Named]:
        """What the figures do not say."""
        found = [LEARNED] if self._share.judged_ms > self._share.from_ms else []
        befell = {a.label.kind for a in self._judgement.faults if a.counts}
        missing = [fault.title for fault in self._scene.faults if fault.rules and fault.key not in befell]
        if self._labels and missing:
            en, zh = ", ".join(t.en for t in missing), "、".join(t.zh for t in missing)
            found.append(
                Named(
                    f"None that counts befell, so nothing is proved of: {en}.",
                    f"未发生可计分的故障，未获验证：{zh}。",
                )
            )
        return found

    def _by_chance(self, titles: Mapping[str, Text]) -> ScoreEntry | None:
        """Pointless without faults."""
        if not self._labels:
            return None
        return entries.score_entry(
            judge(self._labels, moved(self._alarms, self._run, seed=self._wish.seed), self._run), titles
        )

    def _plainly(self) -> Plain:
        raised = {
            delay_min: [alarm for found in self._found for alarm in found.plain[delay_min]]
            for delay_min in plain.DELAYS_MIN
        }
        cooled = plain.cooled(self._scene)
        return plain.compare(
            self._labels,
            self._judgement,
            raised,
            self._run,
            limits=plain.limits(self._scene),
            cooling_devices=sum(d.type in cooled for d in self._share.devices),
        )

    def _load(self) -> Load:
        shown = [
            Shown(
                rule=a.rule,
                device=a.device,
                priority=a.priority,
                raised_at_ms=a.raised_at_ms,
                cleared_at_ms=a.cleared_at_ms,
                hidden=bool(a.hidden),
                cause=a.cause,
            )
            for a in self._alarms
        ]
        return figures(shown, self._run.from_ms, self._run.to_ms)
