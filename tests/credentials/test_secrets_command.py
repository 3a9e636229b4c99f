"""`scenewatch secrets`: makes what is missing, keeps what is there, and never says what it is."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import subprocess

import pytest

from scenewatch import cli
from scenewatch.credentials import rights
from scenewatch.inventory.files import write_devices
from scenewatch.model import operators
from scenewatch.scenes import SCENES, demonstration

OPENSSL = shutil.which("openssl")


@pytest.fixture
def secrets(tmp_path, capsys, monkeypatch):
    """Runs `scenewatch secrets`; gives its status and what it said. The folder is its attribute."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        status = cli.main(["secrets", *words])
        said = capsys.readouterr()
        return status, said.out + said.err

    run.folder = tmp_path / "secrets"
    return run


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def changed(before, after):
    return {name for name in before | after if before.get(name) != after.get(name)}


def test_files_are_readable_by_who_needs_them_alone(secrets):
    assert secrets("init", "--site", "kitchen.s001")[0] == 0
    modes = {
        str(path.relative_to(secrets.folder)): stat.S_IMODE(path.stat().st_mode)
        for path in [secrets.folder, *secrets.folder.rglob("*")]
    }
    assert modes.pop(".") == 0o700
    assert modes.pop("gateways") == 0o750
    assert {modes.pop("ca.pem"), modes.pop("broker.pem")} == {0o644}
    assert modes.pop("ca.key") == 0o600
    assert set(modes.values()) == {0o640}
    assert {path.stat().st_gid for path in secrets.folder.rglob("*")} == {os.getgid()}


def test_no_secret_is_said(secrets):
    said = "".join(
        secrets(*words)[1]
        for words in (("init", "--site", "kitchen.s001"), ("add", "kitchen.s002"), ("show",), ("init",))
    )
    words = [path.read_text().strip() for path in secrets.folder.rglob("*.password")]
    words.append((secrets.folder / "influxdb-admin.token").read_text().strip())
    assert len(words) == 7
    assert len(set(words)) == 7
    assert all(len(word) >= 43 for word in words)
    assert not [word for word in words if word in said]
    assert "PRIVATE KEY" not in said


def test_again_it_makes_nothing_and_changes_nothing(secrets):
    secrets("init", "--site", "kitchen.s001", "--host", "b.example")
    before = contents(secrets.folder.parent)
    status, said = secrets("init", "--site", "kitchen.s001", "--host", "b.example")
    assert (status, said) == (0, "made in secrets: nothing, all is there\n")
    assert contents(secrets.folder.parent) == before


def test_what_was_lost_is_made_anew_and_nothing_else(secrets):
    secrets("init", "--site", "kitchen.s001")
    before = contents(secrets.folder)
    (secrets.folder / "grafana-admin.password").unlink()
    assert secrets("init")[1] == "made in secrets: grafana-admin\n"
    assert changed(before, contents(secrets.folder)) == {"grafana-admin.password"}


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("broker", {"broker.pem", "broker.key"}),
        ("ca", {"ca.pem", "ca.key", "broker.pem", "broker.key"}),
        ("worker", {"broker-worker.password", "mosquitto.passwd", "nats-users.conf"}),
        ("kitchen.s001", {"gateways/kitchen.s001.password", "mosquitto.passwd", "nats-users.conf"}),
        ("influxdb-token", {"influxdb-admin.token"}),
    ],
)
def test_only_what_is_renewed_changes(secrets, name, files):
    secrets("init", "--site", "kitchen.s001", "--site", "kitchen.s002")
    before = contents(secrets.folder)
    status, said = secrets("init", "--renew", name)
    assert status == 0
    assert name in said
    assert changed(before, contents(secrets.folder)) == files


def test_a_file_that_is_mounted_stays_the_same_file(secrets):
    """A container sees what was mounted, not what took its name later."""
    secrets("init")
    number = (secrets.folder / "mosquitto.passwd").stat().st_ino
    secrets("add", "kitchen.s001")
    assert (secrets.folder / "mosquitto.passwd").stat().st_ino == number
    assert "kitchen.s001:$7$" in (secrets.folder / "mosquitto.passwd").read_text()


def test_hashes_of_others_stay_when_a_site_is_added(secrets):
    secrets("init", "--site", "kitchen.s001")
    before = (secrets.folder / "mosquitto.passwd").read_text().splitlines()
    secrets("add", "kitchen.s002")
    after = (secrets.folder / "mosquitto.passwd").read_text().splitlines()
    assert set(before) < set(after)


def test_all_sites_of_an_inventory_get_a_login(secrets, tmp_path):
    write_devices(tmp_path / "devices.csv", demonstration(SCENES[0]).devices(3))
    secrets("init", "--inventory", "devices.csv")
    made = sorted(path.name for path in (secrets.folder / "gateways").iterdir())
    assert made == [f"kitchen.s00{n}.password" for n in (1, 2, 3)]


def test_compose_is_told_the_group_and_a_name_for_the_worker_once(secrets, tmp_path):
    (tmp_path / ".env").write_text("SW_BIND=10.0.0.7\n")
    secrets("init")
    told = (tmp_path / ".env").read_text()
    lines = dict(line.split("=") for line in told.splitlines())
    assert lines.keys() == {"SW_BIND", "SW_SECRETS_GID", "SW_WORKER_ID"}
    assert lines["SW_SECRETS_GID"] == str(os.getgid())
    assert len(lines["SW_WORKER_ID"]) == len("scenewatch-worker-") + 16
    secrets("init")
    assert (tmp_path / ".env").read_text() == told
    (tmp_path / ".env").unlink()
    secrets("init")
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600


def test_a_group_that_compose_was_told_otherwise_is_named(secrets, tmp_path):
    (tmp_path / ".env").write_text("SW_SECRETS_GID=4711\n")
    assert "SW_SECRETS_GID=4711, but the files are group" in secrets("init")[1]


def test_show_tells_what_there_is_and_until_when(secrets):
    secrets("init", "--site", "kitchen.s001", "--days", "30", "--host", "10.0.0.7", "--host", "b.example")
    lines = {line.split()[0]: line for line in secrets("show")[1].splitlines()}
    assert list(lines) == [
        "ca", "broker", "worker", "health", "influxdb-admin", "influxdb-token", "grafana-admin", "kitchen.s001",
        "operator:operator",
    ]  # fmt: skip
    assert "broker, localhost, 127.0.0.1, 10.0.0.7, b.example" in lines["broker"]
    assert "until 20" in lines["broker"]
    assert "until" not in lines["worker"]


def test_a_key_of_the_authority_that_is_kept_elsewhere_is_wanted_for_a_certificate_only(secrets):
    secrets("init")
    (secrets.folder / "ca.key").unlink()
    assert secrets("add", "kitchen.s001")[0] == 0
    assert secrets("init")[0] == 0
    status, said = secrets("init", "--renew", "broker")
    assert status == 2
    assert "ca.key: is not there: bring it back" in said


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("init", "--renew", "moon"), "knows no moon; there are: ca, broker, worker"),
        (("init", "--host", "late.example"), "not in the broker's certificate; add --renew broker"),
        (("add", "kitchen.s001", "--dir", "none"), "none holds none; scenewatch secrets init makes them"),
        (("show", "--dir", "none"), "none holds none"),
        (("init", "--inventory", "none.csv"), "none.csv: cannot be read"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line_and_changes_nothing(secrets, words, told):
    secrets("init")
    before = contents(secrets.folder.parent)
    status, said = secrets(*words)
    assert status == 2
    assert told in said
    assert contents(secrets.folder.parent) == before


@pytest.mark.parametrize(
    "site", ["kitchen", "kitchen.s001.x", "kitchen.", "kitchen/s001", "kitchen.s+", "a.b\nc.d"]
)
def test_a_site_that_could_mean_more_is_refused(secrets, site):
    with pytest.raises(SystemExit) as end:
        secrets("add", site)
    assert end.value.code == 2


def test_a_folder_that_others_may_look_into_is_refused(secrets):
    secrets.folder.mkdir(mode=0o755)
    status, said = secrets("init")
    assert status == 2
    assert "others may look into it: chmod 700 secrets" in said
    assert list(secrets.folder.iterdir()) == []


def test_a_group_that_is_not_ones_own_is_named(secrets, monkeypatch):
    def refuse(*_):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "chown", refuse)  # what the system says to all but root
    status, said = secrets("init", "--group", str(os.getgid() + 1))
    assert status == 2
    assert "Operation not permitted; choose one of yours with --group" in said


@pytest.mark.skipif(OPENSSL is None, reason="needs openssl")
def test_openssl_reads_and_trusts_the_certificates(secrets):
    secrets("init", "--host", "b.example")
    folder = secrets.folder
    command = [OPENSSL, "verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "b.example"]
    done = subprocess.run(
        [*command, "-CAfile", folder / "ca.pem", folder / "broker.pem"], capture_output=True, text=True, check=False
    )
    assert done.stdout.endswith("broker.pem: OK\n"), done.stderr


@pytest.mark.skipif(shutil.which("mosquitto_passwd") is None, reason="needs mosquitto_passwd")
def test_a_hash_of_mosquittos_own_tool_is_taken_for_what_it_is(tmp_path):
    file = tmp_path / "passwd"
    subprocess.run(["mosquitto_passwd", "-b", "-c", file, "u", "open sesame"], check=True, capture_output=True)
    hashed = file.read_text().strip().removeprefix("u:")
    assert rights.fits(hashed, "open sesame")
    assert not rights.fits(hashed, "open sesam")


def tokens(folder):
    return dict(
        line.split() for line in (folder / "operators").read_text().splitlines() if not line.startswith("#")
    )


def test_the_first_operator_is_made_where_nobody_is_named(secrets):
    secrets("init")
    assert list(tokens(secrets.folder)) == ["operator"]
    assert list(operators.read(secrets.folder / "operators")) == ["operator"], "the worker takes it as it is"
    before = tokens(secrets.folder)
    secrets("init")
    assert tokens(secrets.folder) == before


def test_operators_are_added_and_renewed_one_by_one(secrets):
    assert "operator:li" in secrets("init", "--operator", "li")[1]
    file = secrets.folder / "operators"
    file.write_text(f"# the kitchen's\n{file.read_text()}")
    first = tokens(secrets.folder)
    status, said = secrets("add", "--operator", "wang@desk", "--operator", "li")
    assert (status, said.splitlines()) == (
        0,
        [
            "made in secrets: operator:wang@desk",
            "the worker takes them when told: docker compose kill --signal HUP worker",
        ],
    )
    both = tokens(secrets.folder)
    assert (list(both), both["li"]) == (["li", "wang@desk"], first["li"])
    said += secrets("init", "--renew", "operator:li")[1] + secrets("show")[1]
    renewed = tokens(secrets.folder)
    assert renewed["wang@desk"] == both["wang@desk"]
    assert renewed["li"] != both["li"]
    assert file.read_text().startswith("# the kitchen's\n")
    assert not [token for token in (*both.values(), *renewed.values()) if token in said]
    assert "operator:wang@desk" in said


def test_a_strange_name_of_an_operator_is_refused(secrets):
    with pytest.raises(SystemExit):
        secrets("init", "--operator", "li wang")
    assert not secrets.folder.exists()
