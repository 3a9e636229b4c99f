"""A broker's address: two schemes, and everything else is a mistake with its mend."""

from __future__ import annotations

import pytest

from scenewatch.model.broker import Broker
from scenewatch.model.errors import ConfigurationError


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("mqtt://broker", ("broker", 1883, False)),
        ("mqtts://broker", ("broker", 8883, True)),
        ("mqtt://10.0.0.1:4000", ("10.0.0.1", 4000, False)),
        ("mqtts://[::1]:9/", ("::1", 9, True)),
    ],
)
def test_an_address_is_read_from_its_url(url, address):
    broker = Broker(url=url)
    broker.check()
    assert (broker.host, broker.port, broker.secure) == address


@pytest.mark.parametrize(
    "url",
    [
        *("", "broker:1883", "ws://broker", "http://broker", "mqtt://", "mqtt://:1883", "mqtt://b:0"),
        *("mqtt://b:70000", "mqtt://b:port", "mqtt://b/path", "mqtt://b?x=1", "mqtt://[::1"),
        *("mqtt://ann@b", "mqtt://ann:hush@b"),
    ],
)
def test_anything_else_is_a_mistake(url):
    with pytest.raises(ConfigurationError, match=r"broker\.url"):
        Broker(url=url).check()


def test_a_password_is_the_file_without_the_white_space_at_its_end(tmp_path):
    file = tmp_path / "secret"
    file.write_text(" hush \r\n")
    assert Broker(url="mqtt://b", password_file=file).password() == " hush"
    assert Broker(url="mqtt://b").password() is None


def test_all_mistakes_are_told_at_once_and_no_secret_with_them(tmp_path):
    broker = Broker(url="mqtt://b", password_file=tmp_path / "none", key_file=tmp_path / "key")
    with pytest.raises(ConfigurationError) as caught:
        broker.check()
    assert {m.place for m in caught.value.mistakes} == {
        "broker.password_file",
        "broker.key_file",
        "broker.url",
    }


def test_a_secret_that_everybody_can_read_is_warned_of(tmp_path):
    secret, key = tmp_path / "secret", tmp_path / "key"
    for file, mode in ((secret, 0o644), (key, 0o640)):
        file.touch()
        file.chmod(mode)
    broker = Broker(url="mqtts://b", username="ann", password_file=secret, key_file=key)
    assert list(broker.warnings()) == [
        f"broker.password_file {secret} can be read by everybody on this machine: chmod 600 {secret}"
    ]


def test_a_certificate_that_went_away_is_named(tmp_path):
    broker = Broker(url="mqtts://b", ca_file=tmp_path / "ca.pem")
    with pytest.raises(FileNotFoundError, match=r"ca\.pem"):
        broker.tls_context()
