"""Operators' limits as commands take them: each mistake with the file that it is in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenewatch.model.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from scenewatch.model.scene import Scene
    from scenewatch.pipeline import OperatorLimits


def mistakes_in(path: Path | None, scenes: Sequence[Scene], limits: OperatorLimits) -> list[Mistake]:
    """`path` is None for settings that are in no file."""
    from scenewatch.alarms.overrides import mistakes

    file = "" if path is None else f"{path}: "
    return [Mistake(f"{file}{m.place}", m.what) for m in mistakes(scenes, limits)]
