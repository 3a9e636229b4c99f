"""A disk that fills up, fails or loses its process: nothing acknowledged is lost, nothing else acknowledged."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from dataclasses import replace

import pytest
from journal_tools import (
    DEADLINE_S,
    KIB,
    SMALL,
    FailingFiles,
    HandClock,
    append_durably,
    opened,
    payloads,
    read_all,
    some,
    until,
)

from scenewatch.journal.limits import Health, Limits
from scenewatch.journal.segment import MAX_BODY_BYTES
from scenewatch.model.errors import RefusedError, TemporaryError
from scenewatch.model.ports import RecordKind
from scenewatch.model.words import Duration

ENDLESS_WRITER = """
import itertools, os, struct, sys
from pathlib import Path
from scenewatch.journal.journal import FileJournal
from scenewatch.journal.limits import Limits
from scenewatch.model.clock import SystemClock
from scenewatch.model.messages import Messages
from scenewatch.model.words import Duration
import threading

limits = Limits(segment_bytes=50_000, max_bytes=1 << 30, hard_max_bytes=1 << 31, group_ms=Duration(1))
journal = FileJournal(Path(sys.argv[1]), clock=SystemClock(), limits=limits)
room = threading.Semaphore(50)
n = journal.head
while True:
    room.acquire()
    size = 1 + n % 7
    end = n + size
    journal.append(
        Messages.of([(b"t", b"%d" % i) for i in range(n, end)], 1),
        lambda end=end: (os.write(1, struct.pack("<q", end)), room.release()),
    )
    n = end
"""


@pytest.mark.integration
def test_after_kill_9_all_that_was_acknowledged_is_there_and_nothing_is_invented(tmp_path):
    chance = random.Random(9)
    head = 0
    for _ in range(3):
        command = [sys.executable, "-c", ENDLESS_WRITER, str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
            told = writer.stdout.read(8 * chance.randint(1, 2000))
            writer.send_signal(signal.SIGKILL)
            told += writer.stdout.read()
        acknowledged = int.from_bytes(told[len(told) // 8 * 8 - 8 :][:8], "little")
        with opened(tmp_path, Limits()) as journal:
            assert head < acknowledged <= journal.head
            assert journal.damaged == ()
            head = journal.head
            numbers = [int(p) for p in payloads(read_all(journal, most=10_000))]
            assert numbers == list(range(head))


def test_a_full_disk_acknowledges_nothing_and_goes_on_by_itself_when_there_is_room(tmp_path, caplog):
    files, acknowledged = FailingFiles(), []
    limits = replace(SMALL, segment_bytes=64 * KIB, max_bytes=128 * KIB, group_bytes=1)  # each batch its own group
    with opened(tmp_path, limits, files=files) as journal:
        append_durably(journal, some(10, "before"))
        files.room = 2 * KIB
        for i in range(5):
            journal.append(some(50, f"b{i}"), lambda i=i: acknowledged.append(i))
        until(lambda: journal.status().failures >= 2)
        status = journal.status()
        assert (status.health, status.queued_positions) == (Health.FAILING, 250)
        assert "No space left" in status.reason
        assert (journal.head, acknowledged) == (10, [])
        assert next(tmp_path.glob("*.segment")).stat().st_size == status.bytes_on_disk, "no half group stays"
        files.room = 1 << 40
        append_durably(journal, some(1, "after"))
        assert acknowledged == [0, 1, 2, 3, 4]
        assert journal.status().health is Health.WRITING
    lines = [r.message for r in caplog.records]
    assert [("is not written" in line, "written again" in line) for line in lines] == [(True, False)]
    with opened(tmp_path) as journal:
        assert journal.damaged == ()
        assert len(payloads(read_all(journal))) == 261


def test_a_sync_that_failed_is_not_believed_later(tmp_path):
    """After a failed sync the system may call the lost pages clean: the group is cut off and written anew."""
    files = FailingFiles()
    with opened(tmp_path, replace(SMALL, segment_bytes=64 * KIB, max_bytes=128 * KIB), files=files) as journal:
        append_durably(journal, some(1))
        size = next(tmp_path.glob("*.segment")).stat().st_size
        files.did.clear()
        files.sync_fails = True
        journal.append(some(3))
        until(lambda: journal.status().failures >= 2)
        assert files.did.count("write") >= 2
        until(lambda: next(tmp_path.glob("*.segment")).stat().st_size == size)
        assert journal.head == 1
        files.sync_fails = False
        append_durably(journal, some(1))
        assert journal.head == 5


def test_a_disk_that_is_full_from_the_start_is_waited_for(tmp_path):
    files = FailingFiles()
    files.room = 0
    with opened(tmp_path, files=files) as journal:
        journal.append(some(1))
        until(lambda: journal.status().failures >= 1)
        files.room = 1 << 40
        append_durably(journal, some(1))
        assert len(payloads(read_all(journal))) == 2


def test_what_a_killed_process_left_is_synced_before_it_counts(tmp_path):
    with opened(tmp_path) as journal:
        append_durably(journal, some(1))
    files = FailingFiles()
    with opened(tmp_path, files=files):
        assert files.did == ["sync"]
    files.sync_fails = True
    for _ in range(2):
        with (
            pytest.raises(TemporaryError, match=r"cannot open the journal .*Input/output error"),
            opened(tmp_path, files=files),
        ):
            pass
    with opened(tmp_path) as journal:
        assert journal.head == 1


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    tmp_path.joinpath("file").touch()
    with pytest.raises(TemporaryError, match=r"cannot open the journal .*file"), opened(tmp_path / "file"):
        pass


def test_a_single_record_that_could_not_be_written_never_appears(tmp_path):
    files = FailingFiles()
    with opened(tmp_path, replace(SMALL, patience_s=0.1), files=files) as journal:
        append_durably(journal, some(1))
        files.room = 0
        with pytest.raises(TemporaryError, match="No space left"):
            journal.append_record(RecordKind.INVENTORY, b"lost", 1)
        assert journal.status().queued_positions == 0
        files.room = 1 << 40
        append_durably(journal, some(1))
        assert [r.kind for r in read_all(journal)] == [RecordKind.MESSAGES] * 2


def test_a_record_taken_back_lets_the_source_return(tmp_path):
    files, told = FailingFiles(), []
    limits = replace(SMALL, patience_s=0.1, hard_max_bytes=SMALL.max_bytes + 100)
    with opened(tmp_path, limits, files=files, on_full=told.append) as journal:
        files.room = 0
        with pytest.raises(TemporaryError):
            journal.append_record(RecordKind.HISTORY, b"x" * 200, 1)
        assert told == [True, False]


def test_a_single_record_in_a_slow_write_is_waited_for(tmp_path):
    files = FailingFiles()
    with opened(tmp_path, replace(SMALL, patience_s=0.05), files=files) as journal:
        append_durably(journal, some(1))
        files.gate.clear()
        ends = []
        writer = threading.Thread(target=lambda: ends.append(journal.append_record(RecordKind.HISTORY, b"x", 1)))
        writer.start()
        writer.join(0.2)
        assert writer.is_alive(), "its bytes may be on disk: neither yes nor no can be said yet"
        files.gate.set()
        writer.join(DEADLINE_S)
        assert ends == [2]


def test_close_on_a_full_disk_lets_go_of_what_was_not_acknowledged(tmp_path, caplog):
    files = FailingFiles()
    with opened(tmp_path, files=files) as journal:
        append_durably(journal, some(1))
        files.room = 0
        journal.append(some(7), lambda: pytest.fail("acknowledged but not written"))
        until(lambda: journal.status().failures >= 1)
    assert "closed with 7 messages not written" in caplog.text
    with opened(tmp_path) as journal:
        assert journal.head == 1


def test_at_the_most_bytes_messages_are_held_until_release_makes_room(tmp_path):
    limits = replace(SMALL, max_bytes=4 * KIB, hard_max_bytes=8 * KIB, keep_ms=Duration(10**9))
    told, acknowledged = [], []
    with opened(tmp_path, limits, clock=HandClock(1000), on_full=told.append) as journal:
        append_durably(journal, some(60, "a"))
        append_durably(journal, some(60, "b"))
        journal.append(some(60, "held"), lambda: acknowledged.append("held"))
        until(lambda: journal.status().health is Health.HOLDING)
        assert (journal.head, told, journal.status().queued_positions) == (120, [], 60)
        journal.append(some(60, "more"), lambda: acknowledged.append("more"))
        assert told == [True], "more than may be held: the source has to leave"
        assert journal.status().full
        assert acknowledged == []
        journal.release(60)
        until(lambda: told == [True, False])
        until(lambda: acknowledged == ["held", "more"])
        assert journal.status().oldest == 60, "though younger than the kept span: what comes in goes first"
        assert journal.head == 240


def test_room_that_was_released_before_is_found_when_it_is_needed(tmp_path):
    limits = replace(SMALL, max_bytes=4 * KIB, hard_max_bytes=8 * KIB, keep_ms=Duration(10**9))
    with opened(tmp_path, limits) as journal:
        for i in range(12):
            append_durably(journal, some(60, f"b{i}"))
            journal.release(journal.head)
        assert journal.status().bytes_on_disk < 8 * KIB


def test_history_larger_than_memory_and_segment_is_one_record(tmp_path):
    body = os.urandom(1024 * KIB) * 40
    with opened(tmp_path, Limits(segment_bytes=KIB)) as journal:
        assert journal.append_record(RecordKind.HISTORY, body, 7) == 1
        append_durably(journal, some(1))
        assert [r.body == body for r in journal.read(0, most=1, wait_s=0)] == [True]
        with pytest.raises(RefusedError, match="more than one record holds"):
            journal.append_record(RecordKind.HISTORY, bytes(MAX_BODY_BYTES + 1), 7)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_fault_of_its_own_is_shown_and_nothing_more_is_taken(tmp_path):
    files = FailingFiles()
    with opened(tmp_path, files=files) as journal:
        append_durably(journal, some(1))
        files.room = "no number"
        journal.append(some(1), lambda: pytest.fail("acknowledged but not written"))
        until(lambda: journal.status().health is Health.FAILING)
        assert "TypeError" in journal.status().reason
        until(lambda: not journal._thread.is_alive())
        with pytest.raises(ValueError, match="closed"):
            journal.append(some(1))


@pytest.mark.integration
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_on_a_real_small_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)], check=False)
    if mounted.returncode:
        pytest.skip("this root may not mount")
    try:
        filler = disk / "filler"
        filler.write_bytes(b"x" * 200 * KIB)
        with opened(disk / "journal", Limits()) as journal:
            append_durably(journal, some(100, size=100))
            journal.append(some(1000, "big", size=100))
            until(lambda: journal.status().health is Health.FAILING)
            assert "No space left" in journal.status().reason
            filler.unlink()
            append_durably(journal, some(1))
            assert len(payloads(read_all(journal))) == 1101
    finally:
        subprocess.run(["umount", str(disk)], check=True)
