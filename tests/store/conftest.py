"""A database of its own for each test, one InfluxDB for all."""

from contextlib import closing

import pytest
from influx_server import program, running
from stores import INFLUX

from scenewatch.store.relational import Database


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'scenewatch.sqlite'}"


@pytest.fixture
def database(url):
    with closing(Database(url)) as database:
        yield database


@pytest.fixture(scope="session")
def influxd(tmp_path_factory):
    """A real server's address, which the programs that tests start find too."""
    if program() is None:
        pytest.skip("needs InfluxDB 1.8: install Go, and it is built at the next run")
    with running(tmp_path_factory.mktemp("influxd")) as address, pytest.MonkeyPatch.context() as patch:
        patch.setenv(INFLUX, address)
        yield address
