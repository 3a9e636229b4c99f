"""What is committed is what the tables give, and building again changes nothing."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from built import CONSOLE, FOLDER, WORLDS, built, odd_scene

from boards.influxql import UIDS
from boards.links import device_uid
from scenewatch.scenes import SCENES
from scenewatch.scenes.check import MOST_KEYS


def build(folder, *options):
    """The script in a process of its own; its status and what it says."""
    environment = os.environ | {"PYTHONPATH": str(FOLDER.parent / "ingest"), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, folder / "build.py", *options]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert bool(ended.stderr) == (ended.returncode == 2), ended.stderr
    return ended.returncode, ended.stdout.splitlines()


def contents(folder):
    kept = [*folder.glob("grafana/*"), *folder.glob("provisioning/*/*")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in kept}


@pytest.fixture
def copied(tmp_path):
    return Path(shutil.copytree(FOLDER, tmp_path / "dashboards", ignore=shutil.ignore_patterns("__pycache__")))


def test_what_is_committed_is_what_the_tables_give():
    assert build(FOLDER, "--check") == (0, []), "run: python dashboards/build.py"


def test_what_differs_is_said_and_then_made_right(copied):
    (copied / "grafana" / "sw-wall.json").unlink()
    (copied / "grafana" / "sw-site.json").write_text("{}", "utf-8")
    gone = ("sw-device-kitchen-gone", "sw-scene-gone")
    for uid in gone:
        (copied / "grafana" / f"{uid}.json").write_text("{}", "utf-8")
    differences = [
        *(f"grafana/{uid}.json is of nothing in the tables and goes" for uid in gone),
        "grafana/sw-site.json differs from the tables",
        "grafana/sw-wall.json is missing",
    ]
    assert build(copied, "--check") == (1, differences)
    assert build(copied) == (0, differences)
    assert contents(copied) == contents(FOLDER)
    assert build(copied) == (0, [])


def test_the_console_is_where_it_is_told_to_be(copied):
    build(copied, "--console-url", "https://console.example/")
    text = (copied / "grafana" / "sw-device-kitchen-fridge.json").read_text("utf-8")
    assert '"query": "https://console.example"' in text
    assert CONSOLE not in text


def test_operators_limits_are_drawn(copied, tmp_path):
    settings = tmp_path / "scenewatch.toml"
    settings.write_text('[limits."kitchen.fridge_warm"]\nlimit = 6.25\n', "utf-8")
    build(copied, "--limits", settings)
    for uid in ("sw-device-kitchen-fridge", "sw-site", "sw-scene-kitchen"):
        assert '"value": 6.25' in (copied / "grafana" / f"{uid}.json").read_text("utf-8")
    assert "> 6.25" in (copied / "grafana" / "sw-scene-kitchen.json").read_text("utf-8")


@pytest.mark.parametrize("text", ["", '[limits."kitchen.gone"]\nlimit = 6.0\n', "not TOML"])
def test_limits_that_cannot_be_drawn_change_nothing(copied, tmp_path, text):
    settings = tmp_path / "scenewatch.toml"
    settings.write_text(text, "utf-8")
    assert build(copied, "--limits", settings) == (2, [])
    assert contents(copied) == contents(FOLDER)


def imported(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom | ast.Import):
            yield getattr(node, "module", None) or node.names[0].name


@pytest.mark.parametrize("path", sorted(FOLDER.glob("boards/*.py")), ids=lambda path: path.name)
def test_the_makers_know_the_tables_and_nothing_that_runs(path):
    known = ("boards", "scenewatch.model.", *sys.stdlib_module_names)
    assert [name for name in imported(path) if not name.startswith(known)] == []


def test_a_scene_brings_its_own_dashboards_and_appears_on_the_shared_ones():
    ours, beside = built(*SCENES), built(*SCENES, odd_scene(types=2))
    key = odd_scene().key
    types = [f"sw-device-{key}-{kind}" for kind in ("kind_0", "kind_1", "lonely", "minded", "teller")]
    assert beside.keys() - ours.keys() == {f"sw-scene-{key}", *types}
    for uid in ("sw-site", "sw-quality"):
        assert "kind_0" in str(beside[uid])
        assert "kind_0" not in str(ours[uid])


def test_the_longest_keys_that_pass_the_check_have_room_in_an_address():
    """Cut it could not be: links put it together from the cells of a row."""
    scene = odd_scene()
    longest = max(scene.device_types, key=lambda t: len(t.key))
    assert len(scene.key + longest.key) == MOST_KEYS
    assert len(device_uid(scene.key, longest.key)) == 40


OF_KEYS = {"sw-scene-": "sw-scene-<scene>", "sw-device-": "sw-device-<scene>-<type>"}
"""How the page writes uids with keys in them, by how they begin."""


def test_every_dashboard_and_what_grafana_is_given_is_documented():
    page = (FOLDER.parent / "docs" / "grafana.md").read_text("utf-8")
    uids = [
        next((OF_KEYS[begin] for begin in OF_KEYS if uid.startswith(begin)), uid) for uid in WORLDS["committed"]
    ]
    names = ["SCENEWATCH_INFLUX_URL", "SCENEWATCH_BUCKET", "/run/tokens/grafana.token"]
    assert [name for name in (*uids, *UIDS.values(), *names) if f"`{name}`" not in page] == []
    for board in WORLDS["committed"].values():
        assert board["description"].rpartition(" · ")[2] in page
