"""Rows for the templates: the picture put into one reader's language. No markup here, no decisions there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scenewatch.console.commands import panel
from scenewatch.console.holding import MAINTAIN, form_of
from scenewatch.console.picture import OF_PRIORITY, State
from scenewatch.console.texts import SIGNS, Language, catalogue, translate
from scenewatch.console.wording import clauses, decimals, device_name, of, value_text, with_unit

if TYPE_CHECKING:
    from scenewatch.console.choice import Choice
    from scenewatch.console.commands import Panel
    from scenewatch.console.holding import Wish
    from scenewatch.console.picture import Picture
    from scenewatch.console.shapes import Alarm, Channel, Device, DeviceEvent, Rule, Site

UNKNOWN_VALUE = (None, None, "missing", "none")


@dataclass(frozen=True, slots=True)
class Cell:
    """One channel's value now, wherever it is shown; the scripts keep it up to date."""

    device: str
    type: str
    channel: str
    title: str
    text: str
    unit: str
    flag: str
    sign: str
    at_ms: int | None


@dataclass(frozen=True, slots=True)
class Card:
    """One device in the list of a site."""

    id: str
    name: str
    kind: str
    type_title: str
    state: State
    every_ms: int
    first: Cell | None
    others: list[Cell]
    derived: list[Cell]
    """What follows from the others: told seldom, for who looks closer."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Devices of one type at a site."""

    key: str
    title: str
    cards: list[Card]


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """One alarm in words."""

    alarm: Alarm
    key: str
    state: State
    title: str
    device: str
    site: str
    """Its id; empty for a device that is not in the inventory."""
    condition: str
    at_alarm: str
    advice: str
    cell: Cell | None


@dataclass(frozen=True, slots=True)
class RuleRow:
    """When one rule is raised, in words, with the document it comes from."""

    name: str
    title: str
    priority: State
    condition: str
    source: str


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event in words; what devices send is shown as it is, as text."""

    key: str
    at_ms: int
    level: str
    kind: str
    device_id: str
    device: str
    text: str
    media: str
    """Where its picture or film is; empty unless a browser can go there."""


class Views:
    """One reader's views of one moment."""

    def __init__(self, picture: Picture, choice: Choice) -> None:
        self._picture = picture
        self._language: Language = choice.language
        self._choice = choice

    # --- places --------------------------------------------------------------------------------------------

    def kinds(self, site: str) -> list[Kind]:
        """A site's devices by type in the order of the scene's table; those that measure nothing come last."""
        kinds: dict[str, Kind] = {}
        for device in self._picture.devices_of(site):
            card = self.card(device)
            kinds.setdefault(device.type, Kind(device.type, card.type_title, [])).cards.append(card)
        scene = self._picture.scenes[self._picture.sites[site].scene]
        order = [t.key for t in sorted(scene.device_types, key=lambda t: not t.channels)]
        return [kinds[key] for key in order if key in kinds]

    def maintenance(self) -> list[Wish]:
        """For the dialog that begins it."""
        return [form_of(self._choice, MAINTAIN)]

    def title_of(self, owner: str) -> str:
        """Of a site or a device by its id; the id itself where it is not in the inventory (any more)."""
        if (site := self._picture.sites.get(owner)) is not None:
            return self.site_title(site)
        device = self._picture.devices.get(owner)
        return device_name(device, self._language) if device else owner

    def scene_title(self, site: Site) -> str:
        scene = self._picture.scenes.get(site.scene)
        return of(scene.title, self._language) if scene else ""

    def site_title(self, site: Site) -> str:
        scene = self._picture.scenes.get(site.scene)
        return f"{of(scene.site_title, self._language)} {site.site}" if scene else site.id

    def card(self, device: Device) -> Card:
        kind = self._picture.type_of(device)
        cells = [self.cell(device, channel) for channel in kind.channels if channel.every_ms is None]
        derived = [self.cell(device, channel) for channel in kind.channels if channel.every_ms is not None]
        return Card(
            id=device.id,
            name=device_name(device, self._language),
            kind=kind.key,
            type_title=of(kind.title, self._language),
            state=self._picture.device_states[device.id],
            every_ms=kind.every_ms,
            first=cells[0] if cells else None,
            others=cells[1:],
            derived=derived,
        )

    def cell(self, device: Device, channel: Channel) -> Cell:
        value, at, flag, _ = self._picture.values.get(device.id, {}).get(channel.key, UNKNOWN_VALUE)
        return Cell(
            device=device.id,
            type=f"{device.scene}.{device.type}",
            channel=channel.key,
            title=of(channel.title, self._language),
            text=value_text(channel, value, self._language),
            unit=channel.unit,
            flag=flag,
            sign="" if value is None else SIGNS.get(flag, "?"),
            at_ms=at,
        )

    # --- alarms --------------------------------------------------------------------------------------------

    def standing(self, site: str = "") -> list[AlarmRow]:
        """Of one site or of all."""
        return [self.alarm(a) for a in self._picture.standing_alarms(site)]

    def alarms_of(self, device: Device, most: int) -> list[AlarmRow]:
        """Those that stand, then some that did."""
        standing = [a for a in self._picture.standing_alarms(device.site_id) if a.device == device.id]
        recent = [a for a in self._picture.recent_alarms() if a.device == device.id]
        return [self.alarm(a) for a in (*standing, *recent)][:most]

    def alarm(self, alarm: Alarm) -> AlarmRow:
        device, rule = self._picture.devices.get(alarm.device), self._picture.rule(alarm.rule)
        channel = self._picture.channel_of(alarm)
        has_value = channel is not None and alarm.value is not None
        return AlarmRow(
            alarm=alarm,
            key=".".join(map(str, alarm.identity)),
            state=OF_PRIORITY[alarm.priority],
            title=of(rule.title, self._language) if rule else alarm.rule,
            device=device_name(device, self._language) if device else alarm.device,
            site=device.site_id if device else "",
            condition=of(rule.text, self._language) if rule else "",
            at_alarm=with_unit(channel, alarm.value, self._language) if has_value and channel else "",
            advice=of(rule.advice, self._language) if rule else "",
            cell=self.cell(device, channel) if device and channel else None,
        )

    def commands(self) -> Panel | None:
        return panel(self._picture, self._choice.device, self._language)

    def rules(self, device: Device) -> list[RuleRow]:
        return [self._rule(name, rule) for name, rule in self._picture.rules_of(device)]

    def _rule(self, name: str, rule: Rule) -> RuleRow:
        how_read = translate(f"mark.{rule.source.mark}", self._language)
        return RuleRow(
            name=name,
            title=of(rule.title, self._language),
            priority=OF_PRIORITY[rule.priority],
            condition=clauses(rule.text, self._language)[0],
            source=f"{of(rule.source.document, self._language)} ({how_read})",
        )

    # --- events --------------------------------------------------------------------------------------------

    def event(self, event: DeviceEvent) -> EventRow:
        device = self._picture.devices.get(event.device)
        kinds = self._picture.type_of(device).events if device else ()
        kind = next((k for k in kinds if k.key == event.kind), None)
        return EventRow(
            key=f"event-{event.position}",
            at_ms=event.at,
            level=event.level,
            kind=of(kind.title, self._language) if kind else event.kind,
            device_id=event.device if device else "",
            device=device_name(device, self._language) if device else event.device,
            text=event.text,
            media=event.media if event.media.startswith(("http://", "https://")) else "",
        )

    # --- for the scripts -----------------------------------------------------------------------------------

    def about(self) -> dict[str, Any]:
        """Texts and tables in the reader's language."""
        return {
            "language": self._language,
            "texts": catalogue(self._language),
            "signs": dict(SIGNS),
            "types": {
                f"{scene.key}.{kind.key}": {c.key: self.about_channel(c) for c in kind.channels}
                for scene in self._picture.scenes.values()
                for kind in scene.device_types
            },
        }

    def about_channel(self, channel: Channel) -> dict[str, Any]:
        return {
            "key": channel.key,
            "title": of(channel.title, self._language),
            "unit": channel.unit,
            "decimals": decimals(channel),
            "states": [[s.value, of(s.text, self._language)] for s in channel.states],
            "every": channel.every_ms,
        }
