"""The scenes there are: their tables feed every stage; this is the one place that lists them."""

from __future__ import annotations

from importlib.metadata import entry_points
from pkgutil import resolve_name
from typing import TYPE_CHECKING, cast

from scenewatch.model.errors import ConfigurationError, Mistake
from scenewatch.model.scene import Scene
from scenewatch.scenes.kitchen import KITCHEN

if TYPE_CHECKING:
    from scenewatch.model.ports import Demonstration, Simulator

SCENES = (KITCHEN,)
GROUP = "scenewatch.scenes"
"""Entry-point group by which other packages offer scenes: each entry is one `Scene`."""


def all_scenes() -> tuple[Scene, ...]:
    """Ours, then those of other packages by name. Raises ConfigurationError for an entry that is no scene."""
    found = list(SCENES)
    mistakes = []
    for entry in sorted(entry_points(group=GROUP), key=lambda e: e.name):
        try:
            scene = entry.load()
        except (ImportError, AttributeError) as error:
            mistakes.append(Mistake(f"entry point {entry.name} = {entry.value}", f"cannot be loaded: {error}"))
            continue
        if isinstance(scene, Scene):
            found.append(scene)
        else:
            mistakes.append(Mistake(f"entry point {entry.name} = {entry.value}", "must name a Scene table"))
    if mistakes:
        raise ConfigurationError(mistakes)
    return tuple(found)


def simulator(scene: Scene) -> type[Simulator]:
    """Imported only here and only when asked for: tables must load without the physics."""
    return cast("type[Simulator]", resolve_name(scene.simulator))


def demonstration(scene: Scene) -> Demonstration:
    return cast("Demonstration", resolve_name(scene.demonstration)())
