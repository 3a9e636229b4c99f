"""The worker as a service: its API beside it, ended by SIGTERM or SIGINT, told of new limits by SIGHUP."""

from __future__ import annotations

import logging
import os
import select
import signal
import threading
from typing import TYPE_CHECKING, Self

from scenewatch.api.app import create_app
from scenewatch.model.errors import ConfigurationError
from scenewatch.serving import Server
from scenewatch.settings import differences
from scenewatch.worker.view import WorkerView

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from types import FrameType

    from scenewatch.app import Worker
    from scenewatch.settings import Settings

log = logging.getLogger(__name__)

LOOK_S = 1.0
API_ENDS_S = 1.5
"""After the worker itself has ended; what it still answers is of no more use."""
ENDINGS = (signal.SIGTERM, signal.SIGINT)


class Signals:
    """What the process is told while this is entered, in the main thread.

    The handlers only write a byte, so they may come at any moment. After the first signal to end, a second one
    finds the system's own behaviour: it ends the process at once, whatever that is doing, as kill -9 would.
    """

    def __enter__(self) -> Self:
        self._told, self._tell = os.pipe()
        self._before = {number: signal.signal(number, self._note) for number in (*ENDINGS, signal.SIGHUP)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self._told)
        os.close(self._tell)

    def wait(self, most_s: float) -> signal.Signals | None:
        ready, _, _ = select.select([self._told], [], [], most_s)
        return signal.Signals(os.read(self._told, 1)[0]) if ready else None

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if number in ENDINGS:
            for ending in ENDINGS:
                signal.signal(ending, signal.SIG_DFL)
        os.write(self._tell, bytes([number]))


def serve(worker: Worker, address: socket.socket, told: Signals, read_settings: Callable[[], Settings]) -> int:
    """Run the worker and its API until a signal or a failure ends them. Returns the exit status.

    0 after an orderly end, also when the store has not taken all: the journal has it. Never returns when a part
    hangs: its thread would hold the interpreter's end.
    """
    app = create_app(WorkerView(worker))
    server = Server(app, address, before_end=app.state.stream.close, names=worker.settings.http.names)
    api = threading.Thread(target=server.serve_until_told, name="api", daemon=True)
    worker.start()
    api.start()
    while worker.failure is None and api.is_alive():
        number = told.wait(LOOK_S)
        if number in ENDINGS:
            log.info("%s: ending, what was received goes to the store first", number.name)
            break
        if number is signal.SIGHUP:
            reload(worker, read_settings)
    failed = worker.failure is not None or not api.is_alive()
    server.end()
    ending = worker.stop()
    api.join(API_ENDS_S)
    log.log(logging.WARNING if ending.hanging else logging.INFO, "ended: %s", ending)
    status = 1 if failed or worker.failure is not None else 0
    if ending.hanging or api.is_alive():
        logging.shutdown()
        os._exit(status)
    return status


def reload(worker: Worker, read_settings: Callable[[], Settings]) -> None:
    """Take operators and limits anew; with any mistake the old ones stay. Other settings wait for a restart."""
    try:
        worker.controls.guard.reload()  # apart from the rest: whoever may do nothing any more is out at once
    except ConfigurationError as error:
        _complain("the operators stay as they are", error)
    before = worker.told.limits
    try:
        settings = read_settings()
        worker.told.change_limits(settings.limits)
    except ConfigurationError as error:
        _complain("settings are not taken, the limits stay as they are", error)
        return
    log.info("settings are read again: the limits %s", "stay" if settings.limits == before else "change")
    if changed := differences(worker.settings, settings):
        log.warning("changed too, and taken at the next start only: %s", ", ".join(changed))


def _complain(what: str, error: ConfigurationError) -> None:
    log.error("%s: %s", what, "; ".join(map(str, error.mistakes)))
