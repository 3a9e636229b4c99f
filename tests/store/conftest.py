"""A database of its own for each test."""

from contextlib import closing

import pytest

from scenewatch.store.relational import Database


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'scenewatch.sqlite'}"


@pytest.fixture
def database(url):
    with closing(Database(url)) as database:
        yield database
