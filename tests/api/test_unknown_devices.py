"""Devices that speak and are in no inventory: seen, suggested, adopted, and their kept messages in the chart."""

from __future__ import annotations

import json
import shutil

import pytest

from ends import HandClock, wait_for
from operators_rig import OperatorsRig
from records import START_MS, telemetry, topic
from scenewatch import app, cli
from scenewatch.model.ledger import UNKNOWN_DEVICE, DeadLetter
from scenewatch.model.place import Device
from scenewatch.model.words import Text
from scenewatch.store.deadletters import DeadLetters
from scenewatch.store.devices import Inventory
from scenewatch.store.lease import Lease, Leases
from scenewatch.store.relational import Database
from scenewatch.worker import adoption, taking
from scenewatch.worker.adoption import Adoption, channels_of

ADOPT = "/api/v1/unknown-devices/adopt"
VAT_7 = {"scene": "brine", "site": "w1", "device": "vat-7", "type": "vat", "parent": "gw"}


@pytest.fixture
def rig(tmp_path, vat_scene, monkeypatch):
    monkeypatch.setattr(app, "LOOK_S", 0.02)
    monkeypatch.setattr(adoption, "FRESH_S", -1.0)
    monkeypatch.setattr(adoption, "REST", 0)
    made = OperatorsRig(tmp_path, vat_scene, HandClock(START_MS), monkeypatch)
    yield made
    made.close()


def unknown(rig):
    return rig.get("/api/v1/unknown-devices")["unknown_devices"]


def speaks(rig, device="vat-7", count=3, site="w1"):
    for n in range(count):
        at_ms = START_MS + n * 10_000
        rig.send(at_ms, (topic(device, site=site), telemetry(at_ms, b="x", n=n, temp=20 + n)))


def adopt(rig, **wanted):
    return rig.bearer("POST", ADOPT, body=VAT_7 | wanted)


def test_it_is_told_what_speaks_and_what_it_may_be(rig):
    speaks(rig)
    rig.send(START_MS + 50_000, (topic("vat-7", "status"), b'{"state": "online"}'))
    (seen,) = unknown(rig)
    assert json.loads(seen.pop("sample"))["v"] == {"temp": 22}
    assert seen == {
        "scene": "brine",
        "site": "w1",
        "device": "vat-7",
        "site_known": True,
        "messages": 4,
        "first_at": START_MS,
        "last_at": START_MS + 50_000,
        "channels": ["temp"],
        "suggested_type": "vat",
        "types": ["vat", "gateway"],
    }


def test_the_one_heard_of_last_comes_first_and_a_new_site_says_so(rig):
    speaks(rig)
    rig.send(
        START_MS + 90_000, (b"sw/brine/w9/odd/telemetry", b'{"v": {"salt": 1}'), (b"sw/zoo/z/ape/event", b"\xff")
    )
    told = [(s["scene"], s["site_known"], s["suggested_type"], s["types"], s["channels"]) for s in unknown(rig)]
    assert told == [
        ("brine", False, None, ["vat", "gateway"], []),
        ("zoo", False, None, [], []),
        ("brine", True, "vat", ["vat", "gateway"], ["temp"]),
    ]


def test_adopted_its_first_kept_message_is_in_its_chart(rig):
    speaks(rig)
    answer = adopt(rig, name={"en": "<b>Vat</b>", "zh": "七号缸"})
    assert (answer.status_code, answer.json()) == (200, {"device": "brine.w1.vat-7", "retried": 3})
    assert unknown(rig) == []
    wait_for(lambda: rig.get("/api/v1/ledger")["stored"] == 3)
    span = {"from": START_MS - 1000, "to": START_MS + 60_000}
    chart = rig.get("/api/v1/chart", series="brine.w1.vat-7.temp", **span)
    assert [(w["t"], w["mean"]) for w in chart["windows"]] == [(START_MS + n * 10_000, 20 + n) for n in range(3)]
    (device,) = (d for d in rig.get("/api/v1/devices")["devices"] if d["id"] == "brine.w1.vat-7")
    assert (device["name"], device["parent"]) == ({"en": "<b>Vat</b>", "zh": "七号缸"}, "gw")
    assert rig.get("/api/v1/alarms")["alarms"] == []
    assert adopt(rig, name={"en": "<b>Vat</b>", "zh": "七号缸"}).json()["retried"] == 0  # again changes nothing
    assert adopt(rig).status_code == 409
    (first, *_) = reversed(rig.get("/api/v1/audit")["actions"])
    assert (first["by"], first["what"], first["target"]) == ("li", "adopt", "brine.w1.vat-7")


def test_nobody_but_an_operator_adopts(rig):
    speaks(rig, count=1)
    assert rig.ask("POST", ADOPT, body=VAT_7).status_code == 401
    assert rig.ask("POST", ADOPT, body=VAT_7, Cookie=rig.cookie(), Origin="http://elsewhere").status_code == 403
    assert len(unknown(rig)) == 1
    assert "adopt" not in {action["what"] for action in rig.get("/api/v1/audit")["actions"]}


@pytest.mark.parametrize(
    ("wanted", "status", "told"),
    [
        (
            {"type": "fridge", "parent": "gw-9"},
            422,
            ["unknown type 'fridge'", "parent 'gw-9' is not a device of site"],
        ),
        ({"scene": "zoo"}, 422, ["unknown scene 'zoo': use brine"]),
        ({"device": "a/b", "name": {"en": "x" * 201}}, 422, ["'a/b' cannot be part", "name_en has 201 letters"]),
        ({"device": "vat-1", "parent": ""}, 409, ["brine.w1.vat-1 is in the inventory already, as a vat"]),
        ({"device": "vat-8"}, 404, ["nothing was heard of brine.w1.vat-8: is its topic sw/brine/w1/vat-8/+?"]),
        ({"lat": 31}, 422, ["lat: Extra inputs"]),
    ],
)
def test_what_is_wrong_is_told_at_once_and_nothing_is_changed(rig, wanted, status, told):
    speaks(rig, count=1)
    answer = adopt(rig, **wanted)
    assert answer.status_code == status
    assert [what for what in told if what not in answer.json()["detail"]] == []
    assert len(unknown(rig)) == 1
    assert len(rig.get("/api/v1/devices")["devices"]) == 4


def test_killed_it_knows_them_still(tmp_path, vat_scene, rig):
    speaks(rig)
    before = unknown(rig)
    found = tmp_path / "found"
    found.mkdir()
    for name in ("rows.sqlite", "rows.sqlite-wal"):
        shutil.copy(tmp_path / name, found / name)  # what a kill leaves
    database = Database(f"sqlite:///{found / 'rows.sqlite'}")
    after = Adoption(database, [vat_scene], "sw", HandClock(START_MS)).unknown().strangers
    database.close()
    assert [(s.device, s.messages, s.sample) for s in after] == [
        (s["device"], s["messages"], s["sample"]) for s in before
    ]


def test_imported_it_is_unknown_no_more(rig):
    speaks(rig)
    database = Database(rig.settings.database.url)
    Inventory(database).upsert([Device(scene="brine", site="w1", device="vat-7", type="vat")])
    database.close()
    assert unknown(rig) == []


def test_the_command_adopts_as_what_it_seems_to_be(rig, capsys):
    speaks(rig)
    config = rig.settings.journal.path.parent / "scenewatch.toml"
    assert cli.main(["inventory", "unknown", "--config", str(config)]) == 0
    assert "brine.w1.vat-7  3         vat" in capsys.readouterr().out
    asked = ["inventory", "adopt", "brine.w1.vat-7", "--name-zh", "七号缸", "--config", str(config)]
    assert cli.main(asked) == 0
    assert capsys.readouterr().out == "brine.w1.vat-7 is a vat now; 3 of its messages are tried again\n"
    wait_for(lambda: rig.get("/api/v1/ledger")["stored"] == 3)
    assert cli.main(["inventory", "adopt", "brine.w1.vat-8", "--config", str(config)]) == 2
    assert "fits no one device type" in capsys.readouterr().err
    assert cli.main(["inventory", "adopt", "vat-8", "--config", str(config)]) == 2


# --- without a worker --------------------------------------------------------------------------------------


@pytest.fixture
def database(tmp_path):
    made = Database(f"sqlite:///{tmp_path / 'rows.sqlite'}")
    yield made
    made.close()


def letter(position, name, payload=b"{}"):
    reason = f"{UNKNOWN_DEVICE}brine.w1.{name}: import it into the inventory"
    return DeadLetter(position, START_MS + position, f"sw/brine/w1/{name}/telemetry".encode(), payload, reason)


def test_of_hostile_topics_only_so_many_are_held_and_the_rest_counted(database, vat_scene, monkeypatch):
    monkeypatch.setattr(adoption, "MOST_TOPICS", 50)
    deep = b'{"v":' + b"[" * 100_000
    large = json.dumps({"v": {f"{n}" * 100: 1 for n in range(1000)}}).encode()
    DeadLetters(database).add([letter(n, f"x{n}", (deep, large)[n % 2]) for n in range(300)])
    seen = Adoption(database, [vat_scene], "sw", HandClock(START_MS)).unknown()
    assert ([s.device for s in seen.strangers], seen.beyond) == ([f"x{n}" for n in range(299, 249, -1)], 250)
    assert max(len(s.sample) for s in seen.strangers) <= 1000
    assert {len(s.channels) for s in seen.strangers} <= {0, 64}


@pytest.mark.parametrize("payload", [b"", b"\xff", b"[]", b'{"v": 3}', b'{"v": [1]}', b"[" * 100_000])
def test_of_what_is_no_telemetry_no_channel_is_told(payload):
    assert channels_of(payload) == ()


def test_without_a_worker_it_waits_for_the_next(database, vat_scene):
    DeadLetters(database).add([letter(1, "vat-7")])
    wanted = Device(scene="brine", site="w1", device="vat-7", type="vat", name=Text("Vat", "缸"))
    adopted = Adoption(database, [vat_scene], "sw", HandClock(START_MS)).adopt(wanted)
    assert adopted.retried == 1
    assert Inventory(database).devices() == [wanted]
    assert DeadLetters(database).at(1).asked_ms == START_MS


def test_a_worker_that_does_not_take_it_is_told_and_asking_again_goes_on(database, vat_scene, monkeypatch):
    monkeypatch.setattr(taking, "TAKEN_WITHIN_S", 0.05)
    DeadLetters(database).add([letter(1, "vat-7")])
    assert Leases(database).take(Lease("hangs", "f", "h", 1), START_MS, instead_of=None)
    ours = Adoption(database, [vat_scene], "sw", HandClock(START_MS))
    wanted = Device(scene="brine", site="w1", device="vat-7", type="vat")
    with pytest.raises(adoption.TemporaryError, match="no worker has taken it yet: adopt it again"):
        ours.adopt(wanted)
    assert DeadLetters(database).at(1).asked_ms is None  # it would be tried in vain
    Inventory(database).take(Inventory(database).revision())
    assert ours.adopt(wanted).retried == 1
