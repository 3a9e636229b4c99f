"""What the journal promises to those who append and to the one who reads."""

from __future__ import annotations

import itertools
import threading
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from journal_tools import (
    DEADLINE_S,
    KIB,
    SMALL,
    FailingFiles,
    HandClock,
    append_durably,
    opened,
    pairs,
    payloads,
    plain,
    read_all,
    some,
)

from scenewatch.journal.files import UnsyncedFiles
from scenewatch.journal.journal import FileJournal
from scenewatch.journal.limits import Limits
from scenewatch.model.errors import ConfigurationError, CorruptError, InUseError, RefusedError
from scenewatch.model.messages import Messages
from scenewatch.model.ports import RecordKind
from scenewatch.model.words import Duration

BIG = Limits()


def test_what_was_appended_is_read_before_and_after_reopening(tmp_path):
    batches = [some(n, f"b{n}", received_ms=n) for n in (1, 3, 40)]
    with opened(tmp_path) as journal:
        for messages in batches:
            append_durably(journal, messages)
        assert journal.append_record(RecordKind.INVENTORY, b"devices", 99) == 45
        assert journal.append_record(RecordKind.LISTENING, b"", 100) == 46
        before = plain(read_all(journal))
    with opened(tmp_path) as journal:
        assert journal.head == 46
        assert plain(read_all(journal)) == before
    assert [row[-1] for row in before[:3]] == [pairs(messages) for messages in batches]
    assert before[3:] == [(44, 45, RecordKind.INVENTORY, 99, b"devices"), (45, 46, RecordKind.LISTENING, 100, b"")]


def test_arrays_read_from_disk_are_aligned_and_writable_for_kernels(tmp_path):
    with opened(tmp_path) as journal:
        append_durably(journal, some(3))
    with opened(tmp_path) as journal:
        messages = journal.read(0, most=1, wait_s=0)[0].messages
        for column in (messages.topic_at, messages.topic_len, messages.payload_at, messages.payload_len):
            assert column.flags.aligned
            assert column.flags.writeable
            assert column.flags.c_contiguous
            assert column.dtype == np.int32


def test_a_buffer_is_kept_whole_with_what_lies_between_its_messages(tmp_path):
    at, length = np.array([2, 9], np.int32), np.array([1, 2], np.int32)
    messages = Messages(5, b"\x30\x07a__\x00\x30\x07_bb", at, length, at, length)
    with opened(tmp_path) as journal:
        append_durably(journal, messages)
    with opened(tmp_path) as journal:
        assert pairs(journal.read(0, most=9, wait_s=0)[0].messages) == [(b"a", b"a"), (b"bb", b"bb")]


def test_one_group_is_acknowledged_in_order_and_only_after_its_sync(tmp_path):
    files = FailingFiles()
    with opened(tmp_path, files=files) as journal:
        append_durably(journal, some(1))
        files.gate.clear()
        files.at_gate.clear()
        journal.append(some(1, "held"), lambda: files.did.append("held"))
        assert files.at_gate.wait(DEADLINE_S)
        files.did.clear()
        for i in range(3):
            journal.append(some(1, f"g{i}"), lambda i=i: files.did.append(f"g{i}"))
        assert journal.head == 1
        assert journal.status().queued_positions == 4
        files.gate.set()
        append_durably(journal, some(1))
        did = [step for step in files.did if step != "write"]
        assert did[:2] == ["sync", "held"]
        assert did[2:6] == ["sync", "g0", "g1", "g2"], "what came during a sync is one group"
        assert payloads(read_all(journal))[2].startswith(b"g0")


def test_a_first_message_does_not_wait_for_company(tmp_path):
    patient = replace(SMALL, group_ms=Duration(60_000))
    with opened(tmp_path, patient) as journal:
        append_durably(journal, some(1))
        assert journal.append_record(RecordKind.LISTENING, b"", 1) == 2, "a single record does not wait either"


def test_an_acknowledgement_that_fails_holds_up_nobody(tmp_path, caplog):
    def fails() -> None:
        raise RuntimeError("gone")

    with opened(tmp_path) as journal:
        journal.append(some(1), fails)
        append_durably(journal, some(1))
        assert journal.head == 2
    assert "an acknowledgement failed" in caplog.text


def test_an_empty_batch_is_acknowledged_and_takes_no_position(tmp_path):
    with opened(tmp_path) as journal:
        append_durably(journal, Messages.of([], 1))
        append_durably(journal, some(2))
        assert journal.head == 2
    with opened(tmp_path) as journal:
        assert len(payloads(read_all(journal))) == 2


@pytest.mark.parametrize(("at", "length"), [(-1, 1), (0, -1), (0, 9), (9, 1), (2**31 - 1, 2**31 - 1), (-5, 2)])
def test_a_message_outside_of_its_buffer_is_refused(tmp_path, at, length):
    good, a, n = np.zeros(1, np.int32), np.array([at], np.int32), np.array([length], np.int32)
    with opened(tmp_path) as journal:
        for columns in ((a, n, good, good), (good, good, a, n)):
            with pytest.raises(RefusedError):
                journal.append(Messages(1, b"12345678", *columns))
        assert journal.status().queued_positions == 0


def test_a_second_process_is_told_which_folder_is_in_use(tmp_path):
    with opened(tmp_path), pytest.raises(InUseError, match=f"{tmp_path} is in use"):
        FileJournal(tmp_path, clock=HandClock())
    with opened(tmp_path) as journal:
        assert journal.head == 0


def test_after_close_nothing_is_taken(tmp_path):
    with opened(tmp_path) as journal:
        journal.append(some(3))
    assert journal.head == 3, "close writes what is queued"
    with pytest.raises(ValueError, match="closed"):
        journal.append(some(1))
    with pytest.raises(ValueError, match="closed"):
        journal.read(0, most=1, wait_s=0)


def test_a_waiting_reader_is_woken_by_what_it_waits_for(tmp_path):
    with opened(tmp_path) as journal:
        got = []
        reader = threading.Thread(target=lambda: got.extend(journal.read(0, most=5, wait_s=DEADLINE_S)))
        reader.start()
        append_durably(journal, some(2))
        reader.join(DEADLINE_S)
        assert [r.end for r in got] == [2]
        assert journal.read(2, most=5, wait_s=0) == []


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=12),
    memory=st.sampled_from([0, 3 * KIB, BIG.memory_bytes]),
    start=st.integers(0, 100),
    most=st.integers(0, 50),
)
def test_any_start_and_any_most_give_whole_records_without_gap(tmp_path_factory, sizes, memory, start, most):
    with opened(tmp_path_factory.mktemp("j"), replace(SMALL, memory_bytes=memory, group_ms=Duration(0))) as journal:
        for i, n in enumerate(sizes):
            journal.append(some(n, f"b{i}"))
        ends = list(np.cumsum(sizes))
        journal.append_record(RecordKind.LISTENING, b"", 1)
        position = start = min(start, int(ends[-1]))
        seen = []
        while position <= ends[-1]:
            got = journal.read(position, most=most, wait_s=0)
            assert got[0].first <= position < got[0].end
            assert len(got) == 1 or got[-1].first - position < most, "a soft bound: one record over at the most"
            seen += got
            position = got[-1].end
        assert all(a.end == b.first for a, b in itertools.pairwise(seen))
        assert plain(seen) == [row for row in plain(read_all(journal)) if row[1] > start]


def test_memory_and_files_give_the_same_while_others_append(tmp_path):
    with opened(tmp_path, replace(SMALL, memory_bytes=4 * KIB, group_ms=Duration(1))) as journal:

        def write(tag: str) -> None:
            for i in range(150):
                journal.append(some(1 + i % 5, f"{tag}{i}"))

        writers = [threading.Thread(target=write, args=(tag,)) for tag in "xy"]
        for writer in writers:
            writer.start()
        live, position = [], 0
        while position < 2 * 150 * 3:
            got = journal.read(position, most=20, wait_s=DEADLINE_S)
            live += got
            position = got[-1].end
        for writer in writers:
            writer.join()
    with opened(tmp_path) as journal:
        assert plain(read_all(journal)) == plain(live)
    for tag in b"xy":
        order = [p.split(b"-")[0] for p in payloads(live) if p[0] == tag]
        assert order == sorted(order, key=lambda name: int(name[1:])), "each writer's order is kept"


def test_a_waiting_reader_is_let_go_by_close(tmp_path):
    ended = []

    def wait() -> None:
        with pytest.raises(ValueError, match="closed"):
            journal.read(0, most=1, wait_s=DEADLINE_S)
        ended.append("told")

    with opened(tmp_path) as journal:
        reader = threading.Thread(target=wait)
        reader.start()
    reader.join(DEADLINE_S / 2)
    assert ended == ["told"]


def test_a_position_that_never_was_or_is_no_longer_is_an_error(tmp_path):
    with opened(tmp_path) as journal:
        append_durably(journal, some(50))
        append_durably(journal, some(50))
        journal.release(journal.head)
        clock_past = replace(SMALL, keep_ms=Duration(0))
    with opened(tmp_path, clock_past, clock=HandClock(10**9)) as journal:
        journal.release(journal.head)
        oldest = journal.status().oldest
        assert oldest == 50
        with pytest.raises(CorruptError, match="keeps nothing before position 50"):
            journal.read(0, most=1, wait_s=0)
        with pytest.raises(CorruptError, match="ends at position 100, asked for 101"):
            journal.read(101, most=1, wait_s=0)


def test_released_segments_go_when_all_in_them_is_old(tmp_path):
    clock = HandClock()
    with opened(tmp_path, replace(SMALL, keep_ms=Duration(1000)), clock=clock) as journal:
        for i in range(6):
            append_durably(journal, some(50, f"s{i}", received_ms=10_000 + i * 100))
        assert len(list(tmp_path.glob("*.segment"))) == 6
        clock.ms = 11_201
        journal.release(0)
        assert journal.status().oldest == 0, "no stage is past it"
        journal.release(99)
        assert journal.status().oldest == 50, "position 99 is still wanted"
        journal.release(300)
        assert journal.status().oldest == 150, "10,300 is younger than the kept span"
        clock.ms = 10**6
        journal.release(300)
        assert journal.status().oldest == 250, "the last one stays: it is written to"
        on_disk = sum(f.stat().st_size for f in tmp_path.glob("*.segment"))
        assert journal.status().bytes_on_disk == on_disk
        assert journal.append_record(RecordKind.LISTENING, b"", 1) == 301


def test_positions_go_on_after_everything_was_released(tmp_path):
    with opened(tmp_path, replace(SMALL, keep_ms=Duration(0)), clock=HandClock(10**9)) as journal:
        append_durably(journal, some(60))
        journal.append_record(RecordKind.LISTENING, b"", 1)
        journal.release(journal.head)
    with opened(tmp_path) as journal:
        assert (journal.status().oldest, journal.head) == (60, 61)


def test_without_sync_the_records_are_the_same(tmp_path):
    with opened(tmp_path, files=UnsyncedFiles()) as journal:
        append_durably(journal, some(5))
    with opened(tmp_path) as journal:
        assert len(payloads(read_all(journal))) == 5


def test_limits_that_cannot_work_are_refused_together():
    with pytest.raises(ConfigurationError) as caught:
        Limits(segment_bytes=10, max_bytes=19, hard_max_bytes=19)
    assert [m.place for m in caught.value.mistakes] == ["journal.max_bytes", "journal.hard_max_bytes"]
