"""The source on an MQTT broker: one I/O thread that connects, falls back, backs off, and never gives up."""

from __future__ import annotations

import logging
import random
import threading
from typing import TYPE_CHECKING

from scenewatch.model.backoff import STABLE_S, Backoff
from scenewatch.model.ports import Listening
from scenewatch.model.refusals import ANOTHER_CLIENT, failed
from scenewatch.model.versions import Outcome, Versions
from scenewatch.source.cutter import compile_kernel
from scenewatch.source.doorbell import Doorbell
from scenewatch.source.session import Ending, Session, Surroundings
from scenewatch.source.stats import SourceStats

if TYPE_CHECKING:
    from collections.abc import Callable

    from scenewatch.model.ports import Arrival, Clock
    from scenewatch.source.settings import MqttSettings

log = logging.getLogger(__name__)

SHORT_LIVED = 3
"""As many connections in a row that broke soon after they stood look like two clients of one name."""


class MqttSource:
    """Implements `scenewatch.model.ports.Source`.

    `expects_session`: this client has been subscribed before, so the broker should have kept its session.
    Raises ConfigurationError at once for settings that can never work.
    """

    def __init__(self, settings: MqttSettings, clock: Clock) -> None:
        settings.check()
        self.stats = SourceStats()
        self._settings = settings
        self._clock = clock
        self._doorbell = Doorbell()
        self._backoff = Backoff(random.Random())
        self._versions = Versions()
        self.expects_session = False
        self._session: Session | None = None
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._held = False
        self._connected = False
        self._short_lived = 0
        self._last_trouble = ""

    @property
    def pending(self) -> int:
        """Messages handed on and not acknowledged yet, on this connection."""
        session = self._session
        return session.unacknowledged if session else 0

    def start(
        self,
        on_arrival: Callable[[Arrival], None],
        on_listening: Callable[[Listening, str], None],
    ) -> None:
        self._on_listening = on_listening
        self._around = Surroundings(
            clock=self._clock,
            doorbell=self._doorbell,
            stats=self.stats,
            on_arrival=on_arrival,
            on_subscribed=self._subscribed,
            leaving=lambda: self._stopping or self._held,
        )
        self._thread = threading.Thread(target=self._run, name="source")
        self._thread.start()

    def stop(self) -> None:
        self._stopping = True
        self._doorbell.ring()
        if self._thread:
            self._thread.join()
            self._thread = None
        self._doorbell.close()

    def hold(self) -> None:
        """Disconnect until `release`; the broker keeps what comes. From any thread, returns at once.

        Not reading the socket would end the keep-alive, and brokers overrun a window of acknowledgements.
        """
        self._held = True
        self._doorbell.ring()

    def release(self) -> None:
        """Connect again after `hold`."""
        self._held = False
        self._doorbell.ring()

    # --- the I/O thread ------------------------------------------------------------------------------------

    def _run(self) -> None:
        compile_kernel()
        while not self._stopping:
            if self._held:
                self._sleep(None, until=lambda: not self._held)
                continue
            ending = self._connection()
            self._report(ending)
            delay_s = self._after(ending)
            if delay_s:
                self._sleep(delay_s, until=lambda: self._held)

    def _connection(self) -> Ending:
        try:
            self._session = Session(self._settings, self._versions.next, self._around)
            return self._session.run()
        except OSError as error:
            return Ending(Outcome.LOST, failed(error, self._settings), 0.0)
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            if reason != self._last_trouble:
                log.exception("reading from %s failed", self._settings.url)
            return Ending(Outcome.LOST, reason, 0.0)

    def _after(self, ending: Ending) -> float:
        """How long to wait before the next connection, and in which version that is."""
        at_once = self._versions.ended(ending.outcome)
        if at_once or ending.outcome is Outcome.LEFT:
            return 0.0
        return self._backoff.next_s(served_s=ending.served_s)

    def _subscribed(self, kept: bool) -> None:  # noqa: FBT001  # the session tells one truth
        self._connected = True
        self._last_trouble = ""
        protocol = self._versions.next.value
        self._versions.subscribed()
        log.info("connected to %s, %s", self._settings.url, protocol)
        if self.expects_session and not kept:
            self.stats.sessions_lost += 1
            log.warning(
                "%s has forgotten the session of %s: what was published while nobody listened is lost, "
                "unless its devices send it again; have the broker keep sessions on disk, and for longer",
                self._settings.url,
                self._settings.client_id,
            )
        self.expects_session = True
        self._on_listening(Listening.CONNECTED, protocol)

    def _report(self, ending: Ending) -> None:
        """One line for each change: lost, or not reached for another reason than before."""
        if self._stopping:
            return
        if self._connected:
            self._connected = False
            self.stats.reconnects += 1
            log.warning("lost %s: %s%s", self._settings.url, ending.reason, self._suspicion(ending))
            self._tell_lost(ending.reason)
        elif ending.outcome is not Outcome.LEFT:
            self.stats.refusals += 1
            if ending.outcome is not Outcome.PROTOCOL_REFUSED and ending.reason != self._last_trouble:
                log.warning("cannot connect to %s: %s; trying again", self._settings.url, ending.reason)
        self._last_trouble = ending.reason

    def _suspicion(self, ending: Ending) -> str:
        """3.1.1 has no words for a client that is thrown out by another of its name."""
        broke_soon = ending.outcome is Outcome.LOST and ending.served_s < STABLE_S
        self._short_lived = self._short_lived + 1 if broke_soon else 0
        if self._short_lived != SHORT_LIVED:
            return ""
        return "; again and again: " + ANOTHER_CLIENT.format(client_id=self._settings.client_id)

    def _tell_lost(self, reason: str) -> None:
        try:
            self._on_listening(Listening.LOST, reason)
        except Exception:
            log.exception("the listener failed at the loss of %s", self._settings.url)

    def _sleep(self, timeout_s: float | None, *, until: Callable[[], bool]) -> None:
        """Until the time is over, the bell rings, or what it would ring for is so already."""
        self._doorbell.listen()
        if self._stopping or until():
            self._doorbell.hush()
        else:
            self._doorbell.wait(timeout_s)
