"""What a device type may derive of its readings, and what it may not."""

from dataclasses import replace

import pytest
from lab_scene import AIR, BOX, DUTY, GATEWAY, LOST, PHASE, SOON, WARM, WORD, found

from scenewatch.model.insight import Departure, Lasting, LastRun, MeanWhile, Share, Slope, Usual
from scenewatch.model.quantity import Quantity
from scenewatch.model.rule import Above, Term
from scenewatch.model.scene import Channel, Span
from scenewatch.model.words import Duration, hours, minutes, seconds


def derived(how, **changes):
    """What is said of a box that derives so."""
    quantity, unit = {
        Share: (Quantity.RATIO, "%"),
        Departure: (Quantity.DEPARTURE, "σ"),
        Slope: (Quantity.RATE, "°C/h"),
        MeanWhile: (Quantity.TEMPERATURE, "°C"),
        Usual: (Quantity.TEMPERATURE, "°C"),
    }.get(type(how), (Quantity.TIME, "min"))
    made = Channel(key="made", title=WORD, quantity=quantity, unit=unit, possible=Span(0, 99), derived=how)
    box = replace(BOX, channels=(*BOX.channels, replace(made, **changes)))
    return [text.removeprefix("device type box: channel ") for text in found(WARM, LOST, kinds=(box, GATEWAY))]


HOT = Term("air", Above(8.0))
LEARNT = Departure(of="air")
DERIVED = {
    "of nothing there is": (Departure(of="wind"), "made: derived.of: box has no channel wind"),
    "of a state": (Departure(of="phase"), "made: derived.of: phase is a state"),
    "of what is derived": (Departure(of="duty"), "made: derived.of: duty is derived itself"),
    "a term on nothing": (LastRun(term=Term("wind", Above(1))), "made: derived.term.channel: box has no channel"),
    "a term on what is derived": (
        Lasting(term=Term("duty", Above(1)), every=minutes(5)),
        "made: derived.term.channel: duty is derived itself",
    ),
    "a term out of reach": (
        Lasting(term=Term("air", Above(99)), every=minutes(5)),
        "made: derived.term.limit: 99 is outside what air can measure",
    ),
    "a term with a band": (
        Lasting(term=Term("air", Above(8, deadband=1.0)), every=minutes(5)),
        "made: derived.term.deadband: has no effect here",
    ),
    "more often than it is reported": (
        Lasting(term=HOT, every=seconds(10)),
        "made: derived.every: must not be shorter than box reports",
    ),
    "over less than its steps": (
        Share(term=HOT, over=minutes(30)),
        "made: derived.over: must not be shorter than every",
    ),
    "departures by the minute": (replace(LEARNT, every=minutes(1)), "made: derived.every: must be an hour"),
    "a pace of nothing": (replace(LEARNT, spread=Duration(0)), "made: derived.spread: must be an hour at least"),
    "a broken hour of learning": (
        replace(LEARNT, learning=minutes(90)),
        "made: derived.learning: must be a whole number of hours",
    ),
    "wary of all": (replace(LEARNT, wary_beyond=0.0), "made: derived.wary_beyond: must be more than nothing"),
    "usual of no departure": (
        Usual(of="air", departure="duty"),
        "made: derived.departure: duty is no departure: it learns nothing",
    ),
    "usual of nothing": (Usual(of="air", departure="far"), "made: derived.departure: box has no channel far"),
    "on its way out of reach": (replace(SOON.derived, limit=99.0), "made: derived.limit: 99 is outside what air"),
    "with no horizon": (replace(SOON.derived, horizon=Duration(0)), "made: derived.horizon: must be longer"),
    "less than unsure": (replace(SOON.derived, sure=-1.0), "made: derived.sure: must not be negative"),
}


@pytest.mark.parametrize(("how", "mistake"), DERIVED.values(), ids=DERIVED.keys())
def test_what_cannot_be_derived_is_found(how, mistake):
    told = derived(how)
    assert any(text.startswith(mistake) for text in told), told


def test_what_can_be_derived_is_left_alone():
    ways = (
        Share(term=HOT, over=hours(4)),
        MeanWhile(of="air", term=HOT, over=hours(4)),
        Lasting(term=HOT, every=minutes(5)),
        LEARNT,
        LastRun(term=HOT),
        Slope(of="air", over=hours(1), every=minutes(5)),
        SOON.derived,
    )
    assert [derived(how) for how in ways] == [[]] * len(ways)


def test_units_follow_from_how_a_channel_is_derived():
    assert derived(LEARNT, quantity=Quantity.RATIO, unit="%") == [
        "made: quantity: must be departure, which Departure gives, not ratio",
        "made: unit: must be σ, which Departure gives, not %",
    ]
    assert derived(Slope(of="air", over=hours(1), every=minutes(5)), unit="W/h") == [
        "made: unit: must be °C/h, which Slope gives, not W/h"
    ]


def test_what_is_usual_belongs_to_the_departure_of_the_same_channel():
    other = replace(AIR, key="other")
    far = Channel(
        key="far", title=WORD, quantity=Quantity.DEPARTURE, unit="σ", possible=Span(-9, 9), derived=LEARNT
    )
    usual = replace(AIR, key="usual", derived=Usual(of="other", departure="far"))
    box = replace(BOX, channels=(AIR, PHASE, other, far, usual))
    assert found(WARM, LOST, kinds=(box, GATEWAY)) == [
        "device type box: channel usual: derived.departure: far learns what is usual of air, not of other"
    ]


def test_what_is_derived_comes_last():
    box = replace(BOX, channels=(DUTY, AIR, PHASE))
    assert found(WARM, LOST, kinds=(box, GATEWAY)) == [
        "device type box: channel air: derived: is measured: put it before duty, as derived ones come last",
        "device type box: channel phase: derived: is measured: put it before duty, as derived ones come last",
    ]
