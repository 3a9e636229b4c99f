"""Signing in, and who is let through to change something."""

from __future__ import annotations

import logging
import os

import pytest

from ends import HandClock
from operators_rig import COOKIE, CURRENT, SESSIONS, TOKENS, OperatorsRig, operators_file
from records import START_MS
from scenewatch.api.guard import MOST_BYTES
from scenewatch.api.sessions import TRIES
from scenewatch.app import Worker
from scenewatch.model.errors import ConfigurationError, Mistake
from scenewatch.worker import service
from worker_rig import WorkerRig

HOURS_12 = 12 * 3_600_000
NOTHING = "/api/v1/nothing-is-here"
"""An address that nobody serves: who is let through is told so with 404, all others earlier."""


@pytest.fixture(scope="module")
def shared(vat_scene, tmp_path_factory):
    with pytest.MonkeyPatch.context() as monkeypatch:
        made = OperatorsRig(tmp_path_factory.mktemp("operators"), vat_scene, HandClock(START_MS), monkeypatch)
        yield made
        made.close()


@pytest.fixture
def rig(shared):
    yield shared
    shared.worker.clock.ms += 2 * HOURS_12  # no session and no wrong token of one test matters to the next
    operators_file(shared.folder)
    shared.worker.controls.guard.reload()


def test_a_token_signs_in_for_twelve_hours(rig):
    now_ms = rig.worker.clock.ms
    answer = rig.ask("POST", SESSIONS, body={"token": TOKENS["wang"]})
    assert answer.json() == {"name": "wang", "expires_at": now_ms + HOURS_12}
    assert rig.get("/api/v1/audit?limit=1")["actions"] == [
        {"at": now_ms, "by": "wang", "what": "sign_in", "target": "wang", "detail": ""}
    ]
    cookie, *about = answer.headers["set-cookie"].split("; ")
    assert sorted(about) == ["HttpOnly", "Max-Age=43200", "Path=/", "SameSite=strict"]
    assert rig.ask("GET", CURRENT, Cookie=cookie).json() == answer.json()
    rig.worker.clock.ms += HOURS_12 - 1
    assert rig.ask("GET", CURRENT, Cookie=cookie).json() == answer.json()
    rig.worker.clock.ms += 1
    assert rig.ask("GET", CURRENT, Cookie=cookie).json() == {"name": None, "expires_at": None}


def test_nobody_is_signed_in_without_a_cookie_of_ours(rig):
    for cookie in ("", "x=y", f"{COOKIE}=", f"{COOKIE}=a.b", f"other=1; {COOKIE}={'x' * 5000}", f"{COOKIE}=é.é"):
        answer = rig.ask("GET", CURRENT, Cookie=cookie.encode())
        assert answer.json() == {"name": None, "expires_at": None}, cookie


def test_signing_out_has_the_browser_forget_the_cookie(rig):
    answer = rig.ask("DELETE", CURRENT, Cookie=rig.cookie(), Origin=rig.url)
    assert answer.status_code == 204
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert COOKIE in answer.headers["set-cookie"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"token": "wrong"}, 401),
        ({"token": ""}, 401),
        ({"token": TOKENS["li"] + " "}, 401),
        ({"token": TOKENS["li"].upper()}, 401),
        ({"token": "令牌" * 20}, 401),
        ({"token": "x" * 513}, 422),
        ({"token": 5}, 422),
        ({}, 422),
        ({"token": TOKENS["li"], "more": 1}, 422),
        ([TOKENS["li"]], 422),
        (b"{", 422),
        (b"", 422),
    ],
)
def test_what_is_no_token_does_not_sign_in(rig, body, status):
    answer = rig.ask("POST", SESSIONS, body=body, Content_Type="application/json")
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert "set-cookie" not in answer.headers
    assert TOKENS["li"] not in answer.text


def test_wrong_tokens_are_slowed_down_for_all_and_sessions_go_on(rig):
    cookie = rig.cookie()
    for _ in range(TRIES):
        assert rig.ask("POST", SESSIONS, body={"token": "guess"}).status_code == 401
    refused = rig.ask("POST", SESSIONS, body={"token": TOKENS["li"]})
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
    assert rig.bearer("DELETE", NOTHING).status_code == 429
    assert rig.ask("DELETE", NOTHING, Cookie=cookie, Origin=rig.url).status_code == 404
    rig.worker.clock.ms += 60_000
    assert rig.ask("POST", SESSIONS, body={"token": TOKENS["li"]}).status_code == 200


def test_a_clock_that_is_set_back_shuts_nobody_out_for_long(rig):
    for _ in range(TRIES):
        rig.ask("POST", SESSIONS, body={"token": "guess"})
    rig.worker.clock.ms -= HOURS_12
    assert rig.bearer("DELETE", NOTHING).headers["retry-after"] == "60"


def test_a_change_wants_a_token_or_a_cookie_from_our_own_page(rig):
    host, cookie, token = rig.url.removeprefix("http://"), rig.cookie(), TOKENS["li"]
    cases = [
        ({}, 401),
        ({"Authorization": f"Bearer {token}"}, 404),
        ({"Authorization": f"bearer  {token}"}, 404),
        ({"Authorization": f"Basic {token}"}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": "Bearer wrong", "Cookie": cookie, "Origin": rig.url}, 401),
        ({"Authorization": f"Bearer {token}", "Origin": "http://elsewhere.example"}, 404),
        ({"Cookie": cookie}, 403),
        ({"Cookie": cookie, "Origin": rig.url}, 404),
        ({"Cookie": cookie, "Origin": f"https://{host}"}, 404),
        ({"Cookie": cookie, "Origin": "null"}, 403),
        ({"Cookie": cookie, "Origin": ""}, 403),
        ({"Cookie": cookie, "Origin": "http://[half"}, 403),
        ({"Cookie": cookie, "Origin": "http://127.0.0.1"}, 403),
        ({"Cookie": cookie, "Origin": f"http://elsewhere.example/{host}"}, 403),
        ({"Cookie": cookie, "Origin": f"http://{host}.elsewhere.example"}, 403),
        ({"Cookie": cookie[:-1], "Origin": rig.url}, 401),
        ({"Origin": rig.url}, 401),
    ]
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for headers, status in cases:
            answer = rig.ask(method, NOTHING, **headers)
            assert answer.status_code == status, (method, headers, answer.text)
            assert answer.headers["content-type"] == "application/problem+json"


def test_every_address_is_guarded_whatever_it_does_with_it(rig):
    for path in ("/api/v1/scenes", "/healthz", "/", "/api/v1/sessions/", "/api/v1/sessions/current/"):
        assert rig.ask("POST", path, body={}).status_code == 401, path
    assert rig.bearer("POST", "/api/v1/scenes", body={}).status_code == 405


def test_a_page_from_elsewhere_signs_nobody_in_or_out(rig):
    assert rig.ask("POST", SESSIONS, body={"token": TOKENS["li"]}, Origin="http://evil.example").status_code == 403
    assert rig.ask("DELETE", CURRENT, Origin="http://evil.example").status_code == 403
    assert rig.ask("POST", SESSIONS, body={"token": TOKENS["li"]}, Origin=rig.url).status_code == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_only_json_is_taken(rig, kind):
    body = b'{"token": "x"}'
    assert rig.ask("POST", SESSIONS, body=body, Content_Type=kind).status_code == 415
    kind_of_json = "Application/JSON; charset=utf-8"
    assert rig.ask("POST", SESSIONS, body=body, Content_Type=kind_of_json).status_code == 401


def test_a_huge_body_is_refused_told_or_not(rig):
    for size, status in ((MOST_BYTES, 422), (MOST_BYTES + 1, 413), (4_000_000, 413)):
        body = b'{"token": "' + b"x" * (size - 13) + b'"}'
        assert len(body) == size
        assert rig.ask("POST", SESSIONS, body=body, Content_Type="application/json").status_code == status
    pieces = (b"x" * 10_000 for _ in range(20))
    told = rig.client.post(SESSIONS, content=pieces, headers={"Content-Type": "application/json"})
    assert told.status_code == 413


def test_who_is_taken_out_of_the_file_or_gets_another_token_is_signed_out_at_once(rig):
    li, wang = rig.cookie("li"), rig.cookie("wang")
    operators_file(rig.folder, f"li another-token-for-li-that-is-new\nzhao {TOKENS['wang']}\n")
    rig.worker.controls.guard.reload()
    for cookie in (li, wang):
        assert rig.ask("GET", CURRENT, Cookie=cookie).json()["name"] is None
        assert rig.ask("DELETE", NOTHING, Cookie=cookie, Origin=rig.url).status_code == 401
    assert rig.ask("POST", SESSIONS, body={"token": TOKENS["wang"]}).json()["name"] == "zhao"


def test_a_file_with_a_mistake_leaves_the_operators_as_they_are(rig):
    cookie = rig.cookie()
    operators_file(rig.folder, "li\n")
    with pytest.raises(ConfigurationError):
        rig.worker.controls.guard.reload()
    assert rig.ask("GET", CURRENT, Cookie=cookie).json()["name"] == "li"


def test_sighup_takes_new_operators_also_beside_mistaken_settings(rig):
    def no_toml():
        raise ConfigurationError([Mistake("scenewatch.toml", "is not TOML")])

    cookie = rig.cookie()
    operators_file(rig.folder, f"zhao {TOKENS['wang']}\n")
    service.reload(rig.worker, no_toml)
    assert rig.ask("GET", CURRENT, Cookie=cookie).json()["name"] is None
    operators_file(rig.folder, "zhao\n")
    service.reload(rig.worker, lambda: rig.settings)
    assert rig.ask("POST", SESSIONS, body={"token": TOKENS["wang"]}).json()["name"] == "zhao"


def test_no_token_and_no_cookie_is_in_the_log(rig, caplog):
    caplog.set_level(logging.DEBUG)
    cookie = rig.cookie()
    rig.ask("DELETE", NOTHING, Cookie=cookie, Origin=rig.url)
    rig.ask("POST", SESSIONS, body={"token": "a-token-of-nobody"})
    ours = [
        r.getMessage() for r in caplog.records if not r.name.startswith("http")
    ]  # the client tells what it does
    assert any("wrong operator's token" in line for line in ours)
    for secret in (*TOKENS.values(), "a-token-of-nobody", cookie.partition("=")[2]):
        assert not any(secret in line for line in ours)


def test_sessions_outlive_the_worker_by_its_key(vat_scene, tmp_path, monkeypatch):
    clock = HandClock(START_MS)
    first = OperatorsRig(tmp_path, vat_scene, clock, monkeypatch)
    cookie = first.cookie()
    first.close()
    key = tmp_path / "journal.state" / "sessions.key"
    assert key.stat().st_mode & 0o777 == 0o600
    second = OperatorsRig(tmp_path, vat_scene, clock, monkeypatch)
    assert second.ask("GET", CURRENT, Cookie=cookie).json()["name"] == "li"
    second.close()
    os.truncate(key, 7)  # as a crash may leave a file
    third = OperatorsRig(tmp_path, vat_scene, clock, monkeypatch)
    assert third.ask("GET", CURRENT, Cookie=cookie).json()["name"] is None
    third.close()


def test_a_worker_does_not_start_with_a_mistaken_file_and_leaves_nothing_held(vat_scene, tmp_path, monkeypatch):
    rig = OperatorsRig(tmp_path, vat_scene, HandClock(START_MS), monkeypatch)
    rig.close()
    operators_file(tmp_path, "li\n")
    with pytest.raises(ConfigurationError, match="line 1: has 1 words"):
        Worker(rig.settings, HandClock(START_MS))
    operators_file(tmp_path)
    OperatorsRig(tmp_path, vat_scene, HandClock(START_MS), monkeypatch).close()


def test_without_operators_nobody_changes_anything(vat_scene, tmp_path, monkeypatch):
    rig = WorkerRig(tmp_path, vat_scene, HandClock(START_MS), monkeypatch)
    try:
        answers = [
            rig.client.post(SESSIONS, json={"token": TOKENS["li"]}),
            rig.client.post(NOTHING, headers={"Authorization": f"Bearer {TOKENS['li']}"}),
            rig.client.delete(NOTHING),
        ]
        assert [answer.status_code for answer in answers] == [403, 403, 403]
        assert all("operators_file" in answer.json()["detail"] for answer in answers)
        assert rig.get(CURRENT) == {"name": None, "expires_at": None}
    finally:
        rig.close()
