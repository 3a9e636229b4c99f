"""Alarm load figures: by hand in small cases, and equal to a plain count, minute by minute, in any case."""

import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenewatch.load.figures import Shown, figures
from scenewatch.model.load import judged

MINUTE_MS, TEN_MS, HOUR_MS, DAY_MS = 60_000, 600_000, 3_600_000, 86_400_000


def alarm(raised_at_ms, cleared_at_ms=None, **other):
    return Shown(
        **({"rule": "k.warm", "device": "k.s.d", "priority": "low"} | other),
        raised_at_ms=raised_at_ms,
        cleared_at_ms=cleared_at_ms,
    )


def each(*raised_at_ms, **other):
    return [alarm(at, at + HOUR_MS, **other) for at in raised_at_ms]


def test_without_alarms_there_is_nothing_to_share():
    load = figures([], 0, DAY_MS)
    assert (load.alarms, load.mean_10_min, load.peak_10_min, load.peak_at_ms) == (0, 0.0, 0, None)
    assert (load.over_10_share, load.flood_share, load.floods) == (0.0, 0.0, 0)
    assert (load.most_frequent, load.most_frequent_share, load.priorities) == ([], None, {})
    assert (load.step_ms, load.steps) == (TEN_MS, [0] * 144)


@pytest.mark.parametrize(("span", "operators"), [((5, 5), 1), ((6, 5), 1), ((0, 5), 0)])
def test_a_span_without_length_and_a_desk_without_operator_are_refused(span, operators):
    with pytest.raises(ValueError, match="span"):
        figures([], *span, operators=operators)


def test_ten_minutes_slide_so_that_a_grid_halves_no_peak():
    load = figures(each(*range(TEN_MS - 6 * 1000, TEN_MS + 6 * 1000, 1000)), 0, HOUR_MS)
    assert (load.peak_10_min, load.peak_at_ms) == (12, TEN_MS - 6000)
    assert load.over_10_share == 0.0, "each fixed ten minutes has but six"
    assert load.mean_10_min == 2.0


def test_an_alarm_leaves_the_last_ten_minutes_exactly_after_them():
    assert figures(each(0, TEN_MS), 0, HOUR_MS).peak_10_min == 1
    assert figures(each(0, TEN_MS - 1), 0, HOUR_MS).peak_10_min == 2


def test_a_flood_lasts_from_the_eleventh_alarm_until_fewer_than_five_are_left():
    load = figures(each(*(n * 1000 for n in range(11))), 0, HOUR_MS)
    begins_ms, ends_ms = 10_000, TEN_MS + 6_000  # then the eighth to the eleventh are left
    assert (load.floods, load.flood_share) == (1, (ends_ms - begins_ms) / HOUR_MS)
    assert figures(each(*(n * 1000 for n in range(10))), 0, HOUR_MS).floods == 0


def test_a_flood_at_the_end_is_cut_there():
    load = figures(each(*([HOUR_MS - 1000] * 11)), 0, HOUR_MS)
    assert (load.floods, load.flood_share) == (1, 1000 / HOUR_MS)


def test_operators_share_the_alarms():
    load = figures(each(*(n * 1000 for n in range(21))), 0, HOUR_MS, operators=2)
    assert (load.alarms, load.peak_10_min, load.mean_10_min, load.floods) == (21, 11, 1.75, 1)
    assert figures(each(*(n * 1000 for n in range(20))), 0, HOUR_MS, operators=2).floods == 0


def test_what_is_hidden_counts_apart_and_what_follows_from_a_cause_is_in_no_rate():
    alarms = [*each(0), *each(1, 2, cause="k.offline k.s.gateway"), *each(3, 4, 5, hidden=True)]
    load = figures(alarms, 0, HOUR_MS)
    assert (load.alarms, load.grouped, load.hidden, load.peak_10_min) == (3, 2, 3, 1)
    assert (load.standing_peak, sum(load.steps)) == (3, 1)


def test_an_alarm_chatters_when_it_is_raised_three_times_within_a_minute():
    often = each(0, 30_000, MINUTE_MS - 1, DAY_MS // 2, device="k.s.a")
    slower = each(0, 30_000, MINUTE_MS, device="k.s.b")
    apart = [one for n in range(6) for one in each(n * 1000, device=f"k.s.{n}")]
    load = figures([*often, *slower, *apart], 0, DAY_MS)
    assert [(one.device, one.count) for one in load.chattering] == [("k.s.a", 3)]


def test_fleeting_stale_and_standing():
    alarms = [
        alarm(10, 10 + MINUTE_MS - 1),
        alarm(10, 10 + MINUTE_MS),
        alarm(-DAY_MS, device="k.s.stale"),
        alarm(0, device="k.s.a_day"),
        alarm(-5, 0, device="k.s.over"),
        alarm(5, DAY_MS, device="k.s.until_the_end"),
    ]
    load = figures(alarms, 0, DAY_MS)
    assert (load.alarms, load.fleeting, load.stale, load.standing, load.standing_peak) == (4, 1, 1, 3, 5)


def test_the_most_frequent_are_ten_and_their_share_is_of_all():
    alarms = [one for n in range(12) for one in each(*range(n + 1), device=f"k.s.{n:02}")]
    load = figures(alarms, 0, HOUR_MS)
    assert [(f.device, f.count) for f in load.most_frequent[:2]] == [("k.s.11", 12), ("k.s.10", 11)]
    assert (len(load.most_frequent), load.most_frequent_share) == (10, 75 / 78)
    assert load.most_frequent[0].share == 12 / 78


def test_steps_are_as_fine_as_the_span_allows():
    for days, step_ms in ((1, TEN_MS), (7, HOUR_MS), (31, 6 * HOUR_MS), (365, DAY_MS)):
        load = figures(each(0, days * DAY_MS - 1), 0, days * DAY_MS)
        assert (load.step_ms, load.steps[0], load.steps[-1], len(load.steps)) == (
            step_ms,
            1,
            1,
            days * DAY_MS // step_ms,
        )


def test_shares_of_few_alarms_are_not_judged():
    few, many = (
        {
            j.key: j.met
            for j in judged(figures([alarm(n * TEN_MS, priority="high") for n in range(count)], 0, DAY_MS))
        }
        for count in (99, 100)
    )
    shares = ("priority_high", "priority_medium", "most_frequent_share")
    assert [few[key] for key in shares] == [None, None, None]
    assert [many[key] for key in shares] == [False, True, False]
    assert (few["mean_10_min"], few["chattering"], few["stale"]) == (True, True, True)


def test_each_acceptable_bound_is_met_at_itself():
    met = {j.key: (j.value, j.at_most, j.met) for j in judged(figures(each(*range(0, DAY_MS, TEN_MS)), 0, DAY_MS))}
    assert met["mean_10_min"] == (1.0, 1.0, True)
    assert met["peak_10_min"] == (1, 10.0, True)


SECOND = 1000
TO_S = 45 * 60
ALARMS = st.lists(
    st.builds(
        lambda at_s, lasts_s, who, priority, hidden, cause: Shown(
            f"k.{who % 2}",
            f"k.s.{who}",
            priority,
            at_s * SECOND,
            None if lasts_s is None else (at_s + lasts_s) * SECOND,
            hidden,
            cause,
        ),
        st.one_of(st.integers(-60, TO_S + 60), st.integers(100, 160)),
        st.none() | st.integers(0, 3000),
        st.integers(0, 3),
        st.sampled_from(["low", "medium", "high"]),
        st.sampled_from([False, False, False, True]),
        st.sampled_from(["", "", "k.cause k.s.g"]),
    ),
    max_size=60,
)


def plain(alarms, operators):
    """The same, second by second, of alarms at whole seconds."""
    shown = [a for a in alarms if not a.hidden]
    raised = [a for a in shown if 0 <= a.raised_at_ms < TO_S * SECOND]
    told = [a.raised_at_ms // SECOND for a in raised if not a.cause]
    last_ten = [sum(at <= now < at + 600 for at in told) for now in range(TO_S)]
    flood, floods, in_flood = 0, 0, False
    for recent in last_ten:
        begins = not in_flood and recent > 10 * operators
        in_flood = begins or (in_flood and recent >= 5 * operators)
        floods += begins
        flood += in_flood
    slots = [sum(slot <= at < slot + 600 for at in told) for slot in range(0, TO_S, 600)]
    stand = [
        [
            a
            for a in shown
            if a.raised_at_ms <= now * SECOND and (a.cleared_at_ms is None or a.cleared_at_ms > now * SECOND)
        ]
        for now in range(TO_S)
    ]
    who = Counter((a.rule, a.device) for a in raised)
    bursts = Counter()
    for pair in who:
        times = sorted(a.raised_at_ms for a in raised if (a.rule, a.device) == pair)
        for at, first in enumerate(times):
            before = [t for t in times[:at] if first - t < MINUTE_MS]
            after = [t for t in times[at + 1 :] if t - first < MINUTE_MS]
            around = any(
                len([t for t in times if begin <= t < begin + MINUTE_MS]) >= 3 for begin in [*before, first]
            )
            bursts[pair] += around and len(before) + len(after) >= 2
    return {
        "alarms": len(raised),
        "peak_10_min": math.ceil(max(last_ten) / operators),
        "over_10_share": sum(n > 10 * operators for n in slots) / len(slots),
        "flood_share": flood / TO_S,
        "floods": floods,
        "fleeting": sum(
            a.cleared_at_ms is not None and a.cleared_at_ms - a.raised_at_ms < MINUTE_MS for a in raised
        ),
        "standing_peak": max(len(now) for now in stand),
        "standing": sum(
            a.cleared_at_ms is None or a.cleared_at_ms >= TO_S * SECOND
            for a in shown
            if a.raised_at_ms < TO_S * SECOND
        ),
        "hidden": sum(a.hidden and 0 <= a.raised_at_ms < TO_S * SECOND for a in alarms),
        "most": sorted(((n, pair) for pair, n in who.items()), key=lambda one: (-one[0], one[1])),
        "chattering": {pair: n for pair, n in bursts.items() if n},
    }


@settings(deadline=None, max_examples=120)
@given(ALARMS, st.sampled_from([1, 1, 2, 3]))
def test_figures_are_those_of_a_plain_count(alarms, operators):
    load = figures(alarms, 0, TO_S * SECOND, operators=operators)
    expected = plain(alarms, operators)
    assert {(c.rule, c.device): c.count for c in load.chattering} == expected.pop("chattering")
    assert [(f.count, (f.rule, f.device)) for f in load.most_frequent] == expected.pop("most")
    assert {key: getattr(load, key) for key in expected} == expected
    assert load.mean_10_min == pytest.approx(sum(load.steps) / operators / 4.5)
    assert sum(load.priorities.values()) == pytest.approx(1.0 if load.alarms else 0.0)
