"""Two small scenes whose devices the inventory files of the tests list."""

from __future__ import annotations

from scenewatch.model.scene import DeviceType, Scene
from scenewatch.model.words import Text, seconds

NAME = Text("", "")


def scene(key, *types):
    return Scene(
        key=key,
        title=NAME,
        site_title=NAME,
        device_types=tuple(DeviceType(key=t, title=NAME, every=seconds(30)) for t in types),
        rules=(),
        faults=(),
        simulator="",
        mishap="",
    )


SCENES = (scene("kitchen", "cold_room", "gateway"), scene("drainage", "level_sensor"))
