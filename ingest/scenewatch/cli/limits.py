"""Operators' limits as commands take them: each mistake with the file that it is in."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from scenewatch.model.errors import ConfigurationError, Mistake

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from scenewatch.model.scene import Scene
    from scenewatch.pipeline import OperatorLimits


def read_limits(path: Path | None, scenes: Sequence[Scene]) -> OperatorLimits:
    """What a file has for these scenes; nothing without one. Raises ConfigurationError with all that is wrong."""
    limits, found = looked_at(path, scenes)
    if found:
        raise ConfigurationError(found)
    return limits


def looked_at(path: Path | None, scenes: Sequence[Scene]) -> tuple[OperatorLimits, list[Mistake]]:
    """The same with what is wrong, instead of raising it. A settings file may have other scenes' limits too."""
    from scenewatch.scenes import all_scenes
    from scenewatch.settings import load_limits

    if path is None:
        return {}, []
    others = {scene.key for scene in all_scenes()} - {scene.key for scene in scenes}
    try:
        given = {rule: n for rule, n in load_limits(path).items() if rule.partition(".")[0] not in others}
    except ConfigurationError as error:
        return {}, list(error.mistakes)
    if found := mistakes_in(path, scenes, given):
        return {}, found
    return {
        rule: {name: float(cast("float", n)) for name, n in numbers.items()} for rule, numbers in given.items()
    }, []


def mistakes_in(
    path: Path | None, scenes: Sequence[Scene], limits: Mapping[str, Mapping[str, object]]
) -> list[Mistake]:
    """`path` is None for settings that are in no file."""
    from scenewatch.alarms.overrides import mistakes

    file = "" if path is None else f"{path}: "
    return [Mistake(f"{file}{m.place}", m.what) for m in mistakes(scenes, limits)]
