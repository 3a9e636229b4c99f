"""The console without a browser: pages before any script, the proxy, the live connection, and what it refuses."""

import json
import socket
from contextlib import closing
from http.client import HTTPConnection

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from scenewatch.console import hub
from scenewatch.console.security import HEADERS

FRIDGE = "kitchen.s001.s001-fridge-1"
UNDERSTOOD = {
    "text/html; charset=utf-8",
    "text/plain; charset=utf-8",
    "application/problem+json",
    "application/json",
}


@pytest.fixture
def http(stage):
    with httpx.Client(base_url=f"http://127.0.0.1:{stage.console_port}", timeout=10, trust_env=False) as client:
        yield client


@pytest.fixture
def look(standing):
    """For tests that only look, at servers that are up already."""
    with httpx.Client(base_url=f"http://127.0.0.1:{standing.console_port}", timeout=10, trust_env=False) as client:
        yield client


def listen(stage, query="", **options):
    options.setdefault("origin", f"http://127.0.0.1:{stage.console_port}")
    return connect(f"ws://127.0.0.1:{stage.console_port}/live{query}", proxy=None, **options)


def read_to_the_end(listener):
    while True:
        listener.recv(timeout=20)


def until(listener, kind):
    while (message := json.loads(listener.recv(timeout=20)))["kind"] != kind:
        continue
    return message


def until_offline(listener):
    """States are told anew for other reasons too."""
    while until(listener, "states")["states"]["devices"][FRIDGE] != "offline":
        continue


@pytest.mark.parametrize(
    ("query", "headers", "language"),
    [
        ("", {}, "en"),
        ("", {"accept-language": "zh-TW,zh;q=0.9,en;q=0.8"}, "zh-CN"),
        ("", {"accept-language": "fr,zh;q=0.5"}, "zh-CN"),
        ("", {"accept-language": "zh", "cookie": "scenewatch-lang=en"}, "en"),
        ("?lang=zh", {"cookie": "scenewatch-lang=en"}, "zh-CN"),
        ("?lang=xx&theme=%22%3E&q=%00&state=no&span=", {}, "en"),
    ],
)
def test_language_is_the_first_wish_that_is_met(look, query, headers, language):
    answer = look.get(f"/{query}", headers=headers)
    assert answer.status_code == 200
    assert f'<html lang="{language}" data-theme="auto"' in answer.text


def test_a_part_comes_with_the_edition_it_is_of(look):
    answer = look.get("/site", params={"part": "1", "site": "kitchen.s002"})
    assert answer.text.lstrip().startswith("<header")
    assert "School 2 canteen" in answer.text
    assert "School 1 canteen" not in answer.text
    whole = look.get("/site", params={"site": "kitchen.s002"})
    assert f'data-edition="{answer.headers["scenewatch-edition"]}"' in whole.text


def test_every_answer_carries_the_security_headers(look):
    for path in ("/", "/notice", "/rows", "/site", "/device", "/nowhere", "/api/v1/sites", "/healthz"):
        answer = look.get(path)
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS, path
        assert answer.headers["content-type"] in UNDERSTOOD


def test_static_files_may_be_kept_for_ever(look):
    html = look.get("/").text
    addresses = [part.split('"')[0] for part in html.split('href="')[1:]]
    kept = [path for path in addresses if path.startswith(("/static/", "/shelf/"))]
    assert len(kept) > 10
    for path in kept:
        answer = look.get(path)
        assert answer.status_code == 200, path
        assert "immutable" in answer.headers["cache-control"]
    assert look.get("/shelf/nicegui-3.18.0/echart/../echart.py").status_code == 404


def test_proxy_passes_through_unchanged(stage, worker, http):
    stage.start()
    for path in ("/api/v1/sites", "/api/v1/devices?site=s001", "/healthz", "/readyz", "/metrics", "/api/v1/none"):
        straight = httpx.get(f"{stage.worker_url}{path}")
        answer = http.get(path)
        assert (answer.status_code, answer.content) == (straight.status_code, straight.content)
        assert answer.headers["content-type"] == straight.headers["content-type"]
    worker.ready = {"ready": False, "history": None, "reasons": ["broker"]}
    assert http.get("/readyz").status_code == 503


@pytest.mark.parametrize("encodings", [None, "identity", "br;q=1.0, gzip"])
def test_proxy_asks_for_just_what_it_was_asked(standing, encodings):
    path = "/api/v1/echo?site=%E7%AB%99&x=a%2Fb&x=+"
    with closing(HTTPConnection("127.0.0.1", standing.console_port, timeout=10)) as connection:
        connection.putrequest("GET", path, skip_accept_encoding=True)
        if encodings:
            connection.putheader("Accept-Encoding", encodings)
        connection.endheaders()
        assert connection.getresponse().read().decode() == f"{path} {encodings}"


def test_proxy_streams_events_as_they_come(stage, worker, http):
    stage.start()
    with http.stream("GET", "/api/v1/stream") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.iter_lines()
        assert next(lines) == "event: values"
        worker.tell("online", {FRIDGE: False})
        assert next(line for line in lines if "online" in line)


def test_worker_away_is_one_honest_line(stage, http):
    stage.start_console()
    for path, status in (("/api/v1/sites", 502), ("/metrics", 502), ("/healthz", 503), ("/readyz", 503)):
        answer = http.get(path)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"] == "The worker does not answer; the console goes on trying."
        assert "\n" not in answer.text
    assert http.get("/").status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/api/v1/sites"),
        ("PATCH", "/api/v1/sites"),
        ("POST", "/healthz"),
        ("POST", "/"),
        ("DELETE", "/"),
    ],
)
def test_proxy_changes_nothing_but_by_the_api(look, method, path):
    answer = look.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["content-type"] == "application/problem+json"


def test_live_connection_begins_with_everything(stage, worker):
    stage.start_worker()
    stage.start_console()
    with listen(stage) as listener:
        first = until(listener, "snapshot")
        while not first["live"]:
            first = until(listener, "snapshot")
        assert first["devices"][FRIDGE]["air_temp"] == [4.8, worker.now, "good", "none"]
        totals = first["states"]["totals"]
        assert {totals[name] for name in ("high", "medium", "low", "sites.offline")} == {0}
        assert [totals[name] for name in ("sites", "devices", "online", "sites.normal")] == [2, 12, 12, 2]
        worker.measure(FRIDGE, "air_temp", 5.5)
        while FRIDGE not in (changed := until(listener, "values")["devices"]) or len(changed) > 1:
            continue
        assert changed == {FRIDGE: {"air_temp": [5.5, worker.now, "good", "none"]}}


def test_a_listener_of_one_site_hears_of_no_other_and_one_of_none_of_the_sums(stage, worker):
    console = stage.start()
    stage.until(lambda: "Kitchen s001" in httpx.get(f"{console}/rows", trust_env=False).text)
    with listen(stage, "?site=kitchen.s001") as one, listen(stage, "?site=") as none, listen(stage) as every:
        before = until(one, "snapshot")
        assert set(before["devices"]) == {d["id"] for d in worker.devices if d["site"] == "s001"}
        assert until(none, "snapshot")["devices"] == {}
        worker.measure("kitchen.s002.s002-fridge-1", "air_temp", 9.9)
        worker.raise_alarm("kitchen.s002.s002-fridge-1", "fridge_warm", 9.9)
        told = until(one, "alarms")
        assert set(told["states"]["sites"]) == {"kitchen.s001"}
        assert told["edition"] == before["edition"]
        assert told["states"]["totals"]["high"] == 1
        sums = until(none, "alarms")
        assert (sums["states"]["sites"], sums["states"]["devices"]) == ({}, {})
        worker.measure(FRIDGE, "air_temp", 5.5)
        while (changed := set(until(one, "values")["devices"])) != {FRIDGE}:
            assert changed == set(before["devices"]), "the stream begins with all of them"
        while FRIDGE not in until(every, "values")["devices"]:
            continue


@pytest.mark.parametrize("origin", ["http://evil.example", None, "null", "http://127.0.0.1:1"])
def test_live_connection_is_for_pages_of_this_server(standing, origin):
    with pytest.raises(InvalidStatus) as refused, listen(standing, origin=origin):
        pass
    assert refused.value.response.status_code == 403


def test_page_too_slow_is_cut_and_others_go_on(stage, worker, monkeypatch):
    monkeypatch.setattr(hub, "QUEUE", 4)
    stage.start()
    narrow = socket.socket()
    narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    narrow.connect(("127.0.0.1", stage.console_port))
    with listen(stage, sock=narrow, max_queue=1, compression=None) as slow, listen(stage) as quick:
        padding = {f"{n}": [0.0, worker.now, "good", "none"] for n in range(4000)}
        for _ in range(60):
            worker.tell("values", {"at": worker.now, "devices": {FRIDGE: padding}})
            until(quick, "values")
        with pytest.raises(ConnectionClosed):
            read_to_the_end(slow)
        worker.tell("online", {FRIDGE: False})
        until_offline(quick)


def test_device_that_came_since_is_asked_for_once(stage, worker):
    stage.start()
    with listen(stage) as listener:
        until(listener, "snapshot")
        new = dict(worker.devices[1], id="kitchen.s001.s001-new", device="s001-new")
        worker.devices.append(new)
        worker.measure(new["id"], "air_temp", 3.3)
        assert new["id"] in until(listener, "snapshot")["states"]["devices"]
        worker.tell("online", {"kitchen.s001.ghost": True})
        worker.tell("online", {"kitchen.s001.ghost": True, FRIDGE: False})
        assert "kitchen.s001.ghost" not in until(listener, "snapshot")["states"]["devices"]
        until_offline(listener)
