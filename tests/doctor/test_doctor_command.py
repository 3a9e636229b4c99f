"""The command as it is typed: everything at once, in its time, and no secret in what it says."""

from __future__ import annotations

import json
import threading

import pytest
from authority import PASSWORD

from ports import free_port
from scenewatch import cli
from scenewatch.doctor.examination import CHECKS, examine, worst
from scenewatch.doctor.findings import Verdict, ok, warning
from scenewatch.model.errors import TemporaryError


@pytest.fixture
def typed(capfd):
    def run(*arguments):
        try:
            status = cli.main([str(one) for one in ("doctor", *arguments)])
        except SystemExit as end:
            status = end.code
        said = capfd.readouterr()
        return status, said.out, said.err

    return run


def test_everything_is_told_at_once(typed, write_settings):
    config = write_settings(free_port(), others=f"[http]\nport = {free_port()}")
    status, out, _ = typed("--config", config, "--dashboards", config.parent)
    assert status == 1
    lines = out.splitlines()
    for part in ("broker", "database", "dashboards"):
        [at] = [n for n, line in enumerate(lines) if line.startswith(f"failed   {part} ")]
        assert lines[at + 1].strip().startswith("-> ")
    assert any(line.startswith("warning  worker") for line in lines)
    assert any(line.startswith("ok       certificates  broker.ca_file") for line in lines)
    assert (
        lines[-1]
        == f"{out.count(chr(10) + 'failed ') + out.startswith('failed ')} failed, {_ok(lines)} ok, 2 warning"
    )
    assert PASSWORD not in out


def _ok(lines):
    return sum(line.startswith("ok ") for line in lines)


def test_as_json(typed, write_settings, tmp_path):
    config = write_settings(free_port(), others=f"[http]\nport = {free_port()}")
    status, out, _ = typed("--config", config, "--json", tmp_path / "found.json")
    assert (status, out) == (1, "")
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["worst"] == "failed"
    [broker] = [one for one in found["findings"] if one["part"] == "broker"]
    assert broker["verdict"] == "failed"
    assert broker["mend"] == "check broker.url, and whether the broker runs"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[broker]\nurl = 5\nhots = 'x'\n", "broker.hots: is no setting"),
        ("[broker\n", "is not TOML"),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_settings_that_are_none_are_misuse(typed, tmp_path, text, line):
    config = tmp_path / "s.toml"
    if text is not None:
        config.write_text(text)
    status, out, err = typed("--config", config)
    assert (status, out) == (2, "")
    assert line in err


# --- how checks are run ------------------------------------------------------------------------------------


def test_one_check_that_hangs_is_given_up_with_what_it_found_and_the_others_are_told(examined):
    release = threading.Event()

    def hangs(_):
        yield ok("the first half")
        release.wait(30)
        yield ok("never told")

    def breaks(_):
        yield warning("something", "do something")
        raise TemporaryError("away")

    def surprises(_):
        yield from ()
        raise ZeroDivisionError("division")

    seen = []
    checks = {"a": hangs, "b": breaks, "c": surprises, "d": lambda _: iter([ok("well")])}
    told = examine(examined(), lambda done, of: seen.append((done, of)), checks, limit_s=1)
    release.set()
    assert [(one.part, one.finding.verdict, one.finding.what) for one in told] == [
        ("a", "ok", "the first half"),
        ("a", "failed", "no answer within 1 s"),
        ("b", "warning", "something"),
        ("b", "failed", "away"),
        ("c", "failed", "cannot be examined (ZeroDivisionError: division)"),
        ("d", "ok", "well"),
    ]
    assert worst(told) is Verdict.FAILED
    assert seen[-1] == (4, 4)


def test_nothing_found_is_well(examined):
    told = examine(examined(), checks={"a": lambda _: iter([ok("well")])})
    assert worst(told) is Verdict.OK


def test_every_check_is_run_beside_nothing_and_ends(examined):
    told = examine(examined(free_port(), others=f"[http]\nport = {free_port()}"))
    assert {one.part for one in told} == set(CHECKS) - {"influxdb", "grafana", "dashboards"}
    assert not [one for one in told if "cannot be examined" in one.finding.what]
