"""Commands of a worker whose way to the broker is held up: what is on record, and who is told."""

import json

import pytest

from ends import HandClock
from scenewatch.api.controls import CommandQuery, NotSentError
from scenewatch.model.errors import RefusedError, TemporaryError
from scenewatch.model.event import Result
from scenewatch.model.scene import Command
from scenewatch.model.words import Text, seconds
from scenewatch.store.audit import Audit
from scenewatch.store.commands import CommandTable
from scenewatch.worker.commands import LONGEST_TEXT, Commands

COOL = Command(
    key="cool",
    title=Text("Cool", "冷却"),
    channel="temp",
    to=5.0,
    input="cooler",
    expires_after=seconds(1.5),
)
VAT = 1


class Way:
    """To the broker: remembers what was sent; raises what it is told to."""

    def __init__(self):
        self.sent = []
        self.away = None
        self.fails = None

    def check(self):
        if self.away:
            raise self.away

    def send(self, topic, payload, lasts_s):
        self.sent.append((topic, json.loads(payload), lasts_s))
        if self.fails:
            raise self.fails


@pytest.fixture
def way():
    return Way()


@pytest.fixture
def clock():
    return HandClock(1_000)


@pytest.fixture
def audit(database, clock):
    return Audit(database, clock)


@pytest.fixture
def commands(database, audit, way, clock, vat_registry):  # noqa: ARG001  # the audit makes its table
    return Commands(CommandTable(database), way, vat_registry, root="sw", clock=clock, online=lambda _: None)


def result(command, position=1, text="yes", received_ms=1_000):
    return Result(position=position, device=VAT, command=command, ok=True, text=text, received_ms=received_ms)


def on_record(commands):
    return [(one.state, one.text) for one in commands.commands(CommandQuery(limit=10))]


def test_it_is_sent_on_the_devices_topic_and_its_time_is_rounded_up(commands, way):
    view = commands.send(VAT, COOL, {"by": 2}, "li")
    body = {"id": view.id, "name": "cool", "args": {"by": 2}, "expires_at": 2_500}
    assert way.sent == [("sw/brine/w1/vat-1/command", body, 2)]


def test_while_the_broker_is_away_nothing_is_on_record(commands, way, audit):
    way.away = TemporaryError("the broker is away")
    with pytest.raises(NotSentError, match="the broker is away"):
        commands.send(VAT, COOL, {}, "li")
    assert (on_record(commands), way.sent, audit.actions(9)) == ([], [], [])


@pytest.mark.parametrize("error", [TemporaryError("not confirmed"), RefusedError("not allowed")])
def test_what_the_broker_does_not_confirm_is_on_record_as_unsent(commands, way, error):
    way.fails = error
    with pytest.raises(NotSentError, match=str(error)):
        commands.send(VAT, COOL, {}, "li")
    assert on_record(commands) == [("unsent", str(error))]
    (told,) = commands.changes(0)[1]
    assert told.state == "unsent"
    commands.answered([result(told.id)])  # it had arrived after all
    assert on_record(commands) == [("done", "yes")]


def test_every_change_is_told_once(commands, clock):
    first, second = commands.send(VAT, COOL, {}, "li"), commands.send(VAT, COOL, {}, "li")
    commands.answered([result(first.id), result("stranger", position=2)])
    commands.answered([result(first.id)])
    commands.answered([])
    clock.ms = 2_500
    commands.step()
    commands.step()
    count, changes = commands.changes(0)
    told = [(one.id, one.state) for one in changes]
    assert told == [(first.id, "waiting"), (second.id, "waiting"), (first.id, "done"), (second.id, "expired")]
    assert commands.changes(count) == (4, [])


def test_a_devices_long_answer_is_cut(commands):
    command = commands.send(VAT, COOL, {}, "li")
    commands.answered([result(command.id, text="x" * 5000)])
    assert on_record(commands) == [("done", "x" * LONGEST_TEXT)]
