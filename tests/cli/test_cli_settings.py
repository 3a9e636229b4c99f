"""`settings sample`: a file that changes nothing, whichever of its lines are taken."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from scenewatch.alarms.overrides import in_force, mistakes
from scenewatch.cli.settings import sample
from scenewatch.model.rule import Above, Priority, PriorityStep
from scenewatch.model.words import minutes
from scenewatch.scenes import SCENES
from scenewatch.scenes.kitchen import KITCHEN
from scenewatch.settings import Settings, load

SETTING = re.compile(r"^#(?=[a-z_0-9]+ = |\[)", re.MULTILINE)
TEXT = sample(SCENES)
LINES = [n for n, line in enumerate(TEXT.splitlines()) if SETTING.match(line)]
WITHOUT_DEFAULT = {"username", "password_file", "ca_file", "cert_file", "key_file", "token_file", "operators_file"}


@pytest.fixture
def loaded(tmp_path):
    path = tmp_path / "scenewatch.toml"

    def load_text(text):
        path.write_text(text, "utf-8")
        return load(path, {})

    return load_text


def plain(settings):
    return settings.model_dump()


def without_examples(settings):
    """As a tree in which nothing is given that has no default."""
    tree = plain(settings)
    for section in ("broker", "store", "http"):
        tree[section] |= dict.fromkeys(WITHOUT_DEFAULT & tree[section].keys())
    return tree


def test_it_holds_every_setting_once():
    names = re.findall(r"^#([a-z_0-9]+) = ", TEXT.partition("# Operators' limits")[0], re.MULTILINE)
    sections = (f.annotation for f in Settings.model_fields.values() if hasattr(f.annotation, "model_fields"))
    assert sorted(names) == sorted(["root", *(key for section in sections for key in section.model_fields)])


def test_as_it_is_it_changes_nothing(loaded):
    assert plain(loaded(TEXT)) == plain(loaded(""))


def test_with_all_its_lines_taken_it_changes_nothing_but_what_has_no_default(loaded):
    all_taken = loaded(SETTING.sub("", TEXT))
    limits = all_taken.limits
    assert mistakes(SCENES, limits) == []
    assert in_force(SCENES, limits) == in_force(SCENES, {})
    assert without_examples(all_taken) | {"limits": {}} == plain(loaded(""))
    assert {all_taken.broker.username, all_taken.broker.key_file} & {None} == set()


@pytest.mark.parametrize("n", LINES)
def test_each_line_can_be_taken_alone(loaded, n):
    """A limit with the head of its rule."""
    lines = TEXT.splitlines()
    heads = [m for m in LINES if m < n and lines[m].startswith("#[limits")]
    for taken in {n, *heads[-1:]}:
        lines[taken] = lines[taken].removeprefix("#")
    assert mistakes(SCENES, loaded("\n".join(lines)).limits) == []


def test_it_is_printed_or_written_to_a_new_file(typed, tmp_path):
    status, out, err = typed("settings", "sample")
    assert (status, out.decode(), err) == (0, TEXT, [])
    path = tmp_path / "scenewatch.toml"
    assert typed("settings", "sample", "--out", path) == (0, b"", [])
    assert path.read_text("utf-8") == TEXT
    status, _, err = typed("settings", "sample", "--out", path)
    assert (status, err) == (2, [f"scenewatch: --out: {path} is there already; remove it first"])


def test_numbers_of_a_standing_alarm_are_in_it(loaded):
    steps = (
        PriorityStep(to=Priority.MEDIUM, beyond=Above(12.0, deadband=0.5), lasting=minutes(5)),
        PriorityStep(to=Priority.LOW, lasting=minutes(60)),
    )
    warm, *others = KITCHEN.rules
    urgent = replace(warm, priority_steps=steps, again_after=minutes(90))
    scene = replace(KITCHEN, rules=(urgent, *others))
    text = sample([scene])
    for line in ("#step_1_limit = 12.0  # °C", "#step_2_lasting_s = 3600.0", "#again_after_s = 5400.0"):
        assert line in text.splitlines()
    limits = loaded(SETTING.sub("", text)).limits
    assert mistakes([scene], limits) == []
    assert in_force([scene], limits) == in_force([scene], {})
