"""What we hold paho to: the methods we drive it by, the one private method, and what it asks of its socket."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest
from fake_broker import Ear
from mqtt_wire import publish
from paho.mqtt.client import Client

from scenewatch.source import session, tap

SIGNATURES = {
    "_create_socket": ["self"],
    "connect_async": [
        *("self", "host", "port", "keepalive", "bind_address", "bind_port", "clean_start", "properties"),
    ],
    "reconnect": ["self"],
    "socket": ["self"],
    "loop_read": ["self", "max_packets"],
    "loop_write": ["self"],
    "loop_misc": ["self"],
    "want_write": ["self"],
    "disconnect": ["self", "reasoncode", "properties"],
    "subscribe": ["self", "topic", "qos", "options", "properties"],
    "username_pw_set": ["self", "username", "password"],
    "tls_set_context": ["self", "context"],
}
ASSIGNED = {
    *("connect_timeout", "on_connect", "on_subscribe", "on_disconnect", "on_socket_register_write"),
}


@pytest.mark.parametrize(("method", "parameters"), SIGNATURES.items())
def test_paho_has_the_methods_that_we_call(method, parameters):
    assert list(inspect.signature(getattr(Client, method)).parameters) == parameters


def test_nothing_else_of_paho_is_touched():
    tree = ast.parse(Path(session.__file__).read_text("utf-8"))
    used, overridden = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = ast.unparse(node.value)
            if owner in {"self._client", "client", "super()"}:
                used.add(node.attr)
        if isinstance(node, ast.ClassDef) and node.name == "TappedClient":
            overridden = {item.name for item in node.body if isinstance(item, ast.FunctionDef)}
    assert used - {"make_tap"} == SIGNATURES.keys() | ASSIGNED
    assert overridden == {"_create_socket"}


@pytest.mark.usefixtures("no_delay")
def test_paho_asks_no_more_of_its_socket_than_the_tap_has(broker, make_source, monkeypatch):
    asked = set()

    class Watched:
        """Stands before a tap and notes what paho and the selector want of it."""

        def __init__(self, *args, **kwargs):
            self.__dict__["tap"] = tap.Tap(*args, **kwargs)

        def __getattr__(self, name):
            asked.add(name)
            return getattr(self.tap, name)

    monkeypatch.setattr(session, "Tap", Watched)
    ear = Ear(acknowledge=True)
    source = make_source(broker.port, ear, keepalive_s=1)
    peer = broker.accept()
    peer.greet()
    peer.send(publish(b"t", b"x", packet_id=3, properties=b""))
    assert peer.pubacks(1) == [3]
    assert peer.packet() == (0xC0, b"")
    source.stop()
    ours = {"unacknowledged", "flush", "read", "awaits_writable", "has_packets", "reads_when_writable"}
    ours |= {"ended_by", "failure"}
    assert asked - ours == {"fileno", "setblocking", "recv", "send", "pending", "close"}
