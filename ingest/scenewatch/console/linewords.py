"""Words that the working pages share: a rule's source, a command's effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenewatch.console.texts import Language, translate
from scenewatch.console.wording import number, of, value_text

if TYPE_CHECKING:
    from scenewatch.console.shapes import CommandKind, DeviceType, Rule


def source_words(rule: Rule, language: Language) -> str:
    """The document, and how well it was read."""
    how_read = translate(f"mark.{rule.source.mark}", language)
    return f"{of(rule.source.document, language)} ({how_read})"


def effect(kind: DeviceType, command: CommandKind, language: Language) -> str:
    """What the device's channel says once it has obeyed."""
    channel = next((c for c in kind.channels if c.key == command.channel), None)
    title = of(channel.title, language) if channel else command.channel
    state = value_text(channel, command.to, language) if channel else number(command.to, 0)
    return translate("commands.becomes", language, channel=title, state=state)
