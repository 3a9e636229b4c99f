"""A server that answers as it is told, byte by byte: for what no well-behaved one can be made to do."""

import json
import socket
import struct
import threading
from contextlib import suppress

HANG = object()
"""Instead of an answer: nothing, until the server ends."""
RESET = object()
"""Instead of an answer: the connection is broken off."""
LOOK_S = 0.02
DEADLINE_S = 10


def http(status, body=b"", **headers):
    """A whole answer. `body` may be what becomes JSON; `_` in a header's name stands for `-`."""
    if not isinstance(body, bytes):
        body, headers = json.dumps(body).encode(), {"Content_Type": "application/json"} | headers
    told = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return (
        f"HTTP/1.1 {status} Told\r\nConnection: close\r\nContent-Length: {len(body)}\r\n{told}\r\n".encode() + body
    )


WRITTEN = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
NOTHING_FOUND = http(200, {"results": [{}]})


def well(path, *_):
    """The answer of an InfluxDB that has no readings and takes all."""
    return WRITTEN if path.startswith("/api/v2/write") else NOTHING_FOUND


class RawServer:
    """`answer` takes a request's path, headers and body; it gives bytes, HANG or RESET."""

    answer = staticmethod(well)

    def __init__(self, context=None):
        self.requests = []
        self._context = context
        self._ending = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(LOOK_S)
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def address(self):
        return f"http{'s' if self._context else ''}://127.0.0.1:{self._socket.getsockname()[1]}"

    def close(self):
        self._ending.set()
        for thread in self._threads:
            thread.join()
        self._socket.close()

    def _accept(self):
        while not self._ending.is_set():
            try:
                connection, _ = self._socket.accept()
            except TimeoutError:
                continue
            self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
            self._threads[-1].start()

    def _serve(self, connection):
        # A client that leaves in the middle, or speaks no HTTP, is its own affair.
        with connection, suppress(OSError, ValueError, LookupError):
            connection.settimeout(DEADLINE_S)
            if self._context is None:
                self._answer(connection)
            else:
                with self._context.wrap_socket(connection, server_side=True) as secure:
                    self._answer(secure)

    def _answer(self, connection):
        with connection.makefile("rb") as stream:
            path = stream.readline().decode().split(" ")[1]
            lines = list(iter(lambda: stream.readline().decode("latin-1").rstrip("\r\n"), ""))
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            body = stream.read(int(headers.get("content-length", 0)))
        self.requests.append((path, headers, body))
        answer = self.answer(path, headers, body)
        if answer is HANG:
            self._ending.wait()
        elif answer is RESET:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            connection.sendall(answer)
