"""A worker whose journal lost some of its files: it goes on, what the store has stays, what is lost is counted."""

from __future__ import annotations

import shutil
from functools import partial

import pytest

from records import START_MS, telemetry, topic
from scenewatch import parts
from scenewatch.journal.limits import Limits
from scenewatch.model.errors import ConfigurationError
from worker_rig import one_after_another


@pytest.fixture
def begin(vat_scene, tmp_path, monkeypatch):
    """Begins a worker with segments of a few messages; again after the one before was closed."""
    monkeypatch.setattr(parts, "Limits", partial(Limits, segment_bytes=500))
    with one_after_another(tmp_path, vat_scene, monkeypatch) as made:
        yield made


def heat(rig, *seconds):
    """One record; more than four messages are more than a segment."""
    times = [START_MS + s * 1000 for s in seconds]
    messages = [(topic("vat-1"), telemetry(t, b="x", n=s, temp=85)) for s, t in zip(seconds, times, strict=True)]
    rig.send(times[-1], *messages)


def fill(rig):
    """24 messages in several segments."""
    for first in (0, 8, 16):
        heat(rig, *range(first, first + 8))


def segments(folder):
    return sorted((folder / "journal").glob("*.segment"))


def stored(rig):
    page = rig.get("/api/v1/readings", device="brine.w1.vat-1", channel="temp")
    return [(reading["t"] - START_MS) // 1000 for reading in page["readings"]]


def balance(rig):
    ledger = rig.get("/api/v1/ledger")
    assert ledger["received"] == ledger["stored"] + ledger["duplicate"] + ledger["dead"] + ledger["pending"]
    return ledger["stored"], ledger["pending"], ledger["journal"]["lost"]


def cut_the_end(folder):
    segments(folder)[-1].write_bytes(b"")


def lose_the_end(folder):
    segments(folder)[-1].unlink()


@pytest.mark.parametrize("mishap", [cut_the_end, lose_the_end])
def test_a_journal_that_lost_its_end_goes_on_from_what_the_store_has(begin, tmp_path, caplog, mishap):
    rig = begin()
    fill(rig)
    head = rig.worker.journal.head
    rig.close()
    mishap(tmp_path)
    rig = begin()
    assert any("has lost its end: it ends at" in r.getMessage() for r in caplog.records)
    assert rig.worker.journal.head == head
    heat(rig, 5, 24, 25)
    assert stored(rig) == [*range(26)], "a repeated message is known, new ones come"
    assert balance(rig) == (26, 0, 0)


def test_a_journal_without_end_and_state_goes_on_with_the_stores_account_and_the_inventory(begin, tmp_path):
    rig = begin()
    fill(rig)
    rig.close()
    lose_the_end(tmp_path)
    shutil.rmtree(tmp_path / "journal.state")
    rig = begin()
    heat(rig, 24, 25)
    assert stored(rig) == [*range(26)]
    assert balance(rig) == (26, 0, 0)


def test_a_beginning_that_is_gone_before_the_store_had_it_is_counted_as_lost(begin, tmp_path, caplog):
    rig = begin()
    fill(rig)
    rig.close()
    first, second, *_ = segments(tmp_path)
    first.unlink()
    (tmp_path / "r.duckdb").unlink()
    shutil.rmtree(tmp_path / "journal.state")
    rig = begin()
    heat(rig, 24)
    lost = int(second.stem)
    assert stored(rig) == [*range(25)][-balance(rig)[0] :]
    assert balance(rig)[1:] == (0, lost)
    assert any(f"positions 0 to {lost - 1} are lost" in r.getMessage() for r in caplog.records)


def test_damage_in_the_middle_is_counted_and_shown(begin, tmp_path):
    rig = begin()
    fill(rig)
    rig.close()
    _, second, third, *_ = segments(tmp_path)
    second.unlink()
    (tmp_path / "r.duckdb").unlink()
    shutil.rmtree(tmp_path / "journal.state")
    rig = begin()
    lost = int(third.stem) - int(second.stem)
    assert balance(rig) == (24 - lost, 0, lost)
    assert f"scenewatch_journal_positions_lost_total {lost}.0" in rig.client.get("/metrics").text


def test_a_journal_of_another_database_is_refused(begin, tmp_path):
    rig = begin()
    fill(rig)
    rig.close()
    shutil.rmtree(tmp_path / "journal")
    with pytest.raises(ConfigurationError, match="they do not belong together; restore the journal, or begin"):
        begin()
