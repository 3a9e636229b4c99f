"""Files as people save them: each folder of tests/cases/recorded has files, maybe a map, and what comes of them.

expected.json has the readings (device, channel, time, value) and notes, or the mistakes. A case without a map knows
one channel, temp in °C.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from scenewatch.model.errors import ConfigurationError
from scenewatch.recorded.mapping import Mapping, load_map
from scenewatch.recorded.reading import Reader
from scenewatch.recorded.units import Known, known_channels

FOLDER = Path(__file__).parents[1] / "cases" / "recorded"
CASES = sorted(path.name for path in FOLDER.iterdir())
FILES = (".csv", ".parquet")


def outcome(folder):
    """As expected.json has it; places are told without the folder."""
    paths = sorted(path for path in folder.iterdir() if path.suffix in FILES)
    zone = (folder / "zone.txt").read_text("utf-8") if (folder / "zone.txt").exists() else ""
    try:
        mapping = load_map(folder / "map.toml") if (folder / "map.toml").exists() else Mapping()
        known = (
            known_channels(None, mapping, "map.toml") if mapping.channel else {"temp": Known("temp", "°C", "°C")}
        )
        recorded = Reader(mapping, known, zone).read(paths)
    except ConfigurationError as error:
        return {"mistakes": [str(m).replace(f"{folder}/", "") for m in error.mistakes]}
    times = np.datetime_as_string(recorded.t_ms.astype("datetime64[ms]"), unit="m", timezone="UTC").tolist()
    rows = zip(recorded.device.tolist(), recorded.channel.tolist(), times, recorded.value.tolist(), strict=True)
    return {
        "readings": [[recorded.devices[d], recorded.channels[c], t, round(v, 6)] for d, c, t, v in rows],
        "notes": [note.en.replace(f"{folder}/", "") for note in recorded.notes],
    }


@pytest.mark.parametrize("case", CASES)
def test_a_case_comes_to_what_is_expected(case):
    folder = FOLDER / case
    assert outcome(folder) == json.loads((folder / "expected.json").read_text("utf-8"))


def test_every_note_is_told_in_both_languages():
    folder = FOLDER / "two_readings_at_one_time"
    recorded = Reader(load_map(folder / "map.toml"), {"T": Known("temp", "°C", "°C")}).read([folder / "data.csv"])
    assert [note.zh.replace(f"{folder}/", "") for note in recorded.notes] == [
        "data.csv: 完全相同的重复读数，已略去: 1 (line 6)",
        "data.csv: 与先出现的读数同一时刻而数值不同的读数，已略去，以先出现者为准: 1 (line 4)",
    ]
