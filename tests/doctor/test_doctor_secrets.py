"""Files of secrets: what is wrong with one is told, what is in it never."""

from __future__ import annotations

import pytest

from scenewatch.doctor.findings import Verdict
from scenewatch.doctor.secrets import secrets

SECRET = "hunter2-the-second"  # noqa: S105  # told nowhere


@pytest.fixture
def secret(tmp_path):
    """A file whose folders let others through, as a home folder may."""
    tmp_path.chmod(0o755)
    file = tmp_path / "token"
    file.write_text(f"{SECRET}\n")
    file.chmod(0o600)
    return file


@pytest.fixture
def told(examined, findings, secret):
    def run():
        found = findings(secrets, examined(1, scheme="mqtt", user="", others=f'token_file = "{secret}"'))
        assert SECRET not in str(found)
        return found

    return run


def test_one_line_for_its_owner_alone_is_well(told):
    assert told()[Verdict.OK][0].endswith("token: readable by its owner alone")


def test_one_that_everybody_may_read_is_told_unless_a_folder_hides_it(told, secret, monkeypatch):
    monkeypatch.setattr("scenewatch.doctor.secrets._passable", lambda _: True)  # as the tests' own folder is not
    secret.chmod(0o644)
    assert told()[Verdict.WARNING] == [
        f"store.token_file {secret} can be read by everybody on this machine -> chmod 600 {secret}"
    ]
    secret.chmod(0o640)
    assert told()[Verdict.WARNING] == [], "a group may be meant to"


def test_a_folder_that_lets_nobody_through_hides_what_is_in_it(told, secret):
    secret.chmod(0o644)
    secret.parent.chmod(0o700)
    assert told()[Verdict.WARNING] == []


WRONG = {
    "missing": (None, "cannot be read: No such file or directory"),
    "empty": (b" \n\n", "is empty"),
    "several lines": (f"{SECRET}\n{SECRET}\n".encode(), "has several lines"),
    "no text": (b"\xff\xfe\x00", "is not text"),
}


@pytest.mark.parametrize(("content", "line"), WRONG.values(), ids=WRONG)
def test_one_that_holds_no_secret_is_told(told, secret, content, line):
    if content is None:
        secret.unlink()
    else:
        secret.write_bytes(content)
    [one] = told()[Verdict.FAILED]
    assert line in one


def test_the_key_of_a_certificate_has_many_lines(examined, findings, keys):
    more = f'cert_file = "{keys}/good.pem"\nkey_file = "{keys}/good.key"'
    found = findings(secrets, examined(1, more=more))
    assert found[Verdict.FAILED] == []
    assert len(found[Verdict.OK]) == 2
