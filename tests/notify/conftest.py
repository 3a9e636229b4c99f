"""Brokers and watchers for one test each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from notify_brokers import BrokerProcess, Watcher, mosquitto_at, nats_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def mosquitto(tmp_path) -> Iterator[BrokerProcess]:
    broker = mosquitto_at(tmp_path)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture(params=["nats", "mosquitto"])
def broker(request, tmp_path) -> Iterator[BrokerProcess]:
    process = nats_at(tmp_path) if request.param == "nats" else mosquitto_at(tmp_path)
    process.start()
    yield process
    process.stop()


@pytest.fixture
def watch() -> Iterator[Callable[[int], Watcher]]:
    watchers: list[Watcher] = []

    def make(port: int) -> Watcher:
        watchers.append(Watcher(port))
        return watchers[-1]

    yield make
    for watcher in watchers:
        watcher.close()
