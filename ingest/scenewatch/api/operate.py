"""Addresses for operators: signing in and out, and what they did. Puts the gate before all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import FastAPI, Query, Request, Response

from scenewatch.api import deeds
from scenewatch.api.answers import NOT_KEPT, WRONG_QUERY, json_answer, refusals
from scenewatch.api.guard import SESSIONS, Gate
from scenewatch.api.operate_shapes import Actions, SessionNow, SignedIn, SignIn
from scenewatch.api.sessions import LASTS
from scenewatch.model.operators import SESSION_COOKIE

if TYPE_CHECKING:
    from scenewatch.api.views import View

CURRENT = f"{SESSIONS}/current"
NOT_LET_IN = WRONG_QUERY | refusals(
    _401="This is no operator's token.",
    _403="This worker has no operators, or a page from elsewhere asks.",
    _429="Too many wrong tokens; try again later.",
)


def add(app: FastAPI, view: View) -> None:
    app.add_middleware(Gate, guard=view.controls.guard)
    _add_sessions(app, view)
    deeds.add(app, view)
    _add_audit(app, view)


def _add_sessions(app: FastAPI, view: View) -> None:
    guard = view.controls.guard

    @app.post(SESSIONS, tags=["operators"], response_model=SignedIn, responses=NOT_LET_IN)
    def sign_in(asked: SignIn) -> Response:
        """Sign in with a token; the answer's cookie is good for twelve hours."""
        session, cookie = guard.sign_in(asked.token)
        view.controls.audit.note(session.name, "sign_in", session.name)
        answer = json_answer({"name": session.name, "expires_at": session.expires_at_ms})
        answer.set_cookie(SESSION_COOKIE, cookie, max_age=LASTS // 1000, path="/", httponly=True, samesite="strict")
        return answer

    @app.get(CURRENT, tags=["operators"], response_model=SessionNow)
    def session_now(request: Request) -> Response:
        """Who has signed in with this cookie; nulls for nobody."""
        session = guard.session(request.headers)
        if session is None:
            return json_answer({"name": None, "expires_at": None})
        return json_answer({"name": session.name, "expires_at": session.expires_at_ms})

    @app.delete(CURRENT, tags=["operators"], status_code=204, response_class=Response)
    def sign_out() -> Response:
        """Have the browser forget the cookie."""
        answer = Response(status_code=204, headers=NOT_KEPT)
        answer.delete_cookie(SESSION_COOKIE, path="/", httponly=True, samesite="strict")
        return answer


def _add_audit(app: FastAPI, view: View) -> None:
    @app.get("/api/v1/audit", tags=["operators"], response_model=Actions, responses=WRONG_QUERY)
    def audit(limit: Annotated[int, Query(ge=1, le=10_000)] = 100) -> Response:
        """What operators did, newest first."""
        found = view.controls.audit.actions(limit)
        rows = [{"at": a.at_ms, "by": a.by, "what": a.what, "target": a.target, "detail": a.detail} for a in found]
        return json_answer({"actions": rows})
