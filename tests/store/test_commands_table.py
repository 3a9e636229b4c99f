"""Commands on record: whatever order answers and the end of time come in, and however often."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ends import HandClock
from scenewatch.model.command import CommandState
from scenewatch.store.audit import Action, Audit
from scenewatch.store.commands import Answer, CommandRow, CommandTable, WhichCommands, after_answer

ROW = CommandRow(
    id="c1",
    device="brine.w1.vat-1",
    name="cool",
    args="{}",
    state=CommandState.UNSENT,
    asked_by="li",
    asked_at_ms=1_000,
    expires_at_ms=31_000,
)
YES = Answer(position=7, device=ROW.device, command="c1", ok=True, text="yes", received_ms=2_000)
NO = replace(YES, position=9, ok=False, text="no", received_ms=3_000)
ALL = WhichCommands(limit=10)


@pytest.fixture
def audit(database):
    return Audit(database, HandClock(0))


@pytest.fixture
def table(database, audit):  # noqa: ARG001  # makes the table
    made = CommandTable(database)
    made.add(ROW, Action(1_000, "li", "command", ROW.device, "cool c1"))
    return made


def only(table):
    (row,) = table.commands(ALL)
    return row


def test_a_command_comes_back_as_it_was_asked_with_who_did(table, audit):
    assert only(table) == ROW
    assert audit.actions(9) == [Action(1_000, "li", "command", ROW.device, "cool c1")]


def test_it_waits_once_the_broker_has_it(table):
    assert table.sent("c1", "online: false") == only(table)
    assert only(table) == replace(ROW, state=CommandState.WAITING, text="online: false")


def test_what_the_broker_did_not_take_says_why_and_never_expires(table):
    assert table.unsent("c1", "it is away").text == "it is away"
    assert table.expire(10**15) == []
    assert only(table) == replace(ROW, text="it is away")


def test_an_answer_quicker_than_the_broker_stays(table):
    table.answered([YES])
    for after in (table.sent("c1", ""), table.unsent("c1", "not confirmed")):
        assert (after.state, after.text) == (CommandState.DONE, "yes")


def test_what_waits_expires_at_its_time(table):
    table.sent("c1", "")
    assert table.expire(30_999) == []
    assert table.expire(31_000) == [only(table)]
    assert only(table).state is CommandState.EXPIRED
    assert table.expire(31_001) == []


def test_answers_come_in_one_go(table):
    table.sent("c1", "")
    strange = [replace(YES, command="c2"), replace(YES, device="brine.w1.vat-2", position=8)]
    assert table.answered([*strange, YES, NO]) == [only(table)]
    assert (only(table).state, only(table).text, only(table).answers) == (CommandState.DONE, "yes", 2)
    assert table.answered([YES, NO]) == []


def test_an_answer_too_late_is_kept_beside_the_expiry(table):
    table.sent("c1", "")
    table.expire(40_000)
    table.answered([replace(YES, received_ms=41_000)])
    row = only(table)
    assert (row.state, row.late, row.text, row.answered_at_ms) == (CommandState.EXPIRED, True, "yes", 41_000)


ANSWERS = st.lists(
    st.builds(
        Answer,
        position=st.integers(0, 20),
        device=st.just(ROW.device),
        command=st.just("c1"),
        ok=st.booleans(),
        text=st.text(max_size=3),
        received_ms=st.integers(0, 62_000),
    ),
    unique_by=lambda answer: answer.position,
    max_size=6,
).map(lambda answers: sorted(answers, key=lambda answer: answer.position))


def derived(row, answers):
    for answer in answers:
        row = after_answer(row, answer) or row
    return row


@given(ANSWERS, st.integers(0, 6), st.integers(0, 6))
def test_deriving_answers_again_from_anywhere_changes_nothing(answers, stopped, back):
    waiting = replace(ROW, state=CommandState.WAITING)
    straight = derived(waiting, answers)
    half = derived(waiting, answers[:stopped])
    assert derived(half, answers[min(back, stopped) :]) == straight
    assert straight.answers == len(answers)


@given(ANSWERS, st.integers(0, 6))
def test_it_does_not_matter_when_the_end_of_its_time_is_noticed(answers, noticed):
    """A pipeline that lags behind leads to the same end as a quick one."""
    waiting = replace(ROW, state=CommandState.WAITING)
    row = derived(waiting, answers[:noticed])
    row = replace(row, state=CommandState.EXPIRED) if row.state is CommandState.WAITING else row
    late = derived(row, answers[noticed:])
    straight = derived(waiting, answers)
    expected = straight if answers else replace(straight, state=CommandState.EXPIRED)
    assert late == expected
    if answers:
        first = answers[0]
        assert (late.text, late.answered_at_ms) == (first.text, first.received_ms)
        assert late.late is (first.received_ms >= ROW.expires_at_ms)
