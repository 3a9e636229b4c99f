"""The console without a browser: pages before any script, the proxy, the live connection, and what it refuses."""

import json
import socket
from contextlib import closing
from http.client import HTTPConnection

import httpx
import pytest
from fake_worker import MINUTE
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


def listen(stage, **options):
    options.setdefault("origin", f"http://127.0.0.1:{stage.console_port}")
    return connect(f"ws://127.0.0.1:{stage.console_port}/live", proxy=None, **options)


def read_to_the_end(listener):
    while True:
        listener.recv(timeout=20)


def until(listener, kind):
    while (message := json.loads(listener.recv(timeout=5)))["kind"] != kind:
        continue
    return message


def test_page_is_readable_before_any_script(stage, worker, http):
    worker.raise_alarm(FRIDGE, "fridge_warm", 9.4, raised_at=worker.now - 20 * MINUTE)
    stage.start()
    html = http.get("/").text
    for text in (
        "Kitchen s001",
        "School 1 canteen · vegetable fridge",
        ">4.8<",
        "Fridge too warm",
        "20 min",
        "1200",
    ):
        assert text in html
    assert "above 8 °C for 30 min" in html


@pytest.mark.parametrize(
    ("query", "headers", "language"),
    [
        ("", {}, "en"),
        ("", {"accept-language": "zh-TW,zh;q=0.9,en;q=0.8"}, "zh-CN"),
        ("", {"accept-language": "fr,zh;q=0.5"}, "zh-CN"),
        ("", {"accept-language": "zh", "cookie": "scenewatch-lang=en"}, "en"),
        ("?lang=zh", {"cookie": "scenewatch-lang=en"}, "zh-CN"),
        ("?lang=xx&theme=%22%3E&span=&site=no&device=%00", {}, "en"),
    ],
)
def test_language_is_the_first_wish_that_is_met(look, query, headers, language):
    answer = look.get(f"/{query}", headers=headers)
    assert answer.status_code == 200
    assert f'<html lang="{language}" data-theme="auto"' in answer.text


def test_site_is_shown_alone_when_chosen(look):
    answer = look.get("/parts", params={"want": "places", "site": "kitchen.s002"}).json()
    assert "School 2 canteen" in answer["parts"]["places"]
    assert "School 1 canteen" not in answer["parts"]["places"]


def test_parts_are_named_or_refused(look):
    for query in ("", "?want=secret", "?want=alarms&want=../page"):
        answer = look.get(f"/parts{query}")
        assert answer.status_code == 400
        assert answer.json()["detail"].startswith("want must be some of alarms")


def test_every_answer_carries_the_security_headers(look):
    for path in ("/", "/notice", "/parts", "/nowhere", "/api/v1/sites", "/healthz"):
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
        assert first["states"]["totals"] == {
            "sites": 2,
            "devices": 12,
            "online": 12,
            "low": 0,
            "medium": 0,
            "high": 0,
            "unacknowledged": 0,
            "unknown": 0,
        }
        worker.measure(FRIDGE, "air_temp", 5.5)
        while FRIDGE not in (changed := until(listener, "values")["devices"]) or len(changed) > 1:
            continue
        assert changed == {FRIDGE: {"air_temp": [5.5, worker.now, "good", "none"]}}


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
        until(quick, "values")
        padding = {f"{n}": [0.0, worker.now, "good", "none"] for n in range(4000)}
        for _ in range(60):
            worker.tell("values", {"at": worker.now, "devices": {FRIDGE: padding}})
            until(quick, "values")
        with pytest.raises(ConnectionClosed):
            read_to_the_end(slow)
        worker.tell("online", {FRIDGE: False})
        assert until(quick, "states")["states"]["devices"][FRIDGE] == "offline"


def test_device_that_came_since_is_asked_for_once(stage, worker):
    stage.start()
    with listen(stage) as listener:
        until(listener, "values")
        new = dict(worker.devices[1], id="kitchen.s001.s001-new", device="s001-new")
        worker.devices.append(new)
        worker.measure(new["id"], "air_temp", 3.3)
        assert new["id"] in until(listener, "snapshot")["states"]["devices"]
        worker.tell("online", {"kitchen.s001.ghost": True})
        worker.tell("online", {"kitchen.s001.ghost": True, FRIDGE: False})
        assert "kitchen.s001.ghost" not in until(listener, "snapshot")["states"]["devices"]
        until(listener, "states")
        assert until(listener, "states")["states"]["devices"][FRIDGE] == "offline"
