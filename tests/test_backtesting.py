"""Recorded data through the rules: found is what is in them, told is what is left out, and labels change nothing.

Set RECORDED_DATA to a folder with nab/ and sewer-flow/ to try those as well.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pytest

from scenewatch.backtesting import AT_A_TIME, Files, backtest, batches, read
from scenewatch.devices.faults import FaultPlan, PlannedFault
from scenewatch.devices.fleet import Fleet
from scenewatch.devices.history import past
from scenewatch.model.errors import ConfigurationError
from scenewatch.model.fault import Drive
from scenewatch.model.place import Device
from scenewatch.model.registry import Registry
from scenewatch.model.rule import Above, Happened
from scenewatch.model.words import hours
from scenewatch.recorded.mapping import Mapping, load_map
from scenewatch.recorded.windows import Window, load_windows
from scenewatch.rehearsal.report import Report
from scenewatch.scenes import SCENES, demonstration
from scenewatch.study import Study

MAPS = Path(__file__).parents[1] / "docs" / "maps"
DATA = os.environ.get("RECORDED_DATA", "")
needs_data = pytest.mark.skipif(not DATA, reason="RECORDED_DATA names no folder with nab and sewer-flow")
QUARTER_MS = 900_000
DAY_MS = 86_400_000
BEGIN_MS = 1_709_251_200_000
DAYS = 40
STORM, DISCHARGE = 20, 30
"""Days on which they begin."""


def sewer_days():
    """Flow of days and their quarters: a daily wave with noise, a storm of a day, a discharge of another."""
    chance = np.random.default_rng(5)
    t = np.arange(DAYS * 96)
    day = t / 96
    flow = 2.0 + 0.6 * np.sin(2 * np.pi * day) + 0.1 * chance.standard_normal(len(t))
    rain = np.where((day >= STORM) & (day < STORM + 0.5), 0.05, 0.0)
    flow += 4.0 * ((day >= STORM + 0.1) & (day < STORM + 1))
    flow += 2.0 * ((day >= DISCHARGE) & (day < DISCHARGE + 1))
    return BEGIN_MS + t * QUARTER_MS, flow, rain


@pytest.fixture(scope="module")
def sewer(tmp_path_factory):
    """Two files as the map of a sewer wants them; times five hours behind UTC."""
    folder = tmp_path_factory.mktemp("sewer")
    monitor, gauge = (
        ["Month,Day,Year,Hour,Minute,Flow_mgd,Velocity_fps,Depth_in"],
        ["Month,Day,Year,Hour,Minute,Rain (inch)"],
    )
    for t_ms, flow, rain in zip(*(column.tolist() for column in sewer_days()), strict=True):
        when = datetime.fromtimestamp(t_ms / 1000 - 5 * 3600, UTC)
        time = f"{when.month},{when.day},{when.year},{when.hour},{when.minute}"
        monitor.append(f"{time},{flow:.3f},2.2,7.1")
        gauge.append(f"{time},{rain}")
    paths = folder / "monitor.csv", folder / "gauge.csv"
    for path, lines in zip(paths, (monitor, gauge), strict=True):
        path.write_text("\n".join(lines) + "\n", "utf-8")
    return read(None, Files(paths=paths, mapping=load_map(MAPS / "sewer-flow.toml"), map_name="sewer-flow.toml"))


def raised(report):
    return [(a.rule, (a.raised_at - BEGIN_MS) / DAY_MS) for a in report.alarms]


def test_rain_and_a_discharge_are_told_apart(sewer):
    (storm, storm_day), (dry, dry_day) = raised(backtest(sewer))
    assert (storm, dry) == ("rain_gets_in", "excess_in_dry_weather")
    assert STORM < storm_day < STORM + 1
    assert DISCHARGE < dry_day < DISCHARGE + 1


def test_windows_score_the_alarms_and_change_none_of_them(sewer):
    """A window is of the device as the files call it; missing data and what is outside are told apart."""
    from_ms = BEGIN_MS + DISCHARGE * DAY_MS
    windows = [
        Window(device="monitor", from_ms=from_ms, to_ms=from_ms + DAY_MS),
        Window(device="monitor", from_ms=from_ms + 3 * DAY_MS, to_ms=from_ms + 4 * DAY_MS),
    ]
    labelled, plain = backtest(sewer, windows=windows), backtest(sewer)
    assert raised(labelled) == raised(plain)
    assert [f.detected for f in labelled.faults] == [True, False]
    assert labelled.score is not None
    assert (labelled.score.recall, labelled.score.false, plain.score) == (0.5, 1, None)
    assert [(s.windows, s.found, s.raised_outside) for s in labelled.series] == [(2, 1, 1)]
    assert all(alarm.neutral for alarm in plain.alarms)
    assert [rule.false for rule in plain.rules] == [0] * len(plain.rules)


def test_a_report_is_json_and_back(sewer):
    report = backtest(sewer)
    assert msgspec.json.decode(msgspec.json.encode(report), type=Report) == report
    assert (report.what, report.devices, report.readings) == ("backtest", 1, 4 * 96 * DAYS)
    assert {excerpt.device for excerpt in report.excerpts} == {"generic.recorded.monitor"}


def test_limits_that_are_tried_count_and_wrong_ones_are_named(sewer):
    report = backtest(sewer, limits={"generic.excess_in_dry_weather": {"limit": 5.9}})
    assert "excess_in_dry_weather" not in dict(raised(report))
    before = {rule.key: rule.version for rule in backtest(sewer).rules}
    assert {rule.key for rule in report.rules if rule.version != before[rule.key]} == {"excess_in_dry_weather"}
    with pytest.raises(ConfigurationError, match=r'limits\."generic\.blockd"'):
        backtest(sewer, limits={"generic.blockd": {"limit": 1.0}})


def test_batches_are_never_cut_within_an_instant(sewer, monkeypatch):
    """Cut as small as that, the rules still say the same."""
    whole = raised(backtest(sewer))
    monkeypatch.setattr("scenewatch.backtesting.AT_A_TIME", 999)
    registry = Registry([sewer.scene])
    registry.apply(sewer.devices, at_ms=0)
    cut = [batch for batch, _ in batches(sewer, registry)]
    assert len(cut) > 10
    assert all(one.t_ms[-1] < other.t_ms[0] for one, other in pairwise(cut))
    assert raised(backtest(sewer)) == whole
    assert AT_A_TIME > 999


def test_progress_goes_up_to_all_of_it(sewer):
    told: list[float] = []
    backtest(sewer, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0


# --- a scene's own devices -----------------------------------------------------------------------------------


def limited():
    """Scene, type, rule and channel of the first rule that waits, with an upper limit of what is measured."""
    for scene in SCENES:
        for rule in scene.rules:
            kind, _, key = rule.on[0].partition(".")
            device_type = scene.device_type(kind)
            measured = {c.key for c in device_type.measured}
            if isinstance(rule.when, Above) and rule.on_delay and key in measured:
                return scene, device_type, rule, key
    raise AssertionError("no scene has such a rule")


def write_long(path, rows):
    lines = ["time,device,channel,value", *(f"{t_ms},{device},{key},{value}" for t_ms, device, key, value in rows)]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def device_hours(device, found, hours, value_of):
    """A reading of every measured channel each 30 s: the rule's as asked, the others amid what is possible."""
    _, device_type, _, key = found
    for n in range(hours * 120):
        for channel in device_type.measured:
            usual = channel.states[0][0] if channel.states else (channel.possible.low + channel.possible.high) / 2
            yield (BEGIN_MS + n * 30_000, device, channel.key, value_of(n) if channel.key == key else usual)


def test_data_of_a_scene_need_no_map_where_its_inventory_is_known(tmp_path):
    scene, device_type, rule, key = found = limited()
    rows = device_hours("s9.d1", found, 6, lambda n: rule.when.limit + (5 if n >= 240 else -5))
    device = Device(scene=scene.key, site="s9", device="d1", type=device_type.key)
    recorded = read(scene, Files(paths=(write_long(tmp_path / "a.csv", rows),), inventory=(device,)))
    assert [(d.site, d.device, d.type) for d in recorded.devices] == [("s9", "d1", device_type.key)]
    alarms = [a for a in backtest(recorded).alarms if a.rule == rule.key]
    assert [a.raised_at for a in alarms] == [BEGIN_MS + 240 * 30_000 + rule.on_delay]
    assert key in recorded.recorded.channels


def test_what_was_exported_gives_the_alarms_that_there_were(tmp_path):
    """A day of simulated devices with a fault, live and from the file: the same but for what events raise."""
    scene = SCENES[0]
    devices = demonstration(scene).devices(1)
    fault = next(f for f in scene.faults if isinstance(f.effect, Drive) and f.rules and f.minimum <= hours(4))
    befallen = next(d for d in devices if d.type in fault.on)
    plan = FaultPlan((PlannedFault(fault.key, befallen.id, BEGIN_MS + DAY_MS // 2, BEGIN_MS + DAY_MS),))
    study = Study([scene], devices, from_ms=BEGIN_MS)
    fleet = Fleet(scene, devices, seed=3, start_ms=BEGIN_MS, plan=plan)
    rows = []
    for batch, events in past(fleet, study.registry, BEGIN_MS, BEGIN_MS + DAY_MS):
        study.take(batch, events)
        for series, t_ms, value in zip(
            batch.series.tolist(), batch.t_ms.tolist(), batch.value.tolist(), strict=True
        ):
            device, _, key = study.registry.series_name(series).rpartition(".")
            rows.append((t_ms, device, key, value))
    happened = {rule.key for rule in scene.rules if isinstance(rule.when, Happened)}
    live = [a for a in study.finish(BEGIN_MS + DAY_MS).alarms if a.rule not in happened]
    recorded = read(scene, Files(paths=(write_long(tmp_path / "a.csv", rows),), inventory=tuple(devices)))
    report = backtest(recorded)
    assert [(a.rule, a.device, a.raised_at) for a in report.alarms] == [
        (a.rule, a.device, a.raised_at_ms) for a in live
    ]
    assert {a.rule for a in live} & set(fault.rules)
    assert any("rules on events were not tried" in note.en for note in report.notes) == bool(happened)


def test_a_silence_counts_only_while_a_device_is_recorded(tmp_path):
    """One begins late, the other ends early and is silent for hours between."""
    said = {
        "time": {"column": "time"},
        "device": {"column": "device"},
        "long": {"channel": "channel", "value": "value"},
        "channel": [{"key": "a"}],
        "rule": [{"key": "silent", "kind": "no_data", "on": "a", "after": "1 h"}],
    }
    minutes = [("early", n) for n in (*range(60), *range(200, 260))] + [("late", n) for n in range(500, 700)]
    rows = [(BEGIN_MS + n * 60_000, device, "a", 1) for device, n in minutes]
    recorded = read(
        None, Files(paths=(write_long(tmp_path / "a.csv", rows),), mapping=Mapping.model_validate(said))
    )
    report = backtest(recorded)
    assert [(a.device.rpartition(".")[2], (a.raised_at - BEGIN_MS) // 60_000) for a in report.alarms] == [
        ("early", 119)
    ]
    assert "silences before a device's first reading or behind its last, not counted: 2" in [
        n.en for n in report.notes
    ]


def test_what_cannot_be_run_is_told_before_it_is(tmp_path):
    path = write_long(tmp_path / "a.csv", [(BEGIN_MS, "d", "a", 1)])
    mapping = Mapping.model_validate(
        {"channel": [{"key": "a"}], "rule": [{"key": "r", "kind": "above", "on": "a", "limit": 2e9}]}
    )
    with pytest.raises(ConfigurationError, match=r"m\.toml: rule r: when\.limit: .*outside what"):
        read(None, Files(paths=(path,), mapping=mapping, map_name="m.toml"))
    with pytest.raises(
        ConfigurationError, match=r"--from, --to: no reading is within; there are readings from 2024-03"
    ):
        read(None, Files(paths=(path,), mapping=mapping, from_ms=BEGIN_MS + 1))
    with pytest.raises(ConfigurationError, match="--data: names no file"):
        read(None, Files(paths=()))


def test_a_channel_that_a_device_cannot_have_is_named(tmp_path):
    scene, device_type, _, key = limited()
    others = {c.key for t in scene.device_types for c in t.measured} - {c.key for c in device_type.measured}
    other = min(others)
    path = write_long(tmp_path / "a.csv", [(BEGIN_MS, "d", key, 1), (BEGIN_MS, "d", other, 1)])
    mapping = Mapping.model_validate({"device": {"type": device_type.key}})
    recorded = read(scene, Files(paths=(path,), mapping=mapping))
    with pytest.raises(
        ConfigurationError, match=f'devices."d": has readings of {other}, which a {device_type.key} does'
    ):
        backtest(recorded)


# --- data of others ------------------------------------------------------------------------------------------


@needs_data
@pytest.mark.parametrize("share", [0.9, 1.0, 1.1])
def test_the_shipped_deviation_finds_what_others_labelled(share):
    folder = Path(DATA) / "nab"
    recorded = read(None, Files(paths=tuple(sorted(folder.glob("*.csv"))), mapping=load_map(MAPS / "nab.toml")))
    windows = load_windows(folder / "combined_windows.json", recorded.recorded.devices)
    shipped = next(rule.when for rule in recorded.scene.rules if rule.key == "unusual")
    limits = {"generic.unusual": {"low": shipped.low * share, "high": shipped.high * share}}
    series = backtest(recorded, limits=limits, windows=windows).series
    assert sum(s.windows for s in series) == 6
    assert sum(s.found for s in series) >= (6 if share == 1.0 else 5)
    assert all(s.learning_days <= 7 for s in series)
    if share == 1.0:
        assert all(s.raised_outside_a_month <= 1 and s.outside_in_alarm <= 0.05 for s in series)


@needs_data
def test_storm_days_of_a_real_sewer_are_told_from_dry_days():
    paths = tuple(Path(DATA) / "sewer-flow" / name for name in ("flow_monitor.csv", "rain_gauge.csv"))
    report = backtest(read(None, Files(paths=paths, mapping=load_map(MAPS / "sewer-flow.toml"))))
    days = {datetime.fromtimestamp(a.raised_at / 1000 - 5 * 3600, UTC).strftime("%m-%d") for a in report.alarms}
    assert {"03-04", "03-19", "04-03", "04-11"} <= days
    assert {a.rule for a in report.alarms} == {"rain_gets_in"}
    assert len(report.alarms) <= 10
