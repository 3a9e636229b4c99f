"""The runs that every contestant goes through, and the figures they give."""

from __future__ import annotations

import bisect
import math
import sys
import threading
import time
from collections import defaultdict
from typing import TYPE_CHECKING

from load import publish, wait_for

if TYPE_CHECKING:
    from contestants import Contestant

WARM = 2_000
"""Messages of a start that is measured to be subtracted: a new process loads its compiled kernels with them."""
LOOK_S = 0.25
PROBE_LOOK_S = 0.02


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


class Trial:
    """One contestant's runs and figures."""

    def __init__(self, contestant: Contestant) -> None:
        self.contestant = contestant
        self.figures: dict[str, list[float]] = defaultdict(list)

    def begin(self) -> None:
        """A first start makes the broker's session and compiles what is compiled once."""
        first = self.contestant.fleet.backlog(1)

        def taken() -> bool:
            publish(self.contestant.ground.mqtt_port, first, 0)  # again until it is heard, which adds nothing
            return self.drained()

        self.contestant.program.start()
        wait_for(taken, f"{self.contestant.name} to listen", look_s=LOOK_S)
        self.contestant.program.stop()

    def queue(self, count: int) -> None:
        """Publish while the contestant is stopped: its session keeps all."""
        publish(self.contestant.ground.mqtt_port, self.contestant.fleet.backlog(count), 0)

    def drained(self) -> bool:
        return self.contestant.store.stored() >= self.contestant.fleet.sent

    def drain(self) -> float:
        """CPU seconds from its start until all that was queued is stored."""
        self.contestant.program.start()
        wait_for(self.drained, f"{self.contestant.name} to store the queue", look_s=LOOK_S)
        return self.contestant.program.usage.cpu_s()

    def round(self, count: int, rate: int, seconds: float) -> None:
        name = self.contestant.name
        self.queue(WARM)
        started = self.drain()
        self.contestant.program.stop()
        self.queue(count)
        begin = time.monotonic()
        spent = (self.drain() - started) / (count - WARM) * 1e6
        self._note("drain_wall_s", time.monotonic() - begin)
        self._note("drain", spent)
        self._note("start", started)
        self._note("peak_drain", self.contestant.program.usage.peak_mib())
        say(f"{name}: drained at {spent:.2f} µs a message, its start {started:.2f} s")
        self.contestant.program.usage.forget_peak()
        before = self.contestant.program.usage.cpu_s()
        publish(self.contestant.ground.mqtt_port, self.contestant.fleet.live(int(rate * seconds), rate)[0], rate)
        wait_for(self.drained, f"{name} to store the rest", look_s=LOOK_S)
        spent = (self.contestant.program.usage.cpu_s() - before) / (rate * seconds) * 1e6
        self._note("steady", spent)
        self._note("peak_steady", self.contestant.program.usage.peak_mib())
        say(f"{name}: {spent:.2f} µs a message at {rate} a second")
        self.figures["late"] += self.latency(rate, seconds / 2)
        self.contestant.program.stop()

    def latency(self, rate: int, seconds: float) -> list[float]:
        """Milliseconds from publishing until readable, as seen by asking the store again and again."""
        every, first = self.contestant.store.probe_every, self.contestant.fleet.sent
        messages, first_ms = self.contestant.fleet.live(int(rate * seconds), rate)
        probes = [i for i in range(len(messages)) if (first + i) % every == 0]
        before, looks, over = self.contestant.store.seen(first_ms), list[tuple[float, int]](), threading.Event()

        def look() -> None:
            while not over.wait(PROBE_LOOK_S):
                looks.append((time.monotonic(), self.contestant.store.seen(first_ms) - before))

        looking = threading.Thread(target=look)
        looking.start()
        log = publish(self.contestant.ground.mqtt_port, messages, rate)
        wait_for(lambda: looks and looks[-1][1] >= len(probes), "the probes to be readable")
        over.set()
        looking.join()
        counts, out = [seen for _, seen in looks], [sent for _, sent in log]
        return [
            1000 * (looks[bisect.bisect_left(counts, n)][0] - log[bisect.bisect_right(out, i)][0])
            for n, i in enumerate(probes, 1)
        ]

    def account(self) -> tuple[int, int, int]:
        """Values missing in the store of the stopped contestant, values too many, and channels with a wrong sum."""
        fleet, totals = self.contestant.fleet, self.contestant.store.totals()
        counts = [totals[channel][0] for channel in fleet.sums]
        wrong = [not math.isclose(totals[channel][1], total, rel_tol=1e-9) for channel, total in fleet.sums.items()]
        return sum(max(0, fleet.sent - n) for n in counts), sum(max(0, n - fleet.sent) for n in counts), sum(wrong)

    def _note(self, what: str, figure: float) -> None:
        self.figures[what].append(figure)
