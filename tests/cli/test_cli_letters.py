"""`dead-letters`: from the database of a worker that runs, whole, and harmless to a terminal."""

from __future__ import annotations

import base64
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

import scenewatch
from records import START_MS

RECEIVED = "2027-01-15T08:00:05.000Z"


@pytest.fixture
def listed(typed, config):
    status, out, err = typed("dead-letters", "list", "--config", config, "--json")
    assert (status, err) == (0, [])
    return json.loads(out)["dead_letters"]


def test_the_newest_come_first_with_time_topic_and_reason(typed, config, listed):
    status, out, err = typed("dead-letters", "list", "--config", config)
    lines = out.decode().splitlines()
    assert (status, err) == (0, [])
    assert lines[0].split() == ["position", "received", "state", "topic", "reason"]
    assert [line.split()[0] for line in lines[1:]] == [str(d["position"]) for d in listed]
    assert [line.split()[1] for line in lines[1:]] == [RECEIVED] * 3
    assert [d["position"] for d in listed] == sorted((d["position"] for d in listed), reverse=True)


def test_what_a_device_sends_moves_no_cursor(typed, config):
    _, out, _ = typed("dead-letters", "list", "--config", config)
    assert b"\x1b" not in out
    assert rb"sw/brine/w1/vat\x1b[2J/telemetry" in out


def test_as_json_they_are_as_in_the_api(rig, listed):
    assert listed == rig.get("/api/v1/dead-letters")["dead_letters"]


def test_they_come_in_pages(typed, config, listed):
    newest = listed[0]["position"]
    _, first, _ = typed("dead-letters", "list", "--config", config, "--limit", 1)
    _, second, _ = typed("dead-letters", "list", "--config", config, "--limit", 1, "--before", newest)
    assert [page.decode().splitlines()[1].split()[0] for page in (first, second)] == [
        str(newest),
        str(listed[1]["position"]),
    ]


def test_a_page_that_is_empty_says_so(typed, config):
    assert typed("dead-letters", "list", "--config", config, "--before", 0) == (0, b"no dead letters\n", [])


def test_a_payload_is_shown_as_it_is(typed, config, listed):
    letter = listed[0]
    status, out, err = typed("dead-letters", "show", letter["position"], "--config", config)
    assert (status, out) == (0, b"\xff\n\x00")
    assert err == [
        f"position: {letter['position']}",
        f"received: {RECEIVED}",
        f"topic: {letter['topic']}",
        f"reason: {letter['reason']}",
        "state: dead",
        "bytes: 3",
    ]


def test_as_json_bytes_that_are_no_text_are_base64(typed, config, listed):
    binary, _, text = (
        json.loads(typed("dead-letters", "show", d["position"], "--config", config, "--json")[1]) for d in listed
    )
    assert base64.b64decode(binary["payload_base64"]) == b"\xff\n\x00"
    assert binary["received_at"] == START_MS + 5000
    assert text["payload"] == "{"
    assert text["reason"] == listed[2]["reason"]


def test_a_position_without_a_letter_is_one_line(typed, config):
    status, out, err = typed("dead-letters", "show", 0, "--config", config)
    assert (status, out, err) == (1, b"", ["scenewatch: no dead letter at position 0"])


def test_where_no_worker_has_run_nothing_is_made(typed, tmp_path):
    config = tmp_path / "scenewatch.toml"
    config.write_text('[database]\nurl = "sqlite:///rows.sqlite"\n', "utf-8")
    status, _, err = typed("dead-letters", "list", "--config", config)
    assert (status, len(err)) == (1, 1)
    assert "there is no database" in err[0]
    assert list(tmp_path.iterdir()) == [config]


def test_on_a_terminal_a_payload_moves_no_cursor(config, listed):
    """In a process of its own, so that its standard output is a terminal."""
    ours, its = pty.openpty()
    command = [sys.executable, "-m", "scenewatch", "dead-letters", "show", str(listed[0]["position"])]
    env = os.environ | {"PYTHONPATH": str(Path(scenewatch.__file__).parents[1])}
    done = subprocess.run([*command, "--config", config], stdout=its, stderr=subprocess.PIPE, env=env, check=True)
    os.close(its)
    assert os.read(ours, 1000) == b"\\xff\\n\\x00\r\n"
    os.close(ours)
    assert b"\x1b" not in done.stderr


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ([], 3),
        (["--reason", "NOT JSON"], 2),
        (["--reason", "not_json"], 0),
        (["--topic", "sw/+/w1/vat-1/telemetry"], 2),
        (["--topic", "sw/brine/#"], 3),
        (["--topic", "sw/brine/w1/vat-1"], 0),
        (["--topic", "sw/brine/w1/vat-1/telemetry/#"], 2),
        (["--site", "w1"], 3),
        (["--site", "brine.w1"], 3),
        (["--site", "w2"], 0),
        (["--reason", "not JSON", "--site", "w1", "--limit", "1"], 1),
        (["--state", "taken"], 0),
        (["--state", "all"], 3),
    ],
)
def test_they_are_chosen_by_reason_topic_and_site(typed, config, options, count):
    status, out, err = typed("dead-letters", "list", "--config", config, "--json", *options)
    assert (status, err, len(json.loads(out)["dead_letters"])) == (0, [], count)


@pytest.mark.parametrize("options", [[], ["--all", "--site", "w1"]])
def test_a_retry_without_saying_which_is_used_wrongly(typed, config, options):
    status, out, err = typed("dead-letters", "retry", "--config", config, *options)
    assert (status, out, len(err)) == (2, b"", 1)
    assert err[0].startswith("scenewatch: dead-letters retry: say which: --position, --reason")


def test_a_retry_of_nothing_says_so(typed, config):
    nothing = ("dead-letters", "retry", "--config", config, "--position", 0, "--position", 1)
    assert typed(*nothing) == (1, b"no dead letter fits\n", [])
    status, out, _ = typed(*nothing, "--json")
    assert (status, json.loads(out)) == (1, {"asked": 0})


def test_a_retry_where_no_worker_has_run_makes_nothing(typed, tmp_path):
    config = tmp_path / "scenewatch.toml"
    config.write_text('[database]\nurl = "sqlite:///rows.sqlite"\n', "utf-8")
    status, _, err = typed("dead-letters", "retry", "--all", "--config", config)
    assert (status, len(err)) == (1, 1)
    assert list(tmp_path.iterdir()) == [config]
