"""The inventory as a table with a revision."""

from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenewatch.model.place import Device
from scenewatch.model.words import Text
from scenewatch.store.devices import Inventory
from scenewatch.store.relational import Database

GATEWAY = Device(scene="kitchen", site="north", device="gw", type="gateway")
FRIDGE = Device(
    scene="kitchen",
    site="north",
    device="fridge-1",
    type="cold_room",
    parent="gw",
    name=Text("Cold room", "冷库"),
    lat=31.2304,
    lon=121.4737,
    properties={"owner": "学校", "asset": "7"},
)


@pytest.fixture
def inventory(database):
    return Inventory(database)


def test_a_new_inventory_is_empty_at_revision_0(inventory):
    assert (inventory.revision(), inventory.devices()) == (0, [])


def test_devices_come_back_whole_and_in_order(inventory):
    assert inventory.replace([GATEWAY, FRIDGE]) == 1
    assert inventory.devices() == [FRIDGE, GATEWAY]


def test_replacing_removes_what_is_not_named(inventory):
    inventory.replace([GATEWAY, FRIDGE])
    assert inventory.replace([FRIDGE]) == 2
    assert inventory.devices() == [FRIDGE]
    assert inventory.replace([]) == 3
    assert inventory.devices() == []


def test_upsert_adds_changes_and_keeps_the_rest(inventory):
    inventory.replace([GATEWAY, FRIDGE])
    moved = Device(scene="kitchen", site="north", device="fridge-1", type="freezer", lat=None)
    other = Device(scene="kitchen", site="south", device="fridge-1", type="freezer")
    assert inventory.upsert([moved, other]) == 2
    assert inventory.devices() == [moved, GATEWAY, other]


def test_the_same_again_is_no_change(inventory):
    inventory.replace([GATEWAY, FRIDGE])
    assert inventory.replace([FRIDGE, GATEWAY]) == 1
    assert inventory.upsert([FRIDGE]) == 1
    assert inventory.upsert([]) == 1
    assert inventory.revision() == 1


def test_a_revision_is_taken_when_a_worker_says_so(inventory):
    assert inventory.taken() == 0
    for revision in (1, 4):
        inventory.take(revision)
        assert inventory.taken() == revision


def test_the_revision_is_there_after_opening_again(url):
    with closing(Database(url)) as database:
        Inventory(database).replace([FRIDGE])
    with closing(Database(url)) as database:
        assert Inventory(database).revision() == 1
        assert Inventory(database).devices() == [FRIDGE]


DEVICES = st.lists(
    st.builds(
        Device,
        scene=st.sampled_from(["kitchen", "drainage"]),
        site=st.sampled_from(["a", "b"]),
        device=st.sampled_from(["1", "2", "3"]),
        type=st.sampled_from(["x", "y"]),
        properties=st.dictionaries(st.sampled_from("pq"), st.text(max_size=3), max_size=2),
    ),
    max_size=5,
    unique_by=lambda d: d.id,
)


@settings(deadline=None, max_examples=20)
@given(steps=st.lists(st.tuples(st.sampled_from(["replace", "upsert"]), DEVICES), max_size=6))
def test_any_changes_end_like_a_dictionary(steps):
    with closing(Database("sqlite://")) as database:
        inventory, oracle, revision = Inventory(database), {}, 0
        for way, devices in steps:
            before = dict(oracle)
            oracle = {} if way == "replace" else oracle
            oracle = oracle | {d.id: d for d in devices}
            revision += oracle != before
            assert getattr(inventory, way)(devices) == revision
            expected = sorted(oracle.values(), key=lambda d: (d.scene, d.site, d.device))
            assert inventory.devices() == expected
