"""The socket that paho sees: it takes the publishes out of the stream and puts acknowledgements into it."""

from __future__ import annotations

import contextlib
import ssl
from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from scenewatch.model.ports import Arrival

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from scenewatch.model.messages import Messages
    from scenewatch.model.ports import Clock
    from scenewatch.source.cutter import Cutter
    from scenewatch.source.doorbell import Doorbell
    from scenewatch.source.stats import SourceStats

CLOSED = "closed by the broker"
NOTHING_YET = (BlockingIOError, ssl.SSLWantReadError)


class Tap:
    """Owns both directions of one connection. All but the acknowledgements happen in the I/O thread.

    paho may `send` and `recv` as it does with a socket: what it sends goes out whole and between whole
    acknowledgements, and it receives whole packets, in order, without the publishes. `read` alone receives from
    the real socket.
    """

    def __init__(
        self,
        sock: socket.socket,
        *,
        cutter: Cutter,
        clock: Clock,
        doorbell: Doorbell,
        stats: SourceStats,
        on_arrival: Callable[[Arrival], None],
    ) -> None:
        self._sock = sock
        self._cutter = cutter
        self._clock = clock
        self._doorbell = doorbell
        self._stats = stats
        self._on_arrival = on_arrival
        self._for_paho = bytearray()
        self._out = bytearray()
        """Only ever appended to and shortened in front: TLS repeats a write with the same bytes."""
        self._acknowledged: deque[tuple[int, bytes]] = deque()
        self._read_awaits_writable = False
        self._write_awaits_readable = False
        self._closed = False
        self.unacknowledged = 0
        """Messages handed on whose acknowledgement is not in the out-buffer yet."""
        self.ended_by = ""
        """Why the connection is at its end; empty while it lives."""
        self.failure: OSError | None = None
        """What the system said at the end, if it said more than that."""

    # --- what paho asks of a socket ------------------------------------------------------------------------

    def fileno(self) -> int:
        return self._sock.fileno()

    def setblocking(self, flag: bool) -> None:  # noqa: FBT001 - the signature of a socket
        self._sock.setblocking(flag)

    def recv(self, size: int) -> bytes:
        """Up to `size` bytes of packets for paho."""
        if self._for_paho:
            piece = bytes(self._for_paho[:size])
            del self._for_paho[:size]
            return piece
        if self.ended_by:
            return b""
        raise BlockingIOError

    def send(self, data: bytes | bytearray) -> int:
        if self._closed:
            raise ConnectionError("closed")
        self._out += data
        return len(data)

    def pending(self) -> int:
        """Bytes to read that no selector tells of."""
        hidden = self._sock.pending() if isinstance(self._sock, ssl.SSLSocket) and not self._closed else 0
        return len(self._for_paho) + hidden

    def close(self) -> None:
        """Try once to send what is left (paho's DISCONNECT), then forget everything. May be called again."""
        if self._closed:
            return
        with contextlib.suppress(OSError):  # the connection may be gone: that is why it is closed
            self.flush()
        self._closed = True
        self._acknowledged.clear()
        self.unacknowledged = 0
        self._sock.close()

    # --- what the session asks -----------------------------------------------------------------------------

    @property
    def has_packets(self) -> bool:
        return bool(self._for_paho)

    @property
    def awaits_writable(self) -> bool:
        return (bool(self._out) and not self._write_awaits_readable) or self._read_awaits_writable

    @property
    def reads_when_writable(self) -> bool:
        return self._read_awaits_writable

    def read(self) -> None:
        """Receive what is there, once; hand the messages on, put the rest by for paho."""
        if self.ended_by:
            return
        size = self._fill()
        if not size:
            return
        self._stats.reads += 1
        self._stats.bytes += size
        for piece in self._cutter.cut(self._clock.now_ms()):
            if isinstance(piece, bytes):
                self._stats.other_packets += 1
                self._for_paho += piece
            else:
                self._stats.too_long += piece.too_long
                self._hand_on(piece.messages, piece.answers)

    def flush(self) -> None:
        """Put the acknowledgements behind what is there, and send as much as the socket takes."""
        while self._acknowledged:
            count, acknowledgement = self._acknowledged.popleft()
            self._out += acknowledgement
            self.unacknowledged -= count
        self._write_awaits_readable = False
        try:
            while self._out:
                del self._out[: self._sock.send(self._out)]
        except (BlockingIOError, ssl.SSLWantWriteError):
            return
        except ssl.SSLWantReadError:
            self._write_awaits_readable = True
        except (ConnectionError, ssl.SSLError):
            self._out.clear()  # reading finds the end too, behind what the broker still had to say

    # --- inside --------------------------------------------------------------------------------------------

    def _acknowledge(self, count: int, acknowledgement: bytes) -> None:
        """From any thread. A closed tap forgets: packet ids mean something else on the next connection."""
        if not self._closed:
            self._acknowledged.append((count, acknowledgement))
            self._doorbell.ring()

    def _hand_on(self, messages: Messages, acknowledgement: bytes) -> None:
        """Pass messages to the listener, with the acknowledgement that belongs to this connection alone."""
        count = len(messages)
        self._stats.messages += count
        self.unacknowledged += count
        self._on_arrival(Arrival(messages, partial(self._acknowledge, count, acknowledgement)))

    def _fill(self) -> int:
        """Receive what is there. A TLS socket gives one record a call, so it is asked until it has no more."""
        space = self._cutter.space()
        size = 0
        self._read_awaits_writable = False
        try:
            while size < len(space):
                got = self._sock.recv_into(space[size:])
                if not got:
                    self.ended_by = CLOSED
                    break
                size += got
                if not isinstance(self._sock, ssl.SSLSocket):
                    break
        except NOTHING_YET:
            pass  # no error: what has come until now is all there is
        except ssl.SSLWantWriteError:
            self._read_awaits_writable = True
        except ConnectionError:
            self.ended_by = CLOSED
        except OSError as error:
            self.ended_by, self.failure = str(error), error
        self._cutter.filled(size)
        return size
