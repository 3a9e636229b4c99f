"""What every test may use: a small scene of its own, so that no stage's test leans on a real scene's tables."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings

import influx2_server
import postgres_server
from influx_server import ADDRESS, program, running
from node_packages import NO_NODE
from scenewatch.model.fault import Drive, Fault
from scenewatch.model.place import Device
from scenewatch.model.quantity import Quantity
from scenewatch.model.registry import Registry
from scenewatch.model.rule import Above, Mark, NoData, Priority, Rule, Source
from scenewatch.model.scene import Channel, DeviceType, EventKind, Scene, Span
from scenewatch.model.words import Text, hours, minutes, seconds
from seeds import SAID, SEED

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

# A law holds however slow the machine is that looks for exceptions.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Before hypothesis looks at its option: its examples are drawn by the same seed as all else."""
    if config.option.hypothesis_seed is None:
        config.option.hypothesis_seed = SEED


def pytest_report_header() -> str:
    return SAID


def _text(name: str) -> Text:
    return Text(name, f"{name}（中）")


SOURCE = Source(document=_text("a proposal"), mark=Mark.PROPOSAL)


@pytest.fixture(scope="session")
def vat_scene() -> Scene:
    """Vats of brine with a temperature and a level, and a gateway without channels."""
    return Scene(
        key="brine",
        title=_text("Brine"),
        site_title=_text("Works"),
        device_types=(
            DeviceType(
                key="vat",
                title=_text("Vat"),
                every=seconds(10),
                channels=(
                    Channel(
                        key="temp",
                        title=_text("Temperature"),
                        quantity=Quantity.TEMPERATURE,
                        unit="°C",
                        possible=Span(-50, 150),
                        expected=Span(-10, 90),
                    ),
                    Channel(
                        key="level",
                        title=_text("Level"),
                        quantity=Quantity.RATIO,
                        unit="%",
                        possible=Span(0, 100),
                    ),
                ),
                events=(
                    EventKind(key="boiled_over", title=_text("Boiled over")),
                    EventKind(key="lid_open", title=_text("Lid open")),
                ),
            ),
            DeviceType(key="gateway", title=_text("Gateway"), every=minutes(1)),
        ),
        rules=(
            Rule(
                key="vat_hot",
                title=_text("Vat hot"),
                on=("vat.temp",),
                when=Above(80.0, deadband=2.0),
                on_delay=seconds(20),
                priority=Priority.HIGH,
                source=SOURCE,
                proof="heater_stuck",
                advice=_text("Switch the heater off"),
            ),
            Rule(
                key="vat_silent",
                title=_text("Vat silent"),
                on=("vat.temp",),
                when=NoData(minutes(1)),
                priority=Priority.LOW,
                source=SOURCE,
                proof="heater_stuck",
                advice=_text("Look at the cable"),
            ),
        ),
        faults=(
            Fault(
                key="heater_stuck",
                title=_text("Heater stuck"),
                on=("vat",),
                effect=Drive("heater", 1.0),
                shows=("vat.temp",),
                rules=("vat_hot", "vat_silent"),
                minimum=minutes(5),
                deadline=hours(1),
                tail=minutes(30),
            ),
        ),
        simulator="",
        mishap="heater_stuck",
    )


@pytest.fixture
def vats() -> list[Device]:
    """A gateway and two vats behind it."""
    return [
        Device(scene="brine", site="w1", device="gw", type="gateway"),
        Device(scene="brine", site="w1", device="vat-1", type="vat", parent="gw"),
        Device(scene="brine", site="w1", device="vat-2", type="vat", parent="gw"),
    ]


@pytest.fixture
def vat_registry(vat_scene: Scene, vats: list[Device]) -> Registry:
    registry = Registry([vat_scene])
    registry.apply(vats, at_ms=0)
    return registry


NO_INFLUXDB = "needs InfluxDB 1.8: install Go, and it is built at the next run"


def pytest_collection_finish(session: pytest.Session) -> None:
    """Built before the tests: a slow machine takes longer than one test may."""
    if any("influxd" in getattr(item, "fixturenames", ()) for item in session.items):
        program()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """All that is skipped for want of one program is one line of the summary, not one a test."""
    report = yield
    for want in (NO_INFLUXDB, NO_NODE):
        if report.skipped and want in str(report.longrepr):
            report.longrepr = ("tests/conftest.py", 1, f"Skipped: {want}")
    return report


@pytest.fixture(scope="session")
def influxd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real server's address, which the programs that tests start find too."""
    if program() is None:
        missing = pytest.fail if os.environ.get("NOTHING_SKIPPED") else pytest.skip
        missing(NO_INFLUXDB)
    with running(tmp_path_factory.mktemp("influxd")) as address, pytest.MonkeyPatch.context() as patch:
        patch.setenv(ADDRESS, address)
        yield address


@pytest.fixture(scope="session")
def postgres() -> Iterator[Path]:
    """The folder with the socket of a real server."""
    if postgres_server.programs() is None:
        missing = pytest.fail if os.environ.get("NOTHING_SKIPPED") else pytest.skip
        missing("PostgreSQL is not there: install postgresql")
    with postgres_server.running() as folder:
        yield folder


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'scenewatch.sqlite'}"
        return
    folder, name = request.getfixturevalue("postgres"), f"test_{uuid4().hex}"
    yield postgres_server.create(folder, name)
    postgres_server.drop(folder, name)


@pytest.fixture(scope="session")
def influxd2(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An InfluxDB 2, for those who found that it is there."""
    with (
        influx2_server.running(tmp_path_factory.mktemp("influxd2")) as address,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv(influx2_server.ADDRESS, address)
        yield address
