"""InfluxDB's answers become the frames that Grafana makes of them."""

from __future__ import annotations

import pytest
from grafana_expand import Asked
from grafana_frames import frames, rows

ANSWER = {
    "series": [
        {
            "name": "fridge",
            "tags": {"site": "a", "device": "f"},
            "columns": ["time", "max"],
            "values": [[1, 9], [2, None]],
        },
        {"name": "fridge", "tags": {"site": "b", "device": "g"}, "columns": ["time", "max"], "values": [[1, 7.5]]},
    ]
}


def made(answer=ANSWER, **asked):
    return frames(Asked(dashboard="d", place="p", ref_id="A", **asked), answer)


@pytest.mark.parametrize(
    ("alias", "names"),
    [
        ("", ["fridge.max { device: f, site: a }", "fridge.max { device: g, site: b }"]),
        ("$tag_device", ["f", "g"]),
        ("$m [[tag_site]] $col $tag_none", ["fridge a max $tag_none", "fridge b max $tag_none"]),
        ("最高", ["最高", "最高"]),
    ],
)
def test_each_series_is_a_frame_with_its_name_and_labels(alias, names):
    found = made(alias=alias)
    values = [frame["fields"][1] for frame in found]
    assert [one["config"]["displayNameFromDS"] for one in values] == names
    assert [one["values"] for one in values] == [[9, None], [7.5]]
    assert values[0]["labels"] == {"site": "a", "device": "f"}


def test_a_table_has_tags_and_values_side_by_side():
    [table] = made(table=True)
    columns = {column["name"]: column["values"] for column in table["fields"]}
    assert columns == {"Time": [1, 2, 1], "max": [9, None, 7.5], "site": ["a", "a", "b"], "device": ["f", "f", "g"]}
    assert {column["name"]: column["type"] for column in table["fields"]}["site"] == "string"


def test_what_has_only_times_has_no_points():
    assert rows(made()) == 2
    assert rows(made({"series": [ANSWER["series"][0] | {"values": [[1, None]]}]})) == 0
    assert rows(made({}, table=True)) == 0


def test_a_refusal_is_told_in_the_servers_words():
    with pytest.raises(ValueError, match="no such"):
        made({"error": "no such thing"})
