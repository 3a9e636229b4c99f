"""Operators' limits change while a worker runs, keep their place in the journal, and outlive it."""

from __future__ import annotations

import pytest

from ends import wait_for
from records import START_MS, telemetry, topic
from scenewatch import app
from scenewatch.alarms.overrides import overridden
from scenewatch.journal.look import Look
from scenewatch.model.errors import ConfigurationError
from scenewatch.model.ports import RecordKind
from scenewatch.model.ruleversion import version_of
from scenewatch.pipeline import Pipeline, encode_limits
from scenewatch.settings import load
from scenewatch.store.ruleversions import RuleVersions
from scenewatch.worker.service import reload
from worker_rig import one_after_another

PATIENT = {"brine.vat_hot": {"on_delay_s": 40.0}}
SECTION = '[limits."brine.vat_hot"]\n'


@pytest.fixture
def begin(vat_scene, tmp_path, monkeypatch):
    """Begins a worker in the test's folder; again after the one before was closed."""
    monkeypatch.setattr(app, "LOOK_S", 0.02)
    with one_after_another(tmp_path, vat_scene, monkeypatch) as made:
        yield made


@pytest.fixture
def config(tmp_path):
    return tmp_path / "scenewatch.toml"


def write(config, *lines):
    before = config.read_text().partition("[limits")[0]
    config.write_text(before + "".join(lines))


def read_again(rig, config):
    reload(rig.worker, lambda: load(config, {}))


def heat(rig, *seconds):
    for s in seconds:
        at_ms = START_MS + s * 1000
        rig.send(at_ms, (topic("vat-1"), telemetry(at_ms, temp=85)))


def in_force(rig):
    [scene] = rig.get("/api/v1/scenes")["scenes"]
    return {r["key"]: (r["limit"], r["on_delay_s"]) for r in scene["rules"]}["vat_hot"]


def raised_s(rig):
    return [(a["raised_at"] - START_MS) // 1000 for a in rig.get("/api/v1/alarms")["alarms"]]


def recorded(rig):
    items = Look(rig.settings.journal.path).records(0, 2**62)
    return [(r.first, r.body) for r in items if r.kind is RecordKind.LIMITS]


def test_new_limits_are_in_force_in_the_middle_of_a_delay(begin, config, vat_scene):
    rig = begin()
    assert in_force(rig) == (80.0, 20.0)
    heat(rig, 0, 10)
    write(config, SECTION, "on_delay_s = 40\n")
    read_again(rig, config)
    wait_for(lambda: in_force(rig) == (80.0, 40.0))
    heat(rig, 20, 30)
    assert raised_s(rig) == []
    heat(rig, 40)
    assert raised_s(rig) == [40]
    [(at, body)] = recorded(rig)
    assert body == encode_limits(PATIENT)
    again = Pipeline([vat_scene], "sw")
    outcomes = [again.run(record) for record in Look(rig.settings.journal.path).records(0, 2**62)]
    assert [t.at_ms - START_MS for outcome in outcomes for t in outcome.transitions] == [40_000]
    assert again.position > at


def test_a_restart_goes_on_with_them_and_records_nothing(begin, config):
    rig = begin()
    write(config, SECTION, "on_delay_s = 40\n")
    read_again(rig, config)
    wait_for(lambda: recorded(rig))
    heat(rig, 0, 10, 20)
    rig.close()
    again = begin(more=f"{SECTION}on_delay_s = 40\n")
    assert in_force(again) == (80.0, 40.0)
    heat(again, 30, 40)
    assert raised_s(again) == [40]
    assert len(recorded(again)) == 1


def test_an_alarm_of_limits_that_were_in_force_for_a_moment_is_explained_by_them(begin, config):
    rig = begin()
    heat(rig, 0, 10)
    for seconds in (10, 600):
        write(config, SECTION, f"on_delay_s = {seconds}\n")
        read_again(rig, config)
        wait_for(lambda s=seconds: in_force(rig) == (80.0, s))
        if seconds == 10:
            heat(rig, 15)
            rig.ledger()
    [alarm] = rig.get("/api/v1/alarms")["alarms"]
    found = rig.get("/api/v1/alarms/explanation", **{key: alarm[key] for key in ("rule", "device", "raised_at")})
    assert (found["as_raised"], found["rule"]["on_delay_s"], found["now"]["on_delay_s"]) == (True, 10.0, 600.0)


def test_every_version_of_a_rule_that_was_in_force_is_kept_without_any_alarm(begin, config, vat_scene):
    rig = begin()
    rule = vat_scene.rule("vat_hot")
    for limit in (90, 95):
        write(config, SECTION, f"limit = {limit}\n")
        read_again(rig, config)
        wait_for(lambda n=limit: in_force(rig) == (n, 20.0))
    kept = RuleVersions(rig.worker._database)
    for limit in (80.0, 90.0, 95.0):
        version = version_of(vat_scene, overridden(rule, {"limit": limit}))
        wait_for(lambda v=version: kept.entry("brine.vat_hot", v) is not None)


def test_limits_that_changed_while_it_was_down_are_recorded_at_the_start(begin, config):
    rig = begin()
    write(config, SECTION, "limit = 90\n")
    read_again(rig, config)
    wait_for(lambda: recorded(rig))
    heat(rig, 0)
    rig.close()
    again = begin(more="")
    assert in_force(again) == (80.0, 20.0)
    assert [body for _, body in recorded(again)] == [
        encode_limits({"brine.vat_hot": {"limit": 90.0}}),
        encode_limits({}),
    ]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ((SECTION, "limt = 1\nlimit = 999\n", '[limits."moon.cold"]\nlimit = 1\n'), ("limt", "999", "moon.cold")),
        ((SECTION, "limit = 'high'\n", "[limits.x]\nlimit = 'low'\n"), ("vat_hot.limit", "limits.x.limit")),
        (("[limits\n",), ("is not TOML",)),
    ],
)
def test_with_any_mistake_all_are_told_in_one_message_and_the_old_limits_stay(begin, config, caplog, lines, told):
    rig = begin()
    write(config, *lines)
    read_again(rig, config)
    [message] = [r.getMessage() for r in caplog.records if r.levelname == "ERROR"]
    assert message.startswith("settings are not taken, the limits stay as they are: ")
    assert [word for word in told if word not in message] == []
    assert (in_force(rig), recorded(rig)) == ((80.0, 20.0), [])


def test_what_needs_a_restart_is_named(begin, config, caplog):
    caplog.set_level("INFO")
    rig = begin()
    config.write_text(
        config.read_text().replace("[journal]", "[journal]\nkeep_hours = 1") + '[http]\nhost = "::1"\n'
    )
    read_again(rig, config)
    assert "changed too, and taken at the next start only: journal.keep_hours, http.host" in caplog.text
    assert "the limits stay" in caplog.text


def test_a_worker_does_not_start_with_limits_that_are_mistaken(begin, config):
    rig = begin()
    rig.close()
    write(config, SECTION, "limt = 1\nlimit = 999\n")
    with pytest.raises(ConfigurationError) as caught:
        type(rig.worker)(load(config, {}), rig.worker.clock)
    assert len(caught.value.mistakes) == 2
