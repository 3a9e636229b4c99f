"""The API of a worker: every answer has the shape it is described with, and every error is a problem."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from records import START_MS
from scenewatch.api import events, explainshapes, loadshapes, operate_shapes, shapes, tableshapes, unknown
from scenewatch.model.errors import TemporaryError

EXPLANATION = f"/api/v1/alarms/explanation?rule=brine.vat_hot&device=brine.w1.vat-1&raised_at={START_MS + 30_000}"
SHAPES = {
    "/api/v1/scenes": tableshapes.Scenes,
    "/api/v1/sites": shapes.Sites,
    "/api/v1/devices": shapes.Devices,
    "/api/v1/alarms": shapes.Alarms,
    "/api/v1/alarms/raised?from=0": shapes.RaisedByRule,
    f"/api/v1/alarm-load?to={START_MS + 60_000}": loadshapes.AlarmLoad,
    EXPLANATION: explainshapes.Explanation,
    "/api/v1/ledger": shapes.Ledger,
    "/api/v1/ledger/sites": shapes.SiteAccounts,
    "/api/v1/ledger/devices?site=w1": shapes.DeviceAccounts,
    "/api/v1/dead-letters": shapes.DeadLetters,
    "/api/v1/dead-letters/reasons": shapes.DeadLetterReasons,
    "/api/v1/sessions/current": operate_shapes.SessionNow,
    "/api/v1/commands": operate_shapes.Commands,
    "/api/v1/audit": operate_shapes.Actions,
    "/api/v1/events": events.Events,
    "/api/v1/unknown-devices": unknown.UnknownDevices,
    "/api/v1/readings?device=vat-1&channel=temp": shapes.ReadingsPage,
    f"/api/v1/chart?series=brine.w1.vat-1.temp&from=0&to={2 * START_MS}": shapes.Chart,
}
CHANGES = {
    ("/api/v1/sessions", "post"),
    ("/api/v1/sessions/current", "delete"),
    ("/api/v1/alarms/acknowledge", "post"),
    ("/api/v1/commands", "post"),
    ("/api/v1/unknown-devices/adopt", "post"),
}


@pytest.mark.parametrize("path", SHAPES)
def test_answers_have_the_shape_they_are_described_with(rig, path):
    body = rig.get(path)
    shaped = SHAPES[path].model_validate(body, extra="forbid", strict=True)
    assert shaped.model_dump(by_alias=True) == body


def test_scenes_are_the_tables(rig):
    (scene,) = rig.get("/api/v1/scenes")["scenes"]
    assert [t["key"] for t in scene["device_types"]] == ["vat", "gateway"]
    assert scene["device_types"][0]["channels"][1]["expected"] is None
    hot, silent = scene["rules"]
    assert (hot["kind"], hot["limit"], hot["after_s"], hot["on_delay_s"]) == ("above", 80.0, None, 20.0)
    assert (silent["kind"], silent["limit"], silent["after_s"]) == ("no_data", None, 60.0)


def test_sites_tell_how_they_are(rig):
    first, second = rig.get("/api/v1/sites")["sites"]
    assert first == {
        "id": "brine.w1",
        "scene": "brine",
        "site": "w1",
        "devices": 3,
        "online": True,
        "standing": 1,
        "worst": "high",
        "newest_at": START_MS + 40_000,
    }
    assert (second["id"], second["online"], second["newest_at"], second["worst"]) == ("brine.w2", False, None, None)


def test_devices_show_their_values_now(rig):
    gateway, vat, silent, other = rig.get("/api/v1/devices")["devices"]
    at = START_MS + 40_000
    assert gateway["channels"] == []
    assert vat["channels"] == [
        {"key": "temp", "value": 95.0, "at": at, "flag": "suspect", "test": "expected"},
        {"key": "level", "value": 50.0, "at": at, "flag": "good", "test": "none"},
    ]
    assert (vat["lat"], vat["lon"], vat["missing"]) == (31.2, 121.5, 2)
    nothing = {"key": "temp", "value": None, "at": None, "flag": "missing", "test": "none"}
    assert silent["channels"][0] == nothing
    assert [d["online"] for d in (gateway, vat, silent, other)] == [True, True, True, False]


@pytest.mark.parametrize(("site", "count"), [("w1", 3), ("brine.w2", 1), ("w9", 0)])
def test_devices_of_one_site(rig, site, count):
    assert len(rig.get("/api/v1/devices", site=site)["devices"]) == count


@pytest.mark.parametrize(
    ("state", "count"), [("standing", 1), ("all", 1), ("unacknowledged", 1), ("normal", 0), ("shelved", 0)]
)
def test_alarms_by_state(rig, state, count):
    alarms = rig.get("/api/v1/alarms", state=state)["alarms"]
    assert len(alarms) == count
    for alarm in alarms:
        assert (alarm["rule"], alarm["device"]) == ("brine.vat_hot", "brine.w1.vat-1")
        assert (alarm["raised_at"], alarm["cleared_at"], alarm["value"]) == (START_MS + 30_000, None, 87.0)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"site": "brine.w1", "priority": "high", "rule": "brine.vat_hot"}, 1),
        ({"site": "brine.w"}, 0),
        ({"device": "brine.w1.vat-2"}, 0),
        ({"state": "past"}, 0),
        ({"search": "VAT-1"}, 1),
        ({"search": "hot"}, 1),
        ({"search": "%"}, 0),
        ({"before": f"{START_MS + 30_000}~brine.vat_hot~brine.w1.vat-1"}, 0),
        ({"before": f"{START_MS + 30_000}~brine.vat_ho~brine.w1.vat-1"}, 1),
    ],
)
def test_alarms_are_found_by_all_that_is_asked(rig, query, count):
    found = rig.get("/api/v1/alarms", **query)
    assert (len(found["alarms"]), found["next"]) == (count, None)


def test_how_often_a_rule_raised_is_counted(rig):
    at = START_MS + 30_000
    assert rig.get("/api/v1/alarms/raised", **{"from": at})["rules"] == [{"rule": "brine.vat_hot", "count": 1}]
    assert rig.get("/api/v1/alarms/raised", **{"from": at + 1})["rules"] == []


def test_readings_are_ascending_and_end_before_to(rig):
    page = rig.get(
        "/api/v1/readings", device="brine.w1.vat-1", channel="temp", **{"from": START_MS, "to": START_MS + 40_000}
    )
    assert (page["device"], page["unit"], page["truncated"]) == ("brine.w1.vat-1", "°C", False)
    assert [(r["t"] - START_MS, r["value"]) for r in page["readings"]] == [
        (0, 70.0),
        (5_000, 71.0),
        (10_000, 85.0),
        (20_000, 86.0),
        (30_000, 87.0),
    ]


def test_readings_say_when_there_are_more(rig):
    page = rig.get("/api/v1/readings", device="vat-1", channel="level", limit=2)
    assert (len(page["readings"]), page["truncated"]) == (2, True)
    assert rig.get("/api/v1/readings", device="vat-1", channel="level", limit=5)["truncated"] is False


def test_a_chart_has_few_windows_and_every_extreme(rig):
    span = {"from": START_MS, "to": START_MS + 40_000}
    found = rig.get("/api/v1/chart", series="brine.w1.vat-1.temp", points=2, **span)
    assert (found["device"], found["channel"], found["unit"]) == ("brine.w1.vat-1", "temp", "°C")
    assert (found["width_ms"], found["truncated"]) == (20_000, False)
    assert [(w["t"] - START_MS, w["low"], w["high"], w["count"]) for w in found["windows"]] == [
        (0, 70.0, 85.0, 3),
        (20_000, 86.0, 87.0, 2),
    ]
    found = rig.get("/api/v1/chart", series="vat-1.temp", **span)
    assert (found["width_ms"], [w["high"] for w in found["windows"]]) == (0, [70.0, 71.0, 85.0, 86.0, 87.0])


@pytest.mark.parametrize(
    ("status", "path", "detail"),
    [
        (404, "/api/v1/readings?device=vat-9&channel=temp", "no device 'vat-9'"),
        (404, "/api/v1/readings?device=vat-2&channel=temp", "not unique: say which, such as brine.w1.vat-2"),
        (404, "/api/v1/readings?device=vat-1&channel=ph", "no channel 'ph'; it has: temp, level"),
        (404, "/api/v1/readings?device=gw&channel=ph", "it has: none"),
        (404, "/api/v1/chart?series=vat-9.temp&from=1&to=2", "no device 'vat-9'"),
        (404, "/api/v1/chart?series=temp&from=1&to=2", "no device ''"),
        (404, "/api/v1/chart?series=vat-1.ph&from=1&to=2", "no channel 'ph'; it has: temp, level"),
        (422, "/api/v1/chart?series=vat-1.temp&from=2&to=2", "query.to: must be later than from"),
        (422, "/api/v1/chart?series=vat-1.temp&to=2", "query.from: Field required"),
        (422, "/api/v1/chart?series=vat-1.temp&from=1&to=2&points=0", "query.points: "),
        (422, f"/api/v1/chart?series=vat-1.temp&from=-{2**62}&to=2", "query.from: "),
        (404, "/api/v1/nothing", "Not Found"),
        (403, "POST /api/v1/sites", "operators_file"),
        (422, "/api/v1/readings?channel=temp", "query.device: Field required"),
        (422, "/api/v1/readings?device=vat-1&channel=temp&limit=0", "query.limit: "),
        (422, "/api/v1/readings?device=vat-1&channel=temp&from=noon", "query.from: "),
        (422, f"/api/v1/readings?device=vat-1&channel=temp&from={10**40}", "query.from: "),
        (422, f"/api/v1/readings?device=vat-1&channel=temp&to=-{10**20}", "query.to: "),
        (422, "/api/v1/alarm-load?from=2&to=2", "query.to: must be later than from"),
        (422, f"/api/v1/alarm-load?from=0&to={2**50}", "query.from: must be within ten years of to"),
        (422, "/api/v1/alarm-load?operators=0", "query.operators: "),
        (422, "/api/v1/alarms?state=loud", "query.state: "),
        (422, "/api/v1/alarms?limit=1e9", "query.limit: "),
        (422, "/api/v1/alarms?before=1~2", "query.before: must be `next` of a page before"),
        (422, f"/api/v1/alarms?before={10**30}~a~b", "query.before: no such time"),
        (422, f"/api/v1/alarms?search={'x' * 201}", "query.search: "),
        (422, "/api/v1/alarms?search=%00", "query.search: "),
        (422, "/api/v1/alarms/raised", "query.from: Field required"),
    ],
)
def test_errors_are_problems(rig, status, path, detail):
    method, _, url = path.rpartition(" ")
    answer = rig.client.request(method or "GET", url)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    problem = shapes.Problem.model_validate(answer.json(), extra="forbid")
    assert problem.status == status
    assert detail in problem.detail


def test_a_store_that_does_not_answer_is_a_problem_for_now(rig, monkeypatch):
    def away(*_):
        raise TemporaryError("the store is away")

    monkeypatch.setattr(rig.worker.store, "readings", away)
    answer = rig.client.get("/api/v1/readings?device=vat-1&channel=temp")
    assert (answer.status_code, answer.json()["detail"]) == (503, "the store is away")


def test_the_ledger_balances_and_tells_where_everything_is(rig):
    ledger = rig.get("/api/v1/ledger")
    assert ledger["received"] == 10
    assert (ledger["stored"], ledger["duplicate"], ledger["dead"], ledger["pending"]) == (8, 1, 1, 0)
    assert ledger["readings"] == {
        "stored": 11,
        "late": 1,
        "duplicate": 0,
        "refused": 1,
        "by_test": ledger["readings"]["by_test"],
    }
    assert {k: n for k, n in ledger["readings"]["by_test"].items() if n} == {"expected": 1}
    assert ledger["journal"]["head"] == ledger["store"]["position"] == 11
    assert (ledger["journal"]["state"], ledger["store"]["state"]) == ("writing", "ok")


def test_metrics_are_what_prometheus_reads(rig):
    answer = rig.client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = {
        (s.name, *s.labels.values()): s.value
        for family in text_string_to_metric_families(answer.text)
        for s in family.samples
    }
    assert found["scenewatch_messages_total", "stored"] == 8
    assert found["scenewatch_messages_total", "duplicate"] == 1
    assert found["scenewatch_dead_letters",] == 1
    assert found["scenewatch_site_messages_total", "stored", "brine.w1"] == 7
    assert found["scenewatch_site_messages_total", "duplicate", "brine.w1"] == 1
    assert found["scenewatch_site_dead_letters", "brine.w1"] == 1
    assert found["scenewatch_site_messages_pending", "brine.w2"] == 0
    assert found["scenewatch_site_messages_total", "stored", ""] == 0
    assert found["scenewatch_site_numbers_missing", "brine.w1"] == found["scenewatch_numbers_missing",] == 2
    assert found["scenewatch_numbers_reused_total",] == 0
    assert found["scenewatch_messages_received_total",] == 10
    assert found["scenewatch_messages_pending",] == 0
    assert found["scenewatch_summaries_waiting",] == found["scenewatch_summaries_dropped_total",] == 0
    assert found["scenewatch_readings_flagged_total", "expected"] == 1
    assert found["scenewatch_alarms_standing", "high"] == 1
    assert found["scenewatch_alarms_standing", "low"] == 0
    assert found["scenewatch_source_connected",] == 0


def columns(account):
    return {name: account[name] for name in ("received", "stored", "duplicate", "dead", "pending")}


def total_of(accounts, rows):
    whole = [*accounts[rows], accounts["unassigned"]]
    added = {name: sum(row[name] for row in whole) for name in accounts["total"]}
    assert added == accounts["total"]
    for row in whole:
        assert row["received"] == row["stored"] + row["duplicate"] + row["dead"] + row["pending"]
    return accounts["total"]


def test_the_ledger_by_site_and_by_device_adds_up_to_the_whole(rig):
    whole = columns(rig.get("/api/v1/ledger"))
    by_site, by_device = rig.get("/api/v1/ledger/sites"), rig.get("/api/v1/ledger/devices")
    assert columns(total_of(by_site, "sites")) == whole
    assert columns(total_of(by_device, "devices")) == whole
    w1, w2 = by_site["sites"]
    assert (w1["id"], w1["received"], w1["unassigned"], w1["missing"]) == ("brine.w1", 9, 1, 2)
    assert (w2["id"], w2["received"], w2["stored"]) == ("brine.w2", 1, 1)
    for site in (w1, w2):
        accounts = rig.get("/api/v1/ledger/devices", site=site["id"])
        assert accounts == rig.get("/api/v1/ledger/devices", site=site["site"])
        assert columns(total_of(accounts, "devices")) == columns(site)
        assert accounts["unassigned"]["received"] == site["unassigned"]
    (vat,) = (d for d in by_device["devices"] if d["id"] == "brine.w1.vat-1")
    assert (vat["stored"], vat["duplicate"], vat["dead"], vat["missing"], vat["active"]) == (6, 1, 0, 2, True)


def test_no_site_has_no_account(rig):
    nowhere = rig.get("/api/v1/ledger/devices", site="w9")
    assert (nowhere["devices"], nowhere["total"]["received"]) == ([], 0)


def test_dead_letters_are_counted_by_reason_and_found_by_it(rig):
    one, other = sorted(rig.get("/api/v1/dead-letters/reasons")["reasons"], key=lambda kind: kind["reason"])
    assert one == {"reason": "taken without", "count": 1}
    assert other == {"reason": "unknown device brine.w1.vat-9", "count": 1}
    assert len(rig.get("/api/v1/dead-letters", reason=other["reason"], site="w1")["dead_letters"]) == 1
    assert rig.get("/api/v1/dead-letters", topic="sw/brine/w2/#")["dead_letters"] == []


def test_it_is_alive_but_not_ready_without_its_broker(rig):
    assert rig.get("/healthz") == {"status": "ok"}
    answer = rig.client.get("/readyz")
    ready = shapes.Ready.model_validate(answer.json(), extra="forbid")
    assert (answer.status_code, ready.ready) == (503, False)
    assert [reason.rpartition(":")[0] for reason in ready.reasons] == [f"broker {rig.broker}"]


def test_every_path_is_described(rig):
    document = rig.get("/api/openapi.json")
    assert document["openapi"].startswith("3.")
    operations = {(path, method) for path, methods in document["paths"].items() for method in methods}
    looks = {*(path.partition("?")[0] for path in SHAPES), "/api/v1/stream", "/healthz", "/readyz", "/metrics"}
    assert operations == {(path, "get") for path in looks} | CHANGES
    for path, method in operations:
        about = document["paths"][path][method]
        assert about["description"].endswith("."), path
        assert about["tags"], path


def test_every_reference_in_the_description_leads_somewhere(rig):
    document = rig.get("/api/openapi.json")

    def references(node):
        if isinstance(node, dict):
            if "$ref" in node:
                yield node["$ref"]
            for inner in node.values():
                yield from references(inner)
        elif isinstance(node, list):
            for inner in node:
                yield from references(inner)

    found = set(references(document))
    assert found
    for reference in found:
        at = document
        for step in reference.removeprefix("#/").split("/"):
            at = at[step]


def test_refusals_are_described_as_the_problems_they_are(rig):
    document = rig.get("/api/openapi.json")
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    refusals = [
        (path, status, answer["content"])
        for path, methods in document["paths"].items()
        for method in methods.values()
        for status, answer in method["responses"].items()
        if status in ("404", "422") or (status == "503" and path != "/readyz")
    ]
    letters = {"/api/v1/dead-letters", "/api/v1/dead-letters/reasons"}
    asked = {
        "/api/v1/readings",
        "/api/v1/chart",
        "/api/v1/devices",
        "/api/v1/alarms",
        "/api/v1/alarms/raised",
        "/api/v1/alarms/explanation",
        "/api/v1/alarm-load",
        "/api/v1/ledger/devices",
        "/api/v1/audit",
        "/api/v1/events",
        "/api/v1/unknown-devices",
        *(path for path, method in CHANGES if method == "post"),
        *letters,
    }
    assert {path for path, _, _ in refusals} == asked
    assert [found for found in refusals if found[-1] != problem] == []


def test_the_documentation_is_there(rig):
    """Every path is on it, and nothing is loaded from outside."""
    text = rig.client.get("/api/docs").text
    assert all(path in text for path in rig.client.get("/api/openapi.json").json()["paths"])
    assert "://" not in text.replace("http://www.w3.org", "")
    assert "<script" not in text


def test_dead_letters_tell_topic_reason_and_payload_whatever_the_bytes(rig):
    received_ms = 1_700_000_000_000
    rig.send(received_ms, (b"sw/brine/w1/\xff/telemetry", b"\x00\xff" + b"x" * 5000), (b"t", b"second"))
    second, first = rig.get("/api/v1/dead-letters?limit=2")["dead_letters"]
    assert (second["topic"], second["payload"], second["bytes"]) == ("t", "second", 6)
    assert first["topic"] == "sw/brine/w1/\\xff/telemetry"
    assert first["payload"].startswith("\x00\\xffxxx")
    assert (first["bytes"], first["received_at"]) == (5002, received_ms)
    assert "ASCII" in first["reason"]
    (page,) = rig.get(f"/api/v1/dead-letters?limit=1&before={second['position']}")["dead_letters"]
    assert page == first


def test_on_loopback_only_this_machine_s_names_are_answered(rig):
    assert rig.client.get("/healthz", headers={"host": "rebound.example"}).status_code == 400
    port = rig.url.rpartition(":")[2]
    for name in (f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}"):
        assert rig.client.get("/healthz", headers={"host": name}).status_code == 200
