"""Stages are strangers: each imports the vocabulary and itself; only the wiring knows more than one."""

import ast
from pathlib import Path

import pytest

from scenewatch.scenes import SCENES

PACKAGE = Path(__file__).parents[1] / "ingest" / "scenewatch"
WIRING = {
    "cli",
    "app",
    "parts",
    "pipeline",
    "judging",
    "study",
    "siterun",
    "sharing",
    "rehearsing",
    "backtesting",
    "suggesting",
    "worker",
    "embedded",
    "serving",
    "settings",
    "__main__",
    "__init__",
}
WIRING |= {"doctor", "backup"}  # they look at every part of an installation
VOCABULARY = {"model", "stats"}


def modules():
    return sorted(PACKAGE.rglob("*.py"))


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_parts(path: Path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            raise AssertionError(f"{path}:{node.lineno}: relative imports hide what is imported")
        for name in names:
            if name.startswith("scenewatch."):
                yield node.lineno, name.split(".")[1]


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_stage_imports_the_vocabulary_and_itself(path):
    part = part_of(path)
    if part in WIRING:
        return
    allowed = VOCABULARY if part in VOCABULARY else VOCABULARY | {part}
    breaches = [f"line {line}: {other}" for line, other in imported_parts(path) if other not in allowed]
    assert not breaches, f"{path.name} of {part} imports other stages: {breaches}"


def test_the_test_sees_a_breach(tmp_path):
    path = tmp_path / "bad.py"
    path.write_text("from scenewatch.journal import journal\nimport scenewatch.store.duck\n")
    assert [part for _, part in imported_parts(path)] == ["journal", "store"]


def strings(path: Path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def test_the_engine_knows_no_domain():
    """No scene, device-type, rule or fault key stands as a string outside the scenes."""
    keys = {
        key
        for scene in SCENES
        for key in (
            scene.key,
            *(t.key for t in scene.device_types),
            *(r.key for r in scene.rules),
            *(f.key for f in scene.faults),
        )
    }
    assert "fridge" in keys
    found = [
        f"{path.relative_to(PACKAGE)}:{line}: {text}"
        for path in modules()
        if part_of(path) != "scenes"
        for line, text in strings(path)
        if text in keys
    ]
    assert not found


def test_only_the_clock_asks_the_system_for_the_time():
    calls = {"time.time", "time.time_ns", "datetime.now", "datetime.utcnow"}
    found = []
    for path in modules():
        if path.name == "clock.py" and part_of(path) == "model":
            continue
        found += [
            f"{path.relative_to(PACKAGE)}:{node.lineno}"
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Call) and ast.unparse(node.func) in calls
        ]
    assert not found
