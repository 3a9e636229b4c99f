"""Addresses of commands to devices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from fastapi import Depends, FastAPI, HTTPException, Query, Response

from scenewatch.api.answers import NOT_SIGNED_IN, WRONG_QUERY, json_answer, refusals
from scenewatch.api.controls import CommandQuery, CommandView, NotSentError
from scenewatch.api.finding import find_device
from scenewatch.api.guard import operator
from scenewatch.api.operate_shapes import Command, Commands, SendCommand

if TYPE_CHECKING:
    from scenewatch.api.views import View

StateFilter = Literal["waiting", "done", "refused", "expired", "unsent"]
LONGEST_ARGS = 4096
NOT_SENT = WRONG_QUERY | NOT_SIGNED_IN | refusals(_404="No such device or command.", _409="The broker is away.")


def add(app: FastAPI, view: View) -> None:
    @app.get("/api/v1/commands", tags=["operators"], response_model=Commands, responses=WRONG_QUERY)
    def commands(
        site: Annotated[str | None, Query(description="`scene.site`, or the site alone")] = None,
        device: Annotated[str | None, Query(description="`scene.site.device`, or the device alone")] = None,
        state: StateFilter | None = None,
        limit: Annotated[int, Query(ge=1, le=10_000)] = 100,
    ) -> Response:
        """Commands and what became of them, newest first."""
        found = view.controls.commands.commands(CommandQuery(limit=limit, site=site, device=device, state=state))
        return json_answer({"commands": [command_json(one) for one in found]})

    @app.post("/api/v1/commands", tags=["operators"], status_code=202, response_model=Command, responses=NOT_SENT)
    def send(asked: SendCommand, by: Annotated[str, Depends(operator)]) -> Response:
        """Tell a device to do something that its type knows; what becomes of it is told at the same address."""
        if len(msgspec.json.encode(asked.args)) > LONGEST_ARGS:
            raise HTTPException(422, f"body.args: must be at most {LONGEST_ARGS} bytes of JSON")
        number = find_device(view, asked.device)
        known = view.registry.type_of(number).commands
        command = next((c for c in known if c.key == asked.name), None)
        if command is None:
            names = ", ".join(c.key for c in known) or "none"
            raise HTTPException(404, f"{asked.device} has no command {asked.name!r}; it has: {names}")
        try:
            return json_answer(command_json(view.controls.commands.send(number, command, asked.args, by)), 202)
        except NotSentError as error:
            raise HTTPException(409, str(error)) from error


def command_json(command: CommandView) -> dict[str, Any]:
    return {name: getattr(command, name) for name in Command.model_fields}
