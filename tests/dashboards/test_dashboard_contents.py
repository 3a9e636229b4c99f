"""What the tables say is what is shown: each channel, unit, limit, state and rule, at any level, and silence."""

import re

import pytest
from built import WORLDS, odd_scene
from hypothesis import given, settings
from hypothesis import strategies as st
from layout_checks import panels

from boards.frame import SCHEMA
from boards.limits import Limited, steps
from boards.palette import MINOR, OF_PRIORITY, SERIOUS, SILENT, SOON
from scenewatch.model.conditions import compared, limits
from scenewatch.model.level import Level
from scenewatch.model.quantity import UNITS, Quantity
from scenewatch.model.rule import Above, Below, Mark, Outside, Priority, Rule, Source
from scenewatch.model.words import Text
from scenewatch.scenes import SCENES

ODD = odd_scene()


CHANNELS = [
    pytest.param("committed" if scene is not ODD else "odd", t, c, id=f"{t.key}.{c.key}")
    for scene in (*SCENES, ODD)
    for t in scene.device_types[:3]
    for c in t.channels
]
LIMITS = [
    pytest.param(
        "committed" if scene is not ODD else "odd",
        t.key,
        c.key,
        limit,
        rule,
        id=f"{rule.key} {t.key}.{c.key} {limit}",
    )
    for scene in (*SCENES, ODD)
    for rule in scene.rules
    for t in scene.device_types
    for c, comparison in compared(rule, t)
    for limit in limits(comparison)
    if not c.states
]
"""Of rules by themselves and of their terms."""
FIELD = re.compile(r"(max|min|mean)\(/(\^\w+\(_\w+\)\?\$)/\)")


def asking(board, *parts):
    """The panels one of whose queries has all the parts in it."""
    return [p for p in panels(board) if any(all(part in t["query"] for part in parts) for t in p["targets"])]


@pytest.mark.parametrize(("world", "device_type", "channel"), CHANNELS)
@pytest.mark.parametrize("uid", ["sw-device", "sw-site"])
def test_every_channel_is_drawn_over_time_with_its_highest(world, uid, device_type, channel):
    state = channel.quantity is Quantity.STATE
    asked = f"/^{channel.key}(" if state else f"max(/^{channel.key}(_max)?$/)"
    drawn = of_type(asking(board_of(world, uid, device_type.key), asked), device_type.key)
    assert [panel["type"] for panel in drawn] == ["state-timeline" if state else "timeseries"]


def of_type(some, key):
    """Those that ask devices of a type."""
    return [p for p in some if any(f'FROM "{key}"' in t["query"] for t in p["targets"])]


def board_of(world, kind, type_key):
    """The one of that kind; of devices and scenes, the one that has the type."""
    starts, ends = {"sw-device": ("sw-device-", f"-{type_key}"), "sw-scene": ("sw-scene-", "")}.get(
        kind, (kind, "")
    )
    return next(b for uid, b in WORLDS[world].items() if uid.startswith(starts) and uid.endswith(ends))


@pytest.mark.parametrize("uid", ["sw-device", "sw-site"])
def test_a_state_that_a_rule_waits_for_is_not_hidden_by_others(uid):
    """The lowest counts where a rule is for what is below, else the highest."""
    for low, kind in (("min", "kind_0"), ("max", "kind_1")):
        board = board_of("odd", uid, kind)
        assert len(of_type(asking(board, f"{low}(/^state_0(_{low})?$/)"), kind)) == 1


DEVICE_BOARDS = [(w, uid) for w, boards in WORLDS.items() for uid in boards if uid.startswith("sw-device-")]


def measures(board):
    return any(v["name"] == "level" for v in board["templating"]["list"])


def asked_of(board):
    """The queries of its variables, those of its panels, and all measurements that they are of."""
    variables = [v["query"] for v in board["templating"]["list"] if v["type"] == "query"]
    queries = [t["query"] for panel in panels(board) for t in panel["targets"]]
    froms = [re.search(r'FROM ("\w+"(?:, "\w+")*) W', query)[1] for query in (*variables, *queries)]
    return variables, queries, {name for one in froms for name in one.replace('"', "").split(", ")}


@pytest.mark.parametrize(("world", "uid"), [one for one in DEVICE_BOARDS if measures(WORLDS[one[0]][one[1]])])
def test_a_device_is_asked_of_its_own_type_and_chosen_among_those_alone(world, uid):
    board = WORLDS[world][uid]
    scene, device_type = uid.removeprefix("sw-device-").split("-")
    variables, queries, asked = asked_of(board)
    assert asked == {device_type, "alarm"}
    assert all(f"\"scene\" = '{scene}'" in query for query in (*variables, *queries))
    assert [query.partition("WITH")[2].split()[2] for query in variables] == ['"site"', '"device"']


SPEAKING = [
    ("committed", "kitchen", "camera", {"alarm", "event"}),
    ("committed", "kitchen", "staff_gate", {"alarm", "event"}),
    ("committed", "kitchen", "gateway", {"alarm", "event"}),
    ("odd", ODD.key, "minded", {"alarm"}),
    ("odd", ODD.key, "teller", {"event"}),
]
"""Types without channels, and where there can be anything of them."""


@pytest.mark.parametrize(("world", "scene", "device_type", "there"), SPEAKING)
def test_a_device_that_measures_nothing_shows_its_alarms_and_events(world, scene, device_type, there):
    board = WORLDS[world][f"sw-device-{scene}-{device_type}"]
    variables, queries, asked = asked_of(board)
    assert (asked, len(queries)) == (there, len(there))
    assert all(f"\"scene\" = '{scene}'" in query for query in (*variables, *queries))
    assert [f"\"type\" = '{device_type}'" in query for query in variables] == [True, True]
    assert not measures(board)
    assert board["annotations"]["list"] == []


def test_each_type_of_which_there_is_anything_has_a_dashboard_and_no_other():
    types = [
        (s.key, t.key)
        for s in SCENES
        for t in s.device_types
        if t.channels or t.events or any(on.partition(".")[0] == t.key for rule in s.rules for on in rule.on)
    ]
    assert [uid for w, uid in DEVICE_BOARDS if w == "committed"] == sorted(
        "-".join(("sw-device", *t)) for t in types
    )
    kinds = {uid.rpartition("-")[2] for w, uid in DEVICE_BOARDS if w == "odd"}
    assert {t.key for t in ODD.device_types} - kinds == {"mute"}


@pytest.mark.parametrize("world", WORLDS)
def test_a_row_leads_to_the_dashboard_of_its_devices_type(world):
    """Which the panel knows, or the row where alarms of several types are among each other."""
    led = set()
    for board in WORLDS[world].values():
        for panel in panels(board):
            types = set(re.findall(r"/d/sw-device-[^?]*-([^-?]+)\?", str(panel["fieldConfig"])))
            [asked] = {re.search(r'FROM "(.*?)"', t["query"])[1] for t in panel["targets"]} if types else [None]
            led.add(asked)
            assert types <= {"${__data.fields.type}" if asked in {"alarm", "event"} else asked}
    assert led > {"alarm", "event", "kind_0" if "odd" in world else "fridge"}


@pytest.mark.parametrize(("world", "device_type", "channel"), CHANNELS)
def test_the_unit_is_grafanas_and_states_are_words(world, device_type, channel):
    (tiles,) = asking(
        board_of(world, "sw-device", device_type.key), f'last("{channel.key}") FROM "{device_type.key}"'
    )
    (override,) = (o for o in tiles["fieldConfig"]["overrides"] if o["matcher"]["options"] == channel.key)
    properties = {row["id"]: row["value"] for row in override["properties"]}
    if channel.quantity is Quantity.STATE:
        words = properties["mappings"][0]["options"]
        assert [float(number) for number in words] == [number for number, _ in channel.states]
        assert all(text.zh in words[n]["text"] for n, (_, text) in zip(words, channel.states, strict=True))
    else:
        assert properties["unit"] == GRAFANA_UNITS[channel.unit]


GRAFANA_UNITS = {
    "°C": "celsius",
    "W": "watt",
    "kW": "kwatt",
    "V": "volt",
    "mV": "mvolt",
    "%": "percent",
    "": "none",
    "W/m²": "Wm2",
    "min": "m",
    "s": "s",
    "h": "suffix:h",
    "% LEL": "suffix:% LEL",
    "µW/cm²": "suffix:µW/cm²",
}
OF_NO_NAME = {unit for units in UNITS.values() for unit in units} - GRAFANA_UNITS.keys()
GRAFANA_UNITS |= {unit: f"suffix:{unit}" for unit in OF_NO_NAME}


@pytest.mark.parametrize(("world", "type_key", "channel_key", "limit", "rule"), LIMITS)
@pytest.mark.parametrize("uid", ["sw-device", "sw-site", "sw-scene"])
def test_every_limit_of_a_number_is_drawn(world, uid, type_key, channel_key, limit, rule):
    trends = of_type(asking(board_of(world, uid, type_key), f"max(/^{channel_key}(_max)?$/)"), type_key)
    assert len(trends) == 1
    field = trends[0]["fieldConfig"]["defaults"]
    assert limit in [step["value"] for step in field["thresholds"]["steps"]]
    assert field["custom"]["thresholdsStyle"]["mode"] == "dashed"
    assert rule.source.document.en in trends[0]["description"]


def test_the_fridge_is_amber_just_below_its_limit_and_more_above():
    (panel,) = asking(WORLDS["committed"]["sw-device-kitchen-fridge"], 'last("air_temp") FROM "fridge"')
    override = next(o for o in panel["fieldConfig"]["overrides"] if o["matcher"]["options"] == "air_temp")
    drawn = next(row["value"]["steps"] for row in override["properties"] if row["id"] == "thresholds")
    assert [(step["value"], step["color"]) for step in drawn] == [
        (None, MINOR),
        (0.0, SOON),
        (0.5, "text"),
        (7.5, SOON),
        (8.0, SERIOUS),
    ]


@pytest.mark.parametrize(("world", "uid"), [(w, u) for w, boards in WORLDS.items() for u in boards])
def test_what_is_drawn_at_a_chosen_level_is_found_in_all_of_them(world, uid):
    """A field of a reading has no suffix, one of a level that of what was asked of it; no other field is met."""
    for panel in panels(WORLDS[world][uid]):
        for target in panel["targets"]:
            if target["datasource"]["uid"] != "${level}":
                continue
            found = FIELD.search(target["query"])
            if found is None:
                assert re.search(r'max\("\w+_flag"\)', target["query"])  # a flag has one name in all of them
                continue
            kind, pattern = found.groups()
            channel = pattern[1 : pattern.index("(")]
            suffixes = ("", "_min", "_max", "_mean", "_count", "_good", "_flag", "_test")
            met = [suffix for suffix in suffixes if re.search(pattern, channel + suffix)]
            assert met == ["", f"_{kind}"]


DERIVED_GAPS = {(c.key, t.gap_of(c)) for s in SCENES for t in s.device_types for c in t.channels if c.derived}
"""Those are told less often than intervals are long: lines go on for so many ms."""


@pytest.mark.parametrize(("world", "uid"), [(w, u) for w, boards in WORLDS.items() for u in boards])
def test_silence_is_never_drawn_over(world, uid):
    """An interval without a reading is nothing in a chart, and its own purple state among the flags."""
    for panel in panels(WORLDS[world][uid]):
        if panel["type"] not in {"timeseries", "state-timeline"}:
            continue
        for target in panel["targets"]:
            counts = "count(" in target["query"]
            judged = "_flag" in target["query"]
            assert target["query"].endswith("fill(0)" if counts or judged else "fill(null)"), target["query"]
        if panel["type"] == "timeseries":
            spans = panel["fieldConfig"]["defaults"]["custom"]["spanNulls"]
            assert spans in {gap for key, gap in DERIVED_GAPS if key in target["query"]} or spans is False
        elif judged:
            assert panel["fieldConfig"]["defaults"]["mappings"][0]["options"]["0"]["color"] == SILENT


def test_every_trend_has_alarms_beside_it_by_priority_until_they_cleared():
    for boards in WORLDS.values():
        for uid, board in boards.items():
            drawn = [one for one in board["annotations"]["list"] if '"alarm"' in one["target"]["query"]]
            over_time = any(panel["type"] in {"timeseries", "state-timeline"} for panel in panels(board))
            assert bool(drawn) == (over_time and uid != "sw-pipeline")
            assert [one["iconColor"] for one in drawn] in ([], [OF_PRIORITY[p] for p in reversed(Priority)])
            assert all(one["target"]["timeEndColumn"] in one["target"]["query"] for one in drawn)


def test_events_are_marked_on_trends_of_devices_that_tell_them_and_listed_where_there_are_none():
    boards = WORLDS["committed"]
    tells = [(f"sw-device-{s.key}-{t.key}", t.channels) for s in SCENES for t in s.device_types if t.events]
    marked = {uid for uid, b in boards.items() if '"event"' in str(b["annotations"])}
    listed = {uid for uid, b in boards.items() for p in panels(b) if 'FROM "event"' in str(p["targets"])}
    assert marked == {"sw-site", *(uid for uid, channels in tells if channels)}
    assert listed == {
        "sw-site",
        *(f"sw-scene-{s.key}" for s in SCENES),
        *(uid for uid, channels in tells if not channels),
    }


def test_dashboards_are_of_grafanas_present_schema():
    assert {b["schemaVersion"] for boards in WORLDS.values() for b in boards.values()} == {SCHEMA}


# --- limits, whatever they are -----------------------------------------------------------------------------

halves = st.integers(-40, 40).map(lambda n: n / 2)
conditions = st.builds(
    lambda kind, limit, deadband: kind(limit, deadband), st.sampled_from([Above, Below]), halves, halves.map(abs)
) | st.builds(
    lambda low, width, deadband: Outside(low, low + width + 0.5, min(deadband, width / 2)),
    halves,
    halves.map(abs),
    halves.map(abs),
)


def rule_of(when, priority):
    text = Text("x", "某")
    source = Source(document=text, mark=Mark.PROPOSAL)
    return Rule(
        key="r", title=text, on=("a.b",), when=when, priority=priority, source=source, proof="", advice=text
    )


def told(rules, value):
    """What the rules themselves say of a value that is none of their edges."""
    broken = [r.priority for r in rules if beyond(r.when, value, back=0.0)]
    for priority in reversed(Priority):
        if priority in broken:
            return OF_PRIORITY[priority]
    near = any(beyond(r.when, value, back=r.when.deadband) for r in rules)
    return SOON if near else "normal"


def beyond(when, value, back):
    if isinstance(when, Outside):
        return value < when.low + back or value > when.high - back
    return value > when.limit - back if isinstance(when, Above) else value < when.limit + back


def edges_of(when):
    return {when.low, when.high} if isinstance(when, Outside) else {when.limit}


@settings(deadline=None, max_examples=150)
@given(st.lists(st.builds(rule_of, conditions, st.sampled_from(Priority)), max_size=4), halves)
def test_a_value_has_the_colour_of_the_most_urgent_rule_it_breaks(rules, half):
    value = half + 0.125  # never on an edge, of which some are at quarters
    drawn = steps([Limited(rule, rule.when) for rule in rules], normal="normal")
    assert drawn[0]["value"] is None
    edges = [step["value"] for step in drawn[1:]]
    assert edges == sorted(set(edges))
    assert {edge for rule in rules for edge in edges_of(rule.when)} <= set(edges)
    shown = [step["color"] for step in drawn if step["value"] is None or step["value"] <= value][-1]
    assert shown == told(rules, value)


def test_levels_are_those_of_the_record():
    assert [level.suffix for level in Level] == ["", "_1m", "_1h", "_1d"]
