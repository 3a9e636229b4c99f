"""What the kitchen's calendar knows, for those who hold alarms back by it."""

from __future__ import annotations

from scenewatch.model.scene import Occasion
from scenewatch.model.words import Text
from scenewatch.scenes.kitchen import day

OCCASIONS = (
    Occasion(key=day.Occasion.STAFF, title=Text("Work in the kitchen", "厨房作业")),
    Occasion(key=day.Occasion.DELIVERY, title=Text("Delivery", "收货")),
    Occasion(key=day.Occasion.COOKING, title=Text("Cooking", "烹饪")),
    Occasion(key=day.Occasion.HOT_CABINETS, title=Text("Hot cabinets on", "保温柜开启")),
    Occasion(key=day.Occasion.HOLDING, title=Text("Hot holding", "热藏")),
    Occasion(key=day.Occasion.MEAL, title=Text("Meal", "用餐")),
    Occasion(key=day.Occasion.CLEANING, title=Text("Cleaning", "清洁")),
    Occasion(key=day.Occasion.STERILISING, title=Text("Dish disinfection", "餐具消毒")),
    Occasion(key=day.Occasion.ULTRAVIOLET, title=Text("Ultraviolet disinfection", "紫外线消毒")),
)
