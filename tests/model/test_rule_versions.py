"""A rule has another version when it is another rule, and only then."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenewatch.alarms.overrides import overridden
from scenewatch.model import flags
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
from scenewatch.model.ruleversion import version_of, version_of_limits, version_of_set
from scenewatch.model.words import Text, minutes
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


def test_a_version_is_eight_hex_digits():
    assert len(version_of(WARM)) == 8
    assert int(version_of(WARM), 16) >= 0


@pytest.mark.parametrize("field", OTHERS)
def test_another_rule_has_another_version(field):
    versions = [version_of(replace(WARM, **other)) for other in OTHERS.values()]
    assert version_of(replace(WARM, **OTHERS[field])) != version_of(WARM)
    assert len(set(versions)) == len(OTHERS)


def test_better_words_and_defaults_that_are_spelt_out_make_no_other_version():
    said = replace(WARM, title=Text("Too warm", "过热"), advice=Text("Look there", "看那里"), latching=False)
    assert version_of(said) == version_of(WARM)


@given(st.integers(-1000, 1000))
def test_whole_limits_are_the_same_however_they_are_written(limit):
    assert version_of(replace(WARM, when=Above(limit))) == version_of(replace(WARM, when=Above(float(limit))))


def test_operators_numbers_make_another_version_unless_they_are_the_tables():
    assert version_of(overridden(WARM, {"limit": 8})) == version_of(WARM)
    assert version_of(overridden(WARM, {"limit": 9})) != version_of(WARM)


def test_another_process_finds_the_same_versions():
    """Saved with alarms, they must not depend on how Python hashes or orders things today."""
    code = (
        "from scenewatch.scenes.kitchen import KITCHEN; from scenewatch.model.ruleversion import version_of;"
        "print([version_of(r) for r in KITCHEN.rules])"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert run.stdout.strip() == str([version_of(r) for r in KITCHEN.rules])


def test_operators_numbers_have_a_version_of_their_own():
    numbers = {"kitchen.b": {"limit": 8, "deadband": 1}, "kitchen.a": {"limit": 4.0}}
    turned = {"kitchen.a": {"limit": 4}, "kitchen.b": {"deadband": 1.0, "limit": 8.0}}
    other = {"kitchen.a": {"limit": 4}, "kitchen.b": {"deadband": 1.0, "limit": 8.5}}
    assert version_of_limits(numbers) == version_of_limits(turned) != version_of_limits(other)
    assert version_of_limits({}) == version_of_limits({"kitchen.a": {}}) == ""


def test_a_set_has_one_version_whatever_its_order():
    rules = {f"kitchen.{r.key}": r for r in KITCHEN.rules}
    turned = dict(reversed(rules.items()))
    first = next(iter(rules))
    changed = {**rules, first: replace(rules[first], on_delay=minutes(31))}
    fewer = {key: r for key, r in rules.items() if key != first}
    assert version_of_set(turned) == version_of_set(rules)
    assert len({version_of_set(rules), version_of_set(changed), version_of_set(fewer)}) == 3
