"""What tests of the worker's parts stand on."""

import pytest

from scenewatch.store.relational import Database


@pytest.fixture
def database(tmp_path):
    made = Database(f"sqlite:///{tmp_path / 'rows.sqlite'}")
    yield made
    made.close()
