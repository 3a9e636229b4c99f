"""docker-compose.yml and the Dockerfile against the specification, and against all files and options they name."""

from __future__ import annotations

import json
import os
import re
import shlex
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import jsonschema
import pytest
import yaml
from compose_file import COMPOSE, DOCKERFILE, ROOT, UndefinedVariableError, load, services
from local_stack import LocalStack

from go_programs import COMPOSE_GO
from scenewatch import cli
from scenewatch.model.level import Level
from scenewatch.settings import load as load_settings

NEEDED = {"SW_SECRETS_GID": "4711", "SW_WORKER_ID": "scenewatch-worker-0a"}
BROKERS = ("mosquitto", "nats")
OURS = "scenewatch:"
FAKE_INFLUX = Path(__file__).with_name("fake_influx.py")


@pytest.fixture(params=BROKERS)
def stack(request):
    """Every service, with either broker."""
    return services(NEEDED | {"SW_BROKER": request.param})


@pytest.mark.parametrize("path", [COMPOSE, ROOT / "ingest" / "stack" / "brokers.yml"], ids=lambda path: path.name)
def test_it_is_what_the_specification_says(path):
    folder = COMPOSE_GO.folder()
    if folder is None:
        pytest.skip("needs Go to fetch the compose specification")
    schema = json.loads((folder / "schema" / "compose-spec.json").read_text())
    whole = yaml.safe_load(path.read_text("utf-8"))
    jsonschema.validate(whole, schema)
    whole["services"]["broker" if path == COMPOSE else "nats"]["helthcheck"] = {}
    with pytest.raises(jsonschema.ValidationError, match="helthcheck"):
        jsonschema.validate(whole, schema)


def test_without_secrets_it_says_what_to_do():
    with pytest.raises(UndefinedVariableError, match="run scenewatch secrets init first"):
        load({})


def test_each_service_has_no_more_than_it_needs(stack):
    for name, service in stack.items():
        given = service.given
        assert given["read_only"] is True, name
        assert given["cap_drop"] == ["ALL"], name
        assert given["security_opt"] == ["no-new-privileges:true"], name
        assert given["group_add"] == ["4711"], name
        assert "privileged" not in given
        assert "cap_add" not in given
        assert given["mem_limit"], name
        assert given["pids_limit"], name
        assert given["logging"]["options"].keys() == {"max-size", "max-file"}, name
        assert given["restart"] in ("unless-stopped", "no"), name
        user = given.get("user", image_user() if given["image"].startswith(OURS) else "0")
        assert not user.startswith("0"), name


def test_images_are_pinned(stack):
    for service in stack.values():
        assert re.fullmatch(r"[a-z/-]+:\d+\.\d+\.\d+(-alpine)?", service.given["image"])
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert {s.given["image"] for s in stack.values() if "build" in s.given} == {f"{OURS}{version}"}


def test_ports_are_open_on_this_machine_only_unless_told_otherwise():
    def ports(**variables):
        return [port for s in services(NEEDED | variables).values() for port in s.given.get("ports", [])]

    assert sorted(ports()) == ["127.0.0.1:3000:3000", "127.0.0.1:8080:8081", "127.0.0.1:8883:8883"]
    assert sorted(ports(SW_BIND="10.0.0.7")) == ["10.0.0.7:3000:3000", "10.0.0.7:8080:8081", "10.0.0.7:8883:8883"]
    assert sorted(ports(SW_BROKER_BIND="0.0.0.0")) == [  # noqa: S104  # what a user may choose
        "0.0.0.0:8883:8883",
        "127.0.0.1:3000:3000",
        "127.0.0.1:8080:8081",
    ]


def test_the_store_is_reached_by_those_who_need_it_and_from_nowhere_else(stack):
    whole = load(NEEDED)
    assert whole["networks"]["store"] == {"internal": True}
    assert {name for name, s in stack.items() if "store" in s.given.get("networks", [])} == {
        "influxdb", "influxdb-setup", "grafana", "worker",
    }  # fmt: skip
    assert stack["influxdb"].given["networks"] == ["store"]
    assert "ports" not in stack["influxdb"].given


def test_every_secret_is_one_that_the_command_makes_and_somebody_reads(stack, keys):
    declared = load(NEEDED)["secrets"]
    for name, secret in declared.items():
        assert secret["file"] == f"./secrets/{name}"
        mode = stat.S_IMODE((keys / name).stat().st_mode)
        assert mode == (0o644 if name.endswith(".pem") else 0o640), name
    both = [s for broker in BROKERS for s in services(NEEDED | {"SW_BROKER": broker}).values()]
    used = {one if isinstance(one, str) else one["source"] for s in both for one in s.given.get("secrets", [])}
    assert used == declared.keys()
    assert "ca.key" not in used
    readers = {
        name: {service.name for service in stack.values() if name in service.given.get("secrets", [])}
        for name in (
            "influxdb-admin.token",
            "influxdb-admin.password",
            "broker-worker.password",
            "broker.key",
            "operators",
        )
    }
    assert readers == {
        "influxdb-admin.token": {"influxdb", "influxdb-setup"},
        "influxdb-admin.password": {"influxdb"},
        "broker-worker.password": {"worker"},
        "broker.key": {"broker"},
        "operators": {"worker"},
    }


def test_every_mount_is_there_and_only_volumes_are_written_to(stack, keys):
    volumes = load(NEEDED)["volumes"]
    for name, service in stack.items():
        for mount in service.mounts:
            if mount.source is not None:
                made = mount.source.is_relative_to(ROOT / "secrets")
                there = keys / mount.source.relative_to(ROOT / "secrets") if made else mount.source
                assert there.exists(), f"{name}: {mount.source}"
                assert not mount.writable, f"{name}: {mount.target}"
            elif mount.volume is not None:
                assert mount.volume.split("/")[0] in volumes


def test_who_is_waited_for_can_be_waited_for(stack):
    for name, service in stack.items():
        wanted = service.given.get("depends_on", {})
        for other, how in wanted.items() if isinstance(wanted, dict) else ():
            if how["condition"] == "service_healthy":
                assert stack[other].health, f"{name} waits for {other}"
            else:
                assert stack[other].given["restart"] == "no", f"{name} waits for {other}"
    for name, service in stack.items():
        once_or_off = service.given["restart"] == "no" or service.given.get("healthcheck") == {"disable": True}
        assert bool(service.health) is not once_or_off, name


def test_commands_of_ours_can_be_typed(stack):
    typed = 0
    for service in stack.values():
        through_shell = service.command[:1] == ["sh"]
        for line in service.command[-1].split(";") if through_shell else [shlex.join(service.command)]:
            program, *words = shlex.split(line) or [""]
            if program == "scenewatch":
                assert cli._parser().parse_args(words).run
                typed += 1
    assert typed == 5  # worker, console, inventory twice, devices


def test_the_demonstration_has_a_profile_of_its_own(stack):
    assert {name for name, s in stack.items() if s.profiles == ["demo"]} == {"demo-inventory", "demo-devices"}
    assert all(not s.profiles for name, s in stack.items() if not name.startswith("demo-"))


def test_the_first_bucket_is_the_one_the_worker_writes(stack):
    first = (ROOT / "ingest/stack/buckets").read_text("utf-8").splitlines()[0].split()
    environment = stack["influxdb"].environment
    assert first == [
        environment["DOCKER_INFLUXDB_INIT_BUCKET"],
        environment["DOCKER_INFLUXDB_INIT_RETENTION"],
    ]
    url = load_settings(ROOT / "ingest/stack/scenewatch.toml", {}).store.url
    assert url.endswith(f"org={environment['DOCKER_INFLUXDB_INIT_ORG']}&bucket={first[0]}")


def test_the_worker_knows_how_long_each_bucket_keeps():
    keep = load_settings(ROOT / "ingest/stack/scenewatch.toml", {}).keep
    days = [keep.readings_days, keep.minutes_days, keep.hours_days, keep.days_days]
    lines = (ROOT / "ingest/stack/buckets").read_text("utf-8").splitlines()
    assert [int(line.split()[1].removesuffix("d")) for line in lines] == days
    suffixes = [line.split()[0].removeprefix("scenewatch") for line in lines]
    assert suffixes == [level.suffix for level in Level]


def test_the_variables_of_the_data_sources_are_given(stack):
    text = (ROOT / "dashboards/provisioning/datasources/scenewatch.yaml").read_text("utf-8")
    wanted = set(re.findall(r"\$\{(\w+)\}", text))
    assert wanted <= stack["grafana"].environment.keys()
    for file in set(re.findall(r"\$__file\{(.*?)\}", text)):
        assert any(file.startswith(f"{mount.target}/") for mount in stack["grafana"].mounts)


def test_files_in_the_workers_settings_are_mounted(stack):
    settings = load_settings(ROOT / "ingest/stack/scenewatch.toml", {})
    targets = [mount.target for mount in stack["worker"].mounts]
    files = [settings.broker.password_file, settings.broker.ca_file, settings.store.token_file]
    files += [settings.journal.path, Path(settings.database.url.removeprefix("sqlite:///"))]
    for file in files:
        assert any(str(file).startswith(target) for target in targets), file


# --- the image


def image_user():
    return re.findall(r"^USER (.*)$", DOCKERFILE.read_text("utf-8"), re.MULTILINE)[-1]


def test_the_image_takes_only_what_is_let_through_to_it():
    text = DOCKERFILE.read_text("utf-8")
    let_through = {
        line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")
    }
    copied = {
        word for line in re.findall(r"^COPY (?!--from)(.*)$", text, re.MULTILINE) for word in line.split()[:-1]
    }
    assert copied == let_through
    assert all((ROOT / one).exists() for one in copied)


def test_the_image_has_the_folders_that_volumes_take_their_owner_from(stack):
    made = re.search(r"install --directory --owner scenewatch .*\\\n +(.*)\n", DOCKERFILE.read_text("utf-8"))
    folders = made[1].split()
    for service in stack.values():
        if service.given["image"].startswith(OURS):
            written = [m.target for m in service.mounts if m.volume is not None and m.writable]
            assert set(written) <= set(folders), service.name


def test_the_image_runs_the_command_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    entry = json.loads(re.search(r"^ENTRYPOINT (.*)$", DOCKERFILE.read_text("utf-8"), re.MULTILINE)[1])
    default = json.loads(re.search(r"^CMD (\[\"work.*)$", DOCKERFILE.read_text("utf-8"), re.MULTILINE)[1])
    assert entry[0] in project["scripts"]
    assert default == services(NEEDED)["worker"].given["command"]


# --- the set-up of InfluxDB


@pytest.fixture
def influx(tmp_path, keys, monkeypatch):
    """Runs the set-up among its files, with a stand-in for InfluxDB's command; gives what InfluxDB has then."""
    with LocalStack(tmp_path, keys) as stack:
        command = stack.folder / "bin" / "influx"
        command.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S {FAKE_INFLUX} "$@"\n')
        command.chmod(0o755)
        monkeypatch.setenv("FAKE_INFLUX", str(tmp_path / "influx.json"))
        monkeypatch.setenv("FAKE_INFLUX_TOKEN", (keys / "influxdb-admin.token").read_text().strip())

        def run():
            done = stack.run("influxdb-setup")
            assert done.returncode == 0, done.stderr
            return json.loads((tmp_path / "influx.json").read_text()), done.stdout

        run.tokens = stack.folder / "volumes" / "influxdb-tokens"
        yield run


def test_the_set_up_gives_buckets_and_tokens_with_the_rights_they_need(influx):
    state, said = influx()
    kept = {name: one["retention"] for name, one in state["buckets"].items()}
    assert kept == {
        "scenewatch": "90d", "scenewatch_1m": "400d", "scenewatch_1h": "1830d", "scenewatch_1d": "0",
    }  # fmt: skip
    ids = [one["id"] for one in state["buckets"].values()]
    tokens = {one["description"]: one for one in state["tokens"].values()}
    assert tokens["scenewatch-worker"]["reads"] == tokens["scenewatch-worker"]["writes"] == ids
    assert tokens["scenewatch-grafana"]["reads"] == ids
    assert tokens["scenewatch-grafana"]["writes"] == []
    for reader in ("worker", "grafana"):
        file = influx.tokens / reader / f"{reader}.token"
        assert file.read_text().strip() == tokens[f"scenewatch-{reader}"]["token"]
        assert stat.S_IMODE(file.stat().st_mode) == 0o640
        assert tokens[f"scenewatch-{reader}"]["token"] not in said


def test_the_set_up_again_changes_nothing_but_what_was_lost(influx, tmp_path):
    first, _ = influx()
    assert influx() == (first, "")
    first["buckets"]["scenewatch"]["retention"] = "30d"  # somebody's decision, which stays
    (tmp_path / "influx.json").write_text(json.dumps(first))
    (influx.tokens / "grafana" / "grafana.token").unlink()
    again, _ = influx()
    assert again["buckets"] == first["buckets"]
    tokens = {one["description"]: one["token"] for one in again["tokens"].values()}
    assert len(again["tokens"]) == 2
    assert (influx.tokens / "grafana" / "grafana.token").read_text().strip() == tokens["scenewatch-grafana"]
    assert {one["token"] for one in first["tokens"].values()} & set(tokens.values()) == {
        (influx.tokens / "worker" / "worker.token").read_text().strip()
    }


def test_a_set_up_that_is_refused_ends_with_that(influx, monkeypatch):
    monkeypatch.setenv("FAKE_INFLUX_TOKEN", "another")
    with pytest.raises(AssertionError, match="unauthorized"):
        influx()


def test_the_script_is_one_for_bash():
    script = ROOT / "ingest" / "stack" / "influxdb-setup.sh"
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0
    assert os.access(script, os.X_OK)
