"""A worker with two operators, and requests as a browser and a program send them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from worker_rig import WorkerRig

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

TOKENS = {"li": "li-has-this-token-and-no-other", "wang": "wang-has-this-token-and-no-other"}
SESSIONS, CURRENT = "/api/v1/sessions", "/api/v1/sessions/current"
COOKIE = "scenewatch-session"


def operators_file(folder: Path, text: str | None = None) -> Path:
    path = folder / "operators"
    path.touch(mode=0o600)
    path.write_text(text or "".join(f"{name} {token}\n" for name, token in TOKENS.items()), "utf-8")
    return path


class OperatorsRig(WorkerRig):
    """Worker and server, with operators."""

    def __init__(self, folder: Path, *arguments: Any, **more: Any) -> None:
        self.folder = folder
        operators_file(folder)
        super().__init__(folder, *arguments, more='[http]\noperators_file = "operators"\n', **more)

    def ask(self, method: str, path: str, *, body: Any = None, **headers: str | bytes) -> httpx.Response:
        """As it is told, and nothing remembered."""
        self.client.cookies.clear()
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if isinstance(body, bytes):
            return self.client.request(method, path, content=body, headers=sent)
        return self.client.request(method, path, json=body, headers=sent)

    def bearer(self, method: str, path: str, *, body: Any = None, name: str = "li") -> httpx.Response:
        return self.ask(method, path, body=body, Authorization=f"Bearer {TOKENS[name]}")

    def cookie(self, name: str = "li") -> str:
        """Of a new session, as a browser sends it back."""
        answer = self.ask("POST", SESSIONS, body={"token": TOKENS[name]})
        assert answer.status_code == 200, answer.text
        return f"{COOKIE}={answer.cookies[COOKIE]}"
