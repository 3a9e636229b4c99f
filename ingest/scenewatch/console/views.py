"""Rows for the templates: the picture put into one reader's language. No markup here, no decisions there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scenewatch.console.choice import ALL, SPANS
from scenewatch.console.commands import panel
from scenewatch.console.picture import OF_PRIORITY, State
from scenewatch.console.texts import SIGNS, Language, catalogue, translate
from scenewatch.console.wording import decimals, device_name, of, value_text, with_unit

if TYPE_CHECKING:
    from scenewatch.console.choice import Choice
    from scenewatch.console.commands import Panel
    from scenewatch.console.picture import Picture
    from scenewatch.console.shapes import Alarm, Channel, Device, Rule, Site

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
    type_title: str
    state: State
    every_ms: int
    first: Cell | None
    others: list[Cell]


@dataclass(frozen=True, slots=True)
class Group:
    """One site with its devices."""

    id: str
    title: str
    scene_title: str
    state: State
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
    condition: str
    at_alarm: str
    advice: str
    cell: Cell | None


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule in words, with the document it comes from."""

    title: str
    priority: State
    condition: str
    source: str


class Views:
    """One reader's views of one moment."""

    def __init__(self, picture: Picture, choice: Choice) -> None:
        self._picture = picture
        self._language: Language = choice.language
        self._choice = choice
        self._device_states = picture.device_states()
        self._site_states = picture.site_states(self._device_states)

    # --- places --------------------------------------------------------------------------------------------

    def sites(self) -> list[Group]:
        """All sites, without their devices."""
        return [self._group(site, []) for site in self._picture.sites.values()]

    def groups(self) -> list[Group]:
        """The chosen sites with their devices; those that measure something come first."""
        chosen = self._choice.site
        sites = [s for s in self._picture.sites.values() if chosen in (ALL, s.id)]
        return [self._group(s, [self._card(d) for d in self._picture.devices_of(s.id)]) for s in sites]

    def title_of(self, owner: str) -> str:
        """Of a site or a device by its id; the id itself where it is not in the inventory (any more)."""
        if (site := self._picture.sites.get(owner)) is not None:
            return self._site_title(site)
        device = self._picture.devices.get(owner)
        return device_name(device, self._language) if device else owner

    def _site_title(self, site: Site) -> str:
        scene = self._picture.scenes.get(site.scene)
        return f"{of(scene.site_title, self._language)} {site.site}" if scene else site.id

    def _group(self, site: Site, cards: list[Card]) -> Group:
        scene = self._picture.scenes.get(site.scene)
        return Group(
            id=site.id,
            title=self._site_title(site),
            scene_title=of(scene.title, self._language) if scene else "",
            state=self._site_states[site.id],
            cards=sorted(cards, key=lambda card: card.first is None),
        )

    def _card(self, device: Device) -> Card:
        kind = self._picture.type_of(device)
        cells = [self.cell(device, channel) for channel in kind.channels]
        return Card(
            id=device.id,
            name=device_name(device, self._language),
            type_title=of(kind.title, self._language),
            state=self._device_states[device.id],
            every_ms=kind.every_ms,
            first=cells[0] if cells else None,
            others=cells[1:],
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

    def standing(self) -> list[AlarmRow]:
        return [self._alarm(a) for a in self._picture.standing_alarms()]

    def recent(self, most: int) -> list[AlarmRow]:
        return [self._alarm(a) for a in self._picture.recent_alarms()[:most]]

    def _alarm(self, alarm: Alarm) -> AlarmRow:
        device, rule = self._picture.devices.get(alarm.device), self._picture.rule(alarm.rule)
        channel = self._picture.channel_of(alarm)
        has_value = channel is not None and alarm.value is not None
        return AlarmRow(
            alarm=alarm,
            key=".".join(map(str, alarm.identity)),
            state=OF_PRIORITY[alarm.priority],
            title=of(rule.title, self._language) if rule else alarm.rule,
            device=device_name(device, self._language) if device else alarm.device,
            site=device.site if device else "",
            condition=of(rule.text, self._language) if rule else "",
            at_alarm=with_unit(channel, alarm.value, self._language) if has_value and channel else "",
            advice=of(rule.advice, self._language) if rule else "",
            cell=self.cell(device, channel) if device and channel else None,
        )

    # --- the chosen device ---------------------------------------------------------------------------------

    def card(self) -> Card | None:
        return self._card(self._choice.device) if self._choice.device else None

    def commands(self) -> Panel | None:
        return panel(self._picture, self._choice.device, self._language)

    def rules(self) -> list[RuleRow]:
        return [self._rule(rule) for _, rule in self._rules()]

    def _rules(self) -> list[tuple[str, Rule]]:
        device, channel = self._choice.device, self._choice.channel
        return self._picture.rules_on(device, channel.key) if device and channel else []

    def _rule(self, rule: Rule) -> RuleRow:
        how_read = translate(f"mark.{rule.source.mark}", self._language)
        return RuleRow(
            title=of(rule.title, self._language),
            priority=OF_PRIORITY[rule.priority],
            condition=of(rule.text, self._language),
            source=f"{of(rule.source.document, self._language)} ({how_read})",
        )

    def chart(self) -> dict[str, Any] | None:
        """What the chart's script must know of the chosen channel."""
        device, channel = self._choice.device, self._choice.channel
        if device is None or channel is None:
            return None
        rules = dict(self._rules())
        alarms = (a for a in self._picture.alarms.values() if a.device == device.id and a.rule in rules)
        return {
            "device": device.id,
            "channel": channel.key,
            "title": of(channel.title, self._language),
            "every": self._picture.type_of(device).every_ms,
            "span": SPANS[self._choice.span],
            "limits": [
                {"at": line.at, "text": of(r.title, self._language), "priority": r.priority}
                for r in rules.values()
                for line in r.lines
                if line.channel == channel.key
            ],
            "alarms": [
                {"from": a.raised_at, "to": a.cleared_at, "stands": a.stands, "priority": a.priority}
                for a in alarms
            ],
        } | self._about_channel(channel)

    # --- for the scripts -----------------------------------------------------------------------------------

    def about(self) -> dict[str, Any]:
        """Texts and tables in the reader's language."""
        return {
            "language": self._language,
            "texts": catalogue(self._language),
            "signs": dict(SIGNS),
            "types": {
                f"{scene.key}.{kind.key}": {c.key: self._about_channel(c) for c in kind.channels}
                for scene in self._picture.scenes.values()
                for kind in scene.device_types
            },
        }

    def _about_channel(self, channel: Channel) -> dict[str, Any]:
        return {
            "unit": channel.unit,
            "decimals": decimals(channel),
            "states": [[s.value, of(s.text, self._language)] for s in channel.states],
        }
