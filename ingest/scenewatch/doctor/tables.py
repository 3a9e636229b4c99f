"""Settings, operators' limits and the scenes' tables, which `scenewatch check` looks at too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenewatch.alarms import overrides
from scenewatch.doctor.findings import failed, ok
from scenewatch.parts import mqtt_settings
from scenewatch.scenes import check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scenewatch.doctor.findings import Finding, Subject


def tables(subject: Subject) -> Iterator[Finding]:
    settings, scenes = subject.settings, subject.scenes
    found = [mistake for scene in scenes for mistake in check.mistakes(scene)]
    found += overrides.mistakes(scenes, settings.limits)
    found += mqtt_settings(settings).mistakes()
    for mistake in found:
        yield failed(str(mistake), "mend that; scenewatch settings sample tells of every setting")
    if not found:
        yield ok(f"settings and tables are right: {', '.join(scene.key for scene in scenes)}")
