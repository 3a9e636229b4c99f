"""Which names a server answers to: a page from anywhere must not read here through somebody's browser."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from ends import wait_for
from scenewatch import serving as module
from scenewatch.serving import Server, listen

EVERYWHERE = "0.0.0.0"  # noqa: S104  # as in a container


@contextmanager
def serving(host, names=()):
    app = Starlette(routes=[Route("/", lambda _: PlainTextResponse("here"))])
    address = listen(host, 0)
    server = Server(app, address, names=names)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [address]})
    thread.start()
    wait_for(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{address.getsockname()[1]}/"
    finally:
        server.end()
        thread.join()


def test_it_ends_when_it_is_told_however_seldom_it_looks(monkeypatch):
    monkeypatch.setattr(module, "TICK_S", 3600)
    with serving("127.0.0.1") as url:
        assert httpx.get(url, trust_env=False).text == "here"


@pytest.mark.parametrize(
    ("host", "names", "asked", "status"),
    [
        ("127.0.0.1", (), "localhost", 200),
        ("127.0.0.1", (), "elsewhere.example", 400),
        ("127.0.0.1", ("desk.example",), "desk.example", 200),
        ("127.0.0.1", ("desk.example",), "localhost", 200),
        ("127.0.0.1", ("desk.example",), "elsewhere.example", 400),
        (EVERYWHERE, (), "elsewhere.example", 200),
        (EVERYWHERE, ("desk.example",), "desk.example:8080", 200),
        (EVERYWHERE, ("desk.example",), "elsewhere.example", 400),
        (EVERYWHERE, ("desk.example",), "localhost", 400),
    ],
)
def test_it_answers_to_its_names(host, names, asked, status):
    with serving(host, names) as url:
        assert httpx.get(url, headers={"Host": asked}, trust_env=False).status_code == status
