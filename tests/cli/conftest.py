"""The command as it is typed, on the files and the API of a real worker."""

from __future__ import annotations

import pytest

from ends import HandClock
from records import START_MS, telemetry, topic
from scenewatch import cli
from worker_rig import WorkerRig


@pytest.fixture
def typed(capfdbinary):
    """Types a command: its exit status, standard output, and the lines of standard error."""

    def run(*arguments):
        try:
            status = cli.main([str(a) for a in arguments])
        except SystemExit as end:
            status = end.code
        said = capfdbinary.readouterr()
        return status, said.out, said.err.decode().splitlines()

    return run


@pytest.fixture(scope="module")
def rig(vat_scene, tmp_path_factory):
    """A worker that runs: three messages taken, three dead."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        made = WorkerRig(tmp_path_factory.mktemp("worker"), vat_scene, HandClock(START_MS), monkeypatch)
        vat = topic("vat-1")
        for n in range(3):
            made.send(START_MS + n * 1000, (vat, telemetry(START_MS + n * 1000, b="x", n=n, temp=20)))
        made.send(START_MS + 5000, (vat, b"{"), (b"sw/brine/w1/vat\x1b[2J/telemetry", b"{}"), (vat, b"\xff\n\x00"))
        yield made
        made.close()


@pytest.fixture(scope="module")
def config(rig):
    return rig.settings.journal.path.parent / "scenewatch.toml"
