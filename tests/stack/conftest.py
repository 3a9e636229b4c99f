"""Secrets made once by the command, and each broker with the configuration of production."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from local_stack import MOSQUITTO, LocalStack
from mqtt_user import WATCHER, WATCHERS_PASSWORD

from scenewatch import cli
from scenewatch.credentials import rights

if TYPE_CHECKING:
    from pathlib import Path

SITES = ("kitchen.s001", "kitchen.s002", "kitchen.s003")
BROKERS = ("mosquitto", "nats")


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stack") / "secrets"
    sites = [word for site in SITES for word in ("--site", site)]
    assert cli.main(["secrets", "init", "--dir", str(folder), *sites]) == 0
    return folder


@pytest.fixture(scope="session")
def watched_keys(keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, with the watcher let in."""
    folder = tmp_path_factory.mktemp("watched") / "secrets"
    shutil.copytree(keys, folder)
    shutil.copy(keys.parent / ".env", folder.parent)
    with (folder / "mosquitto.passwd").open("a") as file:
        file.write(f"{WATCHER.user}:{rights.mosquitto_hash(WATCHERS_PASSWORD)}\n")
    with (folder / "mosquitto.acl").open("a") as file:
        file.write(f"\nuser {WATCHER.user}\ntopic readwrite #\ntopic readwrite $SYS/#\n")
    users = (folder / "nats-users.conf").read_text()
    lines = rights.nats_users([WATCHER], {WATCHER.user: WATCHERS_PASSWORD}).splitlines()[2:-1]
    (folder / "nats-users.conf").write_text(users.replace("users: [\n", "users: [\n" + "\n".join(lines) + "\n"))
    return folder


@pytest.fixture(scope="module", params=BROKERS)
def guarded(
    request: pytest.FixtureRequest, watched_keys: Path, tmp_path_factory: pytest.TempPathFactory
) -> LocalStack:
    """A broker, with the watcher let in."""
    if request.param == "mosquitto" and MOSQUITTO is None:
        pytest.skip("needs Mosquitto")
    folder = tmp_path_factory.mktemp(request.param)
    with LocalStack(folder, watched_keys, SW_BROKER=request.param) as stack:
        stack.up("broker")
        yield stack
