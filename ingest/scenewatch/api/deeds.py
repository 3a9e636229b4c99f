"""Addresses for what operators do to alarms: acknowledge, reset, shelve, take out of service, maintain."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Response

from scenewatch.api import present, shapes
from scenewatch.api.answers import NOT_KEPT, NOT_SIGNED_IN, WRONG_QUERY, json_answer, refusals
from scenewatch.api.guard import operator
from scenewatch.api.operate_shapes import Acknowledge, EndMaintenance, Holds, Maintain, Shelve, TakeOut, Unhold
from scenewatch.model.action import Action, Deed, NotDoneError, Refusal

if TYPE_CHECKING:
    from scenewatch.api.views import View
    from scenewatch.model.action import Hold

By = Annotated[str, Depends(operator)]
STATUS = {Refusal.WRONG: 422, Refusal.UNKNOWN: 404, Refusal.CONFLICT: 409}
REFUSED = WRONG_QUERY | NOT_SIGNED_IN | refusals(_404="There is no such alarm, rule, device or hold.")
CONFLICTS = REFUSED | refusals(_409="Not as things stand; the detail says why.")


def add(app: FastAPI, view: View) -> None:
    _add_seen(app, view)
    _add_held(app, view)
    _add_maintenance(app, view)

    @app.get("/api/v1/holds", tags=["operators"], response_model=Holds)
    def holds() -> Response:
        """What keeps alarms from being shown, and then what is planned to."""
        return json_answer({"holds": [hold_json(hold) for hold in view.controls.deeds.holds]})


def _add_seen(app: FastAPI, view: View) -> None:
    @app.post("/api/v1/alarms/acknowledge", tags=["operators"], response_model=shapes.Alarm, responses=REFUSED)
    def acknowledge(asked: Acknowledge, by: By) -> Response:
        """An operator has seen this alarm; who did so first is on record. The answer is the alarm after it."""
        alarm = view.controls.deeds.acknowledge(asked.rule, asked.device, asked.raised_at, by)
        if alarm is None:
            raise HTTPException(404, f"no alarm {asked.rule} of {asked.device} was raised at {asked.raised_at}")
        return json_answer(present.alarm(alarm))

    @app.post("/api/v1/alarms/reset", tags=["operators"], response_model=shapes.Alarm, responses=CONFLICTS)
    def reset(asked: Acknowledge, by: By) -> Response:
        """Let go of a latching alarm whose condition is over. The answer is the alarm after it."""
        now_ms, at_ms = view.now_ms(), asked.raised_at
        action = Action(
            deed=Deed.RESET, by=by, at_ms=now_ms, rule=asked.rule, target=asked.device, raised_at_ms=at_ms
        )
        _do(view, action)
        alarm = view.controls.deeds.alarm(asked.rule, asked.device, asked.raised_at)
        if alarm is None:
            raise HTTPException(404, f"no alarm {asked.rule} of {asked.device} was raised at {asked.raised_at}")
        return json_answer(present.alarm(alarm))


def _add_held(app: FastAPI, view: View) -> None:
    @app.post("/api/v1/alarms/shelve", tags=["operators"], response_model=Holds, responses=REFUSED)
    def shelve(asked: Shelve, by: By) -> Response:
        """Keep one rule's alarms of a device from being shown until a time. The answer is all there is then."""
        return _hold(view, replace(_about(view, Deed.SHELVE, asked, by), until_ms=asked.until, reason=asked.reason))

    @app.post("/api/v1/alarms/unshelve", tags=["operators"], response_model=Holds, responses=REFUSED)
    def unshelve(asked: Unhold, by: By) -> Response:
        """Show them again."""
        return _hold(view, _about(view, Deed.UNSHELVE, asked, by))

    @app.post("/api/v1/alarms/take-out", tags=["operators"], response_model=Holds, responses=REFUSED)
    def take_out(asked: TakeOut, by: By) -> Response:
        """Take one rule of a device out of service, until it is put back."""
        return _hold(view, replace(_about(view, Deed.TAKE_OUT, asked, by), reason=asked.reason))

    @app.post("/api/v1/alarms/put-back", tags=["operators"], response_model=Holds, responses=REFUSED)
    def put_back(asked: Unhold, by: By) -> Response:
        """Put it back into service."""
        return _hold(view, _about(view, Deed.PUT_BACK, asked, by))


def _add_maintenance(app: FastAPI, view: View) -> None:
    @app.post("/api/v1/maintenance", tags=["operators"], response_model=Holds, responses=CONFLICTS)
    def maintain(asked: Maintain, by: By) -> Response:
        """Keep all alarms of a device, or of a site, from being shown while it is worked on."""
        action = Action(
            deed=Deed.MAINTAIN,
            by=by,
            at_ms=view.now_ms(),
            target=asked.target,
            from_ms=asked.from_,
            until_ms=asked.until,
            reason=asked.reason,
        )
        return _hold(view, action)

    @app.delete("/api/v1/maintenance", tags=["operators"], response_model=Holds, responses=REFUSED)
    def end_maintenance(asked: EndMaintenance, by: By) -> Response:
        """It is done, or will not be."""
        return _hold(view, Action(deed=Deed.END_MAINTENANCE, by=by, at_ms=view.now_ms(), target=asked.target))


def _about(view: View, deed: Deed, asked: Unhold, by: str) -> Action:
    return Action(deed=deed, by=by, at_ms=view.now_ms(), rule=asked.rule, target=asked.device)


def _hold(view: View, action: Action) -> Response:
    _do(view, action)
    return json_answer({"holds": [hold_json(hold) for hold in view.controls.deeds.holds]})


def _do(view: View, action: Action) -> None:
    try:
        view.controls.deeds.act(action)
    except NotDoneError as error:
        raise HTTPException(STATUS[error.refusal], str(error), NOT_KEPT) from error


def hold_json(hold: Hold) -> dict[str, Any]:
    return {
        "kind": hold.kind,
        "rule": hold.rule or None,
        "target": hold.target,
        "by": hold.by,
        "at": hold.at_ms,
        "from": hold.from_ms,
        "until": hold.until_ms or None,
        "reason": hold.reason,
    }
