"""Server-sent events: first everything, then what changes; who is too slow is let go."""

from __future__ import annotations

import asyncio
import json
import threading

import pytest

from ends import DEADLINE_S, HandClock, wait_for
from records import START_MS, telemetry, topic
from scenewatch.api import shapes
from scenewatch.api import stream as module
from scenewatch.api.stream import Stream
from worker_rig import WorkerRig


@pytest.fixture
def rig(vat_scene, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LOOK_S", 0.02)
    made = WorkerRig(tmp_path, vat_scene, HandClock(START_MS), monkeypatch)
    yield made
    made.close()


def parsed(chunk):
    name, data = chunk.rstrip("\n").split("\n")
    return name.removeprefix("event: "), json.loads(data.removeprefix("data: "))


class Listener:
    """Reads the stream in a thread; `events` are (name, data) in order, `ended` is set when the server is done."""

    def __init__(self, rig):
        self.events = []
        self.comments = 0
        self.ended = threading.Event()
        self._rig = rig
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        with self._rig.client.stream("GET", "/api/v1/stream", timeout=DEADLINE_S) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            block = []
            for line in answer.iter_lines():
                if line.startswith(":"):
                    self.comments += 1
                elif line:
                    block.append(line)
                elif block:
                    self.events.append(parsed("\n".join(block)))
                    block = []
        self.ended.set()

    def of(self, name):
        return [data for found, data in list(self.events) if found == name]


def heat(rig, *seconds, temp=95):
    for s in seconds:
        at_ms = START_MS + s * 1000
        rig.send(at_ms, (topic("vat-1"), telemetry(at_ms, temp=temp)))


def test_the_first_events_are_everything(rig):
    heat(rig, 0, 20)
    rig.send(START_MS, (topic("gw", "status"), b'{"state": "online"}'))
    listener = Listener(rig)
    wait_for(lambda: len(listener.events) >= 4)
    assert [name for name, _ in listener.events[:4]] == ["values", "online", "alarms", "ledger"]
    values, online, alarms, ledger = (data for _, data in listener.events[:4])
    assert values == {
        "at": START_MS,
        "devices": {"brine.w1.vat-1": {"temp": [95.0, START_MS + 20_000, "suspect", "expected"]}},
    }
    assert online == {"brine.w1.gw": True, "brine.w1.vat-1": True, "brine.w1.vat-2": True}
    assert shapes.Alarms.model_validate(alarms).alarms[0].rule == "brine.vat_hot"
    assert shapes.Ledger.model_validate(ledger).stored == 3


def test_then_come_the_changes_and_only_these(rig):
    heat(rig, 0)
    listener = Listener(rig)
    wait_for(lambda: len(listener.of("ledger")) >= 2)
    listener.events.clear()
    heat(rig, 10, 20)
    rig.send(START_MS, (topic("gw", "status"), b'{"state": "offline"}'))
    wait_for(lambda: listener.of("alarms") and listener.of("online"))
    newest = [data["devices"]["brine.w1.vat-1"]["temp"][1] for data in listener.of("values")]
    assert newest[-1] == START_MS + 20_000
    assert sorted(set(newest)) == newest
    assert [a["state"] for a in listener.of("alarms")[0]["alarms"]] == ["unacknowledged"]
    assert listener.of("online") == [{f"brine.w1.{d}": False for d in ("gw", "vat-1", "vat-2")}]


def test_a_silent_stream_is_kept_alive(rig):
    listener = Listener(rig)
    wait_for(lambda: listener.comments >= 2)
    assert listener.of("values") == [{"at": START_MS, "devices": {}}]


def test_listeners_are_told_to_go_when_the_server_ends(rig):
    listeners = [Listener(rig) for _ in range(3)]
    wait_for(lambda: all(x.events for x in listeners))
    rig.server.end()
    assert all(x.ended.wait(DEADLINE_S) for x in listeners)


def test_a_failed_look_does_not_end_the_stream(rig, monkeypatch, caplog):
    def fails(*_):
        raise ValueError("no look")

    listener = Listener(rig)
    wait_for(lambda: len(listener.events) >= 4)
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(module.present, "changed_values", fails)
        wait_for(lambda: "could not look at the worker's state" in caplog.text)
    heat(rig, 0)
    wait_for(lambda: any(data["devices"] for data in listener.of("values")))


def test_a_slow_listener_is_let_go_and_a_quick_one_stays(rig, monkeypatch):
    monkeypatch.setattr(module, "LOOK_S", 0.001)
    monkeypatch.setattr(module, "LEDGER_EVERY", 1)
    monkeypatch.setattr(module, "QUEUE", 8)

    async def scenario():
        stream = Stream(rig.view)
        async with stream.running():
            slow, quick = stream.listen(), stream.listen()
            first = parsed((await anext(slow)).decode())
            await anext(quick)
            heard = 0
            async with asyncio.timeout(DEADLINE_S):
                while len(stream._queues) > 1:
                    await anext(quick)
                    heard += 1
                rest = [chunk async for chunk in slow]
                for _ in range(20):
                    await anext(quick)
            await quick.aclose()
            return first[0], rest, heard, len(stream._queues)

    first, rest, heard, left = asyncio.run(scenario())
    assert (first, rest, left) == ("values", [], 0)
    assert heard > 4


def test_nothing_is_looked_at_while_nobody_listens(rig, monkeypatch):
    monkeypatch.setattr(module, "LOOK_S", 0.001)
    monkeypatch.setattr(module, "LEDGER_EVERY", 1)
    looks = []
    now = rig.view.now
    monkeypatch.setattr(rig.view, "now", lambda: (looks.append(1), now())[1])

    async def scenario():
        stream = Stream(rig.view)
        async with stream.running():
            await asyncio.wait({asyncio.create_task(asyncio.Event().wait())}, timeout=0.05)
            unheard = len(looks)
            listener = stream.listen()
            for _ in range(20):
                await anext(listener)
            await listener.aclose()
            return unheard

    assert asyncio.run(scenario()) == 0
    assert len(looks) > 2
