"""Versions of rules: whoever reads an old alarm can tell whether today's rule is the one that raised it."""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from scenewatch.model.rule import Rule
    from scenewatch.model.scene import Scene

BYTES: Final = 4
WORDS: Final = ("title", "advice")
"""What may be put better without the rule being another."""


def version_of(rule: Rule) -> str:
    """Eight hex digits of everything that the rule is, with the numbers in force."""
    return _digest(_written(rule, but=WORDS))


def version_of_set(rules: Mapping[str, Rule]) -> str:
    """One version of all these rules by `<scene>.<rule>`, whatever their order."""
    return _digest("\n".join(f"{key} {version_of(rules[key])}" for key in sorted(rules)))


def version_of_scenes(scenes: Iterable[Scene]) -> str:
    """One version of all rules of these scenes as they stand in them."""
    return version_of_set({f"{scene.key}.{rule.key}": rule for scene in scenes for rule in scene.rules})


def version_of_limits(limits: Mapping[str, Mapping[str, float]]) -> str:
    """One version of operators' numbers by `<scene>.<rule>`; empty where there are none."""
    given = [
        f"{rule} {name} {float(limits[rule][name])!r}" for rule in sorted(limits) for name in sorted(limits[rule])
    ]
    return _digest("\n".join(given)) if given else ""


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
