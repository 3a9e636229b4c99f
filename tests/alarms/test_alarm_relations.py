"""Alarms that bear on each other: causes that suppress or explain, and gateways. Times are seconds from a start."""

import pytest
from stepping import AIR, DOOR, POWER, at, box, message, moves, short, story, tick, told
from tiny_scene import (
    CLEANED,
    DOOR_OPEN,
    START_MS,
    batch_of,
    caused,
    devices,
    event,
    registry,
    rule,
    scene,
    spans,
)

from scenewatch.alarms.engine import Engine
from scenewatch.model.errors import ConfigurationError
from scenewatch.model.rule import Above, Below, During, Happened, NoData, Reach, While
from scenewatch.model.words import seconds

GATEWAY, FIRST, SECOND = 0, 1, 2
DEAF = rule("deaf", NoData(seconds(90)), on=("gateway",))
MUTE = rule("mute", NoData(seconds(120)), but=(caused("deaf", Reach.PARENT, 20),))
WARM = rule("warm", Above(8.0))
COLD = rule("cold", Below(10.0), on=("box.power",), on_delay_s=30, but=(caused("warm", Reach.SITE, 60),))
AJAR = rule("ajar", Above(0.5), on=("box.door",), on_delay_s=200)
LED_TO = rule("led_to", Above(8.0), follows=(caused("ajar", Reach.DEVICE),))


def two_boxes(*rules):
    """Behind one gateway."""
    of = scene(*rules)
    engine = Engine([of])
    engine.grow(registry("gateway", "box", "box", of=of, through="gateway0"))
    return engine


def second(t_s, value, series=AIR):
    return [at(t_s, value, series=3 + series)]


def by_device(transitions):
    return [(t.device, *step) for t, step in zip(transitions, short(transitions), strict=True)]


def test_a_gateway_is_silent_when_nothing_comes_of_all_who_speak_through_it():
    engine = two_boxes(DEAF)
    for t_s in range(0, 300, 30):
        assert story(engine, second(t_s, 5.0)) == []
        assert tick(engine, t_s + 29) == []
    assert not engine.overdue(START_MS + 359_999)
    assert engine.overdue(START_MS + 360_000)
    assert by_device(engine.tick(START_MS + 500_000)) == [(GATEWAY, "raised", "deaf", 360)]
    assert moves(engine, [at(600, 5.0)]) == [("cleared", "deaf", 600)]


def test_a_reading_notices_the_silence_of_its_gateway():
    engine = two_boxes(DEAF)
    assert story(engine, second(0, 5.0), [at(500, 5.0)]) == [("raised", "deaf", 90), ("cleared", "deaf", 500)]


def test_a_gateway_with_nobody_behind_it_is_not_silent():
    engine = Engine([scene(DEAF)])
    engine.grow(registry("gateway", "box", of=scene(DEAF)))
    assert tick(engine, 100_000) == []


def test_the_silence_of_a_gateway_counts_from_when_the_first_spoke_through_it():
    of = scene(DEAF)
    known, engine = registry("gateway", of=of), Engine([of])
    engine.grow(known)
    known.apply(devices("gateway", "box", through="gateway0"), at_ms=START_MS + 1_000_000)
    engine.grow(known)
    assert tick(engine, 1089) == []
    assert tick(engine, 1090) == [("raised", "deaf", 1090)]


def test_who_speaks_through_a_silent_gateway_is_not_blamed_for_it():
    engine = two_boxes(DEAF, MUTE)
    story(engine, [at(0, 5.0)], second(0, 5.0))
    assert by_device(engine.tick(START_MS + 3_600_000)) == [(GATEWAY, "raised", "deaf", 90)]
    assert moves(engine, [at(3600, 5.0)]) == [("cleared", "deaf", 3600)]
    later = by_device(engine.tick(START_MS + 3_700_000))
    assert later == [(GATEWAY, "raised", "deaf", 3690)]


def test_silence_counts_anew_from_the_end_of_its_cause_and_a_while_more():
    engine = two_boxes(DEAF, MUTE)
    story(engine, [at(0, 5.0)], second(0, 5.0))
    tick(engine, 3599)
    for t_s in range(3600, 3720, 30):
        assert [m for m in story(engine, second(t_s, 5.0)) if m[1] == "mute"] == []
    assert tick(engine, 3739) == []
    assert by_device(engine.tick(START_MS + 3_740_000)) == [(FIRST, "raised", "mute", 3740)]


def test_one_that_stands_is_not_touched_by_a_cause_that_comes_later():
    late = rule("deaf", NoData(seconds(300)), on=("gateway",))
    engine = two_boxes(late, MUTE)
    story(engine, [at(0, 5.0)], second(100, 5.0))
    found = by_device(engine.tick(START_MS + 3_600_000))
    assert found == [
        (FIRST, "raised", "mute", 120),
        (SECOND, "raised", "mute", 220),
        (GATEWAY, "raised", "deaf", 400),
    ]
    assert moves(engine, [at(3600, 5.0)]) == [("cleared", "mute", 3600), ("cleared", "deaf", 3600)]


def test_of_two_that_are_due_at_once_the_cause_comes_first():
    equal = rule("deaf", NoData(seconds(120)), on=("gateway",))
    assert by_device(two_boxes(MUTE, equal).tick(START_MS + 500_000)) == [(GATEWAY, "raised", "deaf", 120)]


def test_a_cause_anywhere_at_the_site_suppresses_and_the_delay_begins_anew_behind_it():
    engine = two_boxes(WARM, COLD)
    assert story(engine, second(0, 9.0), [at(10, 5.0, series=POWER)]) == [("raised", "warm", 0)]
    assert story(engine, [at(40, 5.0, series=POWER)], second(60, 5.0)) == [("cleared", "warm", 60)]
    times = [70, 100, 119, 120, 130, 149, 150]
    assert story(engine, *([at(t_s, 5.0, series=POWER)] for t_s in times)) == [("raised", "cold", 150)]


def test_a_cause_counts_as_of_the_time_of_the_data():
    engine = two_boxes(WARM, COLD)
    assert story(engine, second(1000, 9.0)) == [("raised", "warm", 1000)]
    early = [at(t_s, 5.0, series=POWER, received_s=1001) for t_s in (100, 130)]
    assert story(engine, early) == [("raised", "cold", 130)]


def test_a_cause_that_nobody_noticed_suppresses_all_the_same():
    """The gateway has been silent by then, though no tick came to say so."""
    hot = rule("hot", Above(20.0), but=(caused("quiet", Reach.SITE),))
    quiet = rule("quiet", NoData(seconds(60)), on=("box.door",))
    engine = two_boxes(quiet, hot)
    both = [at(0, 0.0, series=DOOR), *second(0, 0.0, DOOR)]
    assert moves(engine, both) == []
    found = engine.step(batch_of([at(100, 21.0)]))
    assert by_device(found) == [(FIRST, "raised", "quiet", 60), (SECOND, "raised", "quiet", 60)]


def test_an_alarm_names_what_it_follows_from_and_is_raised_all_the_same():
    hot = rule("hot", Above(20.0), follows=(caused("deaf", Reach.PARENT), caused("warm", Reach.SITE, 30)))
    engine = two_boxes(WARM, hot, DEAF)
    assert story(engine, second(5, 9.0), [at(10, 9.0)]) == [("raised", "warm", 5), ("raised", "warm", 10)]
    (raised,) = engine.step(batch_of([at(20, 21.0)]))
    assert raised.cause == "tiny.warm tiny.s.box2"
    (standing,) = [t for t in engine.standing() if t.rule == "tiny.hot"]
    assert standing.cause == raised.cause
    reborn = two_boxes(WARM, hot, DEAF)
    reborn.restore(b"".join(engine.snapshot()))
    assert reborn.standing() == engine.standing()
    first, second_one = reborn.step(batch_of([at(30, 5.0), *second(30, 5.0)]))[:2]
    assert [(t.rule, t.cause) for t in (first, second_one)] == [
        ("tiny.warm", ""),
        ("tiny.hot", "tiny.warm tiny.s.box2"),
    ]
    (in_its_wake,) = reborn.step(batch_of([at(59, 21.0)]))[1:]
    assert in_its_wake.cause == "tiny.warm tiny.s.box2"


def test_without_a_cause_it_names_none():
    hot = rule("hot", Above(20.0), follows=(caused("cold", Reach.DEVICE),))
    engine = two_boxes(hot, rule("cold", Below(0.0)))
    (raised,) = engine.step(batch_of([at(0, 21.0)]))
    assert raised.cause == ""


def test_an_event_is_suppressed_by_a_cause_and_is_one():
    knock = rule(
        "knock", Happened(event="knock", quiet=seconds(100)), on=("box",), but=(caused("warm", Reach.SITE),)
    )
    engine = two_boxes(WARM, knock, rule("hot", Above(20.0), but=(caused("knock", Reach.DEVICE),)))
    assert story(engine, second(0, 9.0)) == [("raised", "warm", 0)]
    assert short(engine.happened([event(FIRST, "knock", START_MS + 5000)])) == []
    assert story(engine, second(10, 5.0)) == [("cleared", "warm", 10)]
    assert short(engine.happened([event(FIRST, "knock", START_MS + 20_000)])) == [("raised", "knock", 20)]
    assert [m for m in moves(engine, [at(30, 21.0)]) if m[1] == "hot"] == []
    assert moves(engine, [at(120, 21.0)])[0] == ("cleared", "knock", 120)


def test_missing_data_is_put_off_by_the_state_of_its_device_and_by_occasions():
    while_open = rule("mute", NoData(seconds(120)), but=(While(term=DOOR_OPEN, after=seconds(20)),))
    engine = two_boxes(while_open)
    story(engine, message(0, air=5.0, door=1.0), *(message(t_s, door=1.0) for t_s in range(30, 600, 30)))
    assert [m for m in by_device(engine.tick(START_MS + 600_000)) if m[0] == FIRST] == []
    assert story(engine, message(600, door=0.0)) == []
    assert tick(engine, 739) == []
    assert tick(engine, 740) == [("raised", "mute", 740)]

    begin_ms, end_ms = spans("tiny.s", START_MS, START_MS + 1_200_000, "cleaning")[1]
    begin_s, end_s = (begin_ms - START_MS) // 1000, (end_ms - START_MS) // 1000
    engine = two_boxes(rule("mute", NoData(seconds(120)), but=(CLEANED,)))
    engine.listening(begin_ms - 130_000)
    assert moves(engine, [*second(begin_s - 130, 5.0), at(begin_s - 100, 5.0), at(begin_s - 10, 5.0)]) == []
    found = by_device(engine.tick(START_MS + 1000 * (end_s + 400)))
    assert found == [(SECOND, "raised", "mute", begin_s - 10), (FIRST, "raised", "mute", end_s + 45 + 120)]


def test_what_is_done_over_midnight_puts_missing_data_off():
    midnight_s = 86_400 - START_MS // 1000 % 86_400
    long = rule("mute", NoData(seconds(120)), but=(During(occasion="cleaning", after=seconds(449)),))
    engine = two_boxes(long)
    assert moves(engine, [at(midnight_s, 5.0)])[-1:] != [("raised", "mute", midnight_s)]
    found = [m for m in by_device(engine.tick(START_MS + 1000 * (midnight_s + 3600))) if m[3] > midnight_s]
    assert found == []


def test_a_device_that_leaves_ends_what_it_caused():
    of = scene(WARM, COLD)
    known, engine = registry("gateway", "box", "box", of=of, through="gateway0"), Engine([of])
    engine.grow(known)
    story(engine, second(0, 9.0))
    known.apply(devices("gateway", "box", through="gateway0"), at_ms=START_MS + 10_000)
    engine.grow(known)
    assert short(engine.retire(known, START_MS + 10_000)) == [("cleared", "warm", 10)]
    times = [20, 50, 69, 70, 99, 100]
    assert story(engine, *([at(t_s, 5.0, series=POWER)] for t_s in times)) == [("raised", "cold", 100)]


@pytest.mark.parametrize("field", ["but", "follows"])
def test_a_cause_that_no_rule_tells_is_refused(field):
    with pytest.raises(ConfigurationError, match="tiny: rule warm: there is no rule 'storm'"):
        Engine([scene(rule("warm", Above(8.0), **{field: (caused("storm", Reach.SITE),)}))])


def test_an_alarm_may_wait_for_an_event_that_ends_unnoticed():
    knock = rule("knock", Happened(event="knock", quiet=seconds(100)), on=("box",))
    engine = two_boxes(knock, rule("hot", Above(20.0), but=(caused("knock", Reach.SITE, 20),)))
    assert told(engine, "knock", 0) == []
    assert short(engine.happened([event(SECOND, "knock", START_MS)])) == [("raised", "knock", 0)]
    found = story(engine, [at(90, 21.0)], [at(119, 21.0)], [at(120, 21.0)])
    assert found == [("cleared", "knock", 100), ("raised", "hot", 120)]


def test_what_explains_another_alarm_and_only_counts_still_knows_gaps_and_when_it_is_due():
    def raised_s(*times_s):
        """When it is, of a door that is open at these times."""
        engine = box(AJAR, LED_TO)
        messages = [message(t_s, door=1.0) for t_s in times_s]
        return [t_s for step, key, t_s in story(engine, *messages) if (step, key) == ("raised", "ajar")]

    assert raised_s(*range(0, 300, 30)) == [210]
    assert raised_s(0, 30, *range(150, 500, 30)) == [360]  # nobody knows whether it was shut for two minutes


def test_a_count_goes_on_while_other_channels_of_its_device_stir():
    readings = [message(t_s, door=1.0, air=9.0 if t_s == 150 else 5.0) for t_s in range(0, 240, 30)]
    assert story(box(AJAR, LED_TO), *readings) == [
        ("raised", "led_to", 150),
        ("cleared", "led_to", 180),
        ("raised", "ajar", 210),
    ]
    shut = [message(t_s, door=0.0 if t_s == 150 else 1.0) for t_s in range(0, 420, 30)]
    assert story(box(AJAR, LED_TO), *shut) == [("raised", "ajar", 390)]
