"""The way from a device's page to Grafana, which is there only where the console was told of one."""

import httpx
import pytest
from fake_worker import Served

from ports import free_port
from scenewatch.cli import main
from scenewatch.console.app import create_app
from scenewatch.console.pages import DEVICE_BOARD

GRAFANA = "https://grafana.example/city"
WAY = f"{GRAFANA}/d/{DEVICE_BOARD}?var-scene=kitchen&amp;var-site=s001&amp;var-device=s001-fridge-1"
LOOK = {"device": "kitchen.s001.s001-fridge-1"}


def test_a_device_leads_to_its_page_in_grafana(standing):
    port = free_port()
    served = Served(create_app(standing.worker_url, grafana_url=GRAFANA), port)
    try:
        assert f'<a href="{WAY}">' in httpx.get(f"http://127.0.0.1:{port}/", params=LOOK, trust_env=False).text
    finally:
        served.stop()


def test_without_a_grafana_nothing_leads_there(standing):
    page = httpx.get(f"http://127.0.0.1:{standing.console_port}/", params=LOOK, trust_env=False)
    assert DEVICE_BOARD not in page.text


@pytest.mark.parametrize("address", ["grafana.example", "javascript:alert(1)"])
def test_an_address_that_is_none_is_refused(capsys, address):
    with pytest.raises(SystemExit) as ended:
        main(["console", "--worker", "http://127.0.0.1:9", "--grafana", address])
    assert ended.value.code == 2
    assert "must begin with http:// or https://" in capsys.readouterr().err
