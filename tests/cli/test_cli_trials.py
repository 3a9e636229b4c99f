"""`rules try` and `rules suggest`, as they are typed: on files, and on simulated sites."""

from __future__ import annotations

import json
import random
import tomllib
from dataclasses import replace

import pytest

from scenewatch import scenes
from scenewatch.alarms.overrides import in_force
from scenewatch.model.ruleversion import version_of
from scenewatch.scenes.kitchen import KITCHEN

EVERY_MS, BEGIN_MS = 60_000, 1_779_033_600_000
WARM = "kitchen.fridge_warm"
ROOM_WARM = "kitchen.cold_dish_room_warm"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two days of a fridge that is warm for 20 and for 50 minutes, with limits of several kinds."""
    made, chance = tmp_path_factory.mktemp("trials"), random.Random(3)
    lines = ["time,device,channel,value"]
    for minute in range(2 * 1440):
        warm = 6.0 if 500 < minute <= 520 or 2000 < minute <= 2050 else 0.0
        lines.append(f"{BEGIN_MS + minute * EVERY_MS},f1,air_temp,{4 + warm + chance.gauss(0, 0.2):.2f}")
    (made / "fridge.csv").write_text("\n".join(lines) + "\n")
    (made / "map.toml").write_text('[devices.f1]\ntype = "fridge"\n')
    (made / "soon.toml").write_text(f'[limits."{WARM}"]\non_delay_s = 600\n')
    (made / "late.toml").write_text(f'[limits."{WARM}"]\non_delay_s = 7200\n')
    (made / "same.toml").write_text(f'[limits."{WARM}"]\nlimit = 8\n[limits."elsewhere.x"]\nlimit = 3\n')
    (made / "wrong.toml").write_text(f'[limits."{WARM}"]\nlimit = 99\n')
    (made / "none.toml").write_text("[http]\nport = 1\n")
    return made


@pytest.fixture
def on_file(typed, folder):
    def run(command, *options):
        data = "--data", folder / "fridge.csv", "--map", folder / "map.toml"
        return typed("rules", command, "kitchen", *data, *options)

    return run


def lines_of(out):
    """By their first words the lines of what was printed."""
    return {line.split("  ")[0].strip(): line.split() for line in out.decode().splitlines() if line.strip()}


def test_what_changes_on_recorded_data_is_told(on_file, folder):
    page = folder / "change.html"
    status, out, err = on_file("try", "--limits", folder / "soon.toml", "--html", page)
    assert (status, [line for line in err if "interval" not in line and "rules on events" not in line]) == (0, [])
    lines = lines_of(out)
    assert "alarms: 1 new, 0 gone, 1 the same; faults: 0 found only after, 0 only before" in lines
    assert lines["alarms"][-2:] == ["1", "2"]
    numbers = tomllib.loads((folder / "soon.toml").read_text())["limits"]
    versions = [version_of(KITCHEN, in_force([KITCHEN], limits)[WARM]) for limits in ({}, numbers)]
    assert lines["fridge_warm"] == ["fridge_warm", *versions, "1", "2", "1", "1", "0"]
    assert "faults found" not in lines
    html = page.read_text("utf-8")
    assert all(version in html for version in versions)
    assert "10 分钟" in html


def test_one_file_is_compared_with_another(on_file, folder):
    options = "--limits", folder / "late.toml", "--against", folder / "soon.toml", "--json"
    status, out, _ = on_file("try", *options)
    told = json.loads(out)
    assert (status, len(told["before"]["alarms"]), len(told["after"]["alarms"])) == (0, 2, 0)
    assert (told["change"]["new"], told["change"]["gone"]) == ([], [0, 1])


def test_the_same_simulated_faults_are_found_by_both(typed, folder):
    limits = folder / "slow.toml"
    limits.write_text(f'[limits."{ROOM_WARM}"]\non_delay_s = 86400\n')
    options = "--sites", 1, "--days", 1, "--seed", 5, "--rate", 40, "--json"
    status, out, _ = typed("rules", "try", "kitchen", "--limits", limits, *options)
    told = json.loads(out)
    assert status == 0
    assert told["before"]["seed"] == told["after"]["seed"] == 5
    keys = [[(f["kind"], f["device"], f["from"]) for f in told[when]["faults"]] for when in ("before", "after")]
    assert keys[0] == keys[1] != []
    assert {told["before"]["alarms"][n]["rule"] for n in told["change"]["gone"]} == {"cold_dish_room_warm"}
    changed = [r["rule"] for r in told["change"]["rules"] if r["version_before"] != r["version_after"]]
    assert (changed, told["change"]["new"]) == (["cold_dish_room_warm"], [])


@pytest.mark.parametrize(
    ("limits", "against", "told"),
    [
        ("same", None, ['same.toml: limits."elsewhere.x": there is no such rule']),
        ("wrong", "none", ["none.toml: holds no limits", f'wrong.toml: limits."{WARM}".limit: 99 is outside']),
        ("soon", "soon", ["soon.toml: gives the numbers of", "nothing would change"]),
    ],
)
def test_limits_that_cannot_be_tried_are_all_named_with_their_file(on_file, folder, limits, against, told):
    options = [] if against is None else ["--against", folder / f"{against}.toml"]
    status, out, err = on_file("try", "--limits", folder / f"{limits}.toml", *options)
    assert (status, out) == (2, b"")
    assert [what for what in told if what not in "\n".join(err)] == []


def test_limits_of_another_scene_in_the_same_file_do_not_matter(on_file, folder, monkeypatch):
    monkeypatch.setattr(scenes, "all_scenes", lambda: (KITCHEN, replace(KITCHEN, key="elsewhere")))
    status, _, err = on_file("try", "--limits", folder / "same.toml")
    assert status == 2
    assert "gives the numbers of the tables: nothing would change" in err[-1]


def test_suggested_limits_can_be_tried_at_once(on_file, folder):
    suggested = folder / "suggested.toml"
    assert on_file("suggest", "--rate", 20, "--out", suggested)[:2] == (0, b"")
    text = suggested.read_text("utf-8")
    assert on_file("suggest", "--rate", 20)[1].decode() == text
    assert "in force" in text
    assert "# kitchen.door_ajar: is about a state" in text
    status, out, err = on_file("try", "--limits", suggested)
    assert status == 0, err
    told = json.loads(on_file("suggest", "--rate", 20, "--json")[1])
    warm = next(one for one in told["rules"] if one["rule"] == WARM)
    assert lines_of(out)["fridge_warm"][4] == str(warm["tried"][warm["suggested"]]["raised"])


def test_suggestions_go_from_the_numbers_in_force(on_file, folder):
    told = json.loads(on_file("suggest", "--limits", folder / "soon.toml", "--json")[1])
    warm = next(one for one in told["rules"] if one["rule"] == WARM)
    in_force = warm["tried"][warm["in_force"]]
    assert (in_force["numbers"], in_force["raised"]) == ({"limit": 8.0}, 2)
    status, _, err = on_file("suggest", "--limits", folder / "wrong.toml")
    assert status == 2
    assert "wrong.toml" in err[-1]
