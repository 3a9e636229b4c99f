"""Shares of a rehearsal side by side, each in a process of its own; a single one in the calling thread."""

from __future__ import annotations

import multiprocessing
import signal
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Final, Protocol

from scenewatch.model.errors import ScenewatchError
from scenewatch.rehearsal.picks import Around
from scenewatch.rehearsal.report import Excerpt
from scenewatch.siterun import SiteRun, SitesFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

    from scenewatch.rehearsal.report import Mark, Named
    from scenewatch.siterun import Share

    Wanted = tuple[str, str, int, int, Named, Sequence[float], Sequence[Mark]]
    """What `around` takes."""
    Told = int | SitesFound | Excerpt
    """What a child says: the time that it has reached, what it found, or what was asked for."""

GOODBYE_S: Final = 5.0


class Crew(Around, Protocol):
    """All shares of one rehearsal. Raises what a share raised, or ScenewatchError when its process is gone.

    Excerpts are of any share's device, once all have run.
    """

    def run(self, progress: Callable[[float], None], /) -> list[SitesFound]:
        """In the order of the shares. `progress` is called with how much of the whole is done, up to 1."""
        ...


@contextmanager
def crew(shares: Sequence[Share]) -> Iterator[Crew]:
    """No process is left behind."""
    if len(shares) == 1:
        yield _Alone(shares[0])
        return
    with ExitStack() as stack:
        yield _Several(shares, [stack.enter_context(_child(n, share)) for n, share in enumerate(shares)])


class _Alone:
    def __init__(self, share: Share) -> None:
        self._share, self._run = share, SiteRun(share)

    def run(self, progress: Callable[[float], None]) -> list[SitesFound]:
        return [self._run.run(lambda at_ms: progress(_done(self._share, at_ms)))]

    def around(self, *wanted: *Wanted) -> Excerpt:
        return self._run.excerpts.around(*wanted)


class _Several:
    def __init__(self, shares: Sequence[Share], ends: Sequence[Connection]) -> None:
        self._shares, self._ends = shares, ends

    def run(self, progress: Callable[[float], None]) -> list[SitesFound]:
        done = [0.0] * len(self._ends)
        found: dict[int, SitesFound] = {}
        while len(found) < len(self._ends):
            busy = [end for n, end in enumerate(self._ends) if n not in found]
            for end in wait(busy):
                number = self._ends.index(end)
                match _receive(self._ends[number]):
                    case int(at_ms):
                        done[number] = _done(self._shares[number], at_ms)
                        progress(sum(done) / len(done))
                    case SitesFound() as what:
                        found[number] = what
        return [found[n] for n in range(len(self._ends))]

    def around(self, *wanted: *Wanted) -> Excerpt:
        number = next(n for n, share in enumerate(self._shares) if any(d.id == wanted[0] for d in share.devices))
        self._ends[number].send(wanted)
        excerpt = _receive(self._ends[number])
        if not isinstance(excerpt, Excerpt):
            raise TypeError(f"asked for an excerpt, and was told {excerpt}")
        return excerpt


def _done(share: Share, at_ms: int) -> float:
    return (at_ms - share.from_ms) / (share.to_ms - share.from_ms)


def _receive(end: Connection) -> Told:
    try:
        told: Told | ScenewatchError = end.recv()
    except (EOFError, OSError):
        raise ScenewatchError("a process of the rehearsal ended before its time") from None
    if isinstance(told, ScenewatchError):
        raise told
    return told


@contextmanager
def _child(number: int, share: Share) -> Iterator[Connection]:
    context = multiprocessing.get_context("spawn")
    own_end, far_end = context.Pipe()
    process = context.Process(target=_work, args=(share, far_end), name=f"sites-{number + 1}", daemon=True)
    process.start()
    far_end.close()
    try:
        yield own_end
    finally:
        own_end.close()
        _end(process)


def _end(process: SpawnProcess) -> None:
    """One that has said all ends by itself; one that has not is not waited for."""
    if process.exitcode is None:
        process.terminate()
    process.join(GOODBYE_S)


def _work(share: Share, end: Connection) -> None:
    """Ctrl-C reaches the whole process group; only the parent listens."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        run = SiteRun(share)
        end.send(run.run(end.send))
        while True:
            end.send(run.excerpts.around(*end.recv()))
    except ScenewatchError as error:
        end.send(error)
    except EOFError:
        return  # nobody has another question
