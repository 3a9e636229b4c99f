"""Listeners get what came since they looked, as far as it is remembered."""

from scenewatch.worker.changes import Changes


def test_listeners_get_what_came_since_they_looked():
    changes = Changes()
    assert changes.since(0) == (0, [])
    changes.add("ab")
    assert changes.since(0) == (2, ["a", "b"])
    changes.add("c")
    assert changes.since(2) == (3, ["c"])
    assert changes.since(3) == (3, [])


def test_a_listener_far_behind_gets_what_is_remembered():
    changes = Changes(kept=2)
    for change in "abcde":
        changes.add(change)
    assert changes.since(0) == (5, ["d", "e"])
