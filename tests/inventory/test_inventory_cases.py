"""Inventory files as people have them: each is read whole, or not at all with every mistake and its line.

`expected.json` has of each file its devices, the encoding it was taken for, warnings, and mistakes.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from inventory_scenes import SCENES

from scenewatch.inventory import textfile
from scenewatch.inventory.files import read_devices
from scenewatch.model.errors import ConfigurationError

FOLDER = Path(__file__).parents[1] / "cases" / "inventory"
EXPECTED = json.loads((FOLDER / "expected.json").read_text("utf-8"))


def told(path):
    try:
        found = read_devices(path, SCENES)
    except ConfigurationError as error:
        return {"mistakes": [str(m).removeprefix(f"{path}").removeprefix(", ") for m in error.mistakes]}
    warnings = [w.removeprefix(f"{path}, ") for w in found.warnings]
    ids = [d.id for d in found.devices]
    return {"devices": ids, "encoding": found.encoding} | ({"warnings": warnings} if warnings else {})


def test_every_file_is_expected_and_there():
    assert {path.name for path in FOLDER.iterdir()} == {*EXPECTED, "expected.json"}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_file_gives_its_devices_or_all_its_mistakes(name):
    assert told(FOLDER / name) == EXPECTED[name]


@pytest.mark.parametrize("name", [name for name in EXPECTED if "utf16" in name or name == "gb18030.csv"])
def test_in_every_encoding_the_names_are_the_same(name):
    if "mistakes" not in EXPECTED[name]:
        plain = read_devices(FOLDER / "plain.csv", SCENES).devices
        assert read_devices(FOLDER / name, SCENES).devices == plain
        assert plain[1].name.zh == "一号冷库"


def test_what_was_made_harmless_for_spreadsheets_is_as_it_was():
    a, b = read_devices(FOLDER / "formulas.csv", SCENES).devices
    assert (a.name.en, a.name.zh, b.site) == ("=HYPERLINK(1)", "''@x", "-1")
    assert (b.name.en, b.name.zh) == ("O'Neill", "'s")


def test_a_file_that_is_no_inventory_by_its_size_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(textfile, "MOST_BYTES", 1024**2)
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.truncate(1024**2 + 1)
    with pytest.raises(ConfigurationError, match="is larger than 1 MiB: import it in parts"):
        read_devices(path, SCENES)
