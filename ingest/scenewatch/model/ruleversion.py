"""Versions of rules: whoever reads an old alarm can tell whether today's rule is the one that raised it."""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from scenewatch.model.conditions import terms, watched_types
from scenewatch.model.insight import Usual
from scenewatch.model.rule import While

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from scenewatch.model.rule import Rule
    from scenewatch.model.scene import Scene

BYTES: Final = 4
WORDS: Final = ("title", "advice")
"""What may be put better without the rule being another."""


def version_of(scene: Scene, rule: Rule) -> str:
    """Eight hex digits of all that the rule is, with the numbers in force, and of how its channels are derived."""
    return _digest("\n".join([_written(rule, but=WORDS), *_derivations(scene, rule)]))


def versions_of(scenes: Iterable[Scene], rules: Mapping[str, Rule]) -> dict[str, str]:
    """Of each rule in force, by `<scene>.<rule>`."""
    keys = ((scene, f"{scene.key}.{rule.key}") for scene in scenes for rule in scene.rules)
    return {key: version_of(scene, rules[key]) for scene, key in keys}


def version_of_set(versions: Mapping[str, str]) -> str:
    """One version of all rules whose versions these are, by `<scene>.<rule>`, whatever their order."""
    return _digest("\n".join(f"{key} {versions[key]}" for key in sorted(versions)))


def version_of_scenes(scenes: Iterable[Scene]) -> str:
    """One version of all rules of these scenes as they stand in them."""
    return version_of_set({f"{s.key}.{rule.key}": version_of(s, rule) for s in scenes for rule in s.rules})


def version_of_limits(limits: Mapping[str, Mapping[str, float]]) -> str:
    """One version of operators' numbers by `<scene>.<rule>`; empty where there are none."""
    given = [
        f"{rule} {name} {float(limits[rule][name])!r}" for rule in sorted(limits) for name in sorted(limits[rule])
    ]
    return _digest("\n".join(given)) if given else ""


def _derivations(scene: Scene, rule: Rule) -> Iterator[str]:
    """Of the channels that the rule looks at."""
    looked_at = {term.channel for term in terms(rule.when)}
    looked_at |= {held.term.channel for held in rule.suppressed_by if isinstance(held, While)}
    for device_type in watched_types(scene, rule):
        derived = {c.key: c.derived for c in device_type.channels if c.derived is not None}
        own = {key for key in derived if key in looked_at or f"{device_type.key}.{key}" in rule.on}
        learnt = {how.departure for key in own if isinstance(how := derived[key], Usual)}
        yield from (f"{device_type.key}.{key} {_written(derived[key])}" for key in sorted(own | learnt))


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=BYTES).hexdigest()


def _written(entry: object, but: tuple[str, ...] = ()) -> str:
    """The same text for the same meaning, on every machine; 8 and 8.0 are one limit."""
    if isinstance(entry, Enum):
        return f"{type(entry).__name__}.{entry.name}"
    if isinstance(entry, int | float) and not isinstance(entry, bool):
        return repr(float(entry))
    if isinstance(entry, tuple):
        return f"({','.join(map(_written, entry))})"
    if is_dataclass(entry):
        return f"{type(entry).__name__}({','.join(_fields(entry, but))})"
    return repr(entry)


def _fields(entry: object, but: tuple[str, ...]) -> Iterator[str]:
    """Those that are not at their defaults: a word that rules learn later gives the older rules no new version."""
    for field in fields(entry):  # type: ignore[arg-type] # only dataclasses come here
        value = getattr(entry, field.name)
        if field.name not in but and (field.default is MISSING or value != field.default):
            yield f"{field.name}={_written(value)}"
