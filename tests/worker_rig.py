"""A real worker behind a real HTTP server, fed through its journal: it lives without a broker, if none is named."""

from __future__ import annotations

import socket
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import httpx

from ends import DEADLINE_S, HandClock, wait_for
from records import START_MS
from scenewatch import scenes
from scenewatch.api.app import create_app
from scenewatch.app import Worker
from scenewatch.model.messages import Messages
from scenewatch.model.place import Device
from scenewatch.serving import Server, listen
from scenewatch.settings import load
from scenewatch.store.devices import Inventory
from scenewatch.store.relational import Database
from scenewatch.worker import loop, writer
from scenewatch.worker.view import WorkerView

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import pytest

    from scenewatch.model.ports import Clock
    from scenewatch.model.scene import Scene

DEVICES = (
    Device(scene="brine", site="w1", device="gw", type="gateway"),
    Device(scene="brine", site="w1", device="vat-1", type="vat", parent="gw", lat=31.2, lon=121.5),
    Device(scene="brine", site="w1", device="vat-2", type="vat", parent="gw"),
    Device(scene="brine", site="w2", device="vat-2", type="vat"),
)


COLUMNS = ("received", "stored", "duplicate", "dead", "pending")


class WorkerRig:
    """Worker, server and a client for it. `more` ends its settings file."""

    def __init__(
        self,
        folder: Path,
        scene: Scene,
        clock: Clock,
        monkeypatch: pytest.MonkeyPatch,
        store: str = "duckdb:r.duckdb",
        environment: Mapping[str, str] | None = None,
        more: str = "",
        *,
        broker: str | None = None,
        database: str = "sqlite:///rows.sqlite",
    ) -> None:
        monkeypatch.setattr(scenes, "SCENES", (scene,))
        monkeypatch.setattr(loop, "TICK_MS", 20)  # so that it ends soon
        monkeypatch.setattr(writer, "IDLE_S", 0.02)
        monkeypatch.setattr(writer, "GATHER_S", 0.0)  # a test waits for each message: nothing comes to gather with
        with socket.create_server(("127.0.0.1", 0)) as closed:
            self.broker = broker or f"mqtt://127.0.0.1:{closed.getsockname()[1]}"
        config = folder / "scenewatch.toml"
        config.write_text(
            f'[broker]\nurl = "{self.broker}"\n[store]\nurl = "{store}"\n'
            f'[database]\nurl = "{database}"\n[journal]\npath = "journal"\n{more}'
        )
        self.settings = load(config, environment or {})
        with closing(Database(self.settings.database.url)) as opened:
            Inventory(opened).upsert(DEVICES)
        self.worker = Worker(self.settings, clock)
        self.view = WorkerView(self.worker)
        app = create_app(self.view)
        address = listen("127.0.0.1", 0)
        self.server = Server(app, address, before_end=app.state.stream.close)
        self.url = f"http://127.0.0.1:{address.getsockname()[1]}"
        self.client = httpx.Client(base_url=self.url, timeout=DEADLINE_S, trust_env=False)
        self.worker.start()
        self._serving = threading.Thread(target=self.server.serve_until_told)
        self._serving.start()
        wait_for(lambda: self.worker._source._thread and self.worker.store.position() == self.worker.journal.head)

    def send(self, received_ms: int, *pairs: tuple[bytes, bytes]) -> None:
        """Returns when the store has it."""
        journal = self.worker.journal
        head = journal.head + len(pairs)
        journal.append(Messages.of(pairs, received_ms))
        wait_for(lambda: self.worker.store.position() >= head)

    def get(self, path: str, **query: Any) -> Any:
        answer = self.client.get(path, params=query or None)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ledger(self) -> dict[str, int]:
        """The columns, which are the sum of all sites' and of all devices'. For moments when nothing moves."""
        whole = self.get("/api/v1/ledger")
        for rows in ("sites", "devices"):
            accounts = self.get(f"/api/v1/ledger/{rows}")
            parts = [*accounts[rows], accounts["unassigned"]]
            for column in COLUMNS:
                added = sum(part[column] for part in parts)
                assert added == accounts["total"][column] == whole[column], (rows, column)
        assert whole["received"] == sum(whole[column] for column in COLUMNS[1:])
        return {column: whole[column] for column in COLUMNS}

    def close(self) -> None:
        """Nothing is lost, and everything belongs to somebody, whatever the test did."""
        serves = not self.server.should_exit and self.worker.failure is None
        if serves and self.view.ledger().pending == 0:
            self.ledger()
        self.server.end()
        self._serving.join(DEADLINE_S)
        self.client.close()
        self.worker.stop()


@contextmanager
def one_after_another(
    folder: Path, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., WorkerRig]]:
    """Begins a worker in the folder; again after the one before was closed. The last one is closed at the end."""
    rigs: list[WorkerRig] = []

    def begin(store: str = "duckdb:r.duckdb", at_ms: int = START_MS, **options: Any) -> WorkerRig:
        rigs.append(WorkerRig(folder, scene, HandClock(at_ms), monkeypatch, store, **options))
        return rigs[-1]

    yield begin
    for rig in rigs:
        if rig.server.started and not rig.server.should_exit:
            rig.close()
