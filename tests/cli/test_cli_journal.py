"""`journal`: what a running worker received, seen from beside it."""

from __future__ import annotations

import json
import shutil

import pytest

from records import START_MS, topic

VAT = topic("vat-1").decode()
SENT = 6
"""Messages; the inventory's record comes before them."""


@pytest.fixture
def exported(typed, config, tmp_path):
    def run(*arguments):
        out = tmp_path / "out.jsonl"
        status, said, err = typed("journal", "export", *arguments, "--out", out, "--config", config)
        assert (status, err) == (0, [])
        lines = [json.loads(line) for line in out.read_bytes().splitlines()]
        assert said.decode() == f"{len(lines)} messages written to {out}\n"
        assert list(tmp_path.iterdir()) == [out]
        return lines

    return run


@pytest.fixture
def damaged(config, tmp_path):
    """A copy whose first message cannot be read."""
    copy = tmp_path / "copy"
    shutil.copytree(config.parent / "journal", copy / "journal")
    (copy / "scenewatch.toml").write_text('[journal]\npath = "journal"\n', "utf-8")
    (segment,) = (copy / "journal").glob("*.segment")
    data = bytearray(segment.read_bytes())
    data[data.index(VAT.encode())] ^= 0xFF
    segment.write_bytes(data)
    return copy / "scenewatch.toml"


def test_segments_are_listed(typed, rig, config):
    status, out, err = typed("journal", "list", "--config", config)
    assert (status, err) == (0, [])
    head, row = (line.split() for line in out.decode().splitlines())
    assert head == ["first", "end", "records", "bytes", "from", "to", "damage"]
    (segment,) = rig.settings.journal.path.glob("*.segment")
    newest = "2027-01-15T08:00:05.000Z"
    assert row == ["0", "7", "5", str(segment.stat().st_size), "2027-01-15T08:00:00.000Z", newest]


def test_segments_as_json(typed, rig, config):
    status, out, _ = typed("journal", "list", "--config", config, "--json")
    (segment,) = json.loads(out)["segments"]
    assert status == 0
    assert (segment["first"], segment["end"], segment["damage"]) == (0, rig.worker.journal.head, [])
    assert (segment["oldest_at"], segment["newest_at"]) == (START_MS, START_MS + 5000)


def test_a_message_is_shown_as_it_is(typed, config):
    status, out, err = typed("journal", "show", 6, "--config", config)
    assert (status, out) == (0, b"\xff\n\x00")
    assert err == [
        "position: 6",
        "received: 2027-01-15T08:00:05.000Z",
        "kind: messages",
        f"topic: {VAT}",
        "bytes: 3",
    ]


def test_a_message_as_json(typed, config):
    found = json.loads(typed("journal", "show", 4, "--config", config, "--json")[1])
    assert found == {
        "position": 4,
        "received_at": START_MS + 5000,
        "topic": VAT,
        "payload": "{",
        "kind": "messages",
    }


def test_a_record_of_the_journals_own_says_so(typed, config):
    status, out, err = typed("journal", "show", 0, "--config", config)
    assert status == 0
    assert b"vat-1" in out
    assert "kind: inventory" in err


def test_a_position_that_is_not_there_is_one_line(typed, rig, config):
    status, out, err = typed("journal", "show", 7, "--config", config)
    assert (status, out) == (1, b"")
    assert err == [f"scenewatch: {rig.settings.journal.path}: position 7 is not there"]


def test_all_messages_are_exported(exported):
    lines = exported()
    assert [line["position"] for line in lines] == list(range(1, 1 + SENT))
    assert lines[0] | {"payload": ""} == {
        "position": 1,
        "received_at": START_MS,
        "topic": VAT,
        "payload": "",
    }
    assert json.loads(lines[0]["payload"])["v"] == {"temp": 20}
    assert lines[-1]["payload_base64"] == "/woA"


@pytest.mark.parametrize(
    ("bounds", "positions"),
    [
        (["--from", "3"], [3, 4, 5, 6]),
        (["--to", "3"], [1, 2]),
        (["--from", "2", "--to", "4"], [2, 3]),
        (["--from", "2027-01-15T08:00:01Z"], [2, 3, 4, 5, 6]),
        (["--from", "2027-01-15T08:00:01", "--to", "2027-01-15T16:00:02+08:00"], [2]),
        (["--from", "2", "--to", "2027-01-15T08:00:02Z"], [2]),
        (["--from", "2028-01-01"], []),
    ],
)
def test_a_part_is_exported_by_position_and_time(exported, bounds, positions):
    assert [line["position"] for line in exported(*bounds)] == positions


def test_without_a_file_lines_alone_are_on_standard_output(typed, config):
    status, out, err = typed("journal", "export", "--from", 5, "--config", config)
    assert (status, err) == (0, [])
    assert [json.loads(line)["position"] for line in out.splitlines()] == [5, 6]


def test_damage_is_found_told_and_passed_over(typed, damaged, tmp_path):
    out = tmp_path / "out.jsonl"
    status, _, err = typed("journal", "export", "--out", out, "--config", damaged)
    assert (status, len(err)) == (1, 1)
    assert "positions 1 to 1 are lost" in err[0]
    assert [json.loads(line)["position"] for line in out.read_bytes().splitlines()] == [2, 3, 4, 5, 6]
    status, said, _ = typed("journal", "list", "--config", damaged)
    assert status == 1
    assert "1 to 1 lost at byte" in said.decode()
    status, said, err = typed("journal", "show", 1, "--config", damaged)
    assert (status, said, len(err)) == (1, b"", 1)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--from", "yesterday"], "'yesterday' is neither a position nor a time such as"),
        (["--from", "٣"], "is neither a position"),
        (["--to", "9" * 19], "is not a whole number from 0 to"),
        (["--from", "5", "--to", "5"], "--to: is not behind --from"),
        (["--from", "2027-01-15", "--to", "2026-01-15"], "--to: is not behind --from"),
        (["--out", "/dev/null"], "--out: /dev/null is there and no file"),
    ],
)
def test_what_cannot_be_exported_is_one_line(typed, config, arguments, told):
    status, out, err = typed("journal", "export", "--config", config, *arguments)
    assert (status, out, len(err)) == (2, b"", 1)
    assert told in err[0]


def test_an_export_that_fails_leaves_what_was_there(typed, config, tmp_path, monkeypatch):
    out = tmp_path / "out.jsonl"
    out.write_text("earlier")
    monkeypatch.setattr("scenewatch.cli.show.message", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        typed("journal", "export", "--out", out, "--config", config)
    assert out.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [out]


def test_where_no_worker_has_run_nothing_is_made(typed, tmp_path):
    config = tmp_path / "scenewatch.toml"
    config.write_text("", "utf-8")
    status, _, err = typed("journal", "list", "--config", config)
    assert (status, len(err)) == (1, 1)
    assert "there is no journal" in err[0]
    assert list(tmp_path.iterdir()) == [config]
