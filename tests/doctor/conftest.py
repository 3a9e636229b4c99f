"""A real broker with TLS, logins and an access list, and what is examined beside it."""

from __future__ import annotations

import shutil
import signal
import subprocess
from datetime import timedelta

import pytest
from authority import PASSWORD, Authority

from ends import wait_for
from ports import free_port, listens
from scenewatch.doctor.findings import Subject, Verdict
from scenewatch.embedded.broker import command
from scenewatch.model.clock import SystemClock
from scenewatch.settings import load

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/sbin")
PASSWD = shutil.which("mosquitto_passwd")
USERS = ("worker", "mute", "deaf", "gateway")
SERVERS = {
    "good": {},
    "expired": {"first": timedelta(days=-3), "last": timedelta(days=-2)},
    "soon": {"last": timedelta(days=10, hours=1)},
    "early": {"first": timedelta(days=1)},
    "elsewhere": {"address": "192.0.2.7"},
}
"""By the name of the listener: what its certificate is like."""
ACL = """
user worker
topic read sw/+/+/+/telemetry
topic read sw/+/+/+/event
topic read sw/+/+/+/status
topic read sw/+/+/+/result
topic readwrite sw/+/+/alarm/+/+

user mute
topic read sw/#

user deaf
topic readwrite sw/+/+/alarm/+/+

user gateway
topic write sw/k/s1/+/status
"""


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    ours = Authority(folder, "ca")
    Authority(folder, "stranger")
    for name, changes in SERVERS.items():
        ours.certificate(name, **changes)
    (folder / "password").write_text(f"{PASSWORD}\n")
    (folder / "password").chmod(0o600)
    return folder


@pytest.fixture(scope="session")
def broker(keys):
    """Its ports, by the listener's name: the `plain` one, and one for each certificate."""
    if not MOSQUITTO or not PASSWD:
        pytest.skip("needs Mosquitto")
    ports = {name: free_port() for name in ("plain", *SERVERS)}
    for n, user in enumerate(USERS):
        create = ["-c"] if n == 0 else []
        subprocess.run(
            [PASSWD, "-b", *create, keys / "users", user, PASSWORD], check=True, capture_output=True, timeout=20
        )
    (keys / "acl").write_text(ACL)
    for name in ("users", "acl"):
        (keys / name).chmod(0o600)
    lines = ["user root", "allow_anonymous false", f"password_file {keys}/users", f"acl_file {keys}/acl"]
    lines += [f"listener {ports['plain']} 127.0.0.1"]
    for name in SERVERS:
        lines += [f"listener {ports[name]} 127.0.0.1", f"certfile {keys}/{name}.pem", f"keyfile {keys}/{name}.key"]
    (keys / "mosquitto.conf").write_text("\n".join(lines) + "\n")
    with (keys / "broker.log").open("wb") as log:
        process = subprocess.Popen([MOSQUITTO, "-c", keys / "mosquitto.conf"], stdout=log, stderr=log)
    try:
        wait_for(lambda: listens(ports["plain"]))
        yield ports
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


@pytest.fixture
def nats(tmp_path):
    """The port of an embedded broker, which speaks MQTT 3.1.1 alone."""
    port = free_port()
    process = subprocess.Popen(command(tmp_path, port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: listens(port))
        yield port
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def write_settings(tmp_path, keys):
    """Writes a settings file; `port` of the broker, `more` lines of its section, and other sections."""

    def write(port=1, *, user="worker", scheme="mqtts", store="duckdb:r.duckdb", more="", others=""):
        lines = [f'[broker]\nurl = "{scheme}://127.0.0.1:{port}"']
        if user:
            lines.append(f'username = "{user}"\npassword_file = "{keys}/password"')
        if scheme == "mqtts" and "ca_file" not in more:
            lines.append(f'ca_file = "{keys}/ca.pem"')
        lines += [more, f'[store]\nurl = "{store}"', others]
        path = tmp_path / "scenewatch.toml"
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


@pytest.fixture
def examined(write_settings, vat_scene):
    """What is examined, of settings as they are written above."""

    def make(*arguments, dashboards=None, grafana=None, grafana_login_file=None, **options):
        return Subject(
            settings=load(write_settings(*arguments, **options), {}),
            scenes=(vat_scene,),
            clock=SystemClock(),
            dashboards=dashboards,
            grafana=grafana,
            grafana_login_file=grafana_login_file,
        )

    return make


@pytest.fixture
def findings():
    """Of a check by verdict: each what and what to do, joined."""

    def run(check, subject):
        found = list(check(subject))
        assert all(bool(f.mend) == (f.verdict is not Verdict.OK) for f in found), found
        assert all(f.what.isprintable() and f.mend.isprintable() for f in found), found
        return {
            v: [f"{f.what} -> {f.mend}" if f.mend else f.what for f in found if f.verdict is v] for v in Verdict
        }

    return run
