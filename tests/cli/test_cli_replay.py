"""`journal replay` beside a running worker: what other limits would have done, and into another store."""

from __future__ import annotations

import json
import shutil

import pytest

from influx_server import create
from kept_journal import END as KEPT_END
from kept_journal import build, without_first_segment
from records import START_MS
from scenewatch.pipeline import Pipeline
from scenewatch.store.duck import DuckStore
from scenewatch.worker.snapshots import Snapshots

END = 7
"""Behind the inventory's record, three messages that were taken, and three that could not be."""
SERIES = "brine.w1.vat-1.temp"


@pytest.fixture
def tried(tmp_path):
    """Limits by which every message that was taken is an alarm."""
    path = tmp_path / "tried.toml"
    path.write_text('[limits."brine.vat_hot"]\nlimit = 10\non_delay_s = 1\n', "utf-8")
    return path


@pytest.fixture
def replayed(typed, config):
    """As JSON."""

    def run(*arguments):
        status, out, err = typed("journal", "replay", *arguments, "--config", config, "--json")
        assert (status, err) == (0, [])
        return json.loads(out)

    return run


def held(path):
    store = DuckStore(path)
    try:
        return store.position(), store.counts(), store.readings(SERIES, 0, 2**62, 100).t_ms.tolist()
    finally:
        store.close()


def test_what_limits_would_have_done_is_shown(typed, rig, config, tried):
    before = rig.get("/api/v1/ledger")
    status, out, err = typed("journal", "replay", "--limits", tried, "--config", config)
    assert (status, err) == (0, [])
    lines = [line.split() for line in out.decode().splitlines()]
    assert lines[0] == ["at", "step", "rule", "device", "value"]
    assert lines[1] == ["2027-01-15T08:00:01.000Z", "raised", "brine.vat_hot", "brine.w1.vat-1", "20"]
    assert lines[2:6] == [["received", "6"], ["stored", "3"], ["duplicate", "0"], ["dead", "3"]]
    assert out.decode().splitlines()[6:] == [
        "alarms    1 raised, 0 cleared, 1 stand at the end",
        "positions 0 to 6; all is known from the journal's beginning",
    ]
    assert rig.get("/api/v1/ledger") == before
    assert rig.get("/api/v1/alarms")["alarms"] == []


def test_as_json(replayed, tried):
    found = replayed("--limits", tried)
    transition = {
        "at": START_MS + 1000,
        "step": "raised",
        "rule": "brine.vat_hot",
        "device": "brine.w1.vat-1",
        "raised_at": START_MS + 1000,
        "value": 20.0,
    }
    assert (found["transitions"], found["standing"]) == ([transition], [transition])
    assert replayed()["transitions"] == []


@pytest.mark.parametrize(
    ("bounds", "positions", "fates"),
    [
        ([], (0, END), (3, 0, 3)),
        (["--from", "2", "--to", "4"], (2, 4), (2, 0, 0)),
        (["--from", "2027-01-15T08:00:01Z"], (2, END), (2, 0, 3)),
        (["--to", "2027-01-15T16:00:02+08:00"], (0, 3), (2, 0, 0)),
    ],
)
def test_a_part_is_replayed_by_position_and_time(replayed, bounds, positions, fates):
    found = replayed(*bounds)
    assert (found["first"], found["end"]) == positions
    assert (found["stored"], found["duplicate"], found["dead"]) == fates
    assert found["received"] + found["control"] == found["end"] - found["first"]


def test_into_another_store_and_again(typed, rig, config, tmp_path):
    path = tmp_path / "other.duckdb"
    for new in (3, 0):
        status, out, err = typed("journal", "replay", "--into", f"duckdb:{path}", "--config", config)
        assert (status, err) == (0, [])
        assert f"readings  3, of which {new} were new to the store" in out.decode()
        position, counts, t_ms = held(path)
        assert (position, counts) == (END, rig.worker.store.counts())
        assert t_ms == rig.worker.store.readings(SERIES, 0, 2**62, 100).t_ms.tolist()


def test_into_an_influxdb_and_again(replayed, influxd, rig):
    create(influxd, "replayed")
    url = f"influx+{influxd}/?bucket=replayed"
    assert [replayed("--into", url)["added"] for _ in range(2)] == [3, 0]
    assert rig.get("/api/v1/ledger")["stored"] == 3


def test_where_nothing_older_is_kept_the_state_is_flagged_as_fresh(typed, tmp_path, vat_scene):
    look = build(tmp_path / "whole")
    oldest = without_first_segment(look, tmp_path).oldest
    pipeline, snapshots = Pipeline([vat_scene], "sw"), Snapshots(tmp_path / "journal.state")
    for record in look.records(0, oldest + 5):
        pipeline.run(record)
    snapshots.write(pipeline.position, pipeline.snapshot())
    snapshots.keep(pipeline.position)
    (tmp_path / "scenewatch.toml").write_text('[journal]\npath = "journal"\n', "utf-8")
    status, out, err = typed("journal", "replay", "--config", tmp_path / "scenewatch.toml")
    assert (status, err) == (0, [])
    fresh = f"the state is fresh: what came before position {oldest} is not kept, nor which alarms stood there"
    assert out.decode().splitlines()[-1] == f"positions {oldest} to {KEPT_END - 1}; {fresh}"
    status, _, err = typed("journal", "replay", "--from", 0, "--config", tmp_path / "scenewatch.toml")
    assert (status, err) == (1, [f"scenewatch: nothing is kept before position {oldest}: it can begin there"])


def test_damage_is_told_and_is_status_1(typed, config, tmp_path):
    shutil.copytree(config.parent / "journal", tmp_path / "journal")
    (tmp_path / "scenewatch.toml").write_text('[journal]\npath = "journal"\n', "utf-8")
    [segment] = (tmp_path / "journal").glob("*.segment")
    data = bytearray(segment.read_bytes())
    data[data.index(b"/telemetry")] ^= 0xFF
    segment.write_bytes(data)
    status, out, err = typed("journal", "replay", "--config", tmp_path / "scenewatch.toml")
    assert (status, len(err)) == (1, 1)
    assert "positions 1 to 1 are lost" in err[0]
    assert "positions 0 to 6, 1 of them lost to damage" in out.decode()


def test_the_workers_own_store_is_refused(typed, config, tmp_path, monkeypatch):
    own = config.parent / "r.duckdb"
    (tmp_path / "link.duckdb").symlink_to(own)
    monkeypatch.chdir(config.parent)
    for url in (f"duckdb:{own}", "duckdb:r.duckdb", f"duckdb:{tmp_path / 'link.duckdb'}"):
        status, out, err = typed("journal", "replay", "--into", url, "--config", config)
        assert (status, out) == (2, b"")
        assert err == [f"scenewatch: --into: {url} is the worker's own store; give another"]


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["--into", "nowhere"], 2, "--into: must be duckdb:PATH or influx+http://"),
        (["--limits", "/none.toml"], 2, "/none.toml: cannot be read"),
        (["--from", "7"], 1, "nothing is kept there: positions 0 to 6 are"),
        (["--from", "3", "--to", "3"], 1, "nothing is kept there"),
        (["--from", "2030-01-01"], 1, "nothing is kept there"),
    ],
)
def test_what_cannot_be_replayed_is_one_line(typed, config, arguments, status, told):
    found, out, err = typed("journal", "replay", "--config", config, *arguments)
    assert (found, out, len(err)) == (status, b"", 1)
    assert told in err[0]


def test_all_mistakes_of_the_limits_are_told(typed, config, tried):
    tried.write_text('[limits."brine.vat_hot"]\nlimt = 1\nlimit = 999\n[limits."moon.cold"]\nlimit = 1\n')
    status, _, err = typed("journal", "replay", "--limits", tried, "--config", config)
    assert (status, len(err)) == (2, 3)
    tried.write_text("[journal]\n")
    status, _, err = typed("journal", "replay", "--limits", tried, "--config", config)
    assert (status, err) == (2, [f'scenewatch: {tried}: holds no limits: [limits."<scene>.<rule>"]'])
