"""A replay is the run of that time once more, wherever it begins; what is not kept is said, never guessed."""

from __future__ import annotations

from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ends import Gate
from kept_journal import END, HIGH, LOW, ROUNDS, build, copied, without_first_segment
from records import START_MS
from scenewatch.journal.look import Look
from scenewatch.model.errors import CorruptError, RefusedError, TemporaryError
from scenewatch.model.ledger import Counts
from scenewatch.pipeline import Pipeline
from scenewatch.store.duck import DuckStore
from scenewatch.worker import replay as module
from scenewatch.worker.replay import Into, Replay, Start
from scenewatch.worker.snapshots import Snapshots


def save(snapshots, position, state):
    snapshots.write(position, [state])
    snapshots.keep(position)


@pytest.fixture(scope="module")
def kept(tmp_path_factory, vat_scene):
    """A journal, its look, and a pipeline's state before each position a record begins at."""
    folder = tmp_path_factory.mktemp("kept")
    look = build(folder)
    pipeline, states, outcomes = Pipeline([vat_scene], "sw"), {}, []
    for record in look.records(0, END):
        states[record.first] = b"".join(pipeline.snapshot())
        outcomes.append((record.first, pipeline.run(record)))
    return look, states, outcomes


@pytest.fixture
def replay(kept, vat_scene, tmp_path):
    """Replays with states saved at some positions; gives what it was."""
    look, states, _ = kept

    def run(first=0, end=END, *, saved=(), limits=None, into=None, of=look):
        snapshots = Snapshots(tmp_path / f"state-{len(list(tmp_path.iterdir()))}")
        for position in saved:
            save(snapshots, position, states[position])
        one = Replay(of, fresh=lambda: Pipeline([vat_scene], "sw"), states=snapshots._folder, limits=limits)
        pipeline, replayed = one.prepare(first, end)
        into = into and Into(into, pipeline.registry.series_name)
        if into:
            into.check(first)
        one.run(pipeline, replayed, into, lambda _: None)
        return replayed

    return run


@pytest.fixture
def store(tmp_path):
    opened = DuckStore(tmp_path / "replayed.duckdb")
    yield opened
    opened.close()


def told(transitions):
    return [repr(t) for t in transitions]


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_from_any_saved_state_the_rest_is_the_same_again(kept, vat_scene, tmp_path_factory, data):
    look, states, outcomes = kept
    first = data.draw(st.sampled_from(sorted(states)))
    saved = data.draw(st.sampled_from([position for position in states if position <= first]))
    snapshots = Snapshots(tmp_path_factory.mktemp("state"))
    save(snapshots, saved, states[saved])
    one = Replay(look, fresh=lambda: Pipeline([vat_scene], "sw"), states=snapshots._folder, limits=None)
    pipeline, replayed = one.prepare(first, END)
    one.run(pipeline, replayed, None, lambda _: None)
    expected = [outcome for position, outcome in outcomes if position >= first]
    assert told(replayed.transitions) == told(chain.from_iterable(o.transitions for o in expected))
    assert replayed.counts == sum((o.batch.counts for o in expected), Counts())
    assert (replayed.start, replayed.began) == (Start.SAVED, saved)


def test_the_run_that_is_compared_with_has_alarms_under_each_of_its_limits(kept):
    _, _, outcomes = kept
    at_s = [(t.at_ms - START_MS) // 1000 for _, outcome in outcomes for t in outcome.transitions]
    assert len([t for t in at_s if t < 10 * ROUNDS // 2]) >= 4
    assert len([t for t in at_s if t >= 10 * ROUNDS // 2]) >= 4


def test_a_replay_may_begin_and_end_within_a_record(replay):
    whole = replay()
    parts = [replay(0, 30), replay(30, 31), replay(31, END)]
    assert told(whole.transitions) == told(chain.from_iterable(part.transitions for part in parts))
    assert whole.counts == sum((part.counts for part in parts), Counts())
    assert whole.counts.positions == END
    assert whole.start is Start.ORIGIN


def test_other_limits_take_the_place_of_those_of_the_time(replay):
    assert replay(limits=HIGH).transitions == []
    low = [t.at_ms for t in replay(limits=LOW).transitions]
    assert low[:2] == [START_MS + 10_000] * 2
    assert replay(limits=LOW).counts == replay().counts


def test_other_limits_are_in_force_from_where_the_run_can_begin(replay):
    saved = (0, 29)
    assert replay(40, limits=LOW, saved=saved).began == 0
    assert replay(40, saved=saved).began == 29


def test_where_older_segments_are_gone_it_says_where_it_can_begin(replay, kept, tmp_path):
    of = without_first_segment(kept[0], tmp_path)
    assert of.oldest > 0
    with pytest.raises(RefusedError, match=f"nothing is kept before position {of.oldest}: it can begin there"):
        replay(0, of=of)
    with pytest.raises(RefusedError, match="no state is kept that knows the devices"):
        replay(of.oldest, of=of)


def test_a_later_state_tells_the_devices_and_all_else_is_fresh(replay, kept, tmp_path):
    look, states, _ = kept
    of = without_first_segment(look, tmp_path)
    later = next(position for position in sorted(states) if position > of.oldest)
    replayed = replay(of.oldest, of=of, saved=(later,))
    assert (replayed.start, replayed.began) == (Start.FRESH, of.oldest)
    assert replayed.counts.positions == END - of.oldest
    assert replayed.counts.stored > 0
    assert [t.rule for t in replayed.transitions if t.rule == "brine.vat_silent"] == []
    assert replay(later, of=of, saved=(later,)).start is Start.SAVED


def test_a_state_that_cannot_be_used_is_passed_over(kept, tmp_path, caplog, vat_scene):
    look, _, _ = kept
    snapshots = Snapshots(tmp_path / "bad")
    save(snapshots, 5, b"no snapshot")
    one = Replay(look, fresh=lambda: Pipeline([vat_scene], "sw"), states=tmp_path / "bad", limits=None)
    pipeline, replayed = one.prepare(10, END)
    assert (pipeline.position, replayed.start) == (0, Start.ORIGIN)
    assert "the state at 5 cannot be used" in caplog.text


def test_nothing_is_between_bounds_that_are_not_kept(replay):
    with pytest.raises(RefusedError, match=f"positions 0 to {END - 1} are"):
        replay(END, END + 5)
    assert replay(END - 1, END + 5).end == END


def test_a_store_gets_all_and_again_nothing_twice(replay, store):
    once = replay(into=store)
    assert (once.added, once.readings) == (2 * ROUNDS, 2 * ROUNDS)
    assert (store.position(), store.counts()) == (END, once.counts)
    again = replay(into=store)
    assert (again.added, store.count(), store.counts()) == (0, once.added, once.counts)


@pytest.mark.parametrize("readings_a_write", [1, 7, 10_000])
def test_what_was_broken_off_is_gone_on_with(replay, store, monkeypatch, readings_a_write):
    monkeypatch.setattr(module, "READINGS_A_WRITE", readings_a_write)
    replay(0, 31, into=store)  # ends within a record
    replay(into=store)
    assert (store.position(), store.counts(), store.count()) == (END, replay().counts, 2 * ROUNDS)


def test_a_store_of_another_stretch_is_refused(replay, store):
    replay(30, 40, into=store)
    for first in (0, 29, 41):
        with pytest.raises(RefusedError, match="positions 30 to 39: begin at one of them or at 40"):
            replay(first, into=store)
    assert replay(40, into=store).added > 0
    assert store.counts().positions == END - 30


def test_a_store_that_is_away_is_tried_again_and_then_left(replay, store, monkeypatch, caplog):
    monkeypatch.setattr(module, "RETRY_S", (0.001, 0.001))
    gate = Gate(store.write)
    gate.shut = True
    monkeypatch.setattr(store, "write", gate)
    with pytest.raises(TemporaryError, match="the gate is shut"):
        replay(into=store)
    assert gate.refused == 3
    assert caplog.text.count("tried again: the gate is shut") == 2
    gate.shut = False
    assert replay(into=store).added == 2 * ROUNDS


def test_damage_is_counted_as_lost_and_told(replay, kept, tmp_path):
    _, second, *_ = copied(kept[0], tmp_path / "journal")
    data = bytearray(second.read_bytes())
    data[-20] ^= 0xFF
    second.write_bytes(data)
    replayed = replay(of=Look(second.parent))
    assert replayed.lost == sum(d.end - d.first for d in replayed.damaged) > 0
    assert replayed.counts.positions == END


def test_segments_that_go_meanwhile_are_named(replay, kept, tmp_path):
    _, second, third, *_ = copied(kept[0], tmp_path / "journal")
    look = Look(second.parent)
    second.unlink()
    begins, ends = int(second.stem), int(third.stem)
    for end in (ends, END):
        with pytest.raises(CorruptError, match=f"positions {begins} to {ends - 1} are gone: the worker has let go"):
            replay(0, end, of=look)
