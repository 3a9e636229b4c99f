"""The chart library on the shelf: the version and the names the page counts on, and nothing else served."""

import sys
from pathlib import Path

import pytest

import scenewatch.console
from scenewatch.console import shelf
from scenewatch.model.errors import ConfigurationError

HOME = Path(scenewatch.console.__file__).parent


def test_echarts_in_the_browser_has_the_version_and_names_used(standing, page):
    page.goto(f"http://127.0.0.1:{standing.console_port}")
    found = page.evaluate(
        """async (module) => {
            const { echarts } = await import(module);
            const place = document.createElement("div");
            place.style.width = place.style.height = "100px";
            document.body.append(place);
            const chart = echarts.init(place, null, { renderer: "canvas" });
            const names = ["setOption", "resize", "dispose", "isDisposed", "getDom"].filter((n) => !(n in chart));
            chart.dispose();
            return [echarts.version, names];
        }""",
        shelf.echarts().module,
    )
    assert found == ["6.1.0", []]


def test_notice_names_the_versions_served():
    notice = (HOME / "NOTICE").read_text()
    assert "ECharts 6.1.0" in notice
    assert f"NiceGUI {shelf.version(shelf.WHEEL)}" in notice
    assert shelf.echarts().address.startswith(f"/shelf/{shelf.WHEEL}-{shelf.version(shelf.WHEEL)}/")


def test_wheel_is_found_and_never_imported():
    assert shelf.echarts().folder.joinpath(shelf.echarts().chunk).is_file()
    assert shelf.WHEEL not in sys.modules


def test_missing_or_strange_wheel_is_a_clear_mistake(monkeypatch):
    monkeypatch.setattr(shelf, "INSIDE", Path("elements/none"))
    with pytest.raises(ConfigurationError, match="is not the chart module"):
        shelf.echarts()
    monkeypatch.setattr(shelf, "WHEEL", "no_such_wheel")
    with pytest.raises(ConfigurationError, match="is not installed"):
        shelf.echarts()
