"""The filled server, the dashboards as they are committed, and Grafana's own display."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import provisioned
import pytest
from built import WORLDS
from dashboard_proof import Server
from filled_influx import BUCKET, fill
from grafana_display import Display
from grafana_schema import Schema, generated

from influx2_server import TOKEN
from node_packages import NO_NODE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from grafana_expand import Sources


@pytest.fixture(scope="session")
def boards() -> dict[str, Any]:
    return WORLDS["committed"]


@pytest.fixture(scope="session")
def sources() -> Sources:
    return provisioned.sources({"SCENEWATCH_BUCKET": BUCKET})


@pytest.fixture(scope="session")
def server(
    request: pytest.FixtureRequest, sources: Sources, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """With a day and more of simulated kitchens. DASHBOARDS_ON=influxd2: on an InfluxDB 2, if one was built."""
    program = os.environ.get("DASHBOARDS_ON", "influxd")
    address, token = request.getfixturevalue(program), TOKEN if program == "influxd2" else ""
    fill(address, tmp_path_factory.mktemp("filled"), token=token)
    asked = Server(address, sources, token=token)
    yield asked
    asked.close()


@pytest.fixture(scope="session")
def grafana_types() -> Schema:
    types = generated()
    if types is None:
        missing = pytest.fail if os.environ.get("NOTHING_SKIPPED") else pytest.skip
        missing(NO_NODE)
    return Schema(types)


@pytest.fixture(scope="session")
def display() -> Display:
    found = Display.found()
    if found is None:
        missing = pytest.fail if os.environ.get("NOTHING_SKIPPED") else pytest.skip
        missing(NO_NODE)
    return found
