"""How pages that ask the worker at each look are answered: whole, or their changing part alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import HTMLResponse, Response

from scenewatch.console.choice import choose
from scenewatch.console.pages import FRESH, PART

if TYPE_CHECKING:
    from starlette.requests import Request

    from scenewatch.console.choice import Choice
    from scenewatch.console.hub import Hub
    from scenewatch.console.pages import Pages


class Answers:
    """`name` is a page's template; that of its part is `_<name>_record`."""

    def __init__(self, hub: Hub, pages: Pages) -> None:
        self.hub = hub
        self._pages = pages

    async def choice(self, request: Request, path: str, keys: frozenset[str]) -> Choice:
        """What the reader chose, once there is something to choose from."""
        await self.hub.first_look()
        return choose(request, self.hub.picture, path=path, keys=keys)

    def page(self, request: Request, name: str, choice: Choice, found: dict[str, Any]) -> Response:
        return self.whole(f"_{name}_record" if PART in request.query_params else name, choice, found)

    def whole(self, name: str, choice: Choice, found: dict[str, Any], status: int = 200) -> Response:
        """A page that has no part of its own."""
        return HTMLResponse(self._pages.render(name, choice, **found), status, headers=FRESH)
