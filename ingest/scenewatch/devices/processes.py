"""A fleet in several processes: a parent that watches its children, tells their pace, and ends them."""

from __future__ import annotations

import logging
import multiprocessing
import signal
from dataclasses import dataclass
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Any, Final

from scenewatch.devices.pace import Figures, joined
from scenewatch.model.errors import ScenewatchError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnContext, SpawnProcess

    from scenewatch.devices.pace import Told
    from scenewatch.devices.simulate import Simulation, Stop
    from scenewatch.model.ports import Clock

    Work = Callable[[Simulation, Stop, Told], None]

log = logging.getLogger(__name__)

TELL_MS: Final = 1000
LOOK_S: Final = 0.2
NO_BROKER: Final = -1


class Slot:
    """Implements `Told` for the parent: one child's figures in memory that both see. One writer, one reader."""

    def __init__(self, context: SpawnContext) -> None:
        self._cells: Any = context.RawArray("q", _cells(Figures(0, 0, None)))
        self._told_ms = 0

    def due(self, now_ms: int) -> bool:
        return now_ms - self._told_ms >= TELL_MS

    def tell(self, figures: Figures, now_ms: int) -> None:
        self._told_ms = now_ms
        self._cells[:] = _cells(figures)

    @property
    def figures(self) -> Figures:
        found = Figures(*self._cells[:])
        return found if found.lag_ms != NO_BROKER else found._replace(lag_ms=None)


def _cells(figures: Figures) -> list[int]:
    return [NO_BROKER if number is None else number for number in figures]


class Leash:
    """Implements `Stop` in a child: it is time when the parent lets go of the other end, or is no more.

    Not an event of the library's: one child killed while it looks at that leaves its lock locked for all.
    """

    def __init__(self, end: Connection) -> None:
        self._end = end

    def is_set(self) -> bool:
        return self._end.poll(0)

    def wait(self, timeout: float | None = None, /) -> bool:
        return self._end.poll(timeout)


@dataclass(frozen=True, slots=True)
class Child:
    """As its parent sees it. It sends its last words before it falls over."""

    process: SpawnProcess
    slot: Slot
    own_end: Connection
    far_end: Connection

    def start(self) -> None:
        self.process.start()
        self.far_end.close()

    def why(self) -> str:
        """It ended."""
        try:
            if self.own_end.poll():
                return str(self.own_end.recv())
        except (EOFError, OSError):
            log.debug("%s said nothing", self.process.name)
        code = self.process.exitcode or 0
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"


@dataclass(frozen=True, slots=True)
class Crew:
    """What the children are to do."""

    shares: Sequence[Simulation]
    """One a child."""
    work: Work
    patience_s: float
    """Time for a child to end by itself."""


def run_all(crew: Crew, stop: Stop, told: Told, clock: Clock) -> None:
    """Each share in a process of its own until `stop` is set. Raises ScenewatchError if one falls over."""
    children = [_child(n, share, crew.work) for n, share in enumerate(crew.shares)]
    try:
        _start(children)
        while not stop.wait(LOOK_S):
            _check(children)
            now_ms = clock.now_ms()
            if told.due(now_ms):
                told.tell(joined(c.slot.figures for c in children), now_ms)
    finally:
        _end(children, crew.patience_s)


def _child(number: int, share: Simulation, work: Work) -> Child:
    context = multiprocessing.get_context("spawn")
    slot, (own_end, far_end) = Slot(context), context.Pipe()
    process = context.Process(
        target=_run, args=(share, work, far_end, slot), name=f"devices-{number + 1}", daemon=True
    )
    return Child(process, slot, own_end, far_end)


def _start(children: Sequence[Child]) -> None:
    """Ctrl-C reaches the whole process group; only the parent listens, so that every gateway says goodbye."""
    resource_tracker.ensure_running()  # the first child would start it, and that takes all signals in again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        for child in children:
            child.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _check(children: Sequence[Child]) -> None:
    fallen = next((c for c in children if c.process.exitcode is not None), None)
    if fallen is not None:
        who = f"{fallen.process.name} of {len(children)} (pid {fallen.process.pid})"
        raise ScenewatchError(f"process {who} fell over: {fallen.why()}")


def _end(children: Sequence[Child], patience_s: float) -> None:
    for child in children:
        child.own_end.close()
    for process in (c.process for c in children if c.process.pid is not None):
        process.join(patience_s)
        if process.exitcode is None:
            log.warning("process %s (pid %d) does not end by itself: terminated", process.name, process.pid)
            process.terminate()
            process.join()


def _run(share: Simulation, work: Work, end: Connection, slot: Slot) -> None:
    try:
        work(share, Leash(end), slot)
    except Exception as error:
        end.send(f"{type(error).__name__}: {error}")
        raise
