"""Whatever the store does, batches leave the outbox as they came: all, once, in order."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from journal_tools import DEADLINE_S, HandClock, until

from scenewatch.journal.outbox import Depth, Outbox
from scenewatch.model.batch import Batch
from scenewatch.model.errors import InUseError
from scenewatch.model.ledger import Counts, DeadLetter


def batch(n: int, position: int, dead: int = 0) -> Batch:
    made = Batch.of(np.arange(n, dtype=np.int32), np.arange(n), np.full(n, float(position)), position=position)
    made.counts = Counts(stored=n, dead=dead)
    made.dead = [DeadLetter(i, 1, b"t", b"p", "why") for i in range(dead)]
    return made


@pytest.fixture
def outbox(tmp_path):
    made = Outbox(tmp_path / "outbox", clock=HandClock(10**9), memory_readings=10, bundle_readings=10)
    yield made
    made.close()


BUNDLE = 15


class AnyOrderOfSteps(RuleBasedStateMachine):
    """Compared with a list, at bounds so small that the disk and bundles take part at every turn.

    How much comes in one bundle depends on how far the disk is, so no step may be drawn by what is left.
    """

    def __init__(self, folder) -> None:
        super().__init__()
        self.outbox = Outbox(folder, clock=HandClock(10**9), memory_readings=10, bundle_readings=BUNDLE)
        self.model: list[Batch] = []
        self.put_so_far = 0

    @rule(n=st.integers(0, 12), dead=st.integers(0, 2))
    def put(self, n, dead):
        self.put_so_far += 1
        made = batch(n, self.put_so_far, dead)
        self.outbox.put(made)
        self.model.append(made)

    def got(self) -> tuple[Batch, int]:
        """What the outbox gives, and how many of the oldest it is made of."""
        got = self.outbox.get(DEADLINE_S)
        count = got.position - self.model[0].position + 1
        assert got.to_bytes() == Batch.concat(self.model[:count]).to_bytes()
        assert count == 1 or len(got) + len(got.dead) <= BUNDLE
        return got, count

    @rule(times=st.integers(1, 3))
    def get(self, times):
        if not self.model:
            assert self.outbox.get(0) is None
            return
        first, _ = self.got()
        for _ in range(times):
            assert self.got()[0] is first

    @rule(most=st.integers(1, 4))
    def drain(self, most):
        while self.model and most:
            got, count = self.got()
            self.outbox.done(got)
            del self.model[:count]
            most -= 1

    @invariant()
    def depth_is_what_waits(self):
        oldest = self.model[0].position if self.model else None
        assert self.outbox.depth() == Depth(len(self.model), sum(map(len, self.model)), oldest)

    def teardown(self):
        self.outbox.close()


def test_any_order_of_steps_is_first_in_first_out(tmp_path_factory):
    run_state_machine_as_test(
        lambda: AnyOrderOfSteps(tmp_path_factory.mktemp("outbox")),
        settings=settings(deadline=None, max_examples=25, stateful_step_count=30),
    )


def test_beyond_its_bound_it_waits_on_disk_and_later_in_memory_again(outbox, tmp_path):
    for position in (1, 2, 3):
        outbox.put(batch(8, position))
    until(lambda: list((tmp_path / "outbox").glob("*.segment")))
    for position in (1, 2, 3):
        got = outbox.get(DEADLINE_S)
        assert got.position == position
        outbox.done(got)
    fresh = batch(8, 4)
    outbox.put(fresh)
    assert outbox.get(0) is fresh


def test_what_waits_together_is_given_as_one_up_to_a_bundle(tmp_path):
    outbox = Outbox(tmp_path / "outbox", clock=HandClock(10**9), bundle_readings=10)
    for position in range(1, 6):
        outbox.put(batch(4, position, dead=1) if position == 1 else batch(2, position))
    got = outbox.get(0)
    assert (got.position, len(got), len(got.dead), got.counts) == (3, 8, 1, Counts(stored=8, dead=1))
    outbox.put(batch(1, 6))
    assert outbox.get(0) is got
    outbox.done(got)
    assert outbox.depth() == Depth(3, 5, 4)
    assert outbox.get(0).position == 6
    outbox.close()


def test_gathering_ends_when_a_bundle_is_there(outbox):
    gathered = threading.Event()
    outbox.put(batch(1, 1))

    def gather() -> None:
        outbox.gather(10 * DEADLINE_S)
        gathered.set()

    store = threading.Thread(target=gather)
    store.start()
    outbox.put(batch(8, 2))
    assert not gathered.is_set()
    outbox.put(batch(1, 3))
    assert gathered.wait(DEADLINE_S)
    store.join()


def test_gathering_ends_in_any_case(outbox):
    outbox.put(batch(1, 1))
    outbox.gather(0.01)
    assert outbox.get(0).position == 1


def test_dead_letters_count_against_memory_too(outbox, tmp_path):
    outbox.put(batch(0, 1, dead=9))
    outbox.put(batch(0, 2, dead=9))
    until(lambda: list((tmp_path / "outbox").glob("*.segment")))


def test_a_waiting_store_is_woken(outbox):
    got = []
    store = threading.Thread(target=lambda: got.append(outbox.get(DEADLINE_S)))
    store.start()
    outbox.put(batch(1, 1))
    store.join(DEADLINE_S)
    assert got[0].position == 1


def test_only_what_was_got_can_be_done(outbox):
    outbox.put(batch(1, 1))
    with pytest.raises(ValueError, match="oldest"):
        outbox.done(batch(1, 1))


def test_leftovers_of_an_earlier_run_are_removed_unless_it_still_runs(tmp_path):
    path = tmp_path / "outbox"
    first = Outbox(path, clock=HandClock(), memory_readings=1)
    for position in range(1, 5):
        first.put(batch(5, position))
    with pytest.raises(InUseError):
        Outbox(path, clock=HandClock())
    first.close()
    assert list(path.glob("*.segment"))
    second = Outbox(path, clock=HandClock())
    assert (second.get(0), list(path.glob("*.segment"))) == (None, [])
    second.close()


def test_two_threads_at_full_speed(outbox):
    count = 400

    def pipeline() -> None:
        for position in range(1, count + 1):
            outbox.put(batch(position % 7, position))

    writer = threading.Thread(target=pipeline)
    writer.start()
    seen: list[float] = []
    position = 0
    while position < count:
        got = outbox.get(DEADLINE_S)
        assert got.position > position
        position = got.position
        seen += got.value.tolist()
        outbox.done(got)
    writer.join()
    assert seen == [float(p) for p in range(1, count + 1) for _ in range(p % 7)]
    assert outbox.depth() == Depth(0, 0, None)
