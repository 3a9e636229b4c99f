"""Dead letters tried again by a whole worker: from the command to the store, killed at any step between."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from ends import Gate, wait_for
from records import START_MS, telemetry, topic
from scenewatch import app, cli
from scenewatch.model.clock import SystemClock
from scenewatch.store.letterfilter import LetterState, Which
from worker_rig import WorkerRig

HEAD = "scene,site,device,type,parent,name_en,name_zh,lat,lon\n"


class Life:
    """One worker after the other."""

    def __init__(self, folder, scene, monkeypatch):
        self.folder, self.scene, self.monkeypatch = folder / "life", scene, monkeypatch
        self.folder.mkdir()
        self.rig = None
        self.killed = []

    @property
    def config(self):
        return self.folder / "scenewatch.toml"

    def begin(self):
        self.rig = WorkerRig(self.folder, self.scene, SystemClock(), self.monkeypatch)
        return self.rig

    def end(self):
        self.rig.close()
        self.rig = None

    def kill(self):
        """What the files hold now is all that the next worker finds; this one's end changes nothing of it."""
        self.killed.append(self.rig)
        self.rig = None
        self.folder = shutil.copytree(self.folder, self.folder.with_name(f"life-{len(self.killed)}"))

    def type(self, *arguments):
        return cli.main([str(a) for a in (*arguments, "--config", self.config)])

    def letters(self, state=LetterState.ALL):
        return self.rig.worker.letters.dead_letters(100, Which(state=state))

    def stored(self):
        return self.rig.get("/api/v1/ledger")["stored"]

    def columns(self):
        return self.rig.ledger()

    def temperatures(self):
        page = self.rig.get("/api/v1/readings", device="brine.w1.vat-7", channel="temp")
        return [(r["t"] - START_MS, r["value"]) for r in page["readings"]]


@pytest.fixture
def life(tmp_path, vat_scene, monkeypatch):
    monkeypatch.setattr(app, "LOOK_S", 0.02)
    made = Life(tmp_path, vat_scene, monkeypatch)
    yield made
    for rig in (*made.killed, made.rig):
        if rig is not None:
            rig.close()


def stranger_speaks(life, count=3):
    for n in range(count):
        at_ms = START_MS + n * 10_000
        life.rig.send(at_ms, (topic("vat-7"), telemetry(at_ms, b="x", n=n, temp=20 + n)))


def adopt(life):
    file = life.folder / "more.csv"
    file.write_text(HEAD + "brine,w1,vat-7,vat,,Vat 7,七号缸,,\n", "utf-8")
    assert life.type("inventory", "import", file) == 0
    if life.rig is not None:
        wait_for(lambda: life.rig.view.registry.number("brine.w1.vat-7") is not None)


EXPECTED = [(0, 20.0), (10_000, 21.0), (20_000, 22.0)]


def test_an_unknown_device_is_adopted_and_its_readings_come_to_their_time(life, capsys):
    life.begin()
    stranger_speaks(life)
    assert life.columns() == {"received": 3, "stored": 0, "duplicate": 0, "dead": 3, "pending": 0}
    (w1,) = (s for s in life.rig.get("/api/v1/ledger/sites")["sites"] if s["id"] == "brine.w1")
    assert (w1["dead"], w1["unassigned"]) == (3, 3)
    adopt(life)
    capsys.readouterr()
    assert life.type("dead-letters", "retry", "--reason", "unknown device", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"asked": 3}
    wait_for(lambda: life.stored() == 3)
    assert life.columns() == {"received": 3, "stored": 3, "duplicate": 0, "dead": 0, "pending": 0}
    assert life.temperatures() == EXPECTED
    assert life.rig.get("/api/v1/alarms")["alarms"] == []
    assert life.letters(LetterState.DEAD) == []
    assert [(kept.tries, kept.asked_ms, kept.taken_ms is not None) for kept in life.letters()] == [
        (1, None, True)
    ] * 3
    assert life.type("dead-letters", "retry", "--all") == 1  # none is left
    (taken,) = {d["reason"] for d in life.rig.get("/api/v1/dead-letters", state="taken")["dead_letters"]}
    assert taken.startswith("unknown device brine.w1.vat-7")  # the trace says why it once was


def test_a_letter_that_is_still_bad_says_how_often_it_was_tried(life):
    life.begin()
    stranger_speaks(life, 1)
    for tries in (1, 2):
        assert life.type("dead-letters", "retry", "--all") == 0
        wait_for(lambda: life.letters()[0].asked_ms is None)
        assert life.letters()[0].tries == tries  # called at once
    assert life.columns()["dead"] == 1


def shut(monkeypatch, holder, name):
    """From here on a step is refused for now, and so never done in this life."""
    gate = Gate(getattr(holder, name))
    gate.shut = True
    monkeypatch.setattr(holder, name, gate)
    return gate


STEPS = {
    "before it is in the journal": lambda worker: (worker._mender._retries, "asked"),
    "before the table is told": lambda worker: (worker.accounts, "keep"),
    "before the store has it": lambda worker: (worker.store, "write"),
}


@pytest.mark.parametrize("step", STEPS)
def test_killed_between_any_two_steps_it_is_done_once(life, monkeypatch, step):
    for name in ("END_S", "FAREWELL_S", "CLOSING_S"):
        monkeypatch.setattr(app, name, getattr(app, name) / 6)
    life.begin()
    stranger_speaks(life)
    adopt(life)
    gate = shut(monkeypatch, *STEPS[step](life.rig.worker))
    assert life.type("dead-letters", "retry", "--all") == 0
    wait_for(lambda: gate.refused)
    before = life.columns()
    assert (before["dead"], before["stored"]) == (3, 0)
    life.kill()
    life.begin()
    wait_for(lambda: life.stored() == 3)
    assert life.columns() == {"received": 3, "stored": 3, "duplicate": 0, "dead": 0, "pending": 0}
    assert life.temperatures() == EXPECTED
    head = life.rig.worker.journal.head
    assert [(kept.tries, kept.asked_ms) for kept in life.letters()] == [(1, None)] * 3
    life.end()
    life.begin()  # and once more, from a snapshot or from the start
    assert life.columns() == {"received": 3, "stored": 3, "duplicate": 0, "dead": 0, "pending": 0}
    assert life.rig.worker.journal.head == head


def test_asked_while_no_worker_runs_it_is_done_by_the_next(life):
    life.begin()
    stranger_speaks(life)
    life.end()
    adopt(life)
    assert life.type("dead-letters", "retry", "--site", "w1") == 0
    life.begin()
    wait_for(lambda: life.stored() == 3)
    assert life.temperatures() == EXPECTED


class Refusing:
    """A store in front of another one, whose server does not take what is not as `likes` it."""

    def __init__(self, behind):
        self.behind = behind
        self.likes = lambda value: value < 50

    def __call__(self, batch, names, keep_apart):
        bad = np.flatnonzero([not self.likes(value) for value in batch.value.tolist()])
        if len(bad):
            counts = keep_apart(batch, dict.fromkeys(bad.tolist(), "too large"))
            batch = batch.select(np.isin(np.arange(len(batch)), bad, invert=True))
            batch.counts += counts
        return self.behind(batch, names)


def test_what_the_store_refused_comes_in_when_it_takes_it(life, monkeypatch):
    """First it is dead on its device's account, after a retry in vain still, and stored once it is mended."""
    rig = life.begin()
    refusing = Refusing(rig.worker.store.write)
    monkeypatch.setattr(rig.worker.store, "write", refusing)
    at_ms = START_MS
    rig.send(at_ms, (topic("vat-1"), telemetry(at_ms, b="x", n=0, temp=20)))
    rig.send(at_ms + 1, (topic("vat-1"), telemetry(at_ms + 1, b="x", n=1, temp=60)))
    rig.send(at_ms + 2, (topic("vat-1"), telemetry(at_ms + 2, b="x", n=2, temp=60, level=2)))
    assert life.columns() == {"received": 3, "stored": 2, "duplicate": 0, "dead": 1, "pending": 0}
    for tries in (1, 2):
        assert life.type("dead-letters", "retry", "--all") == 0
        wait_for(lambda: all(kept.tries == tries and kept.asked_ms is None for kept in life.letters()))  # noqa: B023
        wait_for(lambda: rig.worker.store.position() == rig.worker.journal.head)
        assert life.columns() == {"received": 3, "stored": 2, "duplicate": 0, "dead": 1, "pending": 0}
        assert [kept.taken_ms for kept in life.letters()] == [None, None]
    refusing.likes = lambda _: True
    assert life.type("dead-letters", "retry", "--all") == 0
    wait_for(lambda: life.stored() == 3)
    assert life.columns() == {"received": 3, "stored": 3, "duplicate": 0, "dead": 0, "pending": 0}
    page = rig.get("/api/v1/readings", device="brine.w1.vat-1", channel="temp")
    assert [(r["t"] - START_MS, r["value"]) for r in page["readings"]] == [(0, 20.0), (1, 60.0), (2, 60.0)]
    wait_for(lambda: life.letters(LetterState.DEAD) == [])
    (device,) = (d for d in rig.get("/api/v1/ledger/devices")["devices"] if d["id"] == "brine.w1.vat-1")
    assert (device["stored"], device["dead"]) == (3, 0)
