"""A broker's address: two schemes, and everything else is a mistake with its mend."""

from __future__ import annotations

import pytest

from scenewatch.model.broker import Address, Broker
from scenewatch.model.errors import ConfigurationError


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("mqtt://broker", Address("broker", 1883, tls=False)),
        ("mqtts://broker", Address("broker", 8883, tls=True)),
        ("mqtt://10.0.0.1:4000", Address("10.0.0.1", 4000, tls=False)),
        ("mqtts://[::1]:9/", Address("::1", 9, tls=True)),
    ],
)
def test_an_address_is_read_from_its_url(url, address):
    assert Address.parse(url) == address


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
        Address.parse(url)


def test_a_password_is_the_file_without_its_line_end(tmp_path):
    file = tmp_path / "secret"
    file.write_text(" hush \r\n")
    assert Broker(url="mqtt://b", password_file=file).password() == " hush "
    assert Broker(url="mqtt://b").password() is None
    with pytest.raises(ConfigurationError, match="password_file"):
        Broker(url="mqtt://b", password_file=tmp_path / "none").password()
