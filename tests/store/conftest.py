"""A database of its own for each test, and every kind of store with its server."""

from contextlib import closing

import pytest
from stores import SERVERS, STORES

from scenewatch.store.relational import Database


@pytest.fixture
def url(database_url):
    return database_url


@pytest.fixture
def database(url):
    with closing(Database(url)) as database:
        yield database


@pytest.fixture
def file_url(tmp_path):
    """Of an SQLite file, for what only concerns files."""
    return f"sqlite:///{tmp_path / 'rows.sqlite'}"


@pytest.fixture
def file_database(file_url):
    with closing(Database(file_url)) as database:
        yield database


@pytest.fixture(params=STORES, scope="session")
def kind(request):
    """A key of STORES, whose server runs."""
    if request.param in SERVERS:
        request.getfixturevalue(SERVERS[request.param])
    return request.param
