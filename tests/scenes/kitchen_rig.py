"""A few days of whole kitchens by device type and channel."""

import numpy as np

from scenewatch.scenes.kitchen import KITCHEN
from scenewatch.scenes.kitchen.physics import Kitchen

STEP_MS = 30_000
FIRST = {t.key: [c.key for c in t.measured] for t in KITCHEN.device_types}


class Days:
    """Values of a run from `start_ms` on; each of `drives` holds all devices of a type at a number throughout."""

    def __init__(self, devices, start_ms, days, *, seed=1, **drives):
        self.devices = devices
        self.start_ms = start_ms
        steps = round(days * 86_400_000) // STEP_MS
        self.t_ms = start_ms + STEP_MS * np.arange(1, steps + 1)
        kitchen = Kitchen(devices, seed=seed, start_ms=start_ms)
        held = {}
        for name, (device_type, to) in drives.items():
            held[name] = np.full((steps, len(devices)), np.nan)
            held[name][:, [d.type == device_type for d in devices]] = to
        self.values = kitchen.run(start_ms + steps * STEP_MS, held)
        self._first = np.cumsum([0, *(len(FIRST[d.type]) for d in devices)])

    def of(self, device_type, channel):
        """(steps, devices of the type)"""
        number = FIRST[device_type].index(channel)
        which = [n for n, d in enumerate(self.devices) if d.type == device_type]
        return self.values[:, self._first[which] + number]

    def minute(self):
        """Local minute of the day at the begin of each step."""
        return (self.t_ms - STEP_MS + 8 * 3_600_000) // 60_000 % 1440


def runs(mask):
    """Of true values down each column: (column, first step, step behind)."""
    edges = np.diff(np.pad(mask.astype(np.int8), ((1, 1), (0, 0))), axis=0)
    begin, end = np.argwhere(edges.T == 1), np.argwhere(edges.T == -1)
    return [(int(c), int(a), int(b)) for (c, a), (_, b) in zip(begin, end, strict=True)]


def longest_min(mask):
    return max((b - a for _, a, b in runs(mask)), default=0) / 2
