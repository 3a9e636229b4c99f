"""Labelled windows come from JSON or CSV, in the zone of the data; all that is wrong with them is told at once."""

from __future__ import annotations

import json

import pytest

from scenewatch.model.errors import ConfigurationError
from scenewatch.recorded.windows import Window, load_windows

DAY = 86_400_000
MAY_1 = 1_714_521_600_000


def written(folder, text):
    path = folder / "windows"
    path.write_text(text, "utf-8")
    return path


def test_json_calls_series_by_their_files_and_others_are_left_alone(tmp_path):
    body = {
        "known/d1.csv": [["2024-05-02 00:00:00.000000", "2024-05-03"], ["2024-05-01T00:00Z", "2024-05-01T12:00Z"]],
        "known/other.csv": [["2024-05-02", "2024-05-03"]],
    }
    assert load_windows(written(tmp_path, json.dumps(body)), ["d1", "d2"]) == [
        Window(device="d1", from_ms=MAY_1, to_ms=MAY_1 + DAY // 2),
        Window(device="d1", from_ms=MAY_1 + DAY, to_ms=MAY_1 + 2 * DAY),
    ]


def test_csv_may_say_a_kind_and_times_are_of_the_zone(tmp_path):
    text = "Device,From,To,Kind\nd1,2024-05-01 08:00,2024-05-02 08:00,leak\nd2,2024-05-01,2024-05-02,\n"
    found = load_windows(written(tmp_path, text), ["d1", "d2"], "Asia/Shanghai")
    assert [(w.device, w.from_ms - MAY_1, w.kind) for w in found] == [
        ("d2", -DAY // 3, "window"),
        ("d1", 0, "leak"),
    ]


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        (
            "device,from,to\nd1,soon,2024-05-02\nd1,2024-05-03,2024-05-02\nd1,2024-05-01,2024-05-02\n",
            [
                ", line 2: 'soon' to '2024-05-02' are not two times such as 2024-01-05 08:30",
                ", line 3: ends at 2024-05-02, not behind its begin at 2024-05-03",
            ],
        ),
        ("device,from,to\nd9,2024-05-01,2024-05-02\n", [": has no window of d1"]),
        ("device,begin\nd1,2024-05-01\n", [": has no column from, to: it needs device, from, to"]),
        ("", [": has no column device, from, to: it needs device, from, to"]),
        ('{"d1": [', [", line 1: is not JSON: Expecting value"]),
        (
            '{"d1": [["2024-05-01"], 5, ["2024-05-01", "2024-05-02"]]}',
            [": d1[0]: must be two times: [from, to]", ": d1[1]: must be two times: [from, to]"],
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path, text, mistakes):
    path = written(tmp_path, text)
    with pytest.raises(ConfigurationError) as raised:
        load_windows(path, ["d1"])
    assert [str(m).removeprefix(str(path)) for m in raised.value.mistakes] == mistakes


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match=r"away: cannot be read"):
        load_windows(tmp_path / "away", ["d1"])
