"""Commands on their way: on record first, then to the broker, then until the device answers or the time is over."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from scenewatch.api.controls import CommandView, NotSentError
from scenewatch.model.command import CommandState
from scenewatch.model.errors import RefusedError, TemporaryError
from scenewatch.model.place import Kind, device_topic
from scenewatch.store.audit import Action
from scenewatch.store.commands import Answer, CommandRow, CommandTable, WhichCommands
from scenewatch.worker.changes import Changes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from scenewatch.api.controls import CommandQuery
    from scenewatch.model.event import Result
    from scenewatch.model.ports import Clock
    from scenewatch.model.registry import Registry
    from scenewatch.model.scene import Command

ID_BYTES = 8
AWAY = "online: false"
"""What is said of a command to a device that is away: it is sent, and the broker may still hand it over in time."""
LONGEST_TEXT = 1000


class Sender(Protocol):
    """The way to the broker."""

    def check(self) -> None:
        """Raises TemporaryError with the reason while it is away."""
        ...

    def send(self, topic: str, payload: bytes, lasts_s: int) -> None:
        """Returns when the broker has it; raises TemporaryError or RefusedError with the reason if not."""
        ...


class Commands:
    """`send` and the questions come from any thread, `answered` from the pipeline's, `step` from the keeper's."""

    def __init__(
        self,
        table: CommandTable,
        sender: Sender,
        registry: Registry,
        *,
        root: str,
        clock: Clock,
        online: Callable[[int], bool | None],
    ) -> None:
        self._table = table
        self._sender = sender
        self._registry = registry
        self._root = root
        self._clock = clock
        self._online = online
        self._changes: Changes[CommandView] = Changes()

    def send(self, device: int, command: Command, args: Mapping[str, Any], by: str) -> CommandView:
        """Raises NotSentError with the reason, TemporaryError where it cannot be put on record."""
        try:
            self._sender.check()
        except TemporaryError as error:
            raise NotSentError(str(error)) from error
        row = self._new(device, command, args, by)
        self._table.add(row, Action(row.asked_at_ms, by, "command", row.device, f"{row.name} {row.id}"))
        topic = device_topic(self._root, self._registry.devices[device], Kind.COMMAND)
        try:
            # The broker counts in whole seconds; one too many is no harm, the payload says it exactly.
            self._sender.send(topic, _payload(row), -(-command.expires_after // 1000))
        except (TemporaryError, RefusedError) as error:
            self._tell([self._table.unsent(row.id, str(error))])
            raise NotSentError(str(error)) from error
        return self._tell([self._table.sent(row.id, AWAY if self._online(device) is False else "")])[0]

    def answered(self, results: Sequence[Result]) -> None:
        """Put answers on record; again changes nothing. Raises TemporaryError, and then none of them is."""
        if not results:
            return
        changed = self._table.answered(
            [
                Answer(
                    position=result.position,
                    device=self._registry.ids[result.device],
                    command=result.command,
                    ok=result.ok,
                    text=result.text[:LONGEST_TEXT],
                    received_ms=result.received_ms,
                )
                for result in results
            ]
        )
        self._tell(changed)

    def step(self) -> None:
        """What is not answered in time is over. Raises TemporaryError, and then can be called again."""
        self._tell(self._table.expire(self._clock.now_ms()))

    def commands(self, query: CommandQuery) -> Sequence[CommandView]:
        """Newest first."""
        state = None if query.state is None else CommandState(query.state)
        which = WhichCommands(limit=query.limit, site=query.site, device=query.device, state=state)
        return [_view(row) for row in self._table.commands(which)]

    def changes(self, after: int) -> tuple[int, Sequence[CommandView]]:
        """What changed since the count was `after`, and the count now."""
        return self._changes.since(after)

    def _new(self, device: int, command: Command, args: Mapping[str, Any], by: str) -> CommandRow:
        now_ms = self._clock.now_ms()
        return CommandRow(
            id=secrets.token_hex(ID_BYTES),
            device=self._registry.ids[device],
            name=command.key,
            args=msgspec.json.encode(args).decode(),
            state=CommandState.UNSENT,
            asked_by=by,
            asked_at_ms=now_ms,
            expires_at_ms=now_ms + command.expires_after,
        )

    def _tell(self, rows: Sequence[CommandRow]) -> Sequence[CommandView]:
        views = [_view(row) for row in rows]
        self._changes.add(views)
        return views


def _payload(row: CommandRow) -> bytes:
    args = msgspec.Raw(row.args.encode())
    return msgspec.json.encode({"id": row.id, "name": row.name, "args": args, "expires_at": row.expires_at_ms})


def _view(row: CommandRow) -> CommandView:
    return CommandView(
        id=row.id,
        device=row.device,
        name=row.name,
        args=msgspec.json.decode(row.args),
        state=row.state,
        asked_by=row.asked_by,
        asked_at=row.asked_at_ms,
        expires_at=row.expires_at_ms,
        answered_at=row.answered_at_ms,
        text=row.text,
        answers=row.answers,
        late=row.late,
    )
