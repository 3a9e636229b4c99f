"""What is to be told of a device's readings, by plain sums over all of them."""

from itertools import pairwise

import numpy as np
from derived_rig import EVERY, MEASURED

from scenewatch.model.insight import Lasting, LastRun, Share, Slope, TimeTo
from scenewatch.model.rule import Above

GAP = 3 * EVERY
TIE = 1e-9


class Oracle:
    """One device's readings [(time, {channel number: value})], in time."""

    def __init__(self, samples, device):
        self._mine = [(t, dict(values)) for d, t, values in samples if d == device]

    def told(self, how):
        """[(time, value)] of a channel that is derived so; not a number where either of two answers is right."""
        of = how.of if hasattr(how, "of") else how.term.channel
        times = [t for t, values in self._mine if MEASURED.index(of) in values]
        if isinstance(how, LastRun):
            return list(self._runs(how, times))
        found = []
        for before, t in pairwise(times):
            boundary = t // how.every * how.every
            if before < boundary:
                found.append((boundary, self._at(how, boundary, times)))
        return [(t, value) for t, value in found if value is not None]

    def _at(self, how, boundary, times):
        if isinstance(how, Slope | TimeTo):
            return self._of_line(how, boundary)
        seen = [t for t in times if t < boundary] + [t for t in times if t >= boundary][:1]
        if isinstance(how, Lasting):
            return self._lasting(how, seen, boundary)
        if boundary - times[0] < how.over:
            return None
        return self._ratio(how, seen, boundary)

    def _says(self, term, until):
        """What the term said at the last reading before `until`, and when that was."""
        number = MEASURED.index(term.channel)
        last = [(t, values[number]) for t, values in self._mine if t < until and number in values]
        return (_holds(term.is_, last[-1][1]), last[-1][0]) if last else (False, None)

    def _lasting(self, how, seen, boundary):
        since = None
        for n, t in enumerate(seen[:-1]):
            holds, _ = self._says(how.term, seen[n + 1])
            begins = n == 0 or since is None or t - seen[n - 1] > GAP
            since = (t if begins else since) if holds else None
        silent = seen[-1] - seen[-2] > GAP
        return 0.0 if since is None or silent else (boundary - since) / 60_000

    def _ratio(self, how, seen, boundary):
        bucket = max(how.every, how.over // 24)
        oldest = (boundary - 1) // bucket - round(how.over / bucket) + 1
        part = whole = 0.0
        for before, t in pairwise(seen):
            if t - before > GAP or before // bucket < oldest:
                continue
            held, spoke = self._says(how.term, t)
            if isinstance(how, Share):
                part += 100.0 * (t - before) * held
                whole += t - before
            elif held and t - spoke <= GAP:
                part += (t - before) * self._value(how.of, before)
                whole += t - before
        return part / whole if whole > (how.over / 2 if isinstance(how, Share) else 0) else None

    def _value(self, of, at):
        return next(values[MEASURED.index(of)] for t, values in self._mine if t == at)

    def _runs(self, how, times):
        """A run is told where it is known from its first reading to the one behind its last."""
        begin = None
        for before, t in pairwise(times):
            was, now = (_holds(how.term.is_, self._value(how.term.channel, u)) for u in (before, t))
            if t - before > GAP:
                begin = None
            elif now and not was:
                begin = t
            elif was and not now and begin is not None:
                yield t, (t - begin) / 60_000

    def _of_line(self, how, boundary):
        bucket = max(EVERY, how.over // 24)
        count = round(how.over / bucket)
        number = MEASURED.index(how.of)
        oldest = (boundary - 1) // bucket - count + 1
        points = {}
        for t, values in self._mine:
            if number in values and t < boundary and t // bucket >= oldest:
                points.setdefault(t // bucket, []).append((t - boundary, values[number]))
        if len(points) < max(3, count / 2):
            return None
        t, v = np.array([np.mean(rows, axis=0) for rows in points.values()]).T
        (slope, level), (residual, *_) = np.polyfit(t, v, 1), [*np.polyfit(t, v, 1, full=True)[1], 0.0]
        if isinstance(how, Slope):
            return slope * 3_600_000
        error = np.sqrt(residual / (len(t) - 2) / ((t - t.mean()) ** 2).sum())
        towards = 1 if how.rising else -1
        missing, pace = (how.limit - level) * towards, slope * towards
        unsure = error * how.over > TIE and abs(pace - how.sure * error) * how.over < TIE
        if abs(missing) < TIE or unsure:
            return np.nan  # rounding decides, and other sums round otherwise
        if missing < 0:
            return 0.0
        horizon = how.horizon / 60_000
        return horizon if pace <= 0 or pace < how.sure * error else min(horizon, missing / pace / 60_000)


def _holds(is_, value):
    return value > is_.limit if isinstance(is_, Above) else value < is_.limit
