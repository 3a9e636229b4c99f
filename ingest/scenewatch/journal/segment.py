"""The journal's file format, and nothing that writes or decides: bytes to records and back.

A segment file is a header and then records, back to back, little-endian:

    header   magic 8s | version u32 | mark 8s | first position u64 | newest received_ms before i64 | crc32 u32
    record   mark 8s | kind u8 | count u32 | first position u64 | received_ms i64 | length u32 | crc32 u32 | body

`mark` is random, one for each segment: what a device puts into a payload can never pass for a record, not even
in a damaged file. A record's crc32 covers its header and its body. The body of MESSAGES is the four int32
arrays of `Messages` (topic_at, topic_len, payload_at, payload_len), then its data; of all others, their bytes.
"""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from scenewatch.model.errors import CorruptError, RefusedError
from scenewatch.model.messages import Messages
from scenewatch.model.ports import Record, RecordKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Part = bytes | memoryview
    """A stretch of bytes to write, as it lies in memory."""

MAGIC: Final = b"scenewj\n"
VERSION: Final = 1
SUFFIX: Final = ".segment"
MAX_BODY_BYTES: Final = 256 * 1024 * 1024

_CRC = struct.Struct("<I")
_FILE = struct.Struct("<8sI8sQq")
_RECORD = struct.Struct("<8sBIQqI")
HEADER_BYTES: Final = _FILE.size + _CRC.size
RECORD_HEADER_BYTES: Final = _RECORD.size + _CRC.size
_ROW_BYTES: Final = 4 * 4
_KINDS: Final = frozenset(RecordKind)


@dataclass(frozen=True, slots=True)
class Header:
    """What a segment says of itself."""

    mark: bytes
    first: int
    newest_before_ms: int
    """Newest receive time in the segment before this one: tells its age without reading it."""

    def to_bytes(self) -> bytes:
        fields = _FILE.pack(MAGIC, VERSION, self.mark, self.first, self.newest_before_ms)
        return fields + _CRC.pack(zlib.crc32(fields))

    @classmethod
    def from_bytes(cls, data: bytes) -> Header:
        if len(data) < HEADER_BYTES:
            raise CorruptError("the segment's header is cut off")
        fields = data[: _FILE.size]
        magic, version, mark, first, newest_before_ms = _FILE.unpack(fields)
        if magic != MAGIC or _CRC.unpack_from(data, _FILE.size)[0] != zlib.crc32(fields):
            raise CorruptError("the segment's header is damaged")
        if version != VERSION:
            raise RefusedError(f"the segment has format {version}, this program reads format {VERSION}")
        return cls(mark, first, newest_before_ms)


def segment_name(first: int) -> str:
    return f"{first:020d}{SUFFIX}"


def new_mark() -> bytes:
    return os.urandom(8)


def messages_body(messages: Messages) -> tuple[Part, ...]:
    """The parts of a MESSAGES body. What could not be read back is refused here."""
    n = len(messages)
    columns = (messages.topic_at, messages.topic_len, messages.payload_at, messages.payload_len)
    table = np.concatenate(columns, dtype="<i4").reshape(4, n)
    size = _ROW_BYTES * n + len(messages.data)
    if size > MAX_BODY_BYTES:
        raise RefusedError(f"{size} bytes are more than one record holds ({MAX_BODY_BYTES})")
    if not _in_bounds(table, len(messages.data)):
        raise RefusedError("a message reaches outside of its buffer")
    return table.data, messages.data


def record_bytes(
    mark: bytes, kind: RecordKind, span: tuple[int, int], received_ms: int, body: Sequence[Part]
) -> list[Part]:
    """One record at positions [span), as the parts to write one after the other."""
    first, end = span
    size = sum(part_bytes(part) for part in body)
    fields = _RECORD.pack(mark, kind, end - first, first, received_ms, size)
    crc = zlib.crc32(fields)
    for part in body:
        crc = zlib.crc32(part, crc)
    return [fields, _CRC.pack(crc), *body]


def part_bytes(part: Part) -> int:
    return part.nbytes if isinstance(part, memoryview) else len(part)


@dataclass(frozen=True, slots=True)
class Found:
    """A valid record and the file offset behind it."""

    record: Record
    next_offset: int


def read_header(fd: int) -> Header:
    return Header.from_bytes(os.pread(fd, HEADER_BYTES, 0))


def read_record(fd: int, mark: bytes, offset: int, end_offset: int) -> Found | None:
    """The record at `offset`, all of it before `end_offset`; None if there is no valid one."""
    head = os.pread(fd, RECORD_HEADER_BYTES, offset)
    if len(head) < RECORD_HEADER_BYTES:
        return None
    fields = head[: _RECORD.size]
    found_mark, kind, count, first, received_ms, size = _RECORD.unpack(fields)
    next_offset = offset + RECORD_HEADER_BYTES + size
    if found_mark != mark or next_offset > end_offset or size > MAX_BODY_BYTES:
        return None
    body = os.pread(fd, size, offset + RECORD_HEADER_BYTES)
    if len(body) < size or zlib.crc32(body, zlib.crc32(fields)) != _CRC.unpack_from(head, _RECORD.size)[0]:
        return None
    record = _record(kind, count, first, received_ms, body)
    return None if record is None else Found(record, next_offset)


def find_record(fd: int, mark: bytes, offset: int, end_offset: int) -> tuple[int, Found] | None:
    """The next valid record at or behind `offset`, and where it begins."""
    chunk_bytes = 1024 * 1024
    while offset < end_offset:
        chunk = os.pread(fd, min(chunk_bytes, end_offset - offset), offset)
        at = chunk.find(mark)
        if at >= 0:
            found = read_record(fd, mark, offset + at, end_offset)
            if found is not None:
                return offset + at, found
            offset += at + 1
        else:
            # A mark may lie across the border of two chunks.
            offset += max(1, len(chunk) - len(mark) + 1)
    return None


def _record(kind: int, count: int, first: int, received_ms: int, body: bytes) -> Record | None:
    if kind not in _KINDS:
        return None
    if kind != RecordKind.MESSAGES:
        return Record(first, first + 1, RecordKind(kind), received_ms, None, body) if count == 1 else None
    split = _ROW_BYTES * count
    if count == 0 or split > len(body):
        return None
    # Copied: kernels are compiled for aligned, writable arrays.
    table = np.frombuffer(body, "<i4", 4 * count).reshape(4, count).astype(np.int32)
    data = body[split:]
    if not _in_bounds(table, len(data)):
        return None
    messages = Messages(received_ms, data, table[0], table[1], table[2], table[3])
    return Record(first, first + count, RecordKind.MESSAGES, received_ms, messages, b"")


def _in_bounds(table: NDArray[np.int32], size: int) -> bool:
    if table.size == 0:
        return True
    # Read as unsigned, a negative number is larger than any body.
    bits = table.view(np.uint32)
    behind = np.add(bits[0::2], bits[1::2], dtype=np.uint64)
    return int(np.maximum.reduce(behind, axis=None)) <= size
