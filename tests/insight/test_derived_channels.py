"""Derived channels against plain sums over the same readings, however they are cut into batches."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenewatch.insight.insight import Insight, inserted
from scenewatch.model.batch import Batch
from scenewatch.model.errors import CorruptError
from scenewatch.model.flags import Flag
from scenewatch.model.insight import Departure, Lasting, MeanWhile, Share
from scenewatch.model.place import Device
from scenewatch.model.quantity import Quantity
from scenewatch.model.registry import Registry
from scenewatch.model.scene import Above, Below, Channel, DeviceType, Scene, Span, Term
from scenewatch.model.words import Text, hours, minutes
from scenewatch.quality.quality import Quality

T0 = 1_780_000_000_000 // hours(1) * hours(1)
EVERY = minutes(1)
WORDS = Text("x", "x")


def channel(key, derived=None):
    return Channel(
        key=key, title=WORDS, quantity=Quantity.POWER, unit="W", possible=Span(-1e6, 1e6), derived=derived
    )


RUNS = Term("power", Above(50.0))
DERIVED = {
    "duty": Share(term=RUNS, over=hours(4), every=minutes(30)),
    "running": MeanWhile(of="power", term=RUNS, over=hours(4), every=minutes(30)),
    "mean_open": MeanWhile(of="power", term=Term("door", Above(0.5)), over=hours(4), every=minutes(30)),
    "still": Lasting(term=Term("power", Below(50.0)), every=minutes(10)),
}


def pipeline(devices=("d1", "d2"), derived=DERIVED, every=EVERY):
    kind = DeviceType(
        key="fridge",
        title=WORDS,
        every=every,
        channels=(channel("power"), channel("door"), *(channel(k, d) for k, d in derived.items())),
    )
    scene = Scene(
        key="s",
        title=WORDS,
        site_title=WORDS,
        device_types=(kind,),
        rules=(),
        faults=(),
        simulator="a:b",
        mishap="",
    )
    registry = Registry([scene])
    registry.apply([Device(scene="s", site="a", device=d, type="fridge") for d in devices], at_ms=0)
    return registry, grown(registry)


def grown(registry):
    insight, quality = Insight(), Quality()
    insight.grow(registry)
    quality.grow(registry)
    return insight, quality


def run(stages, batch):
    insight, quality = stages
    quality.check(batch)
    more, before = insight.derive(batch)
    quality.check(more)
    return inserted(batch, more, before)


def told(registry, batches, device, key):
    """(time, value) of one derived channel."""
    name = f"s.a.{device}.{key}"
    return [
        (t, v)
        for b in batches
        for s, t, v in zip(b.series.tolist(), b.t_ms.tolist(), b.value.tolist(), strict=True)
        if registry.series_name(s) == name
    ]


def messages(samples):
    """A batch of messages [(device number, time, [(channel number, value)])]; six channels a device."""
    rows = [(6 * d + c, t, v, i) for i, (d, t, values) in enumerate(samples) for c, v in values]
    series, t_ms, value, message = (
        (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [], [])
    )
    batch = Batch.of(np.array(series, np.int32), np.array(t_ms, np.int64), np.array(value, np.float64))
    batch.message = np.array(message, np.int32)
    return batch


def oracle(samples, device):
    """What is to be told of one device, by plain sums; {key: [(time, value)]}."""
    mine = [(t, dict(values)) for d, t, values in samples if d == device]
    found = {key: [] for key in DERIVED}
    for key, derived in DERIVED.items():
        term, of = derived.term, getattr(derived, "of", derived.term.channel)
        number = {"power": 0, "door": 1}
        driver = number[of]
        times = [t for t, values in mine if driver in values]

        def says(t, term=term, number=number):
            """What the term said at the last reading before t, and when that was."""
            last = [(u, v[number[term.channel]]) for u, v in mine if u < t and number[term.channel] in v]
            if not last:
                return False, None
            u, value = last[-1]
            return (value > term.is_.limit if isinstance(term.is_, Above) else value < term.is_.limit), u

        for before, t in pairwise(times):
            boundary = t // derived.every * derived.every
            if before // derived.every == t // derived.every:
                continue
            value = _at(derived, boundary, times, mine, says, driver)
            if value is not None:
                found[key].append((boundary, value))
    return found


def _at(derived, boundary, times, mine, says, driver):
    gap = 3 * EVERY
    seen = [t for t in times if t // derived.every < boundary // derived.every] + [
        t for t in times if t >= boundary
    ][:1]
    if isinstance(derived, Lasting):
        since = None
        for n, t in enumerate(seen[:-1]):
            holds, _ = says(seen[n + 1])
            begins = n == 0 or since is None or t - seen[n - 1] > gap
            since = (t if begins else since) if holds else None
        silent = seen[-1] - seen[-2] > gap
        return 0.0 if since is None or silent else (boundary - since) / 60_000
    if boundary - times[0] < derived.over // 2:
        return None
    bucket = max(derived.every, derived.over // 24)
    oldest = (boundary - 1) // bucket - round(derived.over / bucket) + 1
    part = whole = 0.0
    for before, t in pairwise(seen):
        if t - before > gap or before // bucket < oldest:
            continue
        held, _ = says(t)
        if isinstance(derived, Share):
            part += 100.0 * (t - before) * held
            whole += t - before
        elif held:
            # the term must have spoken not long before
            spoke = [u for u, v in mine if u < t and {"power": 0, "door": 1}[derived.term.channel] in v]
            if t - spoke[-1] <= gap:
                part += (t - before) * next(v[driver] for u, v in mine if u == before)
                whole += t - before
    return part / whole if whole else None


def regular(n, value, door=lambda _: 0.0, device=0):
    return [(device, T0 + i * EVERY, [(0, value(i)), (1, door(i))]) for i in range(n)]


def test_a_duty_cycle_is_the_share_of_time_above():
    registry, stages = pipeline()
    batch = run(stages, messages(regular(300, lambda i: 100.0 if i % 10 < 3 else 0.0)))
    values = told(registry, [batch], "d1", "duty")
    assert [t - T0 for t, _ in values] == [hours(h / 2) for h in range(4, 10)]
    assert [v for _, v in values] == pytest.approx([30.0] * 6, abs=1.0)


def test_running_power_is_the_mean_while_running():
    registry, stages = pipeline()
    batch = run(stages, messages(regular(300, lambda i: 120.0 + i % 2 if i % 10 < 4 else 5.0)))
    assert [v for _, v in told(registry, [batch], "d1", "running")] == pytest.approx([120.5] * 6, abs=0.01)


def test_a_term_on_another_channel_is_taken_as_it_was_before_the_instant():
    registry, stages = pipeline()
    samples = regular(300, float, lambda i: float(100 <= i < 102))
    turned = [(d, t, values[::-1]) for d, t, values in samples]
    values = told(registry, [run(stages, messages(samples))], "d1", "mean_open")
    assert values[0] == (T0 + hours(2), pytest.approx(100.5))
    assert told(registry, [run(grown(registry), messages(turned))], "d1", "mean_open") == values


def test_minutes_are_counted_from_when_a_term_began_to_hold():
    registry, stages = pipeline()
    batch = run(stages, messages(regular(61, lambda i: 0.0 if 15 <= i < 45 else 100.0)))
    values = [(t - T0, v) for t, v in told(registry, [batch], "d1", "still")]
    assert values == [(minutes(m), v) for m, v in ((10, 0), (20, 5), (30, 15), (40, 25), (50, 0), (60, 0))]


def test_a_silence_is_no_time_and_begins_counting_anew():
    registry, stages = pipeline()
    samples = [s for s in regular(200, lambda _: 0.0) if not T0 + 30 * EVERY < s[1] < T0 + 60 * EVERY]
    values = dict(told(registry, [run(stages, messages(samples))], "d1", "still"))
    assert values[T0 + minutes(30)] == 30.0
    assert values[T0 + minutes(60)] == 0.0
    assert values[T0 + minutes(70)] == 10.0


def test_failed_and_late_readings_are_not_looked_at():
    registry, stages = pipeline()
    samples = regular(300, lambda i: 100.0 if i % 10 < 3 else 0.0)
    spoilt = [
        *samples[:150],
        (0, T0 + 3 * EVERY, [(0, 7.0)]),
        (0, T0 + 149 * EVERY + 9, [(0, 9e9)]),
        *samples[150:],
    ]
    plain = told(registry, [run(stages, messages(samples))], "d1", "duty")
    assert told(registry, [run(grown(registry), messages(spoilt))], "d1", "duty") == plain


def test_derived_readings_come_behind_their_message_and_are_checked():
    registry, stages = pipeline()
    batch = run(stages, messages(regular(300, lambda _: 100.0)))
    derived = np.array([registry.channel_of(s).derived is not None for s in batch.series.tolist()])
    assert (batch.flag[derived] == Flag.GOOD).all()
    assert (np.diff(batch.message) >= 0).all()
    for i in np.flatnonzero(derived).tolist():
        assert batch.t_ms[i] <= batch.t_ms[np.flatnonzero(batch.message == batch.message[i])].max()
        assert derived[i:][batch.message[i:] == batch.message[i]].all()


SAMPLES = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.sampled_from([1, 1, 1, 2, 7]),
        st.sampled_from([0.0, 20.0, 60.0, 100.0]),
        st.sampled_from([0.0, 1.0]),
        st.sampled_from(["both", "both", "both", "turned", "power", "door"]),
    ),
    min_size=1,
    max_size=24,
)


def drawn(steps):
    """Messages in time; each lasts for five, so that spans are filled quickly."""
    t, samples = {0: T0, 1: T0}, []
    for device, step, power, door, what in steps:
        for _ in range(5):
            t[device] += step * EVERY
            both = [(0, power), (1, door)]
            values = {"both": both, "turned": both[::-1], "power": both[:1], "door": both[1:]}[what]
            samples.append((device, t[device], values))
    return samples


@given(SAMPLES, st.lists(st.integers(0, 300), max_size=6))
@settings(max_examples=40, deadline=None)
def test_any_split_gives_the_same_and_it_is_the_plain_sum(steps, cuts):
    samples = drawn(steps)
    registry, stages = pipeline()
    whole = [run(stages, messages(samples))]
    stages, parts = grown(registry), []
    ends = sorted({min(c, len(samples)) for c in cuts} | {len(samples)})
    for begin, end in pairwise([0, *ends]):
        parts.append(run(stages, messages(samples[begin:end])))
        saved = b"".join(stages[0].snapshot())
        stages = (grown(registry)[0], stages[1])
        stages[0].restore(saved)
    for number, device in enumerate(("d1", "d2")):
        expected = oracle(samples, number)
        for key in DERIVED:
            one = told(registry, whole, device, key)
            assert told(registry, parts, device, key) == one
            assert [t for t, _ in one] == [t for t, _ in expected[key]], key
            assert [v for _, v in one] == pytest.approx([v for _, v in expected[key]]), key


def test_a_state_of_other_derived_channels_is_refused():
    _, (insight, _) = pipeline()
    _, (other, _) = pipeline(
        derived=dict(list(DERIVED.items())[:2]) | {"a": DERIVED["still"], "b": DERIVED["duty"]}
    )
    with pytest.raises(CorruptError):
        other.restore(b"".join(insight.snapshot()))
    with pytest.raises(CorruptError):
        insight.restore(b"\x90")


def test_a_device_that_comes_later_finds_its_place():
    registry, stages = pipeline(devices=("d1",))
    run(stages, messages(regular(100, lambda _: 100.0)))
    both = [Device(scene="s", site="a", device=d, type="fridge") for d in ("d1", "d2")]
    registry.apply(both, at_ms=0)
    for stage in stages:
        stage.grow(registry)
    batch = run(stages, messages(regular(300, lambda _: 0.0, device=1)))
    assert [v for _, v in told(registry, [batch], "d2", "duty")] == [0.0] * 6


# --- departure from the usual ------------------------------------------------------------------------------

AWAY = {"away": Departure(of="power"), "a": DERIVED["still"], "b": DERIVED["duty"], "c": DERIVED["running"]}


def departures(t_ms, value, every):
    """(time, departure) of one series of readings."""
    registry, stages = pipeline(devices=("d1",), derived=AWAY, every=every)
    batch = Batch.of(np.zeros(len(t_ms), np.int32), t_ms, value)
    found = told(registry, [run(stages, batch)], "d1", "away")
    return np.array([t for t, _ in found], np.int64), np.array([v for _, v in found])


def raises(t_ms, away, limit=2.5):
    """When a departure outside of ±limit begins; it ends inside of 0.6 of it."""
    standing, found = False, []
    for t, value in zip(t_ms.tolist(), np.abs(away).tolist(), strict=True):
        if not standing and value > limit:
            found.append(t)
        standing = value > limit or (standing and value >= 0.6 * limit)
    return found


def noisy_days(chance, days):
    hour = np.arange(days * 24)
    swing = chance.uniform(0, 5) * np.sin(2 * np.pi * (hour + chance.uniform(0, 24)) / 24)
    rho, noise = chance.uniform(0, 0.8), chance.standard_normal(len(hour))
    for i in range(1, len(noise)):
        noise[i] = rho * noise[i - 1] + np.sqrt(1 - rho**2) * noise[i]
    return swing + noise


def test_steps_of_four_to_six_spreads_are_found_and_little_else():
    """On series and steps that the test draws by a seed of its own."""
    seed = int(np.random.SeedSequence().entropy % 2**32)
    chance = np.random.default_rng(seed)
    found = steps = false = months = 0
    for _ in range(12):
        value = noisy_days(chance, 100)
        spans = []
        for day in range(20, 95, 15):
            begin, length = 24 * day + int(chance.integers(0, 72)), int(chance.integers(24, 97))
            value[begin : begin + length] += chance.uniform(4, 6) * chance.choice([-1, 1])
            spans.append((T0 + hours(begin), T0 + hours(begin + length + 12)))
        at = raises(*departures(T0 + np.arange(len(value)) * hours(1), value, hours(1)))
        found += sum(any(a <= t <= b for t in at) for a, b in spans)
        false += sum(not any(a <= t <= b for a, b in spans) for t in at)
        steps, months = steps + len(spans), months + 100 / 30
    assert found / steps >= 0.9, seed
    assert false / months <= 0.5, seed
