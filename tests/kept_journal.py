"""A journal of a few small segments, in which alarms come and go and operators' limits change half-way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ends import HandClock
from records import START_MS, telemetry, topic
from scenewatch.journal.journal import FileJournal
from scenewatch.journal.limits import Limits
from scenewatch.journal.look import Look
from scenewatch.model.messages import Messages
from scenewatch.model.place import Device
from scenewatch.model.ports import RecordKind
from scenewatch.pipeline import encode_inventory, encode_limits

if TYPE_CHECKING:
    from pathlib import Path

LOW = {"brine.vat_hot": {"limit": 50.0, "on_delay_s": 5.0}}
HIGH = {"brine.vat_hot": {"limit": 140.0}}
ROUNDS = 24
CONTROL = 4
"""Records that are no messages."""
END = 3 * ROUNDS + CONTROL


VATS = [
    Device(scene="brine", site="w1", device=name, type=kind)
    for name, kind in (("gw", "gateway"), ("vat-1", "vat"), ("vat-2", "vat"))
]


def build(folder: Path) -> Look:
    """Both vats get hot and cold by turns; half-way operators' limits change. A segment holds a few records."""
    clock = HandClock(START_MS)
    journal = FileJournal(
        folder / "journal",
        clock=clock,
        limits=Limits(segment_bytes=2048, max_bytes=2**30, hard_max_bytes=2**31, group_ms=0),
    )
    journal.append_record(RecordKind.INVENTORY, encode_inventory(VATS), START_MS)
    journal.append_record(RecordKind.LISTENING, b"", START_MS)
    for n in range(ROUNDS):
        at_ms = START_MS + n * 10_000
        if n in (ROUNDS // 2, ROUNDS - 3):
            journal.append_record(RecordKind.LIMITS, encode_limits(LOW if n == ROUNDS // 2 else {}), at_ms)
        hot = 95.0 if n % 6 < 4 else 60.0
        pairs = [(topic(f"vat-{i}"), telemetry(at_ms, b="x", n=n, temp=hot - i)) for i in (1, 2)]
        done = journal.head + 3
        journal.append(Messages.of([*pairs, pairs[0] if n % 2 else (topic("vat-9"), b"{}")], at_ms))
        while journal.head < done:
            journal.read(journal.head, most=1, wait_s=1)
    journal.close()
    assert done == END
    return Look(folder / "journal")


def copied(look: Look, folder: Path) -> list[Path]:
    """Its segments in another folder, to be damaged there."""
    folder.mkdir()
    for path in look._path.glob("*.segment"):
        (folder / path.name).write_bytes(path.read_bytes())
    return sorted(folder.glob("*.segment"))


def without_first_segment(look: Look, folder: Path) -> Look:
    """A copy whose oldest segment is gone."""
    first, *_ = copied(look, folder / "journal")
    first.unlink()
    return Look(first.parent)
