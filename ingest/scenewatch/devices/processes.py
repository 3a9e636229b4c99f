"""A fleet in several processes: a parent that watches its children, tells their pace, and ends them."""

from __future__ import annotations

import logging
import multiprocessing
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from scenewatch.devices.pace import Figures, joined
from scenewatch.model.errors import ScenewatchError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.context import SpawnContext, SpawnProcess
    from multiprocessing.queues import SimpleQueue
    from multiprocessing.synchronize import Event

    from scenewatch.devices.pace import Told
    from scenewatch.devices.simulate import Simulation, Stop
    from scenewatch.model.ports import Clock

    Work = Callable[[Simulation, Stop, Told], None]

log = logging.getLogger(__name__)

TELL_MS: Final = 1000
LOOK_S: Final = 0.2
GOODBYE_S: Final = 10.0
"""Time for a child to end by itself."""
NO_BROKER: Final = -1


class Slot:
    """Implements `Told` for the parent: one child's figures in memory that both see. One writer, one reader."""

    def __init__(self, context: SpawnContext) -> None:
        self._cells: Any = context.RawArray("q", [0, 0, NO_BROKER])
        self._told_ms = 0

    def due(self, now_ms: int) -> bool:
        return now_ms - self._told_ms >= TELL_MS

    def tell(self, figures: Figures, now_ms: int) -> None:
        self._told_ms = now_ms
        self._cells[:] = [
            figures.messages,
            figures.dropped,
            NO_BROKER if figures.lag_ms is None else figures.lag_ms,
        ]

    @property
    def figures(self) -> Figures:
        messages, dropped, lag_ms = self._cells[:]
        return Figures(messages, dropped, None if lag_ms == NO_BROKER else lag_ms)


@dataclass(frozen=True, slots=True)
class Child:
    """Its process, and what it tells of itself."""

    process: SpawnProcess
    slot: Slot


def run_all(shares: Sequence[Simulation], work: Work, stop: Stop, told: Told, clock: Clock) -> None:
    """Each share in a process of its own until `stop` is set. Raises ScenewatchError if one falls over."""
    context = multiprocessing.get_context("spawn")
    stop_all, last_words = context.Event(), context.SimpleQueue()
    children = [_child(context, n, (share, work, stop_all, last_words)) for n, share in enumerate(shares)]
    try:
        _start(children)
        while not stop.wait(LOOK_S):
            _check(children, last_words)
            now_ms = clock.now_ms()
            if told.due(now_ms):
                told.tell(joined(c.slot.figures for c in children), now_ms)
    finally:
        stop_all.set()
        _end(children)


def _child(context: SpawnContext, number: int, rest: tuple[Any, ...]) -> Child:
    slot = Slot(context)
    process = context.Process(target=_run, args=(*rest, slot), name=f"devices-{number + 1}", daemon=True)
    return Child(process, slot)


def _start(children: Sequence[Child]) -> None:
    """Ctrl-C reaches the whole process group; only the parent listens, so that every gateway says goodbye."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        for child in children:
            child.process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _check(children: Sequence[Child], last_words: SimpleQueue[tuple[int, str]]) -> None:
    fallen = next((c.process for c in children if c.process.exitcode is not None), None)
    if fallen is None:
        return
    said = {}
    while not last_words.empty():
        pid, words = last_words.get()
        said[pid] = words
    why = said.get(fallen.pid or 0) or _ending(fallen.exitcode or 0)
    raise ScenewatchError(f"process {fallen.name} of {len(children)} (pid {fallen.pid}) fell over: {why}")


def _ending(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code}"


def _end(children: Sequence[Child]) -> None:
    for process in (c.process for c in children if c.process.pid is not None):
        process.join(GOODBYE_S)
        if process.exitcode is None:
            log.warning("process %s (pid %d) does not end by itself: terminated", process.name, process.pid)
            process.terminate()
            process.join()


class _StopWithParent:
    """A child whose parent was killed has nobody left to stop it."""

    def __init__(self, stop: Event) -> None:
        self._stop = stop
        self._parent = multiprocessing.parent_process()

    def is_set(self) -> bool:
        return self._stop.is_set() or (self._parent is not None and not self._parent.is_alive())

    def wait(self, timeout: float | None = None, /) -> bool:
        return self._stop.wait(timeout)


def _run(share: Simulation, work: Work, stop: Event, last_words: SimpleQueue[tuple[int, str]], slot: Slot) -> None:
    try:
        work(share, _StopWithParent(stop), slot)
    except Exception as error:
        pid = multiprocessing.current_process().pid or 0
        last_words.put((pid, f"{type(error).__name__}: {error}"))
        raise
