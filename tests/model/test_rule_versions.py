"""A rule has another version when it is another rule, and only then."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenewatch.alarms.overrides import overridden
from scenewatch.model import flags
from scenewatch.model.insight import Departure, Share, Usual
from scenewatch.model.rule import (
    Above,
    AtLeast,
    CausedBy,
    Flagged,
    Mark,
    NoData,
    Priority,
    PriorityStep,
    Reach,
    Rule,
    Source,
    Term,
    While,
)
from scenewatch.model.ruleversion import (
    version_of,
    version_of_limits,
    version_of_scenes,
    version_of_set,
    versions_of,
)
from scenewatch.model.words import Text, hours, minutes
from scenewatch.scenes.kitchen import KITCHEN

WARM = Rule(
    key="warm",
    title=Text("Warm", "热"),
    on=("vat.temp",),
    when=Above(8.0, deadband=0.5),
    on_delay=minutes(30),
    priority=Priority.HIGH,
    source=Source(document=Text("A book", "一本书"), mark=Mark.DOCUMENT),
    proof="heated",
    advice=Text("Look", "看"),
)
LOST = CausedBy(rule="lost", at=Reach.SITE)
OTHERS = {
    "limit": {"when": Above(8.1, deadband=0.5)},
    "deadband": {"when": Above(8.0, deadband=0.4)},
    "kind": {"when": NoData(minutes(30))},
    "test": {"when": Flagged(flags.Test.STUCK)},
    "other test": {"when": Flagged(flags.Test.CLOCK)},
    "terms": {"when": AtLeast(1, (Term("temp", Above(8.0)), Term("level", Above(8.0))))},
    "count": {"when": AtLeast(2, (Term("temp", Above(8.0)), Term("level", Above(8.0))))},
    "channel": {"on": ("vat.level",)},
    "delay": {"on_delay": minutes(31)},
    "release": {"off_delay": minutes(30)},
    "priority": {"priority": Priority.LOW},
    "step": {"priority_steps": (PriorityStep(to=Priority.LOW, lasting=minutes(30)),)},
    "latching": {"latching": True},
    "again": {"again_after": minutes(30)},
    "suppression": {"suppressed_by": (LOST,)},
    "state": {"suppressed_by": (While(term=Term("temp", Above(8.0))),)},
    "cause": {"follows": (LOST,)},
    "reach": {"follows": (replace(LOST, at=Reach.PARENT),)},
    "source": {"source": Source(document=Text("A book", "一本书"), mark=Mark.WEB)},
}


@pytest.fixture(scope="module")
def version(vat_scene):
    return partial(version_of, vat_scene)


def test_a_version_is_eight_hex_digits(version):
    assert len(version(WARM)) == 8
    assert int(version(WARM), 16) >= 0


@pytest.mark.parametrize("field", OTHERS)
def test_another_rule_has_another_version(field, version):
    versions = [version(replace(WARM, **other)) for other in OTHERS.values()]
    assert version(replace(WARM, **OTHERS[field])) != version(WARM)
    assert len(set(versions)) == len(OTHERS)


def test_better_words_and_defaults_that_are_spelt_out_make_no_other_version(version):
    said = replace(WARM, title=Text("Too warm", "过热"), advice=Text("Look there", "看那里"), latching=False)
    assert version(said) == version(WARM)


@given(limit=st.integers(-1000, 1000))
def test_whole_limits_are_the_same_however_they_are_written(limit, version):
    assert version(replace(WARM, when=Above(limit))) == version(replace(WARM, when=Above(float(limit))))


def test_operators_numbers_make_another_version_unless_they_are_the_tables(version):
    assert version(overridden(WARM, {"limit": 8})) == version(WARM)
    assert version(overridden(WARM, {"limit": 9})) != version(WARM)


HEATED = Term("level", Above(0.5))
DERIVED = {
    "share": Share(term=HEATED, over=hours(6)),
    "other": Share(term=HEATED, over=hours(12)),
    "odd": Departure(of="temp"),
    "usual": Usual(of="temp", departure="odd"),
}


def derived(scene, **hows):
    """The scene, its vats with a channel for each of these."""
    vat = scene.device_type("vat")
    level = next(c for c in vat.channels if c.key == "level")
    added = tuple(replace(level, key=key, derived=how) for key, how in hows.items())
    others = tuple(t for t in scene.device_types if t.key != "vat")
    return replace(scene, device_types=(replace(vat, channels=(*vat.channels, *added)), *others))


LOOKING = {
    "its own": {"on": ("vat.share",)},
    "its own that may be missing": {"on": ("vat.share",), "when": NoData(minutes(90))},
    "a term": {"when": AtLeast(1, (Term("temp", Above(8.0)), Term("share", Above(50.0))))},
    "what holds it back": {"suppressed_by": (While(term=Term("share", Above(50.0))),)},
}


@pytest.mark.parametrize("looking", LOOKING)
def test_a_rule_is_another_if_what_it_looks_at_is_derived_otherwise(vat_scene, looking):
    rule = replace(WARM, **LOOKING[looking])
    written = version_of(derived(vat_scene, share=DERIVED["share"]), rule)
    assert version_of(derived(vat_scene, share=replace(DERIVED["share"], every=hours(1))), rule) == written
    assert version_of(derived(vat_scene, share=DERIVED["share"], other=DERIVED["other"]), rule) == written
    assert version_of(derived(vat_scene, share=DERIVED["other"]), rule) != written


def test_what_is_usual_is_another_if_it_is_learnt_otherwise(vat_scene):
    rule = replace(WARM, on=("vat.usual",))
    odd, usual = DERIVED["odd"], DERIVED["usual"]
    slower = replace(odd, pattern=2 * odd.pattern)
    written, other = (version_of(derived(vat_scene, odd=how, usual=usual), rule) for how in (odd, slower))
    assert written != other


def test_how_others_are_derived_is_not_in_a_version(vat_scene, version):
    assert version_of(derived(vat_scene, **DERIVED), WARM) == version(WARM)


def test_another_process_finds_the_same_versions():
    """Saved with alarms, they must not depend on how Python hashes or orders things today."""
    code = (
        "from scenewatch.scenes.kitchen import KITCHEN; from scenewatch.model.ruleversion import version_of;"
        "print([version_of(KITCHEN, r) for r in KITCHEN.rules])"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert run.stdout.strip() == str([version_of(KITCHEN, r) for r in KITCHEN.rules])


def test_operators_numbers_have_a_version_of_their_own():
    numbers = {"kitchen.b": {"limit": 8, "deadband": 1}, "kitchen.a": {"limit": 4.0}}
    turned = {"kitchen.a": {"limit": 4}, "kitchen.b": {"deadband": 1.0, "limit": 8.0}}
    other = {"kitchen.a": {"limit": 4}, "kitchen.b": {"deadband": 1.0, "limit": 8.5}}
    assert version_of_limits(numbers) == version_of_limits(turned) != version_of_limits(other)
    assert version_of_limits({}) == version_of_limits({"kitchen.a": {}}) == ""


def test_a_set_has_one_version_whatever_its_order():
    rules = {f"kitchen.{r.key}": r for r in KITCHEN.rules}
    first = next(iter(rules))
    versions = versions_of([KITCHEN], rules)
    turned = dict(reversed(versions.items()))
    changed = versions_of([KITCHEN], {**rules, first: replace(rules[first], on_delay=minutes(31))})
    fewer = {key: v for key, v in versions.items() if key != first}
    assert list(versions) == list(rules)
    assert version_of_set(turned) == version_of_set(versions) == version_of_scenes([KITCHEN])
    assert len({version_of_set(versions), version_of_set(changed), version_of_set(fewer)}) == 3
