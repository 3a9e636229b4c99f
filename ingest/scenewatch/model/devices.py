"""Many devices in little memory: each as the bytes it has in the journal, unpacked when it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

import msgspec

from scenewatch.model.place import Device

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_pack = msgspec.msgpack.Encoder(order="deterministic").encode
_unpack = msgspec.msgpack.Decoder(Device).decode
_ARRAY_32 = b"\xdd"
_ROWS_A_PIECE = 1000


class Devices(Sequence[Device]):
    """A device takes a quarter of its memory as an object; unpacking one takes a microsecond."""

    def __init__(self, devices: Iterable[Device] = ()) -> None:
        self.packed: list[bytes] = [_pack(d) for d in devices]
        """Equal rows are of equal devices."""

    @classmethod
    def from_bytes(cls, data: bytes) -> Devices:
        """What `to_bytes` gave. Raises msgspec.MsgspecError; rows are looked at when they are asked for."""
        devices = cls()
        devices.packed = [bytes(row) for row in msgspec.msgpack.decode(data, type=list[msgspec.Raw])]
        return devices

    def to_bytes(self) -> bytes:
        """A MessagePack array of them."""
        return b"".join(self.pieces())

    def pieces(self) -> Iterator[bytes]:
        """What `to_bytes` gives, piece by piece."""
        yield _ARRAY_32 + len(self.packed).to_bytes(4, "big")
        for first in range(0, len(self.packed), _ROWS_A_PIECE):
            yield b"".join(self.packed[first : first + _ROWS_A_PIECE])

    def append(self, device: Device) -> None:
        self.packed.append(_pack(device))

    def __len__(self) -> int:
        return len(self.packed)

    def __iter__(self) -> Iterator[Device]:
        return map(_unpack, self.packed)

    @overload
    def __getitem__(self, which: int) -> Device: ...

    @overload
    def __getitem__(self, which: slice) -> list[Device]: ...

    def __getitem__(self, which: int | slice) -> Device | list[Device]:
        if isinstance(which, slice):
            return list(map(_unpack, self.packed[which]))
        return _unpack(self.packed[which])
