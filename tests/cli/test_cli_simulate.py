"""`simulate` as who: each site by its own login; and when: the past once, then on with the same piece."""

from __future__ import annotations

import json
from multiprocessing.reduction import ForkingPickler

import pytest

from scenewatch import cli
from scenewatch.devices import simulate
from scenewatch.devices.publisher import login
from scenewatch.model.broker import Broker

HOUR_MS = 3_600_000


@pytest.fixture
def begun(monkeypatch):
    """What would be played, had it been played."""
    played = []
    monkeypatch.setattr(simulate, "simulate", lambda simulation, _stop, **_: played.append(simulation))

    def run(*words):
        assert cli.main(["simulate", "--sites", "2", "--broker", "mqtt://127.0.0.1:9", *map(str, words)]) == 0
        return played[-1]

    return run


def test_the_past_is_played_once(begun, tmp_path):
    piece = tmp_path / "piece.json"
    first = begun("--speed", 60, "--past", 24, "--piece", piece)
    assert first.speed == 60
    assert first.start_ms == first.live_from_ms
    again = begun("--speed", 60, "--past", 24, "--piece", piece)
    assert again.start_ms == first.start_ms
    assert again.speed == 1
    assert again.live_from_ms - first.live_from_ms >= 24 * HOUR_MS
    assert json.loads(piece.read_text()) == {"start_ms": first.start_ms}


def test_mishaps_befall_one_device_after_the_other_and_the_same_after_a_restart(begun, tmp_path):
    words = ("--speed", 60, "--past", 24, "--mishaps", 6, "--piece", tmp_path / "piece.json")
    first = begun(*words)
    faults = first.plan.faults
    assert [fault.from_ms - first.start_ms for fault in faults[:4]] == [6 * HOUR_MS * n for n in (1, 2, 3, 4)]
    assert len({fault.device for fault in faults[:4]}) == 4
    assert len(faults) == 365 * 4 - 1
    assert begun(*words).plan == first.plan


def test_a_piece_that_is_none_is_named(tmp_path, capsys):
    (tmp_path / "piece.json").write_text("{}")
    words = ["simulate", "--broker", "mqtt://127.0.0.1:9", "--piece", str(tmp_path / "piece.json")]
    assert cli.main(words) == 2
    assert f"{tmp_path}/piece.json: " in capsys.readouterr().err


def test_each_site_enters_by_its_own_login(begun, tmp_path):
    for site in ("kitchen.s001", "kitchen.s002"):
        (tmp_path / f"{site}.password").write_text(f"of {site}\n")
    told = begun("--logins", tmp_path)
    entered = [login(told.broker, site, told.logins) for site in ("kitchen.s001", "kitchen.s002")]
    assert [(one.username, one.password()) for one in entered] == [
        ("kitchen.s001", "of kitchen.s001"),
        ("kitchen.s002", "of kitchen.s002"),
    ]
    assert ForkingPickler.dumps(told)  # it goes to other processes whole


def test_every_login_that_is_missing_is_named(tmp_path, capsys):
    (tmp_path / "kitchen.s001.password").write_text("x")
    words = ["simulate", "--sites", "3", "--broker", "mqtt://127.0.0.1:9", "--logins", str(tmp_path)]
    assert cli.main(words) == 2
    told = capsys.readouterr().err
    assert "kitchen.s001" not in told
    assert "kitchen.s002.password" in told
    assert "kitchen.s003.password" in told


def test_without_logins_all_enter_as_one():
    broker = Broker(url="mqtt://b", username="fleet")
    assert login(broker, "kitchen.s001", None) is broker
