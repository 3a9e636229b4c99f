"""Explanations hold for alarms of any age: of rules that changed or are gone, with what else happened then."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from alarm_moves import RAISED, raised, then
from scenewatch.api.ruletables import rule as entry_of
from scenewatch.model.alarm import Step
from scenewatch.model.flags import Flag
from scenewatch.model.insight import Departure, Usual
from scenewatch.model.ports import Readings
from scenewatch.model.registry import Registry
from scenewatch.model.rule import Above, Happened, Term, all_of
from scenewatch.model.ruleversion import version_of
from scenewatch.model.words import days, hours, minutes, seconds
from scenewatch.store.alarms import Alarms
from scenewatch.store.relatedalarms import RelatedAlarms
from scenewatch.store.ruleversions import RuleVersions
from scenewatch.worker.explaining import Explaining, Kept

AT_MS = 10 * days(1)
HOT = raised(AT_MS)


class Bench:
    """Explanations over a record that a test fills."""

    def __init__(self, database, scene):
        self.alarms = Alarms(database)
        self.record = {}
        self.scene = scene
        self.rules = {f"brine.{rule.key}": rule for rule in scene.rules}
        self.asked = []
        self.told = []
        self.now_ms = AT_MS + hours(5)
        self.versions = RuleVersions(database)
        self.explaining = Explaining(
            Kept(
                alarms=Alarms(database),
                related=RelatedAlarms(database),
                versions=self.versions,
                registry=Registry([scene]),
                written=(scene,),
                rules=lambda: self.rules,
                readings=self.read,
                events=self.events,
                now_ms=lambda: self.now_ms,
            )
        )

    def read(self, series, from_ms, to_ms, limit):
        self.asked.append((series, from_ms, to_ms, limit))
        rows = [(t, v, f) for t, v, f in self.record.get(series.rpartition(".")[2], []) if from_ms <= t < to_ms]
        t, value, flag = (np.array(column) for column in zip(*rows, strict=True)) if rows else ((), (), ())
        return Readings(
            np.array(t, np.int64), np.array(value, float), np.array(flag, np.uint8), np.zeros(len(t)), False
        )

    def events(self, query):
        return [one for one in self.told if one == (query.device, query.kind, query.from_ms)]

    def tell(self, *moves):
        self.explaining.keep_rules()
        self.alarms.record(list(moves))

    def explain(self, move=HOT):
        return self.explaining.explain(*move.identity)

    def version(self, rule="brine.vat_hot"):
        return version_of(self.scene, self.rules[rule])


@pytest.fixture
def bench(database, vat_scene):
    return Bench(database, vat_scene)


def with_rule(scene, **change):
    """The same scene, whose first rule is another one."""
    return replace(scene, rules=(replace(scene.rules[0], **change), *scene.rules[1:]))


def test_an_alarm_is_told_with_the_rule_that_raised_it_and_what_it_is_now(bench):
    bench.tell(replace(HOT, version=bench.version()))
    assert (bench.explain().as_raised, bench.explain().now) == (True, None)
    bench.rules = bench.rules | {"brine.vat_hot": replace(bench.rules["brine.vat_hot"], when=Above(60.0))}
    found = bench.explain()
    assert (found.rule["limit"], found.as_raised, found.now["limit"]) == (80.0, True, 60.0)


def test_a_version_stays_as_it_was_first_kept(bench):
    entry = entry_of(bench.scene, bench.scene.rules[0], bench.scene.rules[0])
    bench.versions.keep({}, 1)
    bench.versions.keep({"brine.vat_hot": entry}, 1)
    bench.versions.keep({"brine.vat_hot": entry | {"limit": 1.0}}, 2)
    assert bench.versions.entry("brine.vat_hot", entry["version"])["limit"] == 80.0
    assert bench.versions.entry("brine.vat_hot", "00000000") is None


def test_of_an_unknown_version_the_present_rule_is_told_and_not_as_the_one_that_raised_it(bench):
    bench.tell(HOT)
    assert (bench.explain().as_raised, bench.explain().rule["limit"]) == (False, 80.0)


def test_an_alarm_of_a_rule_that_is_gone_keeps_its_explanation(bench, database, vat_scene):
    bench.tell(replace(HOT, version=bench.version()))
    later = Bench(database, replace(vat_scene, rules=vat_scene.rules[1:], faults=()))
    found = later.explain()
    assert (found.rule["limit"], found.as_raised, found.now, found.causes) == (80.0, True, None, [])
    assert found.chart.channel == "temp"


def test_an_alarm_of_which_nothing_is_known_any_more_is_told_all_the_same(bench):
    stranger = replace(HOT, rule="tar.pit_hot", device="tar.p1.pit-1", device_type="pit")
    bench.tell(stranger)
    found = bench.explain(stranger)
    assert (found.rule, found.values, found.quality, found.chart, found.causes) == (None, [], None, None, [])
    assert bench.explain(raised(1)) is None


def test_all_channels_of_a_combination_are_told_at_that_instant(database, vat_scene):
    both = all_of(Term("temp", Above(80.0)), Term("level", Above(50.0)))
    bench = Bench(database, with_rule(vat_scene, when=both))
    bench.record = {"temp": [(AT_MS - 5, 90.0, 1), (AT_MS + 5, 10.0, 1)], "level": [(AT_MS, 60.0, 3)]}
    bench.tell(HOT)
    values = [(v.channel, v.at, v.value, v.flag) for v in bench.explain().values]
    assert values == [("temp", AT_MS - 5, 90.0, "good"), ("level", AT_MS, 60.0, "suspect")]


def test_what_is_not_on_record_is_told_as_missing(bench):
    bench.tell(replace(HOT, value=math.nan))
    (value,) = bench.explain().values
    assert (value.at, value.value, value.flag) == (None, None, "missing")
    assert bench.explain().quality.good_share is None


def test_the_reading_that_raised_it_is_told_before_the_store_has_it(bench):
    bench.record = {"temp": [(AT_MS - 10, 70.0, 3)]}
    bench.tell(HOT)
    (value,) = bench.explain().values
    assert (value.at, value.value, value.flag) == (AT_MS, 90.0, "good")
    bench.record = {"temp": [(AT_MS, 91.0, 3)]}
    assert [(v.value, v.flag) for v in bench.explain().values] == [(91.0, "suspect")]


def test_of_silence_the_last_reading_is_told(bench):
    silent = replace(HOT, rule="brine.vat_silent", value=math.nan, flag=Flag.MISSING)
    bench.record = {"temp": [(AT_MS - minutes(1), 20.0, 1)]}
    bench.tell(silent)
    (value,) = bench.explain(silent).values
    assert (value.at, value.value) == (AT_MS - minutes(1), 20.0)


def test_quality_is_that_of_the_hour_before(bench):
    flags = (1, 1, 3, 4)
    bench.record = {"temp": [(AT_MS - n * seconds(10), 20.0, flag) for n, flag in enumerate(flags)]}
    bench.record["temp"] += [(AT_MS - hours(1) - 1, 20.0, 4), (AT_MS + 1, 20.0, 4)]
    bench.tell(HOT)
    quality = bench.explain().quality
    assert (quality.readings, quality.good_share, quality.suspect_share, quality.fail_share) == (4, 0.5, 0.25, 0.25)


def test_what_is_derived_is_told_with_what_it_comes_from(database, vat_scene):
    vat = vat_scene.device_types[0]
    temp = vat.channels[0]
    odd = replace(temp, key="odd", derived=Departure(of="temp"))
    usual = replace(temp, key="usual", derived=Usual(of="temp", departure="odd"))
    scene = with_rule(
        replace(vat_scene, device_types=(replace(vat, channels=(*vat.channels, odd, usual)),)), on=("vat.odd",)
    )
    bench = Bench(database, scene)
    bench.record = {"odd": [(AT_MS, 7.0, 1)], "usual": [(AT_MS - hours(1), 60.0, 1)]}
    bench.tell(HOT)
    found = bench.explain()
    assert [(v.channel, v.role, v.value) for v in found.values] == [
        ("odd", "watched", 7.0),
        ("temp", "source", None),
        ("usual", "source", 60.0),
    ]
    assert found.chart.from_ms == AT_MS - hours(24)
    assert found.quality.expected == 360


def test_an_event_that_raised_it_is_told(database, vat_scene):
    bench = Bench(database, with_rule(vat_scene, on=("vat",), when=Happened(event="lid_open", quiet=hours(1))))
    bench.told = [(HOT.device, "lid_open", AT_MS), (HOT.device, "lid_open", AT_MS - 1)]
    bench.tell(HOT)
    found = bench.explain()
    assert (found.events, found.values, found.chart) == ([bench.told[0]], [], None)


def test_similar_alarms_are_the_newest_before_it_those_of_the_device_first(bench):
    here = [raised(AT_MS - days(n)) for n in (1, 2, 40)]
    there = [raised(AT_MS - n, device="brine.w1.vat-2") for n in range(1, 12)]
    others = [raised(AT_MS - 1, device="brine.w10.vat-1"), raised(AT_MS - 1, rule="brine.vat_silent")]
    bench.tell(HOT, raised(AT_MS + 1), *here, *there, *others)
    found = bench.explain()
    similar = [(one.device, one.raised_at) for one in found.similar]
    assert similar[:3] == [(HOT.device, AT_MS - days(n)) for n in (1, 2, 40)]
    assert similar[3:] == [("brine.w1.vat-2", AT_MS - n) for n in range(1, 8)]
    assert found.similar_count == 2


def test_cause_and_what_follows_are_told(bench):
    silent = replace(HOT, rule="brine.vat_silent")
    cause = "brine.vat_silent brine.w1.vat-1"
    after = replace(raised(AT_MS + 5), device="brine.w1.vat-2", cause=cause)
    before = replace(after, raised_at_ms=AT_MS - 5)
    later = replace(after, raised_at_ms=AT_MS + 99)
    bench.tell(
        replace(silent, raised_at_ms=1), silent, before, after, later, then(silent, Step.CLEARED, AT_MS + 50)
    )
    assert [one.raised_at for one in bench.explain(silent).follows] == [AT_MS + 5]
    assert (bench.explain(after).cause.rule, bench.explain(after).cause.raised_at) == ("brine.vat_silent", AT_MS)
    assert bench.explain(silent).cause is None


def test_its_course_is_in_the_order_of_time(bench):
    bench.tell(
        HOT,
        then(HOT, Step.RETURNED, AT_MS + 2),
        then(HOT, Step.ACKNOWLEDGED, AT_MS + 1, by="li"),
        then(HOT, Step.CLEARED, AT_MS + 3, by="wang"),
    )
    assert [(one.step, one.at - AT_MS, one.by) for one in bench.explain().course] == [
        ("raised", 0, None),
        ("acknowledged", 1, "li"),
        ("returned", 2, None),
        ("cleared", 3, "wang"),
    ]


@pytest.mark.parametrize(
    ("cleared_after", "now_after", "end"),
    [(None, hours(5), hours(5)), (hours(1), hours(5), minutes(90)), (hours(1), minutes(61), minutes(61))],
)
def test_its_chart_ends_after_it_or_now(bench, cleared_after, now_after, end):
    bench.now_ms = AT_MS + now_after
    bench.tell(HOT)
    if cleared_after is not None:
        bench.tell(then(HOT, Step.CLEARED, AT_MS + cleared_after))
    chart = bench.explain().chart
    assert (chart.from_ms, chart.to_ms) == (AT_MS - hours(1), AT_MS + end)


def test_a_long_delay_widens_the_chart(database, vat_scene):
    bench = Bench(database, with_rule(vat_scene, on_delay=hours(2)))
    bench.tell(HOT)
    assert bench.explain().chart.from_ms == AT_MS - hours(6)


def test_the_store_is_asked_for_no_more_than_it_must_read(bench):
    bench.tell(HOT)
    bench.explain()
    assert {series for series, *_ in bench.asked} == {f"{RAISED.device}.temp"}
    assert max(to_ms - from_ms for _, from_ms, to_ms, _ in bench.asked) <= hours(1) + 1
