"""Accounts by owner: nothing is lost in adding up, whatever comes first."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenewatch.ledger.tally import Owners, Tally
from scenewatch.model.batch import Batch
from scenewatch.model.ledger import FATES, NOWHERE, Counts, Fate, Shares, of_site
from scenewatch.model.place import Device
from scenewatch.model.registry import Registry

CHANGES = st.lists(st.tuples(st.integers(-6, 40), st.sampled_from(Fate), st.integers(-3, 3)), max_size=30)


def told(tally):
    return tally.devices(60).tolist(), tally.others(20).tolist()


@settings(deadline=None, max_examples=60)
@given(st.lists(CHANGES, max_size=5))
def test_it_is_the_sum_of_all_shares_in_any_pieces(parts):
    one, together, restored = Tally(), Tally(), Tally()
    for changes in parts:
        one.add(Shares.of(changes))
        restored.restore(b"".join(one.snapshot()))
    together.add(Shares.concat([Shares(), *map(Shares.of, parts)]))
    assert told(together) == told(one)
    if parts:
        assert told(restored) == told(one.copy()) == told(one)
    devices, others = np.zeros((60, FATES), int), np.zeros((21, FATES), int)
    for owner, fate, change in (c for changes in parts for c in changes):
        (devices[owner] if owner >= 0 else others[NOWHERE - owner])[fate] += change
    assert told(one) == (devices.tolist(), others.tolist())


@settings(deadline=None, max_examples=40)
@given(st.lists(CHANGES, min_size=1, max_size=4))
def test_batches_carry_shares_through_joins_and_files(parts):
    batches = []
    for changes in parts:
        batch = Batch.of(np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0))
        batch.shares = Shares.of(changes)
        batches.append(Batch.from_bytes(batch.to_bytes()))
    tally, expected = Tally(), Tally()
    tally.add(Batch.concat(batches).shares)
    expected.add(Shares.of([c for changes in parts for c in changes]))
    assert told(tally) == told(expected)


def test_what_was_counted_without_owners_belongs_nowhere():
    tally = Tally()
    tally.add_nowhere(Counts(stored=5, duplicate=4, dead=3, control=2))
    assert tally.others(1).tolist() == [[5, 4, 3, 0], [0, 0, 0, 0]]


def test_fewer_rows_than_there_are_can_be_asked_for():
    tally = Tally()
    tally.add(Shares.of([(3, Fate.STORED, 1)]))
    assert tally.devices(1).tolist() == [[0, 0, 0, 0]]


@pytest.mark.parametrize(
    ("topic", "owner"),
    [
        (b"sw/brine/w1/vat-1/telemetry", 0),
        (b"sw/brine/w1/vat-1/nonsense", 0),
        (b"sw/brine/w1/vat-1", 0),
        (b"sw/brine/w1/vat-9/telemetry", of_site(0)),
        (b"sw/brine/w2/vat-9/telemetry", of_site(1)),
        (b"sw/brine/w2/vat-2/telemetry", of_site(1)),
        (b"sw/brine/w9/vat-1/telemetry", NOWHERE),
        (b"sw/brine/w1/\xff/telemetry", of_site(0)),
        (b"sw/brine", NOWHERE),
        (b"", NOWHERE),
        (b"\xff/\xff/\xff/\xff", NOWHERE),
    ],
)
def test_a_topic_s_owner_is_its_device_else_its_site(vat_scene, topic, owner):
    registry = Registry([vat_scene])
    devices = [Device(scene="brine", site=f"w{k}", device=f"vat-{k}", type="vat") for k in (1, 2)]
    owners = Owners()
    assert owners.of(topic) == NOWHERE
    registry.apply(devices, at_ms=0)
    owners.grow(registry)
    registry.apply(devices[:1], at_ms=1)  # its site stays known
    owners.grow(registry)
    assert owners.of(topic) == owner
