"""What cannot work is said before anything connects, all of it at once."""

from __future__ import annotations

import pytest

from scenewatch.model.clock import SystemClock
from scenewatch.model.errors import ConfigurationError
from scenewatch.source.mqtt import MqttSource
from scenewatch.source.settings import MqttSettings


def given(**changes):
    return MqttSettings(**({"url": "mqtt://host", "client_id": "worker", "filters": ("sw/#",)} | changes))


def mistakes(**changes):
    with pytest.raises(ConfigurationError) as caught:
        given(**changes).check()
    return [str(mistake) for mistake in caught.value.mistakes]


@pytest.mark.parametrize(
    ("url", "host", "port", "secure"),
    [
        ("mqtt://broker.example", "broker.example", 1883, False),
        ("mqtts://broker.example", "broker.example", 8883, True),
        ("mqtt://127.0.0.1:2883/", "127.0.0.1", 2883, False),
        ("mqtt://[::1]:1884", "::1", 1884, False),
    ],
)
def test_the_url_tells_host_port_and_whether_it_is_secure(url, host, port, secure):
    settings = given(url=url)
    settings.check()
    assert (settings.host, settings.port, settings.secure) == (host, port, secure)


@pytest.mark.parametrize(
    ("changes", "mistake"),
    [
        ({"url": "ws://host/mqtt"}, "broker.url: MQTT over websockets is not supported; use mqtt:// or mqtts://"),
        ({"url": "wss://host"}, "broker.url: MQTT over websockets is not supported; use mqtt:// or mqtts://"),
        ({"url": "tcp://host"}, "broker.url: must be mqtt://HOST:PORT or mqtts://HOST:PORT"),
        ({"url": "mqtt://"}, "broker.url: must be mqtt://HOST:PORT or mqtts://HOST:PORT"),
        ({"url": "host:1883"}, "broker.url: must be mqtt://HOST:PORT or mqtts://HOST:PORT"),
        ({"url": "mqtt://host:99999"}, "broker.url: Port out of range 0-65535"),
        ({"client_id": ""}, "broker.client_id: must not be empty: the broker keeps messages under this name"),
        ({"filters": ()}, "broker.filters: must name at least one topic filter"),
        ({"filters": ("sw/#/x",)}, "broker.filters: 'sw/#/x' is not a topic filter"),
        ({"filters": ("sw/a+",)}, "broker.filters: 'sw/a+' is not a topic filter"),
        ({"filters": ("",)}, "broker.filters: '' is not a topic filter"),
        ({"max_packet": 0}, "broker.max_packet: must be between 1 and 268435455"),
        ({"receive_maximum": 0}, "broker.receive_maximum: must be between 1 and 65535"),
    ],
)
def test_each_mistake_is_named_with_its_mend(changes, mistake):
    assert mistakes(**changes) == [mistake]


def test_a_password_in_the_url_is_refused_and_not_repeated():
    (mistake,) = mistakes(url="mqtt://worker:topsecret@host")
    assert "password_file" in mistake
    assert "topsecret" not in mistake


def test_all_mistakes_come_at_once(tmp_path):
    found = mistakes(
        url="mqtt://host",
        client_id="",
        filters=("#x",),
        ca_file=tmp_path / "ca.pem",
        key_file=tmp_path / "key.pem",
        password_file=tmp_path / "password",
    )
    assert [text.split(":")[0] for text in found] == [
        "broker.ca_file",
        "broker.key_file",
        "broker.password_file",
        "broker.url",
        "broker.password_file",
        "broker.key_file",
        "broker.client_id",
        "broker.filters",
    ]


def test_a_file_that_is_no_certificate_is_found_without_a_network(tmp_path):
    ca_file = tmp_path / "ca.pem"
    ca_file.write_text("not a certificate")
    (mistake,) = mistakes(url="mqtts://host", ca_file=ca_file)
    assert mistake.startswith("broker: the certificates cannot be used")


def test_a_source_refuses_settings_that_can_never_work():
    with pytest.raises(ConfigurationError):
        MqttSource(given(url="ws://host"), SystemClock())


def test_the_password_is_read_from_its_file_and_never_shown(tmp_path):
    file = tmp_path / "password"
    file.write_text("topsecret\n")
    settings = given(username="worker", password_file=file)
    assert settings.password() == "topsecret"
    assert "topsecret" not in repr(settings)
