"""The chain behind the journal: every position is accounted for, and the cuts do not matter."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from records import START_MS, control, messages, telemetry, told, topic
from scenewatch.ledger.retry import encode_retry
from scenewatch.model.alarm import Step
from scenewatch.model.batch import COLUMNS, Batch
from scenewatch.model.errors import CorruptError
from scenewatch.model.event import Event, encode_event
from scenewatch.model.flags import Flag
from scenewatch.model.ledger import Counts, DeadLetter
from scenewatch.model.place import Device
from scenewatch.model.ports import RecordKind
from scenewatch.model.rule import Above, Happened, Term, While
from scenewatch.model.words import seconds
from scenewatch.pipeline import Pipeline, encode_inventory, encode_limits

GATEWAY = Device(scene="brine", site="w1", device="gw", type="gateway")
VATS = [Device(scene="brine", site="w1", device=f"vat-{i}", type="vat", parent="gw") for i in (1, 2)]
INVENTORIES = (
    [GATEWAY, *VATS],
    [GATEWAY, VATS[0]],
    [GATEWAY, VATS[0], replace(VATS[1], type="gateway")],
    [*VATS, replace(VATS[0], device="vat-3")],
)
LIMITS = st.sampled_from(
    [
        {},
        {"brine.vat_hot": {"limit": 50.0, "on_delay_s": 0.0}},
        {"brine.vat_hot": {"limit": 90.0}, "brine.vat_silent": {"after_s": 20.0}, "brine.gone": {"limit": 1.0}},
    ]
)
BAD = (b"{", b"[]", b"\xff", b'{"t": 1}', b'{"t": "now", "v": {"temp": 1}}', b'{"t": 1, "v": {"temp": "hot"}}')
VALUES = st.sampled_from([20.0, 20.0, 85.0, 85.0, 95.0, -60.0, None, "text"])
STEPS_MS = st.sampled_from([0, 0, 1_000, 10_000, 30_000, 90_000])
COMPARED = [name for name, _ in COLUMNS if name != "message"]
"""All but the number of the message within its record, which follows the cuts; its position does not."""


@st.composite
def payloads(draw, at_ms):
    t_ms = at_ms - draw(st.sampled_from([0, 0, 0, 0, 500, 10_000, 200_000, -50_000, -100_000, at_ms]))
    named = {"b": draw(st.sampled_from(["x", "y"])), "n": draw(st.integers(0, 12))} if draw(st.booleans()) else {}
    if draw(st.integers(0, 5)) == 0:
        times = [t_ms - 20_000, t_ms - 10_000, t_ms]
        return telemetry(times, **named, temp=draw(st.lists(VALUES, min_size=3, max_size=3)))
    return telemetry(t_ms, **named, temp=draw(VALUES), level=draw(VALUES))


@st.composite
def pairs(draw, at_ms, before):
    """Mostly good telemetry; bad payloads and senders, status messages, and what came before."""
    match draw(st.integers(0, 11)):
        case 10:
            late_ms = draw(st.sampled_from([0, 0, 5_000, -100_000]))
            more = {"b": "x", "n": draw(st.integers(0, 12))} if draw(st.booleans()) else {}
            more |= {"h": True} if draw(st.integers(0, 4)) == 0 else {}
            kind = draw(st.sampled_from(["boiled_over", "boiled_over", "lid_open", "exploded"]))
            return topic(draw(st.sampled_from(["vat-1", "vat-2"])), "event"), told(at_ms - late_ms, kind, **more)
        case 11:
            return topic(draw(st.sampled_from(["vat-1", "gw"])), "result"), b'{"id": "c1", "ok": true}'
        case 0:
            return topic(draw(st.sampled_from(["gw", "vat-1", "vat-9"]))), draw(st.sampled_from(BAD))
        case 1:
            state = draw(st.sampled_from([b"online", b"offline", b"asleep"]))
            return topic(draw(st.sampled_from(["gw", "vat-1", "vat-2"])), "status"), b'{"state": "%s"}' % state
        case 2 if before:
            return draw(st.sampled_from(before))
        case _:
            device = draw(st.sampled_from(["vat-1", "vat-1", "vat-2", "vat-3"]))
            return topic(device), draw(payloads(at_ms))


@st.composite
def retries(draw, at_ms, before):
    """Letters of what came, also of what was no letter: whatever a table may hold."""
    reasons = st.sampled_from(["not JSON: it", "taken without: temp", "the store refused temp: it"])
    chosen = draw(st.lists(st.tuples(st.sampled_from(before), reasons, st.integers(-3, 3)), max_size=5))
    return encode_retry([DeadLetter(k, at_ms - 60_000, *pair, why, at) for k, (pair, why, at) in enumerate(chosen)])


@st.composite
def scripts(draw):
    """What arrives, one entry a receive time: messages, inventories, history, letters, and that it listens."""
    at_ms, before = START_MS, []
    script = [(RecordKind.INVENTORY, at_ms, encode_inventory(INVENTORIES[0]))]
    for _ in range(draw(st.integers(1, 15))):
        at_ms += draw(STEPS_MS)
        match draw(st.integers(0, 12)):
            case 12:
                event = Event(position=0, device=1, kind="boiled_over", at_ms=at_ms - 5_000, received_ms=at_ms)
                script.append((RecordKind.EVENT, at_ms, encode_event(event)))
            case 0:
                devices = draw(st.sampled_from(INVENTORIES))
                script.append((RecordKind.INVENTORY, at_ms, encode_inventory(devices)))
            case 1:
                t_ms = at_ms - np.arange(5_000, 0, -1_000)
                past = Batch.of(np.zeros(5, np.int32), t_ms, np.full(5, 90.0))
                script.append((RecordKind.HISTORY, at_ms, past.to_bytes()))
            case 2:
                script.append((RecordKind.LISTENING, at_ms, b""))
            case 4:
                script.append((RecordKind.LIMITS, at_ms, encode_limits(draw(LIMITS))))
            case 3 if before:
                script.append((RecordKind.RETRY, at_ms, draw(retries(at_ms, before))))
            case _:
                arrived = [draw(pairs(at_ms, before)) for _ in range(draw(st.integers(1, 12)))]
                before += arrived
                script.append((RecordKind.MESSAGES, at_ms, arrived))
    return script


def records(script, is_cut=lambda _: False):
    """The script as records; messages of one time are parted before each position that `is_cut`."""
    head = 0
    for kind, at_ms, content in script:
        if kind is not RecordKind.MESSAGES:
            yield control(head, at_ms, kind, content)
            head += 1
            continue
        cuts = [0, *(n for n in range(1, len(content)) if is_cut(head + n)), len(content)]
        for begin, end in pairwise(cuts):
            yield messages(head + begin, at_ms, content[begin:end])
        head += len(content)


def summary(pipeline, outcomes):
    """All that comes of a run, in a form that can be compared (a missing value equals itself)."""
    whole = Batch.concat([outcome.batch for outcome in outcomes])
    return {
        "columns": {name: getattr(whole, name).tobytes() for name in COMPARED},
        "positions": whole.positions().tolist(),
        "counts": whole.counts,
        "account": pipeline.counts,
        "dead": sorted(whole.dead, key=lambda letter: letter.position),
        "transitions": [repr(t) for outcome in outcomes for t in outcome.transitions],
        "owners": [pipeline.tally.devices(9).tolist(), pipeline.tally.others(9).tolist()],
        "events": [repr(event) for outcome in outcomes for event in outcome.events],
        "results": [repr(result) for outcome in outcomes for result in outcome.results],
        "tried": whole.tried,
        "online": pipeline.online,
        "refused": pipeline.values_refused,
        "missing": [pipeline.identity.missing(n) for n in range(len(pipeline.registry))],
        "limits": (pipeline.limits, pipeline.alarms.rules),
        "standing": [repr(t) for t in pipeline.alarms.standing()],
    }


def owned(tally, control):
    """The sum over all owners, as counts; the journal's own records have no owner."""
    stored, duplicate, dead, _ = (tally.devices(99).sum(axis=0) + tally.others(99).sum(axis=0)).tolist()
    return Counts(stored, duplicate, dead, control)


@settings(deadline=None, max_examples=60)
@given(scripts())
def test_every_position_of_every_record_is_accounted_for(vat_scene, script):
    pipeline = Pipeline([vat_scene], "sw")
    for record in records(script):
        batch = pipeline.run(record).batch
        assert batch.counts.positions == record.end - record.first
        assert pipeline.position == batch.position == record.end
        assert pipeline.counts.positions == record.end
        letters = [letter.position for letter in batch.dead]
        assert all(record.first <= at < record.end for at in letters)
        assert len(set(letters)) == len(letters)
        assert owned(pipeline.tally, pipeline.counts.control) == pipeline.counts


@pytest.fixture(scope="module")
def telling_scene(vat_scene):
    """With an alarm of an event, which a hot vat suppresses: so it matters what was measured before."""
    rule = replace(
        vat_scene.rule("vat_silent"),
        key="vat_boils",
        on=("vat",),
        when=Happened(event="boiled_over", quiet=seconds(30)),
        suppressed_by=(While(term=Term("temp", Above(80.0))),),
    )
    return replace(vat_scene, rules=(*vat_scene.rules, rule))


@settings(deadline=None, max_examples=60)
@given(scripts(), st.sets(st.integers(0, 150)), st.sets(st.integers(0, 150), max_size=4))
def test_cuts_and_restarts_change_nothing(telling_scene, script, cuts, restarts):
    whole = Pipeline([telling_scene], "sw")
    expected = summary(whole, [whole.run(record) for record in records(script)])
    pipeline, outcomes = Pipeline([telling_scene], "sw"), []
    for record in records(script, is_cut=(cuts | restarts).__contains__):
        if record.first in restarts:
            saved = b"".join(pipeline.snapshot())
            pipeline = Pipeline([telling_scene], "sw")
            pipeline.restore(saved)
        outcomes.append(pipeline.run(record))
    assert summary(pipeline, outcomes) == expected


def test_an_event_is_judged_by_what_was_measured_before_it_and_only_while_it_is_live(telling_scene):
    pipeline = Pipeline([telling_scene], "sw")
    pipeline.run(control(0, START_MS, RecordKind.INVENTORY, encode_inventory(INVENTORIES[0])))
    vat, boiled = topic("vat-1"), topic("vat-1", "event")
    outcome = feed(
        pipeline,
        START_MS + 3_000,
        (boiled, told(START_MS, "boiled_over", h=True)),
        (vat, telemetry(START_MS, temp=95)),
        (boiled, told(START_MS + 1_000, "boiled_over")),
        (vat, telemetry(START_MS + 2_000, temp=20)),
        (boiled, told(START_MS + 3_000, "boiled_over")),
        (vat, telemetry(START_MS + 3_000, temp=95)),
    )
    assert len(outcome.events) == 3
    assert [(t.rule, t.step, t.at_ms) for t in outcome.transitions] == [
        ("brine.vat_boils", Step.RAISED, START_MS + 3_000)
    ]
    pipeline.listening = True
    assert not pipeline.overdue(START_MS + 32_999)
    [cleared] = pipeline.tick(START_MS + 33_000)
    assert (cleared.rule, cleared.step, cleared.at_ms) == ("brine.vat_boils", Step.CLEARED, START_MS + 33_000)


@pytest.fixture
def pipeline(vat_scene):
    """Knows the gateway and two vats, and listens: two positions are behind it."""
    made = Pipeline([vat_scene], "sw")
    made.run(control(0, START_MS, RecordKind.INVENTORY, encode_inventory(INVENTORIES[0])))
    made.run(control(1, START_MS, RecordKind.LISTENING))
    return made


def feed(pipeline, at_ms, *told_pairs):
    return pipeline.run(messages(pipeline.position, at_ms, told_pairs))


def change_inventory(pipeline, devices, at_ms):
    return pipeline.run(control(pipeline.position, at_ms, RecordKind.INVENTORY, encode_inventory(devices)))


def test_a_message_whose_readings_are_all_there_is_a_duplicate(pipeline):
    vat = topic("vat-1")
    feed(pipeline, START_MS, (vat, telemetry(START_MS, temp=20, level=50)))
    outcome = feed(
        pipeline,
        START_MS + 1,
        (vat, telemetry(START_MS, level=51, temp=21)),  # other values, the same places
        (vat, telemetry(START_MS, temp=22)),
    )
    assert outcome.batch.counts == Counts(duplicate=2)


def test_a_message_with_one_new_reading_is_stored(pipeline):
    vat = topic("vat-1")
    feed(pipeline, START_MS, (vat, telemetry(START_MS, temp=20)))
    outcome = feed(pipeline, START_MS + 1, (vat, telemetry(START_MS, temp=21, level=50)))
    assert outcome.batch.counts == Counts(stored=1)


def test_a_message_taken_without_a_value_is_stored_and_its_letter_kept(pipeline):
    body = telemetry(START_MS, temp="hot", level=50)
    outcome = feed(pipeline, START_MS, (topic("vat-1"), body))
    assert outcome.batch.counts == Counts(stored=1)
    assert [(d.position, d.payload) for d in outcome.batch.dead] == [(2, body)]
    assert pipeline.values_refused == 1


def test_the_faults_of_a_message_that_came_twice_are_told_once(pipeline):
    pair = topic("vat-1"), telemetry(START_MS, b="x", n=1, temp="hot", level=50)
    outcome = feed(pipeline, START_MS, pair, pair)
    assert outcome.batch.counts == Counts(stored=1, duplicate=1)
    assert [d.position for d in outcome.batch.dead] == [2]


def test_a_device_speaks_from_the_moment_it_is_in_the_inventory(pipeline):
    newcomer = replace(VATS[0], device="vat-3")
    pair = topic("vat-3"), telemetry(START_MS, temp=20)
    assert feed(pipeline, START_MS, pair).batch.counts == Counts(dead=1)
    change_inventory(pipeline, [*INVENTORIES[0], newcomer], START_MS)
    assert feed(pipeline, START_MS, pair).batch.counts == Counts(stored=1)
    change_inventory(pipeline, INVENTORIES[0], START_MS)
    assert feed(pipeline, START_MS, pair).batch.counts == Counts(dead=1)


def test_a_standing_alarm_of_a_device_that_leaves_is_cleared(pipeline):
    for n in range(4):
        at_ms = START_MS + n * 10_000
        outcome = feed(pipeline, at_ms, (topic("vat-2"), telemetry(at_ms, temp=95)))
        if outcome.transitions:
            break
    assert [(t.rule, t.step) for t in outcome.transitions] == [("brine.vat_hot", Step.RAISED)]
    gone = change_inventory(pipeline, [GATEWAY, VATS[0]], START_MS + 60_000)
    assert [(t.rule, t.step, t.at_ms) for t in gone.transitions] == [
        ("brine.vat_hot", Step.CLEARED, START_MS + 60_000)
    ]
    assert pipeline.alarms.standing() == []


def test_without_listening_silence_means_nothing(vat_scene):
    pipeline = Pipeline([vat_scene], "sw")
    change_inventory(pipeline, INVENTORIES[0], START_MS)
    assert pipeline.tick(START_MS + 3_600_000) == []


def test_listening_gives_silence_a_new_start(pipeline):
    later = START_MS + 50_000
    pipeline.run(control(pipeline.position, later, RecordKind.LISTENING))
    assert pipeline.tick(later + 59_999) == []
    raised = pipeline.tick(later + 60_000)
    assert [(t.rule, t.at_ms, t.flag) for t in raised] == [("brine.vat_silent", later + 60_000, Flag.MISSING)] * 2


def test_what_was_overdue_when_messages_arrive_is_raised_before_they_clear_it(pipeline):
    late = START_MS + 70_000
    outcome = feed(pipeline, late, (topic("vat-1"), telemetry(late, temp=20)))
    assert [(t.step, t.device, t.at_ms) for t in outcome.transitions] == [
        (Step.RAISED, 1, START_MS + 60_000),
        (Step.RAISED, 2, START_MS + 60_000),
        (Step.CLEARED, 1, late),
    ]


def test_damage_far_on_is_joined_with_what_follows(pipeline):
    pipeline.position = 2**40
    lost = pipeline.skip(2**40 + 5)
    found = feed(pipeline, START_MS, (topic("vat-9"), b""), (topic("vat-1"), telemetry(START_MS, temp=20)))
    whole = Batch.concat([lost, found.batch])
    assert (whole.first, whole.positions().tolist()) == (2**40, [2**40 + 6])


def test_history_moves_alarms_but_is_no_message(pipeline):
    t_ms = START_MS + np.arange(0, 40_000, 10_000)
    past = Batch.of(np.zeros(4, np.int32), t_ms, np.full(4, 95.0))
    outcome = pipeline.run(control(pipeline.position, START_MS + 40_000, RecordKind.HISTORY, past.to_bytes()))
    assert outcome.batch.counts == Counts(control=1)
    assert outcome.batch.positions().tolist() == [outcome.batch.first] * 4
    assert outcome.batch.first == pipeline.position - 1
    assert [t.rule for t in outcome.transitions] == ["brine.vat_hot"]


def test_operators_limits_are_in_force(vat_scene):
    pipeline = Pipeline([vat_scene], "sw", {"brine.vat_hot": {"limit": 50.0, "on_delay_s": 0.0}})
    change_inventory(pipeline, INVENTORIES[0], START_MS)
    outcome = feed(pipeline, START_MS, (topic("vat-1"), telemetry(START_MS, temp=60)))
    assert [t.rule for t in outcome.transitions] == ["brine.vat_hot"]


def change_limits(pipeline, at_ms, limits):
    return pipeline.run(control(pipeline.position, at_ms, RecordKind.LIMITS, encode_limits(limits)))


def test_limits_that_change_take_effect_at_their_place_in_the_journal(pipeline):
    vat = topic("vat-1")
    assert feed(pipeline, START_MS, (vat, telemetry(START_MS, temp=60))).transitions == []
    assert (
        change_limits(pipeline, START_MS, {"brine.vat_hot": {"limit": 50.0, "on_delay_s": 0.0}}).transitions == []
    )
    later = START_MS + 10_000
    raised = feed(pipeline, later, (vat, telemetry(later, temp=60)))
    assert [(t.rule, t.at_ms) for t in raised.transitions] == [("brine.vat_hot", later)]
    again = Pipeline([*pipeline.registry.scenes.values()], "sw")
    again.restore(b"".join(pipeline.snapshot()))
    assert (again.limits, again.alarms.rules) == (pipeline.limits, pipeline.alarms.rules)


def test_what_was_overdue_by_the_old_limits_is_raised_before_the_new_ones(pipeline):
    overdue = START_MS + 70_000
    raised = change_limits(pipeline, overdue, {"brine.vat_silent": {"after_s": 600.0}})
    assert [(t.rule, t.at_ms) for t in raised.transitions] == [("brine.vat_silent", START_MS + 60_000)] * 2


def test_a_record_of_no_limits_is_named(pipeline):
    with pytest.raises(CorruptError, match="record 2 holds no limits"):
        pipeline.run(control(2, START_MS, RecordKind.LIMITS, b"\xc1"))


def test_what_is_no_snapshot_is_refused(vat_scene, pipeline):
    good = b"".join(pipeline.snapshot())
    other_version = msgspec.msgpack.decode(good)
    other_version["version"] += 1
    for bad in (b"", b"\x80", good[:-10], msgspec.msgpack.encode(other_version)):
        with pytest.raises(CorruptError):
            Pipeline([vat_scene], "sw").restore(bad)


def test_a_snapshot_of_other_tables_is_refused(vat_scene, pipeline):
    vat, gateway = vat_scene.device_types
    fewer = replace(vat_scene, device_types=(replace(vat, channels=vat.channels[:1]), gateway))
    without = replace(vat_scene, device_types=(gateway,), rules=(), faults=())
    for scene in (fewer, without):
        with pytest.raises(CorruptError):
            Pipeline([scene], "sw").restore(b"".join(pipeline.snapshot()))


def test_a_record_of_no_messages_is_named(pipeline):
    with pytest.raises(CorruptError, match="record 2 holds no messages"):
        pipeline.run(control(2, START_MS, RecordKind.MESSAGES))


def test_records_without_readings_keep_accounts_of_their_own(pipeline):
    first = feed(pipeline, START_MS, (topic("vat-1"), b"{"))
    feed(pipeline, START_MS, (topic("vat-2"), b"["), (topic("vat-1"), b"]"))
    assert (first.batch.position, first.batch.counts) == (3, Counts(dead=1))
    assert [d.payload for d in first.batch.dead] == [b"{"]
