"""`settings sample`: a settings file with everything in it, each with what holds without it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scenewatch.cli.words import WELL, add, group
from scenewatch.model.errors import ConfigurationError, Mistake

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Mapping

    from pydantic.fields import FieldInfo

    from scenewatch.cli.words import Subparsers
    from scenewatch.model.rule import Rule
    from scenewatch.model.scene import Scene

HEAD = """\
# Settings of `scenewatch work --config FILE.toml`: all there are, each with what holds without it.
# A name right behind a "#" is a setting: take the "#" away to give it another value.
#
# Every value outside of [limits] can also be given in the environment, which is above this file, as
# SCENEWATCH_<SECTION>_<KEY>, such as SCENEWATCH_HTTP_PORT. Paths are relative to this file. Secrets are not
# in here: each has a file of its own. `scenewatch check --config FILE.toml` finds all mistakes.
"""
LIMITS = """
# Operators' limits: a rule's numbers, never its structure; here those of the scenes' own tables. SIGHUP makes a
# running worker take them anew, with every delay and alarm kept; everything above waits for a restart.
"""


def add_commands(commands: Subparsers) -> None:
    parts = group(commands, "settings", "what the worker can be told", "scenewatch settings sample")
    text = "a settings file with everything in it, each with what holds without it"
    p = add(parts, "sample", _sample, text, "scenewatch settings sample --out scenewatch.toml")
    p.add_argument("--out", type=Path, metavar="FILE", help="the file to make; standard output without")


def _sample(options: argparse.Namespace) -> int:
    from scenewatch.scenes import all_scenes

    text = sample(all_scenes())
    if options.out is None:
        print(text, end="")
        return WELL
    try:
        with options.out.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigurationError([Mistake("--out", f"{options.out} is there already; remove it first")]) from None
    return WELL


def sample(scenes: Iterable[Scene]) -> str:
    """As it is, the file changes nothing; with every setting of it taken, neither, but for secrets and logins."""
    from scenewatch.settings import Section, Settings

    lines = [HEAD]
    for name, field in Settings.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            lines += ["", f"# {field.description}", f"[{name}]"]
            lines += [line for key, inner in kind.model_fields.items() for line in _setting(key, inner)]
        elif name != "limits":
            lines += _setting(name, field)
    lines.append(LIMITS)
    lines += [line for scene in scenes for rule in scene.rules for line in _limits(scene, rule)]
    return "\n".join(lines)


def _setting(name: str, field: FieldInfo) -> Iterator[str]:
    without = field.default is None
    yield f"# {field.description}{' Not given unless here.' if without else ''}"
    yield f"#{name} = {_toml((field.examples or [None])[0] if without else field.default)}"


def _toml(value: Any) -> str:
    match value:
        case str() | Path():
            return json.dumps(str(value), ensure_ascii=False)
        case int() if value >= 100_000:
            return f"{value:_}"
        case tuple():
            return f"[{', '.join(map(_toml, value))}]"
        case _:
            return str(value)


def _limits(scene: Scene, rule: Rule) -> Iterator[str]:
    from scenewatch.alarms.overrides import names

    numbers = _numbers(scene, rule)
    yield f"# {rule.title.en} {rule.title.zh}"
    yield f'#[limits."{scene.key}.{rule.key}"]'
    for name in names(rule):
        number, unit = numbers[name]
        yield f"#{name} = {number}  # {unit}".removesuffix("  # ")
    yield ""


def _numbers(scene: Scene, rule: Rule) -> dict[str, tuple[float, str]]:
    """By its name each number that the rule has, with the unit of a channel."""
    from scenewatch.alarms.terms import prefixes, terms_of
    from scenewatch.model.conditions import watched_types
    from scenewatch.model.rule import AtLeast, Then

    when = rule.when
    found = {"on_delay_s": (rule.on_delay / 1000, ""), "off_delay_s": (rule.off_delay / 1000, "")}
    for span in ("after", "quiet", "within"):
        if hasattr(when, span):
            found[f"{span}_s"] = (getattr(when, span) / 1000, "")
    units = {c.key: c.unit for t in watched_types(scene, rule) for c in t.channels}
    named = prefixes(when) if isinstance(when, AtLeast | Then) else ("",)
    for prefix, term in zip(named, terms_of(when, rule.on[0].partition(".")[2]), strict=False):
        for name in ("limit", "low", "high", "deadband"):
            if hasattr(term.is_, name):
                found[prefix + name] = (getattr(term.is_, name), units[term.channel])
    return found | _standing_numbers(rule, units)


def _standing_numbers(rule: Rule, units: Mapping[str, str]) -> dict[str, tuple[float, str]]:
    """Those of an alarm that stands."""
    found = {} if rule.again_after is None else {"again_after_s": (rule.again_after / 1000, "")}
    unit = units.get(rule.on[0].partition(".")[2], "")
    for number, step in enumerate(rule.priority_steps, 1):
        found[f"step_{number}_lasting_s"] = (step.lasting / 1000, "")
        for name in ("limit", "low", "high", "deadband"):
            if hasattr(step.beyond, name):
                found[f"step_{number}_{name}"] = (getattr(step.beyond, name), unit)
    return found
