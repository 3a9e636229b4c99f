"""What raises and clears an alarm, case by case. Times are seconds from a start; the box reports each 30 s."""

import math

import pytest
from stepping import DOOR, at, box, each_30_s, moves, short, tick
from tiny_scene import COLD, HOT, OPEN, START_MS, batch_of, devices, registry, rule, scene

from scenewatch.alarms.engine import Engine
from scenewatch.model.alarm import Step
from scenewatch.model.errors import ConfigurationError, CorruptError
from scenewatch.model.flags import Flag, Place
from scenewatch.model.rule import Above, Below, NoData
from scenewatch.model.words import seconds

WARM = rule("warm", Above(8.0, deadband=1.0))
SILENT = rule("silent", NoData(seconds(120)))


def test_above_is_raised_beyond_the_limit_and_cleared_at_limit_less_deadband():
    assert moves(box(WARM), each_30_s(8.0, 8.1, 7.5, 7.1, 7.0, 8.0)) == [
        ("raised", "warm", 30),
        ("cleared", "warm", 120),
    ]


def test_below_is_raised_beyond_the_limit_and_cleared_at_limit_plus_deadband():
    assert moves(box(rule("cold", Below(0.0, deadband=0.5))), each_30_s(0.0, -0.1, 0.4, 0.5, 0.0)) == [
        ("raised", "cold", 30),
        ("cleared", "cold", 90),
    ]


def test_without_deadband_the_limit_itself_clears():
    assert moves(box(HOT), each_30_s(21.0, 20.0)) == [("raised", "hot", 0), ("cleared", "hot", 30)]


def test_the_on_delay_ends_with_the_first_reading_that_completes_it():
    slow = rule("slow", Above(8.0), on_delay_s=45)
    assert moves(box(slow), each_30_s(9.0, 9.0, 9.0)) == [("raised", "slow", 60)]


@pytest.mark.parametrize("within", [8.0, 7.5])
def test_the_on_delay_begins_again_when_a_value_is_not_beyond_the_limit(within):
    slow = rule("slow", Above(8.0, deadband=1.0), on_delay_s=60)
    assert moves(box(slow), each_30_s(9.0, 9.0, within, 9.0, 9.0, 9.0)) == [("raised", "slow", 150)]


def test_the_off_delay_begins_again_when_a_value_is_not_released():
    slow = rule("slow", Above(8.0, deadband=1.0), off_delay_s=60)
    assert moves(box(slow), each_30_s(9.0, 7.0, 7.0, 7.5, 7.0, 7.0, 7.0)) == [
        ("raised", "slow", 0),
        ("cleared", "slow", 180),
    ]


@pytest.mark.parametrize(("step_s", "raised"), [(90, [("raised", "slow", 90)]), (90.001, [])])
def test_a_silence_of_more_than_three_intervals_counts_towards_no_delay(step_s, raised):
    slow = rule("slow", Above(8.0), on_delay_s=60)
    assert moves(box(slow), [at(0, 9.0), at(step_s, 9.0)]) == raised


def test_a_silence_counts_towards_no_return_either():
    slow = rule("slow", Above(8.0), off_delay_s=60)
    assert moves(box(slow), [at(0, 9.0), at(30, 5.0), at(200, 5.0), at(230, 5.0), at(260, 5.0)]) == [
        ("raised", "slow", 0),
        ("cleared", "slow", 260),
    ]


@pytest.mark.parametrize(
    "marks",
    [{"flag": Flag.FAIL}, {"place": Place.LATE}, {"place": Place.DUPLICATE}, {"live": False}],
)
@pytest.mark.parametrize("value", [5.0, 99.0])
def test_failed_late_double_and_history_readings_move_nothing(marks, value):
    engine = box(rule("slow", Above(8.0), on_delay_s=60), SILENT)
    assert moves(engine, [at(0, 9.0), at(30, value, **marks), at(60, 9.0)]) == [("raised", "slow", 60)]
    assert moves(engine, [at(90, value, **marks), at(120, value, **marks), at(150, value, **marks)]) == []
    assert tick(engine, 180) == [("raised", "silent", 180)]


def test_a_suspect_reading_counts_and_the_alarm_says_so():
    (raised,) = box(WARM).step(batch_of([at(0, 9.0, flag=Flag.SUSPECT)]))
    assert (raised.flag, raised.value, raised.device) == (Flag.SUSPECT, 9.0, 0)


def test_a_cleared_alarm_names_when_it_was_raised_and_the_value_that_cleared_it():
    _, cleared = box(WARM).step(batch_of(each_30_s(9.0, 6.0)))
    assert cleared.step is Step.CLEARED
    assert (cleared.at_ms, cleared.raised_at_ms, cleared.value) == (START_MS + 30_000, START_MS, 6.0)


def test_rules_of_one_channel_move_in_the_order_of_the_table_and_apart():
    assert moves(box(WARM, HOT, COLD), each_30_s(21.0, 15.0, -1.0, -1.0, 1.0)) == [
        ("raised", "warm", 0),
        ("raised", "hot", 0),
        ("cleared", "hot", 30),
        ("cleared", "warm", 60),
        ("raised", "cold", 90),
        ("cleared", "cold", 120),
    ]


def test_a_rule_watches_only_its_own_channel():
    assert moves(box(WARM, OPEN), [at(0, 1.0), at(0, 1.0, series=DOOR)]) == [("raised", "open", 0)]


def test_missing_data_is_dated_at_its_deadline_whoever_notices():
    by_tick, by_reading = box(SILENT), box(SILENT)
    for engine in (by_tick, by_reading):
        assert moves(engine, [at(0, 5.0)]) == []
    assert tick(by_tick, 119.999) == []
    assert tick(by_tick, 500) == [("raised", "silent", 120)]
    assert tick(by_tick, 501) == []
    assert moves(by_tick, [at(510, 5.0)]) == [("cleared", "silent", 510)]
    assert moves(by_reading, [at(510, 5.0)]) == [("raised", "silent", 120), ("cleared", "silent", 510)]


def test_the_deadline_itself_is_already_missing_data():
    assert moves(box(SILENT), [at(0, 5.0), at(30, 5.0), at(150, 5.0)]) == [
        ("raised", "silent", 150),
        ("cleared", "silent", 150),
    ]


def test_a_tick_ahead_of_a_reading_does_not_make_the_alarm_stand_for_ever():
    engine = box(SILENT)
    moves(engine, [at(0, 5.0)])
    assert tick(engine, 120) == [("raised", "silent", 120)]
    assert moves(engine, [at(119, 5.0), at(149, 5.0)]) == [("cleared", "silent", 149)]


def test_a_step_back_of_our_own_clock_forgets_no_reading():
    engine = box(SILENT)
    moves(engine, [at(0, 5.0, received_s=100), at(30, 5.0, received_s=50)])
    assert tick(engine, 219) == []
    assert tick(engine, 220) == [("raised", "silent", 150)]


def test_missing_data_has_no_value():
    (raised,) = box(SILENT).tick(START_MS + 120_000)
    assert math.isnan(raised.value)
    assert raised.flag == Flag.MISSING


def test_ticks_name_the_silent_in_the_order_of_their_deadlines():
    of = scene(SILENT, rule("later", NoData(seconds(150))))
    engine = Engine([of])
    engine.grow(registry("box", "box", of=of))
    moves(engine, [at(20, 5.0), at(0, 5.0, series=3)])
    transitions = engine.tick(START_MS + 1_000_000)
    assert [(t.rule, t.device, t.at_ms - START_MS) for t in transitions] == [
        ("tiny.silent", 1, 120_000),
        ("tiny.silent", 0, 140_000),
        ("tiny.later", 1, 150_000),
        ("tiny.later", 0, 170_000),
    ]


def test_the_return_of_data_may_have_a_delay_too():
    engine = box(rule("silent", NoData(seconds(120)), off_delay_s=60))
    assert tick(engine, 120) == [("raised", "silent", 120)]
    assert moves(engine, [at(200, 5.0), at(230, 5.0), at(330, 5.0), at(360, 5.0), at(390, 5.0)]) == [
        ("cleared", "silent", 390)
    ]


def test_silence_counts_from_when_the_device_came_into_the_inventory():
    of = scene(SILENT)
    engine = Engine([of])
    engine.grow(registry("box", of=of, at_ms=START_MS + 1_000_000))
    assert tick(engine, 1119) == []
    assert tick(engine, 1120) == [("raised", "silent", 1120)]


def test_silence_counts_from_when_we_began_to_listen():
    engine = box(SILENT)
    moves(engine, [at(0, 5.0)])
    engine.listening(START_MS + 100_000)
    engine.listening(START_MS + 50_000)
    assert tick(engine, 219) == []
    assert tick(engine, 300) == [("raised", "silent", 220)]
    engine.listening(START_MS + 400_000)
    assert [t.rule for t in engine.standing()] == ["tiny.silent"]
    assert moves(engine, [at(410, 5.0)]) == [("cleared", "silent", 410)]
    assert tick(engine, 529) == []
    assert tick(engine, 530) == [("raised", "silent", 530)]


def test_a_device_whose_clock_is_behind_is_not_silent():
    engine = box(SILENT)
    for received_s in range(0, 600, 30):
        assert tick(engine, received_s) == []
        assert moves(engine, [at(received_s - 300, 5.0, received_s=received_s)]) == []
    assert tick(engine, 689) == []
    assert tick(engine, 690) == [("raised", "silent", 390)]


def test_a_backlog_ends_the_silence_only_with_its_readings_from_behind_the_deadline():
    engine = box(SILENT)
    moves(engine, [at(0, 5.0)])
    assert tick(engine, 3600) == [("raised", "silent", 120)]
    assert moves(engine, [at(t_s, 5.0, received_s=3600) for t_s in (30, 60, 90)]) == []
    assert tick(engine, 3600) == []
    assert moves(engine, [at(t_s, 5.0, received_s=3601) for t_s in (120, 150)]) == [("cleared", "silent", 120)]
    assert tick(engine, 3630) == []


def test_a_hole_in_a_backlog_is_missing_data_too():
    engine = box(SILENT)
    moves(engine, [at(0, 5.0)])
    assert moves(engine, [at(t_s, 5.0, received_s=1000) for t_s in (30, 150, 500)]) == [
        ("raised", "silent", 120),
        ("cleared", "silent", 150),
        ("raised", "silent", 270),
        ("cleared", "silent", 500),
    ]


def test_readings_put_the_deadline_off_however_often_ticks_come():
    engine = box(SILENT)
    for t_s in range(0, 3000, 10):
        assert tick(engine, t_s) == []
        if t_s % 110 == 0:
            assert moves(engine, [at(t_s, 5.0)]) == []


def test_a_device_that_leaves_takes_its_alarms_along_and_gets_no_new_ones():
    of = scene(WARM, SILENT)
    known, engine = registry("box", "box", of=of), Engine([of])
    engine.grow(known)
    assert moves(engine, [at(0, 9.0), at(0, 9.0, series=3)]) == [("raised", "warm", 0)] * 2
    known.apply(devices("box"), at_ms=START_MS + 30_000)
    engine.grow(known)
    (gone,) = engine.retire(known, START_MS + 30_000)
    assert (gone.step, gone.device, gone.at_ms, gone.raised_at_ms) == (
        Step.CLEARED,
        1,
        START_MS + 30_000,
        START_MS,
    )
    assert engine.retire(known, START_MS + 30_000) == []
    assert moves(engine, [at(60, 9.0, series=3)]) == []
    assert [(t.rule, t.device) for t in engine.tick(START_MS + 900_000)] == [("tiny.silent", 0)]


def test_a_device_that_comes_back_starts_afresh():
    of = scene(WARM, SILENT)
    known, engine = registry("box", of=of), Engine([of])
    engine.grow(known)
    moves(engine, [at(0, 9.0)])
    known.apply([], at_ms=START_MS + 30_000)
    engine.retire(known, START_MS + 30_000)
    engine.grow(known)
    known.apply(devices("box"), at_ms=START_MS + 600_000)
    engine.grow(known)
    assert tick(engine, 719) == []
    assert moves(engine, [at(719, 9.0)]) == [("raised", "warm", 719)]


def test_readings_of_an_absent_device_do_not_lull_its_rules():
    of = scene(WARM)
    known, engine = registry("box", of=of), Engine([of])
    for t_s, inventory, expected in (
        (0, devices("box"), [("raised", "warm", 0)]),
        (30, [], []),
        (60, devices("box"), [("raised", "warm", 60)]),
    ):
        known.apply(inventory, at_ms=START_MS)
        engine.grow(known)
        engine.retire(known, START_MS)
        assert moves(engine, [at(t_s, 9.0)]) == expected


def test_growing_keeps_what_stands_and_what_counts():
    of = scene(rule("slow", Above(8.0), on_delay_s=60), HOT)
    known, engine = registry("box", of=of), Engine([of])
    engine.grow(known)
    assert moves(engine, [at(0, 21.0)]) == [("raised", "hot", 0)]
    known.apply(devices("box", "pump", "box"), at_ms=START_MS)
    engine.grow(known)
    assert moves(engine, [at(60, 21.0), at(60, 21.0, series=4)]) == [("raised", "slow", 60), ("raised", "hot", 60)]
    assert [(t.rule, t.device) for t in engine.standing()] == [("tiny.hot", 0), ("tiny.slow", 0), ("tiny.hot", 2)]


def test_standing_shows_each_alarm_as_it_was_raised():
    engine = box(WARM, SILENT)
    raised = engine.step(batch_of([at(0, 9.0, flag=Flag.SUSPECT), at(30, 9.5)]))
    assert engine.standing() == raised


def test_a_storm_larger_than_the_table_of_moves_loses_nothing():
    engine = box(HOT)
    n = 10_001
    found = moves(engine, [at(i, 21.0 if i % 2 == 0 else 5.0) for i in range(n)])
    assert found == [("raised" if i % 2 == 0 else "cleared", "hot", i) for i in range(n)]


def test_rules_may_come_and_go_between_snapshot_and_restore():
    before = box(WARM, HOT)
    moves(before, [at(0, 21.0)])
    after = box(COLD, HOT, OPEN)
    after.restore(b"".join(before.snapshot()))
    assert short(after.standing()) == [("raised", "hot", 0)]
    assert moves(after, [at(30, -1.0), at(60, -1.0)]) == [("cleared", "hot", 30), ("raised", "cold", 60)]


def test_a_snapshot_of_another_size_or_form_is_refused_and_changes_nothing():
    engine = box(WARM)
    moves(engine, [at(0, 9.0)])
    before = b"".join(engine.snapshot())
    other = Engine([scene(WARM)])
    other.grow(registry("box", "pump", of=scene(WARM)))
    for damaged in (b"", b"\xc1", before[:-9], b"".join(other.snapshot()), b"\x81\xa7version\x09"):
        with pytest.raises(CorruptError):
            engine.restore(damaged)
        assert b"".join(engine.snapshot()) == before


def test_operators_numbers_take_the_place_of_the_tables():
    of = scene(WARM)
    engine = Engine([of], {"tiny.warm": {"limit": 4.0, "on_delay_s": 30}})
    engine.grow(registry("box", of=of))
    assert engine.rules["tiny.warm"].when == Above(4.0, deadband=1.0)
    assert moves(engine, each_30_s(4.5, 4.5, 3.0)) == [("raised", "warm", 30), ("cleared", "warm", 60)]


def test_mistaken_numbers_are_refused_at_the_start():
    with pytest.raises(ConfigurationError, match="no such rule"):
        Engine([scene(WARM)], {"tiny.warmer": {"limit": 4.0}})


def test_a_reading_of_an_unknown_series_is_refused():
    with pytest.raises(IndexError, match="not grown"):
        box(WARM).step(batch_of([at(0, 5.0, series=7)]))


def test_a_scene_without_rules_and_an_empty_batch_move_nothing():
    engine = Engine([])
    engine.grow(registry(of=scene(WARM)))
    assert engine.step(batch_of([])) == engine.tick(START_MS) == engine.standing() == []


def warm_box(*readings_then_limits):
    """A box on which WARM waits a minute, after readings of which some are changes of limits."""
    engine = box(rule("warm", Above(8.0, deadband=1.0), on_delay_s=60, off_delay_s=60))
    found = []
    for what in readings_then_limits:
        if isinstance(what, dict):
            engine.change({"tiny.warm": what})
        else:
            found += moves(engine, [what])
    return found


def test_a_delay_that_is_under_way_outlives_a_change_of_limits():
    longer = {"on_delay_s": 90}
    assert warm_box(at(0, 9.0), at(30, 9.0), longer, at(60, 9.0), at(90, 9.0)) == [("raised", "warm", 90)]
    shorter = {"on_delay_s": 30}
    assert warm_box(at(0, 9.0), at(20, 9.0), shorter, at(40, 9.0)) == [("raised", "warm", 40)]


def test_a_delay_ends_at_the_first_reading_that_is_within_the_new_limit():
    assert warm_box(at(0, 9.0), at(30, 9.0), {"limit": 10}, at(60, 9.0), {}, at(90, 9.0), at(120, 9.0)) == []


def test_an_alarm_that_is_none_by_the_new_limit_clears_by_the_ordinary_rule():
    raised = [at(0, 9.0), at(30, 9.0), at(60, 9.0)]
    clears = [("raised", "warm", 60), ("cleared", "warm", 150)]
    assert warm_box(*raised, {"limit": 20}, at(90, 9.0), at(120, 9.0), at(150, 9.0)) == clears


def test_a_value_that_was_quiet_before_is_judged_by_the_new_limit():
    quiet = [at(30 * i, 5.0) for i in range(3)]
    assert warm_box(*quiet, {"limit": 4, "on_delay_s": 0}, at(90, 5.0)) == [("raised", "warm", 90)]


def test_a_silence_is_measured_by_the_new_number():
    engine = box(SILENT)
    moves(engine, [at(0, 5.0)])
    engine.change({"tiny.silent": {"after_s": 300}})
    assert tick(engine, 200) == []
    assert not engine.overdue(START_MS + 299_000)
    engine.change({})
    assert engine.overdue(START_MS + 200_000)
    assert tick(engine, 200) == [("raised", "silent", 120)]


def test_numbers_of_rules_that_are_gone_or_turned_are_left_out():
    engine = box(WARM)
    engine.change({"tiny.gone": {"limit": 1.0}, "tiny.warm": {"after_s": 3.0}})
    assert engine.rules == {"tiny.warm": WARM}
