"""The kitchen as one scene, put together from its tables."""

from __future__ import annotations

from scenewatch.model.scene import Scene
from scenewatch.model.words import Text
from scenewatch.scenes.kitchen.device_types import DEVICE_TYPES
from scenewatch.scenes.kitchen.faults import FAULTS
from scenewatch.scenes.kitchen.occasions import OCCASIONS
from scenewatch.scenes.kitchen.rules_building import BUILDING_RULES
from scenewatch.scenes.kitchen.rules_food import FOOD_RULES
from scenewatch.scenes.kitchen.rules_hygiene import HYGIENE_RULES
from scenewatch.scenes.kitchen.rules_machines import MACHINE_RULES
from scenewatch.scenes.kitchen.rules_sensors import SENSOR_RULES

TERM_MS = (1_779_033_600_000, 1_781_712_000_000)
"""18 May to 18 June 2026: school on all days but weekends, and warm enough for the air conditioners."""

KITCHEN = Scene(
    key="kitchen",
    title=Text("School kitchens", "智能阳光厨房"),
    site_title=Text("Kitchen", "厨房"),
    device_types=DEVICE_TYPES,
    rules=(*FOOD_RULES, *MACHINE_RULES, *HYGIENE_RULES, *BUILDING_RULES, *SENSOR_RULES),
    faults=FAULTS,
    simulator="scenewatch.scenes.kitchen.physics:Kitchen",
    teller="scenewatch.scenes.kitchen.teller:KitchenTeller",
    demonstration="scenewatch.scenes.kitchen.demonstration:KitchenDemonstration",
    calendar="scenewatch.scenes.kitchen.day:spans",
    occasions=OCCASIONS,
    mishap="door_ajar",
    zone="Asia/Shanghai",
    busy_ms=TERM_MS,
)
