"""`rules`: what is an alarm, why, and which fault proves it; with the operators' numbers in force."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenewatch.cli import trials
from scenewatch.cli.words import WELL, add, add_config, add_json, group

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from scenewatch.cli.words import Subparsers
    from scenewatch.model.rule import Rule
    from scenewatch.model.scene import Scene
    from scenewatch.pipeline import OperatorLimits

LANGUAGES = ("en", "zh")
TABLES, OPERATORS = "tables", "operators"


def add_commands(commands: Subparsers) -> None:
    parts = group(commands, "rules", "when what is an alarm, and why", "scenewatch rules list")
    text = "all rules by the settings: version, condition in words, whose numbers, the fault that proves it, source"
    p = add(parts, "list", _list, text, "scenewatch rules list --config scenewatch.toml --language zh")
    p.add_argument("--language", choices=LANGUAGES, default=LANGUAGES[0], help="of titles and conditions (en)")
    p.add_argument("--scene", default=None, help="those of one scene")
    add_config(p)
    add_json(p)
    trials.add_commands(parts)


def _list(options: argparse.Namespace) -> int:
    from scenewatch.cli.limits import mistakes_in
    from scenewatch.cli.show import put_json, table
    from scenewatch.model.errors import ConfigurationError
    from scenewatch.parts import scenes_of
    from scenewatch.settings import load

    settings = load(options.config)
    scenes = scenes_of(settings)
    if found := mistakes_in(options.config, scenes, settings.limits):
        raise ConfigurationError(found)
    chosen = [scene for scene in scenes if options.scene in (None, scene.key)]
    rules = list(_in_force(chosen, settings.limits))
    if options.json is not None:
        from scenewatch.api import ruletables

        told = [
            {"scene": s.key, **ruletables.rule(s, rule, s.rule(rule.key)), "numbers": whose}
            for s, rule, whose in rules
        ]
        put_json({"rules": told, **versions(chosen, settings.limits)}, options.json)
    else:
        table(
            ("rule", "version", "priority", "numbers", "proof", "condition", "source"),
            [_row(scene, rule, whose, options.language) for scene, rule, whose in rules],
        )
        print(f"\n{said_versions(chosen, settings.limits)}")
    return WELL


def versions(scenes: Sequence[Scene], limits: OperatorLimits) -> dict[str, str]:
    """Of the set of rules in force, and of the operators' numbers in it; empty where they gave none."""
    from scenewatch.alarms.overrides import in_force
    from scenewatch.model.ruleversion import version_of_limits, version_of_set, versions_of

    keys = {f"{scene.key}.{rule.key}" for scene in scenes for rule in scene.rules}
    of_these = {key: numbers for key, numbers in limits.items() if key in keys}
    return {
        "version": version_of_set(versions_of(scenes, in_force(scenes, limits))),
        "limits_version": version_of_limits(of_these),
    }


def said_versions(scenes: Sequence[Scene], limits: OperatorLimits) -> str:
    rules = sum(len(scene.rules) for scene in scenes)
    found = versions(scenes, limits)
    theirs = f"operators' limits {found['limits_version']}" if found["limits_version"] else "no operators' limits"
    return f"rule set {found['version']}: {rules} rules, {theirs}"


def _in_force(scenes: list[Scene], limits: OperatorLimits) -> Iterator[tuple[Scene, Rule, str]]:
    """Each rule, and whose numbers it goes by."""
    from scenewatch.alarms.overrides import in_force

    rules = in_force(scenes, limits)
    for scene in scenes:
        for rule in scene.rules:
            key = f"{scene.key}.{rule.key}"
            yield scene, rules[key], OPERATORS if limits.get(key) else TABLES


def _row(scene: Scene, rule: Rule, whose: str, language: str) -> tuple[str, ...]:
    from scenewatch.model.ruleversion import version_of
    from scenewatch.model.speech import rule_text

    condition, title, document = (
        getattr(text, language) for text in (rule_text(scene, rule), rule.title, rule.source.document)
    )
    key, version = f"{scene.key}.{rule.key}", version_of(scene, rule)
    words, source = f"{title}: {condition}", f"{document} ({rule.source.mark})"
    return key, version, str(rule.priority), whose, rule.proof, words, source
