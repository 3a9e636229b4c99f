"""What can be said to the program, and what it says, is written down: in the README or under docs/."""

import importlib.util
import re
import shlex
from pathlib import Path

import pytest

from scenewatch.model.flags import Test as QualityTest
from scenewatch.scenes import SCENES

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXT = "\n".join(page.read_text("utf-8") for page in PAGES)
EXAMPLE = re.compile(r"^Example: `(.*)`$", re.MULTILINE)
FENCED = re.compile(r"^```.*?$(.*?)^```", re.MULTILINE | re.DOTALL)


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


build_reference = load(ROOT / "docs" / "build_reference.py")


def test_the_reference_is_what_the_tables_say():
    fresh = build_reference.reference()
    assert build_reference.PAGE.read_text("utf-8") == fresh, "run: python docs/build_reference.py"


def test_the_sample_of_settings_is_what_the_program_prints():
    fresh = build_reference.sample(SCENES)
    assert build_reference.SAMPLE.read_text("utf-8") == fresh, "run: python docs/build_reference.py"


@pytest.mark.parametrize("command", [c.name for c in build_reference.leaf_commands()])
def test_every_command_is_documented(command):
    assert f"`{command}" in TEXT


@pytest.mark.parametrize("names", [row[:2] for row in build_reference.setting_rows()], ids=lambda names: names[0])
def test_every_setting_is_documented_with_its_variable(names):
    for name in names:
        assert f"`{name}`" in TEXT


@pytest.mark.parametrize("test", [t.name.lower() for t in QualityTest if t is not QualityTest.NONE])
def test_every_quality_test_is_documented(test):
    assert f"`{test}`" in TEXT


@pytest.mark.parametrize("rule", [r.key for s in SCENES for r in s.rules])
def test_every_rule_is_documented(rule):
    assert f"`{rule}`" in TEXT


def shown_commands():
    """Lines of code blocks, and examples."""
    blocks = [line for block in FENCED.findall(TEXT) for line in block.splitlines()]
    lines = [line.strip().removeprefix("$ ") for line in [*blocks, *EXAMPLE.findall(TEXT)]]
    return sorted({line for line in lines if line.startswith("scenewatch ")})


@pytest.mark.parametrize("line", shown_commands())
def test_every_command_that_is_shown_can_be_typed(line):
    _, *arguments = shlex.split(line, comments=True)
    assert build_reference.command_line().parse_args(arguments).run
