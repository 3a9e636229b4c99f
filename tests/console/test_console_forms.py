"""Forms without a script, what is refused of them, and that one reader's session is nobody else's."""

import httpx
import pytest
from fake_desk import COOKIE, NAME, TOKEN, VALVE, DeskWorker

from scenewatch.console.forms import way_back

MEAT = "kitchen.s001.s001-fridge-2"


@pytest.fixture
def worker():
    return DeskWorker()


@pytest.fixture(scope="module")
def shown(standing_with):
    """The address of a console for all who only look."""
    return standing_with(DeskWorker())


@pytest.fixture
def console(stage):
    return stage.start()


@pytest.fixture
def reader(console):
    """A browser of which only forms are left."""
    with httpx.Client(base_url=console, headers={"origin": console}, timeout=10, trust_env=False) as client:
        yield client


def sign_in(reader, **more):
    return reader.post("/sign-in?lang=en", data={"token": TOKEN} | more)


def test_signing_in_leads_back_and_only_the_browser_has_the_cookie(console, reader):
    answer = sign_in(reader, next="/alarms?state=standing")
    assert (answer.status_code, answer.headers["location"]) == (303, "/alarms?state=standing")
    assert "httponly" in answer.headers["set-cookie"].lower()
    assert f"Signed in as {NAME}<" in reader.get("/sign-in?lang=en").text.replace(", until", "<")
    with httpx.Client(base_url=console, trust_env=False) as stranger:
        assert stranger.get("/api/v1/sessions/current").json()["name"] is None
        assert f"Signed in as {NAME}" not in stranger.get("/sign-in?lang=en").text


def test_who_signs_in_by_the_api_signs_in_nobody_else(console, reader):
    assert reader.post("/api/v1/sessions", json={"token": TOKEN}).status_code == 200
    assert reader.get("/api/v1/sessions/current").json()["name"] == NAME
    with httpx.Client(base_url=console, trust_env=False) as stranger:
        assert stranger.get("/api/v1/sessions/current").json()["name"] is None


def test_signing_out_takes_the_cookie_away(reader):
    sign_in(reader)
    assert reader.post("/sign-out", data={"next": "/"}).status_code == 303
    assert COOKIE not in reader.cookies


@pytest.mark.parametrize(("token", "status"), [("", 422), (" ", 422), ("of-nobody", 401)])
def test_a_token_that_is_none_is_told_and_never_shown(reader, token, status):
    answer = reader.post("/sign-in?lang=en", data={"token": token, "next": "/alarms"})
    assert answer.status_code == status
    assert 'name="next" value="/alarms"' in answer.text
    assert "of-nobody" not in answer.text


def test_an_alarm_is_acknowledged_without_a_script(worker, reader):
    alarm = worker.raise_alarm(MEAT, "fridge_warm", 9.4)
    key = f"{alarm['rule']} {alarm['device']} {alarm['raised_at']}"
    asked = {"one": key, "next": "/alarms?state=standing"}
    answer = reader.post("/alarms/acknowledge?lang=zh", data=asked)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?lang=zh&next=%2Falarms%3Fstate%3Dstanding"
    assert alarm["state"] == "unacknowledged"
    sign_in(reader)
    answer = reader.post("/alarms/acknowledge?lang=zh", data=asked)
    assert (answer.status_code, alarm["state"]) == (200, "acknowledged")
    assert "已确认 1 条" in answer.text
    assert 'href="/alarms?state=standing"' in answer.text
    assert reader.post("/alarms/acknowledge", data={"alarm": "not a key"}).status_code == 422


def test_a_command_is_confirmed_and_sent_without_a_script(worker, reader):
    sign_in(reader)
    page = reader.get(f"/commands?device={VALVE}&lang=en").text
    assert f'href="/commands?lang=en&amp;device={VALVE}&amp;name=shut"' in page
    assert "Valve becomes shut" in reader.get(f"/commands?device={VALVE}&name=shut&lang=en").text
    assert reader.post("/commands?lang=en", data={"device": VALVE, "name": "shut"}).status_code == 200
    assert [(c["device"], c["name"]) for c in worker.commands] == [(VALVE, "shut")]


def test_a_device_is_adopted_without_a_script_and_what_is_refused_is_told(worker, reader):
    sign_in(reader)
    worker.stranger("fridge-9")
    asked = {"scene": "kitchen", "site": "s001", "device": "fridge-9", "type": "fridge", "name_en": "Milk"}
    worker.refusal = "the type <b> is unknown"
    answer = reader.post("/unknown/adopt?lang=en", data=asked)
    assert answer.status_code == 422
    assert "the type &lt;b&gt; is unknown" in answer.text
    worker.refusal = None
    answer = reader.post("/unknown/adopt?lang=en", data=asked)
    assert "12 kept messages were taken" in answer.text
    assert "/device?lang=en&amp;device=kitchen.s001.fridge-9" in answer.text


@pytest.mark.parametrize("path", ["/alarms/acknowledge", "/unknown/adopt", "/commands", "/sign-in", "/sign-out"])
@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"origin": "http://elsewhere.example"}, b"token=a", 403),
        ({"origin": ""}, b"token=a", 403),
        ({"origin": "http://[::1"}, b"token=a", 403),
        ({"content-type": "application/json"}, b"{}", 415),
        ({"content-type": ""}, b"a=b", 415),
        ({}, b"a=" + b"x" * 70_000, 413),
        ({}, b"&".join(b"a=%d" % n for n in range(600)), 400),
        ({}, b"token=%ff", 400),
    ],
)
def test_what_no_page_of_ours_sends_is_refused(standing, path, headers, body, status):
    url = f"http://127.0.0.1:{standing.console_port}"
    ours = {"origin": url, "content-type": "application/x-www-form-urlencoded"}
    answer = httpx.post(f"{url}{path}", content=body, headers=ours | headers, trust_env=False)
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("asked", "back"),
    [
        ("/alarms?state=all#x", "/alarms?state=all#x"),
        ("//elsewhere.example", "/"),
        ("/\\elsewhere.example", "/"),
        ("https://elsewhere.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\r\nset-cookie: b", "/"),
        ("alarms", "/"),
        ("http://[", "/"),
        ("", "/"),
    ],
)
def test_the_way_back_stays_on_this_server(asked, back):
    assert way_back(asked) == back


@pytest.mark.parametrize(
    "query",
    [
        "state=no&priority=x&before=standing",
        "before=past%20x~y",
        "before=past%20" + "9" * 40 + "~a~b",
        "search=%00%ff&site=%3Cb%3E&rule=%27%3B--",
        "device=%00&name=no&next=//elsewhere.example&part=1",
        "lang=xx&theme=%22%3E",
    ],
)
def test_any_address_is_answered(shown, query):
    for path in ("/alarms", "/unknown", "/rules", "/commands", "/sign-in"):
        answer = httpx.get(f"{shown}{path}?{query}", trust_env=False)
        assert answer.status_code == 200, path
        assert '"//elsewhere' not in answer.text, path


def test_an_alarm_of_what_is_gone_is_shown_by_its_ids(worker, reader):
    worker.raise_alarm("kitchen.s009.gone", "no_more", None)
    html = reader.get("/alarms?lang=en").text
    assert "kitchen.s009.gone</a>" in html
    assert "kitchen.no_more</a>" in html


def test_away_is_told(stage, reader):
    sign_in(reader)
    stage.stop("worker")
    answer = reader.post("/commands?lang=en", data={"device": VALVE, "name": "shut"})
    assert answer.status_code == 422
    assert "the worker does not answer" in answer.text
    assert reader.post("/sign-in?lang=en", data={"token": TOKEN}).status_code == 503
