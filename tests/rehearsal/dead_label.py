"""One label, of which the tests of scoring make the others."""

from scenewatch.model.words import hours
from scenewatch.rehearsal.labels import Label

DEAD = Label(
    kind="dead",
    device="a",
    reaches=frozenset({"a"}),
    from_ms=hours(100),
    to_ms=hours(110),
    size=None,
    effect=9.0,
    findable=True,
    rules=frozenset({"warm", "idle"}),
    deadline=hours(6),
    tail=hours(4),
)
