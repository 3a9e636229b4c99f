"""Two real workers that are the same to the broker and the database: one stops, with a clear word."""

from __future__ import annotations

import socket
import sqlite3
import subprocess
from contextlib import closing

import pytest
from chaos import Scene, wait_for

from ports import free_port

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    scene = Scene(tmp_path_factory.mktemp("two"))
    scene.start("broker")
    scene.start("worker")
    wait_for(scene.ready, "the worker")
    yield scene
    scene.end()


def twin(scene, *moved):
    """Runs a second worker with almost the same settings until it ends; its exit status and last words."""
    config = (scene.folder / "work.toml").read_text("utf-8")
    config = config.replace(f"port = {scene.http_port}", f"port = {free_port()}")
    for name in moved:
        config = config.replace(f"/{name}", f"/twin-{name}")
    (scene.folder / "twin.toml").write_text(config)
    command = [*scene.commands["worker"][:-1], str(scene.folder / "twin.toml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return done.returncode, done.stderr.strip().splitlines()[-1]


def test_a_second_worker_on_the_same_journal_is_refused(scene):
    status, last = twin(scene)
    assert status == 1
    assert f"the journal {scene.folder / 'journal'} is in use by another process: stop it" in last


def test_a_second_worker_with_a_journal_of_its_own_is_refused(scene):
    status, last = twin(scene, "journal", "readings")
    assert status == 1
    assert (
        f"in use by the worker on {socket.gethostname()}, process {scene.processes['worker'].pid}: stop that one"
        in last
    )
    assert scene.ready(), "the first one has not noticed"
    assert "lost" not in (scene.folder / "worker.log").read_text("utf-8"), "nor has its session been taken over"


def test_a_killed_worker_comes_back_without_waiting_for_its_own_lease(scene):
    scene.kill("worker")
    scene.start("worker")
    wait_for(scene.ready, "the worker")
    assert "for a sign of life" not in (scene.folder / "worker.log").read_text("utf-8")


def test_a_worker_whose_lease_was_taken_ends_with_a_word(scene):
    with closing(sqlite3.connect(scene.folder / "scenewatch.sqlite", isolation_level=None)) as database:
        database.execute("UPDATE lease SET holder = 'thief', host = 'far', pid = 8")
        assert scene.processes["worker"].wait(15) == 1
        assert database.execute("SELECT holder FROM lease").fetchall() == [("thief",)]
        database.execute("DELETE FROM lease")
    last = (scene.folder / "worker.log").read_text("utf-8").strip().splitlines()
    assert any("the worker ends: the database is in use by the worker on far, process 8" in line for line in last)
