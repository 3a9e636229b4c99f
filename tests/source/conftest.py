"""Fixtures of the source's tests: a fake broker, and sources that end with their test."""

from __future__ import annotations

import pytest
from fake_broker import FakeBroker

from scenewatch.model import backoff
from scenewatch.model.clock import SystemClock
from scenewatch.source.cutter import compile_kernel
from scenewatch.source.mqtt import MqttSource
from scenewatch.source.settings import MqttSettings


@pytest.fixture(scope="session", autouse=True)
def kernel():
    """Compiled before any test waits for a message."""
    compile_kernel()


@pytest.fixture
def broker():
    broker = FakeBroker()
    yield broker
    broker.close()


@pytest.fixture
def make_source():
    """Makes a source and, unless told, starts it with an ear."""
    sources = []

    def make(port, ear, *, start=True, **changes):
        given = {"url": f"mqtt://127.0.0.1:{port}", "client_id": "worker", "filters": ("sw/+/+/+/telemetry",)}
        source = MqttSource(MqttSettings(**(given | changes)), SystemClock())
        sources.append(source)
        if start:
            source.start(ear.on_arrival, ear.on_listening)
        return source

    yield make
    for source in sources:
        source.stop()


@pytest.fixture
def no_delay(monkeypatch):
    """Reconnect at once: the delays have tests of their own."""
    monkeypatch.setattr(backoff, "FIRST_S", 0.01)
    monkeypatch.setattr(backoff, "LONGEST_S", 0.05)
