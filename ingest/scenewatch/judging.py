"""The stages from quality to alarms, wired once: behind the journal, in a rehearsal, and on recorded data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scenewatch.alarms.announce import Announcer
from scenewatch.alarms.engine import Engine
from scenewatch.insight.insight import Insight, inserted
from scenewatch.model.alarm import Transitions
from scenewatch.quality.quality import Quality

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from scenewatch.model.batch import Batch
    from scenewatch.model.event import Event
    from scenewatch.model.ports import AlarmEngine, Check
    from scenewatch.model.registry import Registry
    from scenewatch.model.scene import Scene

    # The type checker holds each part to its contract here, where they meet.
    _check: type[Check] = Quality
    _engine: type[AlarmEngine] = Engine
    _alarms: type[AlarmEngine] = Announcer


class Judging:
    """Readings to alarms. One thread; whoever feeds it decides where they come from."""

    def __init__(self, scenes: Iterable[Scene], limits: Mapping[str, Mapping[str, float]] | None = None) -> None:
        """`limits` are operators' numbers, by `<scene>.<rule>`. Raises ConfigurationError with all mistakes."""
        self.quality = Quality()
        self.insight = Insight()
        self.alarms = Announcer(Engine(scenes, limits or {}))

    def grow(self, registry: Registry) -> None:
        """The inventory changed. Before any batch that knows of it."""
        self.quality.grow(registry)
        self.insight.grow(registry)
        self.alarms.grow(registry)

    def check(self, batch: Batch) -> Batch:
        """Checked in place, and what is derived of it put in, checked too."""
        self.quality.check(batch)
        derived, before = self.insight.derive(batch)
        if not len(derived):  # as most live batches, whose messages are few
            return batch
        self.quality.check(derived)
        return inserted(batch, derived, before)

    def judge(self, batch: Batch, events: Sequence[Event], first: int) -> Transitions:
        """What a checked batch and the events among its messages, of which `first` is the first, raise and clear.

        Each event in its place among the readings, so that how messages are put together changes nothing.
        """
        live = [event for event in events if event.live]
        if not live:
            return self.alarms.step(batch)
        found: list[Transitions] = []
        done = 0
        for event in live:
            until = int(np.searchsorted(batch.message, event.position - first))
            if until > done:
                found.append(self.alarms.step(batch.select(np.arange(done, until))))
            found.append(self.alarms.happened([event]))
            done = until
        return Transitions.joined([*found, self.alarms.step(batch.select(np.arange(done, len(batch))))])
