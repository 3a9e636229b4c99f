"""Steps of alarms held as columns are the same steps that were put in."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenewatch.model.alarm import Hidden, Step, Transition, Transitions
from scenewatch.model.rule import Priority

RAISED = Transition("lab.hot", 1, Step.RAISED, 5, 5, 9.5, 1)
WORDS = st.sampled_from(["", "ann", "lab.power lab.a.meter"])
STEPS = st.builds(
    Transition,
    st.sampled_from(["lab.hot", "lab.cold"]),
    st.integers(0, 2**31 - 1),
    st.sampled_from(Step),
    st.integers(-(2**62), 2**62),
    st.integers(-(2**62), 2**62),
    st.floats(allow_nan=False),
    st.integers(0, 9),
    st.sampled_from([None, *Priority]),
    st.sampled_from(["", "0a1b2c3d", "ffffffff"]),
    st.sampled_from(Hidden),
    WORDS,
    WORDS,
)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.lists(STEPS, max_size=4), max_size=4), st.integers(-5, 5), st.integers(-5, 5))
def test_what_is_put_in_comes_out_however_it_is_joined_and_cut(parts, begin, end):
    flat = [one for part in parts for one in part]
    held = Transitions.joined(map(Transitions.of, parts))
    assert list(held) == flat
    assert [held[i] for i in range(len(held))] == flat
    assert list(held[begin:end]) == flat[begin:end]
    summed = Transitions.NONE
    for part in parts:
        summed += Transitions.of(part)
    assert summed == held
    assert bool(held) == bool(flat)


def test_they_are_equal_to_any_sequence_of_the_same_steps():
    held = Transitions.of([RAISED])
    assert held == [RAISED]
    assert held != []
    assert held != [RAISED, RAISED]
    assert held != RAISED
    assert Transitions.NONE == []


def test_there_is_none_behind_the_last():
    with pytest.raises(IndexError):
        Transitions.of([RAISED])[1]


def test_they_can_be_read():
    assert repr(Transitions.of([RAISED])) == f"Transitions.of([{RAISED!r}])"
