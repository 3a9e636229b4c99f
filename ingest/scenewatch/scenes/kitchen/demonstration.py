"""School kitchens to show: the same ones in the same order however many are asked for."""

from __future__ import annotations

import math
from typing import Final

from scenewatch.model.place import Device
from scenewatch.model.words import Text

LUQIAO: Final = (28.58, 121.37)
"""Latitude and longitude of the district's middle."""
GOLDEN_ANGLE: Final = math.pi * (3 - math.sqrt(5))
NEIGHBOUR_DEG: Final = 0.012
"""About 1.3 km between neighbouring schools."""

EQUIPMENT: Final = (
    ("fridge-1", "fridge", Text("vegetable fridge", "蔬菜冷藏柜")),
    ("fridge-2", "fridge", Text("meat fridge", "肉类冷藏柜")),
    ("fridge-3", "fridge", Text("dairy and retained-sample fridge", "乳品与留样冷藏柜")),
    ("freezer-1", "freezer", Text("meat freezer", "肉类冷冻柜")),
    ("freezer-2", "freezer", Text("fish freezer", "水产冷冻柜")),
    ("cold-dish-room", "cold_dish_room", Text("cold-dish room", "凉菜间")),
    ("hot-cabinet", "hot_cabinet", Text("hot-holding cabinet", "热菜保温柜")),
    ("uv-1", "uv_lamp", Text("ultraviolet lamp of the cold-dish room", "凉菜间紫外线灯")),
    ("uv-2", "uv_lamp", Text("ultraviolet lamp of the preparation room", "粗加工间紫外线灯")),
    ("steriliser", "steriliser", Text("dish steriliser", "餐具消毒柜")),
    ("gas", "gas_detector", Text("gas detector at the hobs", "灶台燃气探测器")),
    ("leak", "water_leak", Text("leak detector under the sinks", "水池下漏水探测器")),
    ("camera", "camera", Text("camera over the cooking line", "烹饪区摄像头")),
    ("gate", "staff_gate", Text("staff check terminal at the entrance", "入口晨检仪")),
)


class KitchenDemonstration:
    """A gateway and fourteen devices a school, schools laid out as a sunflower's seeds."""

    def devices(self, sites: int) -> list[Device]:
        return [device for number in range(1, sites + 1) for device in _school(number)]


def _school(number: int) -> list[Device]:
    site = f"s{number:03d}"
    gateway = f"{site}-gw"
    canteen = Text(f"School {number} canteen", f"第{number}学校食堂")
    reach = NEIGHBOUR_DEG * math.sqrt(number - 1)
    lat = round(LUQIAO[0] + reach * math.sin(number * GOLDEN_ANGLE), 5)
    lon = round(LUQIAO[1] + reach * math.cos(number * GOLDEN_ANGLE), 5)

    def device(name: str, type_key: str, title: Text, parent: str) -> Device:
        name_of = Text(f"{canteen.en} · {title.en}", f"{canteen.zh} · {title.zh}")
        return Device(
            scene="kitchen", site=site, device=name, type=type_key, parent=parent, name=name_of, lat=lat, lon=lon
        )

    return [
        device(gateway, "gateway", Text("gateway", "网关"), ""),
        *(device(f"{site}-{key}", type_key, title, gateway) for key, type_key, title in EQUIPMENT),
    ]
