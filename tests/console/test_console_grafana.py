"""The way from a device's page to Grafana, which is there only where the console was told of one."""

from pathlib import Path

import httpx
import pytest
from comes_true import knows_its_worker
from fake_worker import Served

from ports import free_port
from scenewatch.cli import main
from scenewatch.console.app import create_app

GRAFANA = "https://grafana.example/city"
BOARD = "sw-device-kitchen-fridge"
WAY = f"{GRAFANA}/d/{BOARD}?var-site=s001&amp;var-device=s001-fridge-1"
LOOK = {"device": "kitchen.s001.s001-fridge-1"}
BOARDS = Path(__file__).parents[2] / "dashboards" / "grafana"


@pytest.fixture(scope="module")
def linked(standing):
    """The page of a device, of a console that was told of a Grafana."""
    port = free_port()
    served = Served(create_app(standing.worker_url, grafana_url=GRAFANA), port)
    console = knows_its_worker(f"http://127.0.0.1:{port}")
    yield lambda device: httpx.get(f"{console}/device", params={"device": device}, trust_env=False).text
    served.stop()


def test_a_device_leads_to_the_dashboard_of_its_type(linked):
    assert f'<a href="{WAY}">' in linked(LOOK["device"])
    assert (BOARDS / f"{BOARD}.json").exists()


def test_a_device_that_measures_nothing_leads_to_none(linked):
    page = linked("kitchen.s001.s001-gw")
    assert "kitchen.s001.s001-gw" in page
    assert GRAFANA not in page


def test_without_a_grafana_nothing_leads_there(standing):
    page = httpx.get(f"http://127.0.0.1:{standing.console_port}/device", params=LOOK, trust_env=False)
    assert BOARD not in page.text


@pytest.mark.parametrize("address", ["grafana.example", "javascript:alert(1)"])
def test_an_address_that_is_none_is_refused(capsys, address):
    with pytest.raises(SystemExit) as ended:
        main(["console", "--worker", "http://127.0.0.1:9", "--grafana", address])
    assert ended.value.code == 2
    assert "must begin with http:// or https://" in capsys.readouterr().err
