"""Words for limits of what is derived: how far from the usual, how fast, how soon."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenewatch.model.insight import Departure, Slope, TimeTo
from scenewatch.model.rule import Above, Below, Outside
from scenewatch.model.spans import amount
from scenewatch.model.words import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scenewatch.model.scene import Channel


def derived_text(channel: Channel, is_: Above | Below | Outside, known: Mapping[str, Channel]) -> Text | None:
    """None for what its own title says best."""
    derived = channel.derived
    if not isinstance(derived, Departure | Slope | TimeTo) or (of := known.get(derived.of)) is None:
        return None
    match derived:
        case Departure():
            return _departure(of.title, is_)
        case Slope():
            return _slope(of.title, channel.unit, is_)
        case TimeTo():
            return _time_to(of, derived, channel.unit, is_)


def _departure(title: Text, is_: Above | Below | Outside) -> Text | None:
    match is_:
        case Above(limit) if limit >= 0:
            said = Text(f"{limit:g} usual spreads above", f"高于常态 {limit:g}")
        case Below(limit) if limit <= 0:
            said = Text(f"{-limit:g} usual spreads below", f"低于常态 {-limit:g}")
        case Outside(low, high) if -low == high:
            said = Text(f"{high:g} usual spreads from", f"偏离常态 {high:g}")
        case Outside(low, high) if low <= 0 <= high:
            said = Text(
                f"{-low:g} usual spreads below or {high:g} above", f"低于常态 {-low:g} 倍或高于常态 {high:g}"
            )
        case _:
            return None
    return Text(f"{title.en} over {said.en} what is usual", f"{title.zh}{said.zh} 倍常态波动以上")


def _slope(title: Text, unit: str, is_: Above | Below | Outside) -> Text | None:
    match is_:
        case Above(limit) if limit >= 0:
            rise = amount(limit, unit)
            return Text(f"{title.en} rises faster than {rise}", f"{title.zh}上升快于 {rise}")
        case Below(limit) if limit <= 0:
            fall = amount(-limit, unit)
            return Text(f"{title.en} falls faster than {fall}", f"{title.zh}下降快于 {fall}")
        case Outside(low, high) if low <= 0 <= high:
            fall, rise = amount(-low, unit), amount(high, unit)
            return Text(
                f"{title.en} falls faster than {fall} or rises faster than {rise}",
                f"{title.zh}下降快于 {fall} 或上升快于 {rise}",
            )
        case _:
            return None


def _time_to(of: Channel, derived: TimeTo, unit: str, is_: Above | Below | Outside) -> Text | None:
    if not isinstance(is_, Below):
        return None
    there, soon = amount(derived.limit, of.unit), amount(is_.limit, unit)
    verb = Text("rises to", "升至") if derived.rising else Text("falls to", "降至")
    return Text(
        f"{of.title.en} {verb.en} {there} within {soon} if it goes on so",
        f"按此趋势{of.title.zh}将在 {soon} 内{verb.zh} {there}",
    )
