"""What operators do to alarms: refused with a reason, or done through the journal, and outliving the worker."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ends import wait_for
from operators_rig import TOKENS, operators_file
from records import START_MS, telemetry, topic
from scenewatch import app
from scenewatch.api.deeds import hold_json
from scenewatch.journal.look import Look
from scenewatch.model.action import Deed, decode_action
from scenewatch.model.ports import RecordKind
from scenewatch.model.words import hours, seconds
from scenewatch.pipeline import Pipeline
from scenewatch.store.relational import Database
from scenewatch.worker.told import tell_again
from worker_rig import one_after_another

HOT = {"rule": "brine.vat_hot", "device": "brine.w1.vat-1"}
OPERATORS, LI = '[http]\noperators_file = "operators"\n', f"Bearer {TOKENS['li']}"
SITE, DAY_S = "brine.w1", 86_400


@pytest.fixture
def scene(vat_scene):
    hot, silent = vat_scene.rules
    return replace(vat_scene, rules=(replace(hot, on_delay=seconds(0), again_after=hours(1)), silent))


@pytest.fixture
def latching(scene):
    hot, silent = scene.rules
    return replace(scene, rules=(replace(hot, latching=True), silent))


@pytest.fixture
def begin(scene, tmp_path, monkeypatch):
    """Begins a worker in the test's folder; again after the one before was closed."""
    monkeypatch.setattr(app, "LOOK_S", 0.02)
    operators_file(tmp_path)
    with one_after_another(tmp_path, scene, monkeypatch) as made:

        def started(at_s=0):
            rig = made(more=OPERATORS, at_ms=START_MS + at_s * 1000)
            rig.client.headers["authorization"] = LI
            return rig

        yield started


@pytest.fixture
def rig(begin):
    return begin()


def at(s):
    return START_MS + s * 1000


def heat(rig, s, temp=85):
    rig.worker.clock.ms = at(s)
    rig.send(at(s), (topic("vat-1"), telemetry(at(s), temp=temp)))


def post(rig, path, body, status=200, method="POST"):
    answer = rig.client.request(method, f"/api/v1/{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def why(rig, path, body, status, method="POST"):
    return post(rig, path, body, status, method)["detail"]


def states(rig):
    alarms = (a for a in rig.get("/api/v1/alarms", state="all")["alarms"] if a["rule"] == HOT["rule"])
    return [(a["state"], a["hidden"], a["acknowledged_by"], (a["raised_at"] - START_MS) // 1000) for a in alarms]


def holds(rig):
    return [(h["kind"], h["rule"], h["target"], h["by"], h["reason"]) for h in rig.get("/api/v1/holds")["holds"]]


def published(rig):
    """The states of the alarms that the broker would be told."""
    notifier = rig.worker._notifier
    return [state.value for alarm, state in notifier._raised.values() if alarm.rule == HOT["rule"]]


def deeds(rig):
    records = Look(rig.settings.journal.path).records(0, 2**62)
    return [decode_action(record.body).deed for record in records if record.kind is RecordKind.ACTION]


def test_a_shelved_alarm_is_on_record_and_not_shown_until_its_time_is_up(rig):
    heat(rig, 0)
    assert published(rig) == ["unacknowledged"]
    post(rig, "alarms/shelve", HOT | {"until": at(60), "reason": "the heater is changed"})
    assert holds(rig) == [("shelved", *HOT.values(), "li", "the heater is changed")]
    assert states(rig) == [("shelved", "shelved", None, 0)]
    assert published(rig) == []
    heat(rig, 59)
    assert published(rig) == []
    heat(rig, 60)
    assert states(rig) == [("unacknowledged", "", None, 0)]
    assert (holds(rig), published(rig)) == ([], ["unacknowledged"])


def test_what_is_raised_out_of_service_is_shown_when_it_is_put_back(rig):
    post(rig, "alarms/take-out", HOT | {"reason": "no probe"})
    heat(rig, 5)
    assert states(rig) == [("suppressed", "out_of_service", None, 5)]
    post(rig, "alarms/put-back", HOT)
    assert (states(rig), published(rig)) == ([("unacknowledged", "", None, 5)], ["unacknowledged"])


def test_maintenance_of_a_site_begins_and_ends_by_the_clock_and_reaches_all_its_devices(rig):
    post(rig, "maintenance", {"target": SITE, "from": at(10), "until": at(40), "reason": "it is cleaned"})
    heat(rig, 5)
    assert states(rig) == [("unacknowledged", "", None, 5)]
    heat(rig, 15)
    assert states(rig) == [("suppressed", "maintenance", None, 5)]
    heat(rig, 20, temp=20)
    assert states(rig) == [("normal", "maintenance", None, 5)]
    post(rig, "maintenance", {"target": SITE}, method="DELETE")
    assert holds(rig) == []


def test_an_acknowledged_alarm_wants_to_be_seen_again_when_it_stands_long_after(rig):
    heat(rig, 0)
    alarm = HOT | {"raised_at": at(0)}
    assert post(rig, "alarms/acknowledge", alarm)["acknowledged_by"] == "li"
    assert post(rig, "alarms/acknowledge", alarm)["state"] == "acknowledged"
    assert published(rig) == ["acknowledged"]
    heat(rig, 3599)
    assert states(rig)[0] == ("acknowledged", "", "li", 0)
    heat(rig, 3600)
    assert states(rig)[0][0] == "unacknowledged"
    assert published(rig) == ["unacknowledged"]
    post(rig, "alarms/acknowledge", alarm)
    assert states(rig)[0] == ("acknowledged", "", "li", 0)
    assert deeds(rig) == [Deed.ACKNOWLEDGE, Deed.ACKNOWLEDGE]


def test_what_is_over_is_acknowledged_on_record_alone(rig):
    heat(rig, 0)
    heat(rig, 10, temp=20)
    post(rig, "alarms/acknowledge", HOT | {"raised_at": at(0)})
    assert states(rig) == [("normal", "", "li", 0)]
    assert deeds(rig) == []


WEEK = {"until": START_MS + 7 * DAY_S * 1000, "reason": "r"}
TOO_LONG = "r" * 501


REFUSED = [
    ("alarms/shelve", HOT | WEEK | {"reason": " "}, 422, "a reason"),
    ("alarms/shelve", HOT | WEEK | {"reason": TOO_LONG}, 422, "at most 500"),
    ("alarms/shelve", HOT | WEEK | {"until": START_MS}, 422, "later than"),
    ("alarms/shelve", HOT | WEEK | {"until": WEEK["until"] + 1}, 422, "at most 7 days"),
    ("alarms/shelve", HOT | WEEK | {"rule": "brine.gone"}, 404, "has no rule 'brine.gone'"),
    ("alarms/shelve", HOT | WEEK | {"device": "brine.w1.gw"}, 404, "has no rule"),
    ("alarms/shelve", HOT | WEEK | {"device": "brine.w9.x"}, 404, "no device 'brine.w9.x'"),
    ("alarms/take-out", HOT | {"reason": ""}, 422, "a reason"),
    ("alarms/unshelve", HOT, 404, "is not shelved"),
    ("alarms/put-back", HOT, 404, "is not out of service"),
    ("alarms/acknowledge", HOT | {"raised_at": 7}, 404, "no alarm"),
    ("alarms/reset", HOT | {"raised_at": 7}, 404, "raised at 7"),
    ("maintenance", WEEK | {"target": "brine.w9"}, 404, "no device or site"),
    ("maintenance", WEEK | {"target": SITE, "until": START_MS - 1}, 422, "later than"),
]


def test_what_cannot_be_done_is_refused_with_a_reason_and_never_in_the_journal(rig):
    for path, body, status, told in REFUSED:
        assert told in why(rig, path, body, status)
    token = rig.client.headers.pop("authorization")
    for path in ("alarms/shelve", "alarms/take-out", "alarms/reset", "maintenance"):
        why(rig, path, HOT | WEEK, 401)
    assert (holds(rig), deeds(rig), rig.get("/api/v1/audit")["actions"]) == ([], [], [])

    rig.client.headers["authorization"] = token
    wish = {"target": SITE, "until": at(3600), "reason": "cleaning"}
    post(rig, "maintenance", wish)
    assert "end that first" in why(rig, "maintenance", wish, 409)
    heat(rig, 0)
    assert "still holds" in why(rig, "alarms/reset", HOT | {"raised_at": at(0)}, 409)


def test_every_deed_is_in_the_audit(rig):
    post(rig, "alarms/shelve", HOT | {"until": at(60), "reason": "the heater is changed"})
    post(rig, "alarms/unshelve", HOT)
    actions = [(a["by"], a["what"], a["target"], a["detail"]) for a in rig.get("/api/v1/audit")["actions"]]
    told = f"brine.vat_hot {at(60)} the heater is changed"
    assert actions == [("li", "unshelve", HOT["device"], "brine.vat_hot"), ("li", "shelve", HOT["device"], told)]


def test_a_worker_that_ends_in_the_middle_goes_on_where_it_was(begin, scene):
    rig = begin()
    heat(rig, 0)
    post(rig, "alarms/acknowledge", HOT | {"raised_at": at(0)})
    post(rig, "alarms/shelve", HOT | {"until": at(600), "reason": "the heater is changed"})
    before = holds(rig)
    rig.close()
    again = begin(at_s=300)
    assert (holds(again), states(again), published(again)) == (before, [("shelved", "shelved", "li", 0)], [])
    heat(again, 599)
    assert states(again) == [("shelved", "shelved", "li", 0)]
    heat(again, 600)
    wait_for(lambda: published(again) == ["acknowledged"])
    assert (states(again), holds(again)) == ([("acknowledged", "", "li", 0)], [])
    steps = [t.step.value for t in told_by_the_journal(again, scene)]
    assert steps == ["raised", "acknowledged", "hidden", "shown"]


def test_a_latched_alarm_outlives_the_worker_and_is_let_go_of_by_hand(latching, tmp_path, monkeypatch):
    monkeypatch.setattr(app, "LOOK_S", 0.02)
    operators_file(tmp_path)
    with one_after_another(tmp_path, latching, monkeypatch) as made:
        rig = made(more=OPERATORS)
        rig.client.headers["authorization"] = LI
        heat(rig, 0)
        heat(rig, 10, temp=20)
        rig.close()
        again = made(more=OPERATORS, at_ms=at(20))
        again.client.headers["authorization"] = LI
        alarm = HOT | {"raised_at": at(0)}
        assert latched(again) == [(True, None)]
        assert "the broker is away" in why(again, "alarms/reset", alarm, 409)
        again.worker.source_state = "connected"
        done = post(again, "alarms/reset", alarm)
        assert (done["latched"], done["cleared_at"]) == (False, at(20))
        assert latched(again) == [(False, at(20))]
        assert "stands" in why(again, "alarms/reset", alarm, 404)


def test_what_was_held_outlives_the_loss_of_all_state(begin):
    rig = begin()
    post(rig, "alarms/take-out", HOT | {"reason": "no probe"})
    post(rig, "maintenance", {"target": "brine.w2", "from": at(60), "until": at(600), "reason": "cleaning"})
    before = rig.get("/api/v1/holds")
    rig.close()
    database = Database(rig.settings.database.url)
    afresh = Pipeline(rig.worker.scenes, "sw")
    alarms = afresh.alarms
    tell_again(afresh, database, at(0))
    database.close()
    assert [hold_json(hold) for hold in alarms.holds] == before["holds"]
    alarms.go_on(at(700))
    assert [hold.kind for hold in alarms.holds] == ["out_of_service"]


def latched(rig):
    alarms = rig.get("/api/v1/alarms", state="all")["alarms"]
    return [(a["latched"], a["cleared_at"]) for a in alarms if a["rule"] == HOT["rule"]]


def told_by_the_journal(rig, scene):
    fresh = Pipeline([scene], "sw")
    records = Look(rig.settings.journal.path).records(0, 2**62)
    return [t for record in records for t in fresh.run(record).transitions if "hot" in t.rule]
