"""Rules that more than one reading decides, case by case. Times are seconds; the box reports each 30 s."""

import math
from dataclasses import replace

import pytest
from stepping import AIR, DOOR, POWER, at, box, message, moves, short, story, tick, told
from tiny_scene import (
    AIR_WARM,
    BOX,
    CLEANED,
    DOOR_OPEN,
    KNOCK,
    OPEN_LATELY,
    POWER_LOW,
    RESTART,
    START_MS,
    batch_of,
    devices,
    event,
    registry,
    rule,
    scene,
    spans,
)

from scenewatch.alarms.engine import Engine
from scenewatch.model.flags import Flag
from scenewatch.model.flags import Test as QualityTest
from scenewatch.model.insight import DAY, MeanWhile
from scenewatch.model.place import Device
from scenewatch.model.registry import Registry
from scenewatch.model.rule import (
    Above,
    AtLeast,
    Below,
    During,
    Flagged,
    Happened,
    Outside,
    Term,
    Then,
    While,
    all_of,
    any_of,
)
from scenewatch.model.words import seconds

BOTH = rule("both", all_of(AIR_WARM, DOOR_OPEN))
AT_REST = message(-30, air=5.0, door=0.0)
AFTER = rule("after", Then(first=DOOR_OPEN, second=AIR_WARM, within=seconds(120)))
SHUT = rule("shut", Above(8.0, deadband=1.0), on_delay_s=60, but=(OPEN_LATELY,))


def test_outside_is_raised_on_either_side_and_cleared_inside_both_limits_by_the_deadband():
    odd = box(rule("odd", Outside(0.0, 8.0, deadband=0.5)))
    values = (0.0, 8.0, 8.1, 7.6, 7.5, -0.1, 0.4, 9.0, 0.5)
    assert moves(odd, [at(30 * i, value) for i, value in enumerate(values)]) == [
        ("raised", "odd", 60),
        ("cleared", "odd", 120),
        ("raised", "odd", 150),
        ("cleared", "odd", 240),
    ]


def test_a_doubt_lasts_until_the_next_reading_without_it():
    stuck = box(rule("stuck", Flagged(QualityTest.STUCK)))
    doubt = {"flag": Flag.SUSPECT, "test": QualityTest.STUCK}
    other = {"flag": Flag.SUSPECT, "test": QualityTest.FASTEST}
    readings = [at(0, 5.0), at(30, 5.0, **other), at(60, 5.0, **doubt), at(90, 5.0, **doubt), at(120, 5.0)]
    assert moves(stuck, [*readings, at(150, 5.0, **doubt), at(180, 5.0, **other)]) == [
        ("raised", "stuck", 60),
        ("cleared", "stuck", 120),
        ("raised", "stuck", 150),
        ("cleared", "stuck", 180),
    ]


def test_a_combination_never_sees_half_a_message():
    engine = box(BOTH)
    assert story(engine, message(0, air=9.0, door=0.0), message(30, air=5.0, door=1.0)) == []
    assert story(engine, message(60, air=9.0, door=1.0)) == [("raised", "both", 60)]
    assert story(engine, message(90, air=9.0, door=0.0)) == [("cleared", "both", 90)]


@pytest.mark.parametrize("late", [{"door": 1.0}, {"air": 9.0}])
def test_channels_may_come_in_messages_of_their_own(late):
    first = {"air": 9.0, "door": 1.0}
    del first[next(iter(late))]
    assert story(box(BOTH), message(0, **first), message(10, **late)) == [("raised", "both", 10)]


def test_each_term_has_its_own_deadband():
    engine = box(BOTH)
    assert story(engine, message(0, air=9.0, door=1.0), message(30, air=7.5, door=1.0)) == [("raised", "both", 0)]
    assert story(engine, message(60, air=7.0, door=1.0), message(90, air=7.5, door=1.0)) == [
        ("cleared", "both", 60)
    ]


@pytest.mark.parametrize(("count", "raised_s"), [(1, 0), (2, 30), (3, 60)])
def test_so_many_terms_must_hold(count, raised_s):
    engine = box(rule("some", AtLeast(count, (AIR_WARM, DOOR_OPEN, POWER_LOW))))
    told_of = (
        message(0, air=9.0, door=0.0, power=99.0),
        message(30, air=9.0, door=1.0, power=99.0),
        message(60, air=9.0, door=1.0, power=5.0),
    )
    assert story(engine, *told_of) == [("raised", "some", raised_s)]


@pytest.mark.parametrize(("step_s", "expected"), [(90, [("raised", "both", 90)]), (91, [])])
def test_a_term_whose_channel_is_silent_for_longer_than_a_gap_does_not_hold(step_s, expected):
    assert story(box(BOTH), message(0, door=1.0), message(step_s, air=9.0)) == expected


def test_a_silent_term_ends_an_alarm_when_anything_else_comes():
    engine = box(rule("any", any_of(AIR_WARM, DOOR_OPEN)))
    messages = [message(0, air=5.0, door=1.0), *(message(t_s, air=5.0) for t_s in (30, 60, 90, 120))]
    assert story(engine, *messages) == [("raised", "any", 0), ("cleared", "any", 120)]


def test_after_a_silence_a_term_begins_anew():
    engine = box(BOTH)
    assert story(engine, message(0, air=9.0, door=1.0), message(300, air=7.5, door=1.0)) == [
        ("raised", "both", 0),
        ("cleared", "both", 300),
    ]


def test_delays_of_a_combination_count_from_when_it_held_and_begin_again_after_a_gap():
    engine = box(rule("both", all_of(AIR_WARM, DOOR_OPEN), on_delay_s=60, off_delay_s=30))
    warm = [message(t_s, air=9.0, door=1.0) for t_s in (0, 30, 200, 230, 260)]
    assert story(engine, *warm) == [("raised", "both", 260)]
    assert story(engine, message(290, air=5.0, door=1.0), message(320, air=5.0, door=1.0)) == [
        ("cleared", "both", 320)
    ]


def test_failed_readings_move_no_term():
    engine = box(BOTH)
    failed = at(60, 0.0, series=DOOR, flag=Flag.FAIL)
    assert story(engine, message(0, air=9.0, door=1.0), message(30, air=9.0), [at(60, 9.0), failed]) == [
        ("raised", "both", 0)
    ]


def test_the_samples_of_one_message_are_taken_in_the_order_of_their_times():
    air = [at(t_s, value, received_s=120) for t_s, value in ((0, 9.0), (30, 5.0), (60, 9.0))]
    door = [at(t_s, value, series=DOOR, received_s=120) for t_s, value in ((0, 0.0), (30, 1.0), (60, 1.0))]
    assert moves(box(BOTH), [*air, *door]) == [("raised", "both", 60)]


def test_the_alarm_shows_the_reading_of_the_rules_own_channel():
    both = rule("both", all_of(AIR_WARM, DOOR_OPEN), on=("box.door",))
    (raised,) = box(both).step(batch_of(message(0, air=9.0, door=1.0)))
    assert (raised.value, raised.flag) == (1.0, Flag.GOOD)
    engine = box(both)
    engine.step(batch_of(message(0, door=1.0)))
    (raised,) = engine.step(batch_of(message(10, air=9.0)))
    assert math.isnan(raised.value)
    assert raised.flag == Flag.MISSING


def test_data_older_than_what_was_judged_decide_nothing():
    engine = box(BOTH)
    assert story(engine, message(60, air=9.0), message(0, door=1.0)) == []
    assert story(engine, message(70, air=9.0)) == [("raised", "both", 70)]


@pytest.mark.parametrize(("second_s", "expected"), [(120, [("raised", "after", 120)]), (121, []), (0, [])])
def test_a_sequence_is_raised_where_the_second_begins_in_time(second_s, expected):
    """At no time does it see the door shut and the air warm."""
    engine = box(AFTER)
    times = [0, 30, 60, 90, second_s] if second_s else [30]
    told_of = [message(t_s, air=9.0 if t_s == second_s else 5.0, door=1.0) for t_s in times]
    assert story(engine, AT_REST, *told_of) == expected


def test_of_what_holds_where_readings_begin_or_begin_again_nobody_knows_since_when():
    assert story(box(AFTER), message(0, air=5.0, door=1.0), message(30, air=9.0, door=1.0)) == []
    later = [message(300, air=5.0, door=1.0), message(330, air=9.0, door=1.0)]
    assert story(box(AFTER), AT_REST, message(0, air=5.0, door=0.0), *later) == []


def test_both_of_a_sequence_may_begin_at_once_but_not_the_second_first():
    assert story(box(AFTER), AT_REST, message(0, air=9.0, door=1.0)) == [("raised", "after", 0)]
    assert story(box(AFTER), message(0, air=9.0, door=0.0), message(30, air=9.0, door=1.0)) == []


def test_the_first_of_a_sequence_may_have_ended_and_the_second_ends_the_alarm():
    told_of = [message(0, air=5.0, door=1.0), message(30, air=5.0, door=0.0), message(60, air=9.0, door=0.0)]
    ended = [message(90, air=7.5, door=0.0), message(120, air=7.0, door=0.0), message(150, air=9.0, door=0.0)]
    assert story(box(AFTER), AT_REST, *told_of, *ended) == [("raised", "after", 60), ("cleared", "after", 120)]


def test_a_sequence_ends_when_the_channel_of_its_second_is_silent():
    told_of = [message(0, air=9.0, door=1.0), *(message(t_s, door=1.0) for t_s in (30, 60, 90, 91))]
    assert story(box(AFTER), AT_REST, *told_of) == [("raised", "after", 0), ("cleared", "after", 91)]


def test_while_the_door_is_open_and_for_a_minute_more_nothing_is_raised():
    engine = box(SHUT)
    told_of = [message(30 * i, air=9.0, door=1.0 if i < 3 else 0.0) for i in range(8)]
    assert story(engine, *told_of) == [("raised", "shut", 210)]


def test_suppression_resets_a_delay_that_runs_and_lets_an_alarm_be():
    engine = box(SHUT)
    assert story(engine, *(message(t_s, air=9.0, door=0.0) for t_s in (0, 30))) == []
    assert story(engine, *(message(t_s, air=9.0, door=1.0 - t_s // 90) for t_s in (60, 90, 120))) == []
    assert story(engine, *(message(t_s, air=9.0, door=0.0) for t_s in (150, 180, 210))) == [("raised", "shut", 210)]
    assert story(engine, message(240, air=7.5, door=1.0), message(270, air=7.0, door=1.0)) == [
        ("cleared", "shut", 270)
    ]


def test_a_suppressing_channel_that_falls_silent_suppresses_for_a_gap_more():
    engine = box(rule("shut", Above(8.0), but=(While(term=DOOR_OPEN, after=seconds(20)),)))
    told_of = [message(0, door=1.0), *(message(t_s, air=9.0) for t_s in (60, 90, 110, 111))]
    assert story(engine, *told_of) == [("raised", "shut", 111)]


def test_a_suppressing_channel_that_comes_back_ended_when_it_fell_silent():
    engine = box(rule("shut", Above(8.0), but=(While(term=DOOR_OPEN, after=seconds(20)),)))
    assert story(engine, message(0, door=1.0), message(200, air=9.0, door=0.0)) == [("raised", "shut", 200)]


def test_what_is_done_at_the_site_suppresses_for_as_long_and_for_a_while_more():
    begin_ms, end_ms = spans("tiny.s", START_MS, START_MS + 1_200_000, "cleaning")[1]
    begin_s, end_s = (begin_ms - START_MS) // 1000, (end_ms - START_MS) // 1000
    hot = box(rule("hot", Above(20.0), but=(CLEANED,)))
    times = [begin_s - 1, begin_s, end_s - 1, end_s, end_s + 44, end_s + 45]
    found = [move for t_s in times for move in moves(hot, [at(t_s, 21.0), at(t_s + 0.5, 15.0)])]
    assert found == [
        ("raised", "hot", begin_s - 1),
        ("cleared", "hot", begin_s - 0.5),
        ("raised", "hot", end_s + 45),
        ("cleared", "hot", end_s + 45.5),
    ]


def test_each_site_is_suppressed_at_its_own_hours_on_any_day():
    of = scene(rule("hot", Above(20.0), but=(During(occasion="cleaning"),)))
    known, engine = Registry([of]), Engine([of])
    boxes = [Device(scene="tiny", site=site, device="box", type="box") for site in ("s", "elsewhere")]
    known.apply(boxes, at_ms=START_MS)
    engine.grow(known)
    for day in (0, 1, 400):
        for minute in range(0, 1440, 47):
            t_s = 86_400 * day + 60 * minute
            hot = [at(t_s, 21.0, series=known.first_series[device]) for device in (0, 1)]
            raised = {t.device for t in engine.step(batch_of(hot))}
            at_ms = START_MS + 1000 * t_s
            assert raised == {
                n for n, box in enumerate(boxes) if not spans(box.site_id, at_ms, at_ms + 1, "cleaning")
            }
            moves(engine, [at(t_s + 1, 15.0, series=known.first_series[device]) for device in (0, 1)])


def test_what_was_done_on_the_day_before_may_suppress_still():
    long = rule("hot", Above(20.0), but=(During(occasion="cleaning", after=seconds(600)),))
    midnight_s = 86_400 - START_MS // 1000 % 86_400
    assert moves(box(long), [at(midnight_s + 10 * i, 21.0) for i in range(70)]) == []


def test_an_event_raises_and_its_absence_clears_at_the_deadline():
    engine = box(KNOCK)
    (raised,) = engine.happened([event(0, "knock", START_MS)])
    assert math.isnan(raised.value)
    assert raised.flag == Flag.GOOD
    assert told(engine, "knock", 60) == []
    assert tick(engine, 159.999) == []
    assert not engine.overdue(START_MS + 159_999)
    assert engine.overdue(START_MS + 160_000)
    assert tick(engine, 500) == [("cleared", "knock", 160)]
    assert not engine.overdue(START_MS + 900_000)
    assert told(engine, "knock", 600) == [("raised", "knock", 600)]


def test_the_next_event_notices_what_no_tick_did():
    engine = box(KNOCK)
    assert told(engine, "knock", 0) == [("raised", "knock", 0)]
    assert told(engine, "knock", 100) == [("cleared", "knock", 100), ("raised", "knock", 100)]


def test_an_event_that_comes_late_is_told_as_if_a_tick_had_come_before_it():
    ticked, unticked = box(KNOCK), box(KNOCK)
    for engine in (ticked, unticked):
        assert told(engine, "knock", 0) == [("raised", "knock", 0)]
    assert tick(ticked, 200) == [("cleared", "knock", 100)]
    assert told(ticked, "knock", 90, received_s=200) == [("raised", "knock", 90)]
    assert told(unticked, "knock", 90, received_s=200) == [("cleared", "knock", 100), ("raised", "knock", 90)]


def test_events_that_were_kept_do_not_end_at_once():
    engine = box(KNOCK)
    assert told(engine, "knock", 0, received_s=3600) == [("raised", "knock", 0)]
    assert tick(engine, 3600) == []
    assert told(engine, "knock", 90, received_s=3601) == []
    assert tick(engine, 3701) == [("cleared", "knock", 190)]


@pytest.mark.parametrize(("kind", "marks"), [("knock", {"live": False}), ("other", {})])
def test_history_and_other_events_raise_nothing(kind, marks):
    assert told(box(KNOCK), kind, 0, **marks) == []


def test_an_event_older_than_the_newest_moves_nothing():
    engine = box(KNOCK)
    assert told(engine, "knock", 100) == [("raised", "knock", 100)]
    assert tick(engine, 200) == [("cleared", "knock", 200)]
    assert told(engine, "knock", 100, received_s=201) == told(engine, "knock", 90, received_s=202) == []


def test_an_event_is_suppressed_by_the_state_of_its_device():
    engine = box(rule("knock", Happened(event="knock", quiet=seconds(30)), on=("box",), but=(OPEN_LATELY,)))
    assert story(engine, message(0, door=1.0)) == []
    assert told(engine, "knock", 10) == []
    assert story(engine, message(30, door=0.0)) == []
    assert told(engine, "knock", 89) == []
    assert told(engine, "knock", 90) == [("raised", "knock", 90)]


def test_a_device_without_channels_has_events_too():
    of = scene(RESTART)
    known, engine = registry("gateway", of=of), Engine([of])
    engine.grow(known)
    assert told(engine, "restart", 0) == [("raised", "restart", 0)]
    known.apply([], at_ms=START_MS + 5000)
    engine.grow(known)
    assert short(engine.retire(known, START_MS + 5000)) == [("cleared", "restart", 5)]
    assert not engine.overdue(START_MS + 900_000)


def test_a_device_that_comes_back_remembers_no_term():
    of = scene(BOTH, SHUT)
    known, engine = registry("box", of=of), Engine([of])
    engine.grow(known)
    story(engine, message(0, air=5.0, door=1.0))
    for inventory in ([], devices("box")):
        known.apply(inventory, at_ms=START_MS + 10_000)
        engine.grow(known)
        engine.retire(known, START_MS + 10_000)
    assert story(engine, message(20, air=9.0)) == []


def test_growing_keeps_what_terms_hold():
    of = scene(BOTH, KNOCK)
    known, engine = registry("box", of=of), Engine([of])
    engine.grow(known)
    story(engine, message(0, door=1.0))
    assert told(engine, "knock", 0) == [("raised", "knock", 0)]
    known.apply(devices("box", "pump", "gateway", "box"), at_ms=START_MS)
    engine.grow(known)
    assert story(engine, message(10, air=9.0)) == [("raised", "both", 10)]
    assert tick(engine, 100) == [("cleared", "knock", 100)]
    fourth = [at(20, 9.0, series=4 + AIR), at(20, 1.0, series=4 + DOOR), at(20, 1.0, series=4 + POWER)]
    assert [t.device for t in engine.step(batch_of(fourth))] == [3]


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (BOTH, [("raised", "both", 10)]),
        (rule("both", all_of(AIR_WARM, POWER_LOW)), []),
        (rule("both", all_of(AIR_WARM, Term("door", Below(0.5)))), [("raised", "both", 10)]),
    ],
)
def test_a_rule_that_looks_elsewhere_than_when_it_was_saved_begins_anew(after, expected):
    """Its limits alone do not matter: they hold from the next reading on."""
    before = box(BOTH)
    story(before, message(0, door=1.0))
    now = box(rule("other", Above(9.0)), after)
    now.restore(b"".join(before.snapshot()))
    assert story(now, message(10, air=9.0)) == expected


def test_a_storm_of_combinations_larger_than_the_table_of_moves_loses_nothing():
    n = 3_001
    story_of = [r for i in range(n) for r in message(i, air=9.0 if i % 2 == 0 else 5.0, door=1.0)]
    found = moves(box(BOTH, rule("hot", Above(8.0))), story_of)
    step = [("raised", "cleared")[i % 2] for i in range(n)]
    assert found == [(step[i], key, i) for i in range(n) for key in ("hot", "both")]


def test_limits_of_terms_change_from_the_next_reading_on():
    engine = box(BOTH)
    assert story(engine, message(0, air=5.0, door=1.0)) == []
    engine.change({"tiny.both": {"air_limit": 4.0}})
    assert story(engine, message(30, door=1.0)) == []
    assert story(engine, message(60, air=5.0)) == [("raised", "both", 60)]


def test_a_term_on_a_derived_channel_is_silent_only_after_its_own_gap():
    """The mean is told each 100 s, and so is silent after 300 s; the air is after 90 s."""
    mean = replace(
        BOX.channels[0], key="mean", derived=MeanWhile(of="air", term=DOOR_OPEN, over=DAY, every=seconds(100))
    )
    of = replace(
        scene(rule("both", all_of(AIR_WARM, Term("mean", Above(5.0))))), device_types=(with_channel(mean),)
    )
    engine = Engine([of])
    engine.grow(registry("box", of=of))
    times = [0, 30, 90, 180, 270, 300, 301]
    readings = [[at(0, 6.0, series=3)], *([at(t_s, 9.0)] for t_s in times)]
    assert story(engine, *readings) == [("raised", "both", 0), ("cleared", "both", 301)]
    assert story(engine, [at(330, 6.0, series=3)]) == [("raised", "both", 330)]
    assert story(engine, [at(421, 6.0, series=3)]) == [("cleared", "both", 421)]


def test_the_delay_of_a_rule_on_derived_channels_alone_outlives_their_own_gap():
    mean = replace(
        BOX.channels[0], key="mean", derived=MeanWhile(of="air", term=DOOR_OPEN, over=DAY, every=seconds(100))
    )
    high = rule("high", Above(5.0), on=("box.mean",), on_delay_s=400, but=(OPEN_LATELY,))
    of = replace(scene(high), device_types=(with_channel(mean),))
    engine = Engine([of])
    engine.grow(registry("box", of=of))
    assert story(engine, *([at(t_s, 6.0, series=3)] for t_s in (0, 200, 400))) == [("raised", "high", 400)]


def with_channel(channel):
    return replace(BOX, channels=(*BOX.channels, channel))
