"""Which alarms a change of rules makes new, gone or sooner: by hand, and as laws of any two lists."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from made_report import made
from msgspec.structs import replace

from scenewatch.rehearsal.compare import Pair, compare
from scenewatch.rehearsal.report import AlarmEntry

REPORT = made(faults=40, false=3)


def alarm(raised_at, cleared_at=None, rule="ajar_rule", device="k.s1.a"):
    return AlarmEntry(rule=rule, device=device, priority="low", raised_at=raised_at, cleared_at=cleared_at,
                      fault=None, neutral=False, repeat=False)  # fmt: skip


def compared(before, after):
    return compare(replace(REPORT, alarms=before, faults=[]), replace(REPORT, alarms=after, faults=[]))


def test_an_alarm_is_the_same_where_both_stand_at_one_time():
    found = compared([alarm(1000, 5000), alarm(9000, 9500)], [alarm(4000, 6000), alarm(9600, 9900)])
    assert found.same == [Pair(0, 0, 3.0)]
    assert (found.new, found.gone) == ([1], [1])


def test_one_that_still_stands_meets_whatever_comes_later():
    assert compared([alarm(1000)], [alarm(9_000_000, 9_000_001)]).same == [Pair(0, 0, 8999.0)]


def test_each_is_paired_once_and_only_with_its_own_rule_and_device():
    before = [alarm(0, 10_000)]
    after = [alarm(1000, 2000), alarm(3000, 4000), alarm(0, 10_000, rule="x"), alarm(0, 10_000, device="k.s1.b")]
    found = compared(before, after)
    assert (found.same, found.new, found.gone) == ([Pair(0, 0, 1.0)], [1, 2, 3], [])


def test_rules_tell_their_versions_and_counts_and_those_that_nothing_happened_to_are_left_out():
    first, second, *_ = REPORT.rules
    after = replace(REPORT, rules=[replace(first, version="ffffffff"), second], alarms=[alarm(0, 10, "odd")])
    changes = {c.rule: c for c in compare(replace(REPORT, alarms=[]), after).rules}
    assert changes.keys() == {first.key, "odd", *(r.key for r in REPORT.rules[2:])}
    assert (changes[first.key].version_before, changes[first.key].version_after) == (first.version, "ffffffff")
    assert (changes["odd"].before, changes["odd"].after, changes["odd"].new) == (0, 1, 1)


def test_faults_that_only_one_side_finds_in_time():
    faults = [replace(f, findable=n != 2, detected=False) for n, f in enumerate(REPORT.faults[:4])]
    found = [replace(f, detected=n < 3) for n, f in enumerate(faults)]
    gained = compare(replace(REPORT, faults=faults, alarms=[]), replace(REPORT, faults=found, alarms=[]))
    assert (gained.gained, gained.lost) == ([0, 1], [])
    lost = compare(replace(REPORT, faults=found, alarms=[]), replace(REPORT, faults=faults[1:], alarms=[]))
    assert (lost.gained, lost.lost) == ([], [1]), "a fault that the other run does not have is no loss"


def series():
    """Alarms of two devices; those of one follow on each other, as a rule's do."""
    steps = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=12)

    def laid(device, pieces):
        at, found = 0, []
        for wait, lasts in pieces:
            at += wait + 1
            found.append(alarm(at, at + lasts, device=device))
            at += lasts
        return found

    return st.tuples(steps, steps).map(lambda two: laid("a", two[0]) + laid("b", two[1]))


@settings(deadline=None, max_examples=100)
@given(series(), series())
def test_every_alarm_is_same_new_or_gone_and_the_other_way_round_is_the_mirror(before, after):
    found, mirrored = compared(before, after), compared(after, before)
    assert Counter([p.before for p in found.same] + found.gone) == Counter(range(len(before)))
    assert Counter([p.after for p in found.same] + found.new) == Counter(range(len(after)))
    assert sorted(mirrored.same, key=lambda p: p.after) == [Pair(p.after, p.before, -p.later_s) for p in found.same]
    assert (mirrored.new, mirrored.gone) == (found.gone, found.new)
    for pair in found.same:
        one, two = before[pair.before], after[pair.after]
        assert one.raised_at <= two.cleared_at
        assert two.raised_at <= one.cleared_at


@given(series())
def test_nothing_changes_where_nothing_changed(alarms):
    found = compared(alarms, alarms)
    assert (found.new, found.gone) == ([], [])
    assert all(p.before == p.after and p.later_s == 0 for p in found.same)
