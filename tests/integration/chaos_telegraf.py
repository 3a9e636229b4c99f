"""Telegraf beside the worker: on the same links, struck by the same mishaps, into a database of its own."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

from chaos_devices import BUFFERED, CHANNELS, Letter
from chaos_readback import in_influx

from go_programs import TELEGRAF
from telegraf_settings import settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from chaos_devices import Record

NAME = "telegraf"
"""Of its database and of its session at the broker."""
QUIET_S = 8.0
"""More than a broker waits before it sends again what was not acknowledged."""
FIELDS = {channel: f"v_{channel}" for channel in CHANNELS}


@dataclass(frozen=True)
class TelegrafVerdict:
    """What one round has added, by the same record as the worker's."""

    behind: int
    """Readings that are not there although all has been calm for a while."""
    twice: int
    strange: int
    dropped: int
    """Messages it cannot read: not JSON, or an array of samples. It logs them and keeps nothing."""


def command(folder: Path, *, mqtt_port: int, influx_port: int) -> list[str]:
    """Write its settings into `folder`; tuned as its documentation advises for much traffic."""
    path = TELEGRAF.path()
    if path is None:
        raise SystemExit("Telegraf is not there and cannot be built: install Go")
    config = folder / "telegraf.conf"
    influx = f"http://127.0.0.1:{influx_port}"
    config.write_text(settings(NAME, root="sw", tags="_/scene/site/device/_", mqtt_port=mqtt_port, influx=influx))
    return [str(path), "--config", str(config)]


class Judge:
    """Compares what Telegraf has stored with what was sent, round after round."""

    def __init__(self, influx: str, record: Record) -> None:
        self._influx = influx
        self._record = record
        self._known = TelegrafVerdict(0, 0, 0, 0)

    def verdict(self) -> TelegrafVerdict:
        """When nothing more is missing than before, or nothing has come for a while."""
        pause, quiet_from = threading.Event(), time.monotonic()
        found = self._look()
        while found.behind > self._known.behind and time.monotonic() < quiet_from + QUIET_S:
            pause.wait(0.5)
            before, found = found, self._look()
            if found.behind < before.behind:
                quiet_from = time.monotonic()
        before, self._known = self._known, found
        return TelegrafVerdict(*(now - then for now, then in zip(astuple(found), astuple(before), strict=True)))

    def lost(self, restart: Callable[[], None]) -> int:
        """Readings that are not there either when it has been started anew and the broker has sent all it keeps."""
        restart()
        self._known = TelegrafVerdict(0, 0, 0, 0)
        return self.verdict().behind

    def _look(self) -> TelegrafVerdict:
        stored = in_influx(self._influx, NAME, FIELDS)
        lost = twice = strange = unread = 0
        for device, places in self._record.places.items():
            found = stored.get(device, [])
            times = Counter(t_ms for t_ms, _ in found)
            missing = places.keys() - times.keys()
            buffered = self._record.buffered[device]
            lost += len(missing - buffered)
            unread += len(missing & buffered)
            twice += times.total() - len(times)
            strange += sum(values not in places.get(t_ms, ()) for t_ms, values in found)
        not_json = sum(why is Letter.NOT_JSON for why in self._record.letters.values())
        return TelegrafVerdict(lost, twice, strange, unread // BUFFERED + not_json)
