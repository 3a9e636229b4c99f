"""The filled server, the dashboards as they are committed, and Grafana's own display."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import provisioned
from dashboard_proof import Server
from filled_influx import BUCKET, filled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filled_influx import Filled
    from grafana_expand import Sources


@pytest.fixture(scope="session")
def boards() -> dict[str, Any]:
    return provisioned.dashboards()


@pytest.fixture(scope="session")
def sources() -> Sources:
    return provisioned.sources({"SCENEWATCH_BUCKET": BUCKET})


@pytest.fixture(scope="session")
def record(influxd: str, tmp_path_factory: pytest.TempPathFactory) -> Filled:
    """Some days of simulated kitchens on the server of the tests."""
    return filled(influxd, tmp_path_factory.mktemp("filled"))


@pytest.fixture(scope="session")
def server(record: Filled, sources: Sources) -> Iterator[Server]:
    asked = Server(record.address, sources)
    yield asked
    asked.close()
