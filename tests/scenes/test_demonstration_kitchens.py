"""The kitchens of the demonstration."""

import pytest

from scenewatch.model.place import ID
from scenewatch.scenes.kitchen import KITCHEN
from scenewatch.scenes.kitchen.demonstration import KitchenDemonstration

A_SITE = 15


@pytest.fixture(scope="module")
def devices():
    return KitchenDemonstration().devices(120)


def test_fewer_sites_are_the_first_of_more(devices):
    assert KitchenDemonstration().devices(7) == devices[: 7 * A_SITE]


def test_no_sites_are_no_devices():
    assert KitchenDemonstration().devices(0) == []


def test_each_site_has_a_gateway_and_its_children(devices):
    for n in range(0, len(devices), A_SITE):
        gateway, *others = devices[n : n + A_SITE]
        assert [gateway.type, *(d.type for d in others[:5])] == ["gateway"] + ["fridge"] * 3 + ["freezer"] * 2
        assert not gateway.parent
        assert {(d.parent, d.site) for d in others} == {(gateway.device, gateway.site)}


def test_each_site_has_every_type_of_device(devices):
    for n in range(0, len(devices), A_SITE):
        assert {d.type for d in devices[n : n + A_SITE]} == {t.key for t in KITCHEN.device_types}


def test_device_ids_are_fit_for_topics_and_occur_once(devices):
    assert len({d.device for d in devices}) == len(devices)
    assert all(ID.match(d.device) and ID.match(d.site) for d in devices)


def test_every_device_has_a_name_in_both_languages_and_a_place_near_luqiao(devices):
    assert len({d.name for d in devices}) == len(devices)
    assert devices[1].name.en == "School 1 canteen · vegetable fridge"
    assert devices[1].name.zh == "第1学校食堂 · 蔬菜冷藏柜"
    assert all(abs(d.lat - 28.58) < 0.2 and abs(d.lon - 121.37) < 0.2 for d in devices)
    assert len({(d.lat, d.lon) for d in devices}) == 120
