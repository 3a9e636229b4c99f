"""Writes docs/reference.md from the scenes' tables, the quality tests, the settings and the command line, and
docs/scenewatch.sample.toml from the settings.

    python docs/build_reference.py

A test fails while what is on disk differs from what this gives.
"""
# ruff: noqa: INP001 - a script beside the page it writes, not a package

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from scenewatch.cli import _parser as command_line  # a parser is built for the command alone, and read here
from scenewatch.cli.settings import sample
from scenewatch.model.conditions import compared, watched_types
from scenewatch.model.fault import Away, Drift, Drive, Frozen, Ramp, Scope, Silence, Spikes, Tells, WrongClock
from scenewatch.model.flags import Flag, Test
from scenewatch.model.rule import Flagged
from scenewatch.model.spans import amount
from scenewatch.model.speech import rule_text
from scenewatch.scenes import SCENES
from scenewatch.settings import ENVIRONMENT, Section, Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from scenewatch.model import scene as tables
    from scenewatch.model.fault import Effect, Fault, Sizes
    from scenewatch.model.rule import Rule
    from scenewatch.model.scene import Channel, DeviceType, Scene, Span
    from scenewatch.model.words import Text

PAGE = Path(__file__).with_name("reference.md")
SAMPLE = Path(__file__).with_name("scenewatch.sample.toml")
HEAD = """\
# Reference

Written by `docs/build_reference.py` from the program's own tables; do not edit it by hand.
"""
SIGNALS = """\
Signals to `scenewatch work`: SIGTERM and SIGINT end it within ten seconds, with status 0: it stops listening,
takes in what was received, lets the store have it and saves its state. What a store that is away does not
take by then stays in the journal and follows at the next start; the last line of the log says what was left
where. A second one ends it at once, and nothing is lost. SIGHUP has it read its settings again and take the
limits, with every delay and alarm kept; settings that wait for a restart are named, and with any mistake all
stays as it was.
"""
UNITS_MS = (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000))

FLAGS = {
    Flag.GOOD: "Nothing speaks against it.",
    Flag.NOT_EVALUATED: "Not looked at yet.",
    Flag.SUSPECT: "Counts, and an alarm that rests on it says so.",
    Flag.FAIL: "The sensor cannot have measured it: stored, but it moves no alarm except missing data.",
    Flag.MISSING: "There is no reading.",
}
TESTS = {
    Test.CLOCK: (
        Flag.SUSPECT,
        "Device time was over a minute ahead, or before 2000: the reading carries its receive time.",
    ),
    Test.POSSIBLE: (Flag.FAIL, "Outside what the channel can measure."),
    Test.EXPECTED: (Flag.SUSPECT, "Outside what the channel is expected to show."),
    Test.FASTEST: (Flag.SUSPECT, "Changed faster since the reading before than the channel can."),
    Test.STUCK: (Flag.SUSPECT, "Has not moved at all for longer than the channel stands still."),
    Test.GAP: (
        Flag.GOOD,
        "First after a silence of over three reporting intervals: how fast it changed is not known.",
    ),
}
LIMITS = """
An operator changes a rule's numbers, never its structure, in a section of its own, such as

```toml
[limits."{rule}"]
on_delay_s = 600
```

"""
NUMBERS = (
    ("`limit`", "above, below", "Beyond it the alarm is raised, in the channel's unit."),
    ("`low`, `high`", "outside", "Below the one and above the other it is raised, in the channel's unit."),
    (
        "`deadband`",
        "above, below, outside",
        "How far within the limit a value must be for the alarm to return.",
    ),
    ("`after_s`", "no data", "How many seconds without a good reading."),
    ("`quiet_s`", "event", "For how many seconds none may have come for the alarm to return."),
    ("`<channel>_limit`", "combinations", "That of one of the terms; so are `_low` and `_high`."),
    ("`within_s`", "one after the other", "In how many seconds the second must follow the first."),
    ("`on_delay_s`", "all but no data and event", "For how many seconds the condition must hold."),
    ("`off_delay_s`", "all", "For how many seconds the return must hold."),
    (
        "`step_1_limit`",
        "with steps of priority",
        "That of the first step; so are `_low`, `_high`, `_deadband` and `_lasting_s`, for how many seconds.",
    ),
    (
        "`again_after_s`",
        "those that call again",
        "How many seconds after it was acknowledged an alarm that still stands wants to be seen again.",
    ),
)


def reference() -> str:
    parts = [HEAD, *commands(), settings(), quality(), *(scene for s in SCENES for scene in scene_parts(s))]
    return "\n".join(parts)


# --- what runs ---------------------------------------------------------------------------------------------


class Command(NamedTuple):
    """A command that can be typed, with the words before it."""

    name: str
    parser: argparse.ArgumentParser


def leaf_commands(parser: argparse.ArgumentParser | None = None) -> Iterator[Command]:
    """Every command that does something, not those that only gather others."""
    parser = parser or command_line()
    below = [a for a in _actions(parser) if isinstance(a, argparse._SubParsersAction)]  # noqa: SLF001 - it has no other name
    if not below:
        yield Command(parser.prog, parser)
    for action in below:
        for child in action.choices.values():
            yield from leaf_commands(child)


def _actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return parser._actions  # noqa: SLF001 - argparse shows them in no other way that can be read


def commands() -> Iterator[str]:
    yield f"## Commands\n\nExit status: 0 well, 1 found something or failed, 2 used wrongly.\n\n{SIGNALS}"
    for name, parser in leaf_commands():
        rows = [
            (_typed(action), action.help or "")
            for action in _actions(parser)
            if action.help != argparse.SUPPRESS and action.dest != "help"
        ]
        yield f"### `{name}`\n\n{_sentence(parser.description or '')}\n\n{table(('Option', 'Meaning'), rows)}"
        yield f"Example: `{(parser.epilog or '').removeprefix('example: ')}`\n"


def _typed(action: argparse.Action) -> str:
    name = action.option_strings[-1] if action.option_strings else ""
    value = "" if action.nargs == 0 else str(action.metavar or action.dest.upper())
    if action.nargs == argparse.OPTIONAL:
        value = f"[{value}]"
    return f"`{' '.join(filter(None, (name, value)))}`"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def setting_rows() -> Iterator[tuple[str, str, object, str]]:
    """Name, environment variable, default and meaning of each setting."""
    for section, field in Settings.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            for key, inner in kind.model_fields.items():
                yield (
                    f"{section}.{key}",
                    f"{ENVIRONMENT}_{section}_{key}".upper(),
                    inner.default,
                    inner.description or "",
                )
        elif section != "limits":
            yield section, f"{ENVIRONMENT}_{section}".upper(), field.default, field.description or ""


def settings() -> str:
    rows = [
        (f"`{name}`", "" if default in (None, ()) else f"`{default}`", f"`{variable}`", meaning)
        for name, variable, default, meaning in setting_rows()
    ]
    intro = (
        "One TOML file, the environment on top. Paths are relative to the file; secrets have files of their own. "
        "All of them with comments: [scenewatch.sample.toml](scenewatch.sample.toml)."
    )
    example = LIMITS.format(rule=f"{SCENES[0].key}.{SCENES[0].rules[0].key}")
    return (
        f"## Settings\n\n{intro}\n\n{table(('Setting', 'Default', 'Environment', 'Meaning'), rows)}"
        f"{example}{table(('Number', 'Of rules', 'Meaning'), NUMBERS)}"
    )


# --- what is judged ----------------------------------------------------------------------------------------


def quality() -> str:
    flags = [(str(int(flag)), _word(flag), FLAGS[flag]) for flag in Flag]
    tests = [
        (f"`{test.name.lower()}`", str(int(test)), _word(TESTS[test][0]), TESTS[test][1])
        for test in Test
        if test is not Test.NONE
    ]
    return (
        "## Quality\n\nEach reading is stored with a flag, after QARTOD, and the name of the test that set it.\n\n"
        + table(("Number", "Flag", "Meaning"), flags)
        + "\n"
        + table(("Test", "Number", "Flag", "Meaning"), tests)
    )


def _word(flag: Flag) -> str:
    return flag.name.lower().replace("_", " ")


def scene_parts(scene: Scene) -> Iterator[str]:
    yield f"## {both(scene.title)}: `{scene.key}`\n"
    for device_type in scene.device_types:
        yield _device_type(device_type)
    if scene.occasions:
        yield f"### Occasions\n\n{_named('The calendar knows', scene.occasions)}"
    yield f"### Rules\n\n{_rules(scene)}\n{_advice(scene)}"
    yield f"### Faults\n\n{_faults(scene)}"


def _device_type(device_type: DeviceType) -> str:
    title = f"### {both(device_type.title)}: `{device_type.key}`\n\n"
    more = _named("\nTells of", device_type.events) + _named("\nCan be told", device_type.commands)
    if not device_type.channels:
        return f"{title}Has a status, and no channels.\n{more}"
    head = ("Channel", "Title", "Unit", "Possible", "Expected", "Fastest a minute", "Stuck after", "States")
    rows = [_channel(c) for c in device_type.channels]
    return f"{title}Reports every {span_of_time(device_type.every)}.\n\n{table(head, rows)}{more}"


def _named(what: str, entries: Iterable[tables.EventKind | tables.Command | tables.Occasion]) -> str:
    listed = ", ".join(f"`{e.key}` {both(e.title)}" for e in entries)
    return f"{what}: {listed}.\n" if listed else ""


def _channel(channel: Channel) -> tuple[str, ...]:
    fastest, stuck = channel.fastest_per_minute, channel.stuck_after
    return (
        f"`{channel.key}`",
        both(channel.title),
        channel.unit,
        _span(channel.possible),
        _span(channel.expected),
        "" if fastest is None else f"{fastest:g}",
        "" if stuck is None else span_of_time(stuck),
        ", ".join(f"{number:g} {both(text)}" for number, text in channel.states),
    )


def _span(span: Span | None) -> str:
    return "" if span is None else f"{amount(span.low, '')} to {amount(span.high, '')}"


def _rules(scene: Scene) -> str:
    head = (
        "Rule",
        "Title",
        "On",
        "Raised",
        "Off-delay",
        "Priority",
        "Proof",
        "Source",
        "Source read as",
    )
    rows = [
        (
            f"`{r.key}`",
            both(r.title),
            ", ".join(f"`{on}`" for on in r.on),
            _condition(scene, r),
            span_of_time(r.off_delay),
            r.priority,
            f"`{r.proof}`",
            both(r.source.document),
            r.source.mark,
        )
        for r in scene.rules
    ]
    return table(head, rows)


def _condition(scene: Scene, rule: Rule) -> str:
    words = both(rule_text(scene, rule))
    bands = dict.fromkeys(
        amount(comparison.deadband, channel.unit)
        for device_type in watched_types(scene, rule)
        for channel, comparison in compared(rule, device_type)
        if not isinstance(comparison, Flagged) and comparison.deadband
    )
    return f"{words}; deadband {', '.join(bands)}" if bands else words


def _advice(scene: Scene) -> str:
    rows = [(f"`{r.key}`", r.advice.en, r.advice.zh) for r in scene.rules]
    return table(("Rule", "What to do first", "首先做什么"), rows)


def _faults(scene: Scene) -> str:
    head = (
        "Fault",
        "Title",
        "Befalls",
        "Effect",
        "Size",
        "Found by",
        "At least",
        "Found within",
        "Alarm ends within",
    )
    return table(head, [_fault(f) for f in scene.faults])


def _fault(fault: Fault) -> tuple[str, ...]:
    reach = {
        Scope.DEVICE: "",
        Scope.CHILDREN: " and all devices that speak through it",
        Scope.SITE: " and all devices of its site",
    }
    return (
        f"`{fault.key}`",
        both(fault.title),
        ", ".join(f"`{on}`" for on in fault.on) + reach[fault.scope],
        _effect(fault.effect),
        _sizes(fault.sizes),
        ", ".join(f"`{rule}`" for rule in fault.rules) or "no rule yet",
        span_of_time(fault.minimum),
        span_of_time(fault.deadline),
        span_of_time(fault.tail),
    )


def _effect(effect: Effect) -> str:  # noqa: C901, PLR0911 - one answer a kind of effect
    match effect:
        case Drive(input_, None):
            return f"`{input_}` held at its size"
        case Drive(input_, to):
            return f"`{input_}` held at {amount(to, '')}"
        case Ramp(input_):
            return f"`{input_}` grows to its size"
        case Silence():
            return "publishes nothing"
        case Frozen(channel):
            return f"`{channel}` stands still"
        case Drift(channel=channel, sign=sign):
            return f"`{channel}` {'rises' if sign > 0 else 'falls'} slowly by its size"
        case Spikes(channel=channel, share=share):
            return f"{amount(100 * share, '')} % of `{channel}` too high by its size"
        case WrongClock():
            return "its clock is ahead by its size"
        case Away():
            return "samples come when it is back"
        case Tells(event=event, every=every):
            return f"tells of `{event}` every {span_of_time(every)}"


def _sizes(sizes: Sizes | None) -> str:
    if sizes is None:
        return ""
    span = f"{amount(sizes.smallest, '')} to {amount(sizes.largest, '')} {sizes.unit}"
    return f"{span}; found from {amount(sizes.findable, '')}"


# --- how it is written -------------------------------------------------------------------------------------


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """In Markdown; a cell may hold anything but line breaks."""
    return "".join(map(_line, (head, ["---"] * len(head), *rows)))


def _line(cells: Sequence[str]) -> str:
    escaped = (cell.replace("|", r"\|") for cell in cells)
    return f"| {' | '.join(escaped)} |\n"


def both(text: Text) -> str:
    return f"{text.en} {text.zh}"


def span_of_time(ms: int) -> str:
    """In the largest unit of which it holds a whole number, or else in seconds."""
    if ms == 0:
        return "none"
    unit, length = next((u for u in UNITS_MS if ms % u[1] == 0), UNITS_MS[-1])
    return f"{ms / length:g} {unit}"


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
    SAMPLE.write_text(sample(SCENES), encoding="utf-8")
