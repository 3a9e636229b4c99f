"""What Grafana reads at its start: data sources and where dashboards are, as its own file format has them."""

import re

import pytest
import yaml
from built import FOLDER, odd_scene

from boards.influxql import NAMES, UIDS
from boards.provisioning import datasources
from scenewatch.model.level import Level
from scenewatch.scenes import SCENES

SOURCES = FOLDER / "provisioning" / "datasources" / "scenewatch.yaml"
PROVIDERS = FOLDER / "provisioning" / "dashboards" / "scenewatch.yaml"
TOKEN = "/run/tokens/grafana.token"  # noqa: S105 - where it is, not what it is
SOURCE_KEYS = {
    "name", "uid", "type", "access", "url", "editable", "isDefault", "jsonData", "secureJsonData", "orgId",
    "database", "basicAuth", "basicAuthUser", "withCredentials", "version", "user",
}  # fmt: skip
PROVIDER_KEYS = {
    "name", "orgId", "folder", "folderUid", "type", "disableDeletion", "updateIntervalSeconds", "allowUiUpdates",
    "options",
}  # fmt: skip


@pytest.fixture(scope="module")
def sources():
    return yaml.safe_load(SOURCES.read_text("utf-8"))


def test_the_levels_of_the_record_are_four_data_sources(sources):
    assert sources["apiVersion"] == 1
    found = {one["uid"]: one for one in sources["datasources"]}
    assert list(found) == list(UIDS.values())
    for level in Level:
        one = found[UIDS[level]]
        assert one.keys() <= SOURCE_KEYS
        assert (one["name"], one["type"], one["access"]) == (NAMES[level], "influxdb", "proxy")
        assert one["editable"] is False
        assert one["jsonData"]["version"] == "InfluxQL"
        assert one["jsonData"]["dbName"] == f"${{SCENEWATCH_BUCKET}}{level.suffix}"
        assert one["url"] == "${SCENEWATCH_INFLUX_URL}"
    assert [one["uid"] for one in sources["datasources"] if one["isDefault"]] == ["sw-raw"]


def test_the_token_is_read_from_its_file_and_stands_nowhere_else(sources):
    for one in sources["datasources"]:
        assert one["jsonData"]["httpHeaderName1"] == "Authorization"
        assert one["secureJsonData"] == {"httpHeaderValue1": f"Token $__file{{{TOKEN}}}"}


def test_only_two_names_come_from_the_environment():
    names = set(re.findall(r"\$\{(\w+)\}", SOURCES.read_text("utf-8") + PROVIDERS.read_text("utf-8")))
    assert names == {"SCENEWATCH_INFLUX_URL", "SCENEWATCH_BUCKET"}


def test_no_step_of_a_chart_is_shorter_than_what_it_is_made_of(sources):
    shortest = [one["jsonData"]["timeInterval"] for one in sources["datasources"]]
    assert shortest == ["60s", "60s", "3600s", "86400s"]
    slow = yaml.safe_load(datasources([*SCENES, odd_scene()]))
    assert slow["datasources"][0]["jsonData"]["timeInterval"] == "60s"
    assert yaml.safe_load(datasources([odd_scene()]))["datasources"][0]["jsonData"]["timeInterval"] == "14s"


def test_dashboards_are_read_from_a_folder_and_cannot_be_changed():
    found = yaml.safe_load(PROVIDERS.read_text("utf-8"))
    assert found["apiVersion"] == 1
    (provider,) = found["providers"]
    assert provider.keys() <= PROVIDER_KEYS
    assert provider["type"] == "file"
    assert provider["options"]["path"] == "/etc/grafana/dashboards"
    assert provider["allowUiUpdates"] is False
