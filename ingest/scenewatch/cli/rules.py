"""`rules`: what is an alarm, why, and which fault proves it; with the operators' numbers in force."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenewatch.cli.words import WELL, add, add_config, add_json, group

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping

    from scenewatch.cli.words import Subparsers
    from scenewatch.model.scene import Rule, Scene

LANGUAGES = ("en", "zh")
TABLES, OPERATORS = "tables", "operators"


def add_commands(commands: Subparsers) -> None:
    parts = group(commands, "rules", "when what is an alarm, and why", "scenewatch rules list")
    text = "all rules by the settings: condition in words, whose numbers they are, the fault that proves it, source"
    p = add(parts, "list", _list, text, "scenewatch rules list --config scenewatch.toml --language zh")
    p.add_argument("--language", choices=LANGUAGES, default=LANGUAGES[0], help="of titles and conditions (en)")
    p.add_argument("--scene", default=None, help="those of one scene")
    add_config(p)
    add_json(p)


def _list(options: argparse.Namespace) -> int:
    from scenewatch.alarms.overrides import mistakes
    from scenewatch.cli.show import put_json, table
    from scenewatch.model.errors import ConfigurationError
    from scenewatch.parts import scenes_of
    from scenewatch.settings import load

    settings = load(options.config)
    scenes = scenes_of(settings)
    if found := mistakes(scenes, settings.limits):
        raise ConfigurationError(found)
    chosen = [scene for scene in scenes if options.scene in (None, scene.key)]
    rules = list(_in_force(chosen, settings.limits))
    if options.json is not None:
        from scenewatch.api import ruletables

        told = [
            {"scene": s.key, **ruletables.rule(s, rule, s.rule(rule.key)), "numbers": whose}
            for s, rule, whose in rules
        ]
        put_json({"rules": told}, options.json)
    else:
        table(
            ("rule", "priority", "numbers", "proof", "condition", "source"),
            [_row(scene, rule, whose, options.language) for scene, rule, whose in rules],
        )
    return WELL


def _in_force(scenes: list[Scene], limits: Mapping[str, Mapping[str, float]]) -> Iterator[tuple[Scene, Rule, str]]:
    """Each rule, and whose numbers it goes by."""
    from scenewatch.alarms.overrides import in_force

    rules = in_force(scenes, limits)
    for scene in scenes:
        for rule in scene.rules:
            key = f"{scene.key}.{rule.key}"
            yield scene, rules[key], OPERATORS if limits.get(key) else TABLES


def _row(scene: Scene, rule: Rule, whose: str, language: str) -> tuple[str, ...]:
    from scenewatch.model.speech import rule_text

    condition, title, document = (
        getattr(text, language) for text in (rule_text(scene, rule), rule.title, rule.source.document)
    )
    key = f"{scene.key}.{rule.key}"
    return key, str(rule.priority), whose, rule.proof, f"{title}: {condition}", f"{document} ({rule.source.mark})"
