"""The command: help with examples, one clear line for what is wrong, and an exit status that says whose fault."""

from __future__ import annotations

import argparse
import ast
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ends import HandClock, wait_for
from scenewatch import cli
from scenewatch.app import Worker
from scenewatch.inventory.files import read_devices
from scenewatch.model.ruleversion import version_of_scenes
from scenewatch.scenes import SCENES
from scenewatch.settings import load
from scenewatch.store.devices import Inventory
from scenewatch.store.relational import Database

COMMAND = Path(cli.__file__).parent
PACKAGE = COMMAND.parent
SCENE = SCENES[0]


def parsers(parser, *path):
    yield path, parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                yield from parsers(inner, *path, name)


COMMANDS = [path for path, _ in parsers(cli._parser())]


def run(capsys, *arguments):
    """Exit status, and the lines of standard output and error."""
    try:
        status = cli.main([str(a) for a in arguments])
    except SystemExit as end:
        status = end.code
    said = capsys.readouterr()
    return status, said.out.splitlines(), said.err.splitlines()


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "scenewatch.toml"
    path.write_text('[database]\nurl = "sqlite:///rows.sqlite"\n[store]\nurl = "duckdb:readings.duckdb"\n', "utf-8")
    return path


def test_the_commands_are_those_of_the_readme():
    running = {"up", "work", "console", "simulate"}
    looking = {"inventory", "check", "ledger", "dead-letters", "journal"}
    assert {path[0] for path in COMMANDS if path} >= running | looking


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_help_ends_with_an_example_that_is_understood(capsys, path):
    status, out, err = run(capsys, *path, "--help")
    assert (status, err) == (0, [])
    whole = " ".join(" ".join(out).split())
    example = whole.rpartition("example: ")[2]
    assert example.startswith(f"scenewatch {' '.join(path)}".rstrip())
    cli._parser().parse_args(example.split()[1:])


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ([], "required: COMMAND"),
        (["fly"], "invalid choice: 'fly'"),
        (["up", "--sites", "0"], "--sites: '0' is not a whole number from 1 to 100000"),
        (["up", "--sites", "٣"], "--sites: '٣' is not"),
        (["up", "--sites", "²"], "--sites: '²' is not"),
        (["up", "--port", "70000"], "--port: '70000' is not a whole number from 1 to 65535"),
        (["up", "--history", "-1"], "--history"),
        (["up", "--history", "nan"], "--history: 'nan' is not a number"),
        (["up", "--mqtt", "1883"], "unrecognized arguments: --mqtt 1883"),
        (["up", "--scene", "moon"], "no scene 'moon'; there are: "),
        (["simulate", "--broker", "http://x"], "broker.url: "),
        (["simulate", "--broker", "mqtt://x", "--speed", "0.5"], "--speed: '0.5' is not a number from 1 to 1e+06"),
        (["simulate", "--broker", "mqtt://x", "--faults", "/none"], "/none: cannot be read"),
        (["simulate", "--broker", "mqtt://x", "--sites", "1", "--logins", "/none"], "/none/"),
        (["console"], "required: --worker"),
        (["inventory"], "required: COMMAND"),
        (["inventory", "demo"], "required: --out"),
        (["work", "--config", "/none.toml"], "/none.toml: cannot be read"),
        (["check", "extra"], "unrecognized arguments: extra"),
        (["check", "--json", "/none/check.json"], "--json: there is no folder /none; make it first"),
        (["rehearse", "kitchen", "--html", "/none/page.html"], "--html: there is no folder /none; make it first"),
        (["rehearse", "kitchen", "--json", "/"], "--json: / is a folder; name a file"),
        (["rules", "suggest", "kitchen", "--data", "x.csv", "--out", "/none/x.toml"], "--out: there is no folder"),
    ],
)
def test_what_is_used_wrongly_is_one_clear_line(capsys, arguments, what):
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, [])
    assert len(err) == 1
    assert err[0].startswith("scenewatch")
    assert what in err[0]


def test_check_of_what_is_well_names_the_scenes(capsys, config):
    status, (well, rules), err = run(capsys, "check", "--config", config)
    assert (status, well, err) == (0, f"well: {', '.join(s.key for s in SCENES)}", [])
    count = sum(len(s.rules) for s in SCENES)
    assert rules == f"rule set {version_of_scenes(SCENES)}: {count} rules, no operators' limits"


def test_check_tells_another_version_where_operators_give_numbers(capsys, config):
    config.write_text(f'[limits."{SCENE.key}.{SCENE.rules[0].key}"]\non_delay_s = 7200\n', "utf-8")
    rules = run(capsys, "check", "--config", config)[1][1]
    assert version_of_scenes(SCENES) not in rules
    told = json.loads("".join(run(capsys, "check", "--config", config, "--json")[1]))
    assert f"rule set {told['version']}: " in rules
    assert rules.endswith(f"operators' limits {told['limits_version']}")


def test_check_tells_all_mistakes_of_the_settings(capsys, config):
    config.write_text('[broker]\nurl = "x"\n[store]\nurl = "y"\n[http]\nport = "z"\nprot = 1\n', "utf-8")
    status, _, err = run(capsys, "check", "--config", config)
    assert status == 2
    assert [line.split(": ")[2] for line in err] == ["broker.url", "store.url", "http.port", "http.prot"]


def test_check_tells_all_mistakes_of_limits_and_files(capsys, config):
    rule = f"{SCENE.key}.{SCENE.rules[0].key}"
    config.write_text(
        f'[broker]\nurl = "mqtts://b"\nca_file = "none.pem"\n'
        f'[store]\ntoken_file = "none.token"\n[limits."{rule}"]\nlimt = 1\n[limits."moon.cold"]\nlimit = 1\n',
        "utf-8",
    )
    status, _, err = run(capsys, "check", "--config", config)
    assert status == 2
    told = "\n".join(err)
    assert len(err) == 4
    assert "none.token" in told
    assert f'{config}: limits."{rule}".limt: this rule has no such number' in told
    assert "moon.cold" in told
    assert "none.pem" in told


def test_check_of_a_scene_that_is_not_there(capsys, config):
    config.write_text('[scenes]\nuse = ["moon", "mars"]\n', "utf-8")
    status, _, err = run(capsys, "check", "--config", config)
    assert status == 2
    assert ["moon" in err[0], "mars" in err[1]] == [True, True]


def test_check_makes_nothing(capsys, config):
    run(capsys, "check", "--config", config)
    assert list(config.parent.iterdir()) == [config]


def test_an_inventory_that_is_written_can_be_imported(capsys, config, tmp_path):
    csv = tmp_path / "devices.csv"
    status, out, _ = run(capsys, "inventory", "demo", "--sites", 2, "--out", csv)
    assert status == 0
    assert out[0].endswith(f"of 2 sites written to {csv}")
    status, out, err = run(capsys, "inventory", "import", csv, "--config", config)
    assert (status, err) == (0, [])
    database = Database(load(config, {}).database.url)
    devices = Inventory(database).devices()
    database.close()
    assert out[0].startswith(f"{len(devices)} devices imported")
    assert len({d.site for d in devices}) == 2
    assert {d.scene for d in devices} == {SCENE.key}


def test_a_worker_sees_what_was_imported(capsys, config, tmp_path):
    csv = tmp_path / "devices.csv"
    run(capsys, "inventory", "demo", "--sites", 1, "--out", csv)
    run(capsys, "inventory", "import", csv, "--config", config)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = f"mqtt://127.0.0.1:{closed.getsockname()[1]}"
    clock = HandClock(0)
    worker = Worker(load(config, {"SCENEWATCH_BROKER_URL": nobody}), clock)
    worker.start()
    wait_for(lambda: worker._source._thread)
    assert {d.id for d in worker.pipeline.registry.devices} == {d.id for d in read_devices(csv, SCENES).devices}
    run(capsys, "inventory", "demo", "--sites", 2, "--out", csv)
    devices = read_devices(csv, SCENES).devices
    status, out, _ = run(capsys, "inventory", "import", csv, "--config", config)
    assert (status, out[0].startswith(f"{len(devices)} devices imported")) == (0, True)
    assert out[0].endswith("; the worker has taken them")
    wait_for(lambda: len(worker.pipeline.registry.devices) == len(devices))
    worker.stop()
    run(capsys, "inventory", "demo", "--sites", 3, "--out", csv)
    _, out, _ = run(capsys, "inventory", "import", csv, "--config", config)
    assert out[0].endswith("no worker has yet taken them")


def test_an_import_tells_all_mistakes_of_the_file_and_takes_nothing(capsys, config, tmp_path):
    csv = tmp_path / "devices.csv"
    csv.write_text("scene,site,device,type,parent,name_en,name_zh,lat,lon\nmoon,s,d,t,,,,,\nmars,s,d/e,t,,,,,\n")
    status, _, err = run(capsys, "inventory", "import", csv, "--config", config)
    assert status == 2
    assert len(err) >= 3
    assert not (tmp_path / "rows.sqlite").exists()


def test_a_console_on_a_taken_port_says_so(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, _, err = run(capsys, "console", "--worker", "http://127.0.0.1:9", "--port", port)
    assert status == 1
    assert err == [f"scenewatch: cannot listen on 127.0.0.1:{port} (Address already in use); choose another port"]


def test_plans_that_are_no_json_are_named(capsys, tmp_path, config):
    plan = tmp_path / "demonstration.json"
    for text in ("{", "\udcff", json.dumps({"scene": 3})):
        plan.write_bytes(text.encode("utf-8", "surrogateescape"))
        status, _, err = run(capsys, "work", "--config", config, "--demonstration", plan, "--plan", plan)
        assert status == 2
        assert err[-1].startswith(f"scenewatch: {plan}: ")


def test_as_a_program_it_gives_its_status_to_the_shell():
    done = subprocess.run(
        [sys.executable, "-m", "scenewatch", "up", "--port", "x"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "scenewatch up: argument --port: 'x' is not a whole number from 1 to 65535; see scenewatch up --help\n"
    )


def test_a_reader_that_has_seen_enough_is_no_mistake():
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "scenewatch", "check"], stdout=writing, stderr=subprocess.PIPE, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


def test_help_does_not_wait_for_the_parts():
    code = "import sys; from scenewatch.cli import _parser; _parser(); print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numba", "numpy", "duckdb", "fastapi", "sqlalchemy"} & set(loaded)


def test_only_the_command_prints():
    printing = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if COMMAND not in path.parents
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("print", "sys.stdout.write", "sys.stderr.write")
    ]
    assert printing == []
