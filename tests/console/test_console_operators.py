"""Operators at the console: what they send goes through to the worker, from the console's own pages alone."""

from __future__ import annotations

import httpx
import pytest
from comes_true import knows_its_worker
from fake_worker import Served

from ends import HandClock
from operators_rig import COOKIE, CURRENT, SESSIONS, TOKENS, OperatorsRig
from ports import free_port
from records import START_MS, telemetry, topic
from scenewatch.console.app import create_app
from scenewatch.console.proxy import MOST_BYTES
from scenewatch.console.security import HEADERS

ACKNOWLEDGE = "/api/v1/alarms/acknowledge"
ALARM = {"rule": "brine.vat_hot", "device": "brine.w1.vat-1", "raised_at": START_MS + 20_000}


@pytest.fixture(scope="module")
def rig(vat_scene, tmp_path_factory):
    with pytest.MonkeyPatch.context() as monkeypatch:
        made = OperatorsRig(tmp_path_factory.mktemp("worker"), vat_scene, HandClock(START_MS), monkeypatch)
        for at_ms in (START_MS, START_MS + 20_000):
            made.send(at_ms, (topic("vat-1"), telemetry(at_ms, temp=85)))
        yield made
        made.close()


@pytest.fixture(scope="module")
def console(rig):
    port = free_port()
    served = Served(create_app(rig.url), port)
    address = knows_its_worker(f"http://127.0.0.1:{port}")
    with httpx.Client(base_url=address, timeout=10, trust_env=False) as client:
        yield client
    served.stop()


@pytest.fixture
def own(console):
    console.cookies.clear()
    return {"Origin": str(console.base_url).rstrip("/")}


def test_an_operator_signs_in_acknowledges_and_signs_out(console, rig, own):
    signed_in = console.post(SESSIONS, json={"token": TOKENS["li"]}, headers=own)
    assert (signed_in.status_code, signed_in.json()["name"]) == (200, "li")
    assert "HttpOnly" in signed_in.headers["set-cookie"]
    assert console.get(CURRENT).json() == signed_in.json()
    answer = console.post(ACKNOWLEDGE, json=ALARM, headers=own)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["state"], answer.json()["acknowledged_by"]) == ("acknowledged", "li")
    assert rig.get("/api/v1/alarms?state=standing")["alarms"] == [answer.json()]
    assert console.delete(CURRENT, headers=own).status_code == 204
    assert console.get(CURRENT).json()["name"] is None
    assert console.post(ACKNOWLEDGE, json=ALARM, headers=own).status_code == 401


def test_a_program_uses_its_token(console):
    bearer = {"Authorization": f"Bearer {TOKENS['wang']}"}
    assert console.post(ACKNOWLEDGE, json=ALARM | {"raised_at": 1}, headers=bearer).status_code == 404
    refused = console.post(ACKNOWLEDGE, json=ALARM, headers={"Authorization": "Bearer wrong"})
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://[half", "THE WORKER'S"])
def test_a_page_from_elsewhere_changes_nothing(console, rig, own, origin):
    cookie = rig.cookie()
    strange = {"Origin": rig.url if origin.isupper() else origin, "Cookie": cookie}
    assert console.post(ACKNOWLEDGE, json=ALARM, headers=strange).status_code == 403
    assert console.post(SESSIONS, json={"token": TOKENS["li"]}, headers=strange).status_code == 403
    assert console.delete(CURRENT, headers=strange).status_code == 403
    assert console.post(ACKNOWLEDGE, json=ALARM, headers={"Cookie": cookie}).status_code == 403
    assert console.post(ACKNOWLEDGE, json=ALARM, headers=own | {"Cookie": cookie}).status_code == 200


def test_only_the_session_is_passed_on(console, rig):
    cookie = rig.cookie()
    answer = console.get(CURRENT, headers={"Cookie": f"scenewatch-lang=zh; {cookie}; other=1"})
    assert answer.json()["name"] == "li"
    assert console.get(CURRENT, headers={"Cookie": f"{COOKIE}=x"}).json()["name"] is None


def test_bodies_are_json_and_short(console, own):
    form = own | {"Content-Type": "text/plain"}
    assert console.post(SESSIONS, content=b'{"token": "x"}', headers=form).status_code == 415
    assert console.post(SESSIONS, content=b"x" * (MOST_BYTES + 1), headers=own).status_code == 413
    pieces = (b"x" * 10_000 for _ in range(10))
    assert console.post(SESSIONS, content=pieces, headers=own).status_code == 413


def test_refusals_are_problems_with_the_security_headers(console, own):
    for answer in (
        console.post(SESSIONS, json={"token": "wrong"}, headers=own),
        console.post(SESSIONS, json={"token": "wrong"}, headers={"Origin": "http://evil.example"}),
        console.post(SESSIONS, content=b"x" * (MOST_BYTES + 1), headers=own),
    ):
        assert answer.headers["content-type"] == "application/problem+json"
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
