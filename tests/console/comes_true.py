"""Waiting for what a page comes to, and for what its console comes to know."""

import json

from websockets.sync.client import connect


def comes_true(page, expression, arg=None):
    """Not by `wait_for_function`: it asks again from within the page, whose security policy forbids that."""
    for _ in range(300):
        if page.evaluate(expression, arg):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never true: {expression}")


def knows_its_worker(console):
    """Its address once it does: a page made before that is loaded again."""
    address = f"{console.replace('http', 'ws')}/live?site="
    with connect(address, origin=console, proxy=None, max_size=None) as listener:
        while not json.loads(listener.recv(timeout=15)).get("live"):
            continue
    return console
