"""`backtest` on the command line: a table or JSON, what was left out on standard error, and one page."""

from __future__ import annotations

import json

import pytest

from scenewatch import cli

MAP = """\
[time]
column = "time"
[device]
id = "pump"
[[channel]]
key = "level"
column = "Level"
quantity = "length"
unit = "m"
possible = [0, 10]
[[rule]]
key = "high"
kind = "above"
on = "level"
limit = 5.0
on_delay = "20 min"
"""


@pytest.fixture
def files(tmp_path):
    """An hour and a half each ten minutes, high from the fourth reading on; a second reading at the first time."""
    levels = [1, 1, 1, 7, 7, 7, 7, 1, 1]
    rows = [f"2024-05-01 {n // 6:02}:{n % 6}0,{level}" for n, level in enumerate(levels)]
    data, said = tmp_path / "level.csv", tmp_path / "map.toml"
    data.write_text("\n".join(["time,Level", *rows, "2024-05-01 00:00,9"]) + "\n", "utf-8")
    said.write_text(MAP, "utf-8")
    return data, said


def run(capsys, *arguments):
    status = cli.main(["backtest", *map(str, arguments)])
    said = capsys.readouterr()
    return status, said.out, said.err


def test_rules_and_notes_are_told(capsys, files):
    data, said = files
    status, out, err = run(capsys, "generic", "--data", data, "--map", said)
    assert status == 0
    assert "1 devices, 9 readings from 2024-05-01T00:00:00.000Z" in out
    assert [line.split()[:3] for line in out.splitlines() if line.startswith("high")] == [["high", "medium", "1"]]
    assert f"{data}: times without an offset were taken for UTC: say zone in the map, or --zone" in err
    assert "left out: the first one counts: 1 (line 11)" in err


def test_a_report_is_written_as_json_and_as_a_page(capsys, files, tmp_path):
    data, said = files
    page, windows = tmp_path / "report.html", tmp_path / "windows.csv"
    windows.write_text("device,from,to\npump,2024-05-01 00:30,2024-05-01 01:00\n", "utf-8")
    options = ("--map", said, "--zone", "+08:00", "--windows", windows, "--html", page, "--json")
    status, out, _ = run(capsys, "generic", "--data", data, *options)
    report = json.loads(out)
    assert (status, report["what"], report["files"]) == (0, "backtest", [str(data)])
    assert [(a["rule"], a["fault"]) for a in report["alarms"]] == [("high", 0)]
    assert [(s["windows"], s["found"]) for s in report["series"]] == [(1, 1)]
    assert "generic.recorded.pump" in page.read_text("utf-8")
    out = run(capsys, "generic", "--data", data, "--map", said, "--zone", "+08:00", "--windows", windows)[1]
    assert "generic.recorded.pump  1/1" in out


def test_limits_and_a_part_of_the_time_are_tried(capsys, files, tmp_path):
    data, said = files
    limits = tmp_path / "limits.toml"
    limits.write_text('[limits."generic.high"]\nlimit = 8.0\n', "utf-8")
    report = json.loads(run(capsys, "generic", "--data", data, "--map", said, "--limits", limits, "--json")[1])
    assert report["alarms"] == []
    bounds = ("--from", "2024-05-01T00:30Z", "--to", "2024-05-01T01:00Z")
    report = json.loads(run(capsys, "generic", "--data", data, "--map", said, *bounds, "--json")[1])
    assert (report["readings"], len(report["alarms"])) == (3, 1)


def test_what_is_wrong_is_told_and_the_user_was_at_fault(capsys, files, tmp_path):
    data, said = files
    status, out, err = run(capsys, "generic", "--data", data, tmp_path / "away.csv", "--map", said)
    assert (status, out) == (2, "")
    assert "away.csv: cannot be read" in err
    assert run(capsys, "generic", "--data", data)[0] == 2
    assert run(capsys, "nothing", "--data", data)[0] == 2
