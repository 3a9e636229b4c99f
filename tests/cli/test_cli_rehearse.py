"""`rehearse` on the command line: what it tells, writes and refuses."""

import json

import pytest

from scenewatch import cli
from scenewatch.scenes import SCENES

SCENE = SCENES[0]
START = "2026-05-22T00:00+08:00"
BRIEF = ("rehearse", SCENE.key, "--days", "1", "--sites", "1", "--start", START, "--seed", "5")


def run(capsys, *arguments):
    status = cli.main([str(a) for a in arguments])
    said = capsys.readouterr()
    return status, said.out, said.err


@pytest.fixture
def plan(tmp_path):
    """A door that stands open, on the first device that can have one."""
    path = tmp_path / "faults.json"
    fault = {"fault": "door_ajar", "device": "kitchen.s001.s001-fridge-1"}
    at_ms = 1_779_390_000_000
    path.write_text(json.dumps([fault | {"from_ms": at_ms, "to_ms": at_ms + 3_600_000}]), "utf-8")
    return path


def test_it_tells_the_figures_and_writes_page_and_json(capsys, tmp_path, plan):
    page, told = tmp_path / "page.html", tmp_path / "report.json"
    status, out, err = run(capsys, *BRIEF, "--faults", plan, "--html", page)
    assert (status, err) == (0, "")
    assert "1 sites" in out
    assert "found      1 of 1 faults, 100.0 %" in out
    assert "door_ajar" in out
    assert "plain" in out
    assert "Door left open" in page.read_text("utf-8")
    assert run(capsys, *BRIEF, "--faults", plan, "--no-plain", "--json", told) == (0, "", "")
    report = json.loads(told.read_text("utf-8"))
    assert report["plain"] is None
    assert [(f["kind"], f["detected"]) for f in report["faults"]] == [("door_ajar", True)]


def test_without_faults_there_is_nothing_to_find(capsys):
    status, out, _ = run(capsys, *BRIEF, "--faults", "none")
    assert status == 0
    assert "found      0 of 0 faults, –" in out
    assert "chance" not in out


def test_all_that_is_wrong_with_limits_is_told_at_once(capsys, tmp_path):
    limits = tmp_path / "tried.toml"
    rule = f'[limits."{SCENE.key}.door_ajar"]'
    limits.write_text(f'{rule}\nlimt = 1\non_delay_s = "an hour"\n[limits."{SCENE.key}.x"]\nlimit = 1\n', "utf-8")
    status, _, err = run(capsys, *BRIEF, "--limits", limits)
    told = err.splitlines()
    assert (status, len(told)) == (2, 3)
    assert all(line.startswith(f"scenewatch: {limits}: limits.") for line in told)
    assert "on_delay_s: must be a number, not 'an hour'" in told[1]
    for text, what in (("limits = 1\n", "limits: must be tables"), ("[limits]\nx = 1\n", 'limits."x": must be')):
        limits.write_text(text, "utf-8")
        assert what in run(capsys, *BRIEF, "--limits", limits)[2]


def test_limits_to_try_are_read_and_checked(capsys, tmp_path, plan):
    limits = tmp_path / "tried.toml"
    limits.write_text('[limits."kitchen.door_ajar"]\non_delay_s = 7200.0\n', "utf-8")
    status, out, _ = run(capsys, *BRIEF, "--faults", plan, "--limits", limits)
    assert status == 0
    assert "found      0 of 1" in out
    limits.write_text('[limits."kitchen.door"]\nlimit = 1.0\n', "utf-8")
    status, _, err = run(capsys, *BRIEF, "--limits", limits)
    assert status == 2
    assert "kitchen.door" in err


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["rehearse", "moon"], "no scene 'moon'"),
        ([*BRIEF, "--faults", "/none.json"], "/none.json: cannot be read"),
        ([*BRIEF, "--limits", "/none.toml"], "/none.toml: cannot be read"),
    ],
)
def test_what_cannot_be_rehearsed_is_one_clear_line(capsys, arguments, what):
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert what in err


@pytest.mark.parametrize("wrong", [["--days", "0"], ["--rate", "-1"], ["--sites", "x"], ["--start", "soon"]])
def test_numbers_that_make_no_sense_are_refused(capsys, wrong):
    with pytest.raises(SystemExit) as end:
        cli.main([*BRIEF, *wrong])
    assert end.value.code == 2
    assert wrong[0] in capsys.readouterr().err
