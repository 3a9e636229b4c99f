"""The rows the kernel works on: what the rules are, and where each series, device and alarm stands.

A rule that a single reading decides, and nothing else bears on, is a RULE hung on its channel's KIND; each series
has an INSTANCE of it. All other rules are a GROUP of their device's TYPE, looked at when all readings of one time
are in; each of their comparisons is a TERM, hung on its channel's KIND too. A device has an INSTANCE and a GROUPED
row of each GROUP of its type, and a HELD row of each TERM, all in the order of the type's table. The alarms that
may be the cause of a group's are a CAUSED row each of the device's: a piece of the SOURCE rows. What a group does
by the clock alone is found by SITE, in its piece of the CLOCKED rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEVER = -(2**62)
FOREVER = 2**62
"""Times before and after all others, from which a step to any real time still fits 64 bits."""

SERIES = np.dtype(
    [
        ("good_t", np.int64),  # newest good reading, by the device's clock
        ("heard", np.int64),  # the same, by the later of the device's clock and ours
        ("floor", np.int64),  # silence counts from here at the earliest
        ("quiet_low", np.float64),  # values between these two, exclusive, move nothing
        ("quiet_high", np.float64),
        ("quiet_until", np.int64),  # and that only before then
        ("first", np.int32),  # its first row of INSTANCE; one a rule of its kind follow
        ("kind", np.int32),  # row of KIND
    ]
)

KIND = np.dtype(
    [
        ("silence_ms", np.int64),  # a shorter silence moves nothing
        ("gap_ms", np.int64),
        ("rule_from", np.int32),  # rows of RULE
        ("rule_to", np.int32),
        ("term_from", np.int32),  # rows of TERM
        ("term_to", np.int32),
        ("grouped", np.int32),  # 1 where a reading is of concern to a group
    ]
)

VALUE, FLAGGED, SILENCE = 0, 1, 2
"""What a reading is held against: limits, a test of quality, or the time of the one before."""

RULE = np.dtype(
    [
        ("low", np.float64),  # beyond these two it counts towards the alarm
        ("high", np.float64),
        ("release_low", np.float64),  # from here to there towards the return
        ("release_high", np.float64),
        ("on_ms", np.int64),
        ("off_ms", np.int64),
        ("sort", np.int32),
        ("test", np.int32),  # for FLAGGED
    ]
)

TERM = np.dtype(
    [
        ("is_", RULE),  # without delays, which are its group's
        ("channel", np.int32),  # within its device
        ("alone", np.int32),  # place in the type of the ALONE group it is of, or -1
        ("gap_ms", np.int64),  # of its channel
        ("puts_off", np.int32),  # 1 where it suppresses missing data
    ]
)

ALONE, AT_LEAST, THEN, HAPPENED, SILENT = 0, 1, 2, 3, 4
"""Shapes of a group: one comparison, k of n, a sequence, an event, missing data."""

GROUP = np.dtype(
    [
        ("on_ms", np.int64),
        ("off_ms", np.int64),  # of an event, how long none must have come
        ("within_ms", np.int64),
        ("gap_ms", np.int64),
        ("shape", np.int32),
        ("count", np.int32),
        ("channel", np.int32),  # whose reading the alarm shows, within its device; -1 without one
        ("latching", np.int32),
        ("member_from", np.int32),  # rows of MEMBER: its terms
        ("graded_from", np.int32),  # those of its priority's steps
        ("while_from", np.int32),  # those that suppress it
        ("during_from", np.int32),  # the occasions
        ("caused_from", np.int32),  # the causes that suppress it
        ("follows_from", np.int32),  # and those that only explain it
        ("follows_to", np.int32),
        ("grade_from", np.int32),  # rows of GRADE
        ("grade_to", np.int32),
    ]
)

MEMBER = np.dtype([("after_ms", np.int64), ("number", np.int64)])
"""A term by its place in the type, an occasion by its place in the scene, a cause by its place in the type."""

GRADE = np.dtype([("lasting_ms", np.int64), ("term", np.int64), ("to", np.int64)])
"""One step of a priority: `term` by its place in the type, -1 where time alone does it."""

TYPE = np.dtype(
    [
        ("gap_ms", np.int64),
        ("group_from", np.int32),  # rows of GROUP
        ("group_to", np.int32),
        ("term_from", np.int32),  # rows of TERM
        ("term_to", np.int32),
        ("channels", np.int32),
        ("most_moves", np.int32),  # that readings of one time can make
        ("calendar", np.int32),  # 1 where an occasion suppresses
        ("listens", np.int32),  # 1 where a group is about the silence of the devices that speak through it
    ]
)

DEVICE = np.dtype(
    [
        ("floor", np.int64),  # silence counts from here at the earliest
        ("first_series", np.int32),
        ("first_instance", np.int32),  # of its groups
        ("first_grouped", np.int32),
        ("first_held", np.int32),
        ("type", np.int32),
        ("site", np.int32),
        ("first_caused", np.int32),
        ("through", np.int32),  # -1 without one
        ("family_from", np.int32),  # rows of `family`: the devices that speak through it
        ("family_to", np.int32),
    ]
)

PIECE = np.dtype([("begin", np.int32), ("end", np.int32)])
"""CAUSED: of the SOURCE rows."""

SOURCE = np.dtype([("instance", np.int32), ("grouped", np.int32)])

CLOCKED = np.dtype([("device", np.int64), ("place", np.int64)])
"""A group that moves without a reading, by its place in the type."""

SITE = np.dtype([("due", np.int64), ("begin", np.int32), ("end", np.int32)])
"""Before `due`, by the later of the device's clock and ours, none of these of its CLOCKED rows has to move."""

INSTANCE = np.dtype(
    [
        ("since", np.int64),  # when the present count began
        ("raised_at", np.int64),
        ("value", np.float64),  # of the reading that raised it
        ("state", np.int32),
        ("flag", np.int32),
    ]
)

NORMAL, COUNTING_ON, STANDING, COUNTING_OFF, LATCHED = 0, 1, 2, 3, 4
"""States of an instance. It is an alarm in the last three; in the last one its condition is over."""

GROUPED = np.dtype(
    [
        ("seen", np.int64),  # when it was judged last; of an event, the newest by the device's clock
        ("heard", np.int64),  # of an event, the same by the later of the device's clock and ours
        ("met", np.int64),  # 1 while the second of a sequence holds that came in time; of silence, where it begins
        ("rested", np.int64),  # of silence, what it counted from when an occasion put that off
        ("raised_heard", np.int64),  # when it was raised, by the later of the device's clock and ours
        ("passed", np.int64),  # of what moves by the clock, which of its priority's steps in time are behind it
        ("ended", np.int64),  # when it was cleared last; next the same by the later of the clocks
        ("ended_heard", np.int64),
        ("priority", np.int32),
        ("cause", np.int32),  # the alarm it follows from, as the engine's word
    ]
)

HELD = np.dtype(
    [
        ("began", np.int64),  # when it last began to hold, where that was seen
        ("since", np.int64),  # from when on it was seen to hold without a gap
        ("ended", np.int64),  # the first moment after it last held, while it does not
        ("now", np.int64),  # 1 if it holds as of the series' newest reading
    ]
)

MOVE = np.dtype(
    [
        ("instance", np.int64),
        ("step", np.int64),
        ("at_ms", np.int64),
        ("raised_at_ms", np.int64),
        ("value", np.float64),
        ("flag", np.int64),
        ("priority", np.int64),
        ("cause", np.int64),  # the INSTANCE it follows from, or -1
    ]
)

RAISED, CLEARED, REPRIORITISED, RETURNED = 0, 1, 2, 3
"""Steps, numbered as in `model.alarm`."""
OWN = 3
"""The priority of a rule's own, numbered as there."""


class Tables(NamedTuple):
    """What the kernel knows: the rules, the rows of series and devices, and the calendars' spans."""

    kinds: NDArray[np.void]
    rules: NDArray[np.void]
    terms: NDArray[np.void]
    types: NDArray[np.void]
    groups: NDArray[np.void]
    members: NDArray[np.void]
    grades: NDArray[np.void]
    series: NDArray[np.void]
    series_device: NDArray[np.int32]
    devices: NDArray[np.void]
    instances: NDArray[np.void]
    grouped: NDArray[np.void]
    held: NDArray[np.void]
    family: NDArray[np.int32]
    caused: NDArray[np.void]
    sources: NDArray[np.void]
    clocked: NDArray[np.void]
    sites: NDArray[np.void]
    known: NDArray[np.int64]
    """By site, from when to when its spans are known."""
    spans: NDArray[np.int64]
    """By site and occasion, the begin and end of each; from the first FOREVER on there are no more."""
    asked: NDArray[np.int64]
    """The site and time of which the kernel must first know what is done there."""
