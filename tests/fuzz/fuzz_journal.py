"""Any bytes as a segment of the journal: it opens and reads to its end, and what is read is within its bounds.

Checksums are switched off, so that what lies behind them is reached too.
"""

from __future__ import annotations

import shutil
import tempfile
import zlib
from pathlib import Path

import atheris
from fuzzing import SCRATCH, run

zlib.crc32 = lambda *_: 0  # type: ignore[assignment]

with atheris.instrument_imports(include=["scenewatch"]):
    import numpy as np

    from scenewatch.journal.files import UnsyncedFiles
    from scenewatch.journal.folder import Folder
    from scenewatch.journal.look import Look, Range
    from scenewatch.journal.reader import Cursor, Damage, recover
    from scenewatch.journal.segment import Header, messages_body, record_bytes
    from scenewatch.model.errors import CorruptError, RefusedError
    from scenewatch.model.messages import Messages
    from scenewatch.model.ports import RecordKind

MARK = b"8bytes!!"
FIRST = 100
PLACE = Path(tempfile.mkdtemp(dir=SCRATCH))


def one(data: bytes) -> None:
    """The first byte says where a second segment begins behind it, the others are the first segment."""
    if not data:
        return
    next_first = FIRST + 1 + data[0]
    (PLACE / f"{FIRST:020d}.segment").write_bytes(data[1:])
    (PLACE / f"{next_first:020d}.segment").write_bytes(segment(next_first, 2))
    try:
        read_all()
        look_through()
    except RefusedError as error:
        if "has format" not in str(error):
            raise


def read_all() -> None:
    folder = Folder(PLACE, UnsyncedFiles())
    folder.load()
    found = recover(folder.segments[-1])
    folder.extend(found.offset, found.head, found.newest_ms)
    cursor = Cursor(folder)
    position, steps = folder.oldest, 0
    while position < folder.head:
        steps += 1
        if steps > 10_000:
            raise AssertionError(f"reading does not end, it is at {position} of {folder.head}")
        try:
            records = cursor.read(position, 50)
        except CorruptError:
            behind = [d.end for d in cursor.damaged if d.first <= position < d.end]
            if not behind:
                raise
            position = max(behind)
            continue
        for record in records:
            if record.first > position or record.end <= position:
                raise AssertionError(f"{record.first} to {record.end} is not at {position}")
            position = record.end
            if record.messages is not None:
                within_bounds(record.messages)
    cursor.close()


def within_bounds(messages: Messages) -> None:
    for i in range(len(messages)):
        if len(messages.topic(i)) != messages.topic_len[i] or len(messages.payload(i)) != messages.payload_len[i]:
            raise AssertionError("a message reaches outside of its record")


def look_through() -> None:
    look = Look(PLACE)
    end = 0
    for contents in look.contents():
        if contents.first < end:
            return  # what claims more positions than there is room for
        end = contents.first
    for item in look.messages(Range(end=FIRST + 5000)):
        if isinstance(item, Damage) and item.end <= item.first:
            raise AssertionError("damage without a position")


def segment(first: int, records: int) -> bytes:
    content = Header(MARK, first, 5).to_bytes()
    for i in range(records):
        body = messages_body(Messages.of([(b"topic", b"payload %d" % i), (b"t", b"")], 1000 + i))
        span = (first + 3 * i, first + 3 * i + 2)
        content += b"".join(map(bytes, record_bytes(MARK, RecordKind.MESSAGES, span, 1000 + i, body)))
        span = (span[1], span[1] + 1)
        content += b"".join(map(bytes, record_bytes(MARK, RecordKind.LISTENING, span, 1000 + i, (b"",))))
    return content


def seeds() -> list[bytes]:
    whole = segment(FIRST, 4)
    other = Header(MARK, FIRST, 5).to_bytes().replace(b"\x01\x00\x00\x00", b"\x02\x00\x00\x00", 1)
    return [b"\x0b" + whole, b"\x40" + whole[:-20], b"\x05" + whole + whole[36:90], b"\x01" + other]


if __name__ == "__main__":
    try:
        np.seterr(all="raise")
        run(one, seeds(), __doc__ or "")
    finally:
        shutil.rmtree(PLACE)
