"""Native payloads become columns; what is wrong with one message touches no other."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenewatch.decode.native import NativeDecoder
from scenewatch.decode.salvage import Salvaged, salvage
from scenewatch.model.decoded import BOOT_BYTES, DEAD, NOT_NUMBERED, Decoded, boot_name
from scenewatch.model.messages import Messages, shortened
from scenewatch.model.place import Device
from scenewatch.model.registry import Registry

VAT = b"sw/brine/w1/vat-1/telemetry"
VAT_2 = b"sw/brine/w1/vat-2/telemetry"


@pytest.fixture
def decoder(vat_registry):
    made = NativeDecoder("sw")
    made.grow(vat_registry)
    return made


def decode(decoder: NativeDecoder, *pairs: tuple[bytes, object], first: int = 0) -> Decoded:
    raw = [(topic, body if isinstance(body, bytes) else json.dumps(body).encode()) for topic, body in pairs]
    return decoder.decode(Messages.of(raw, received_ms=5000), first)


def rows(decoded: Decoded) -> list[tuple[int, int, float, int]]:
    b = decoded.batch
    return list(zip(b.series.tolist(), b.t_ms.tolist(), b.value.tolist(), b.message.tolist(), strict=True))


def test_each_value_becomes_a_row_of_its_series(decoder):
    out = decode(decoder, (VAT_2, {"t": 1000, "v": {"level": 40, "temp": 20.5}}))
    assert rows(out) == [(2, 1000, 20.5, 0), (3, 1000, 40.0, 0)]
    assert out.batch.received_ms.tolist() == [5000, 5000]
    assert out.batch.live.all()


def test_an_absent_or_null_value_makes_no_row(decoder):
    out = decode(decoder, (VAT, {"t": 1000, "v": {"temp": None, "level": 7}}))
    assert rows(out) == [(1, 1000, 7.0, 0)]
    assert out.dead == []
    assert out.partial == []


def test_rows_keep_the_order_of_arrival_across_devices(decoder):
    out = decode(decoder, *[(t, {"t": i, "v": {"temp": i}}) for i, t in enumerate([VAT, VAT_2, VAT, VAT_2])])
    assert out.batch.message.tolist() == [0, 1, 2, 3]
    assert out.batch.series.tolist() == [0, 2, 0, 2]


def test_boot_and_number_identify_and_h_marks_history(decoder):
    out = decode(
        decoder,
        (VAT, {"t": 1, "b": "x", "n": 3, "v": {"temp": 1}}),
        (VAT, {"t": 2, "h": True, "v": {"temp": 1}}),
        (VAT, {"t": 3, "n": 3, "v": {"temp": 1}}),
    )
    assert out.boot[0].tobytes() == boot_name("x")
    assert out.n.tolist() == [3, NOT_NUMBERED, NOT_NUMBERED]
    assert out.batch.live.tolist() == [True, False, True]


def test_buffered_samples_expand_to_one_row_a_sample(decoder):
    body = {"t": [10, 20, 30], "b": "x", "n": 0, "v": {"temp": [1, None, 3], "level": [4, 5, 6]}}
    out = decode(decoder, (VAT, body), (VAT, {"t": 40, "v": {"temp": 9}}))
    assert rows(out) == [(0, 10, 1, 0), (1, 10, 4, 0), (1, 20, 5, 0), (0, 30, 3, 0), (1, 30, 6, 0), (0, 40, 9, 1)]
    assert out.n.tolist() == [0, NOT_NUMBERED]


@pytest.mark.parametrize(
    ("topic", "body", "reason"),
    [
        (VAT, b"{", "not JSON"),
        (VAT, b"\xff\xfe{}", "not JSON"),
        (VAT, b'{"t": 1, "v": {"temp": NaN}}', "not JSON"),
        (VAT, b'{"t":1,"v":{"temp":1}}{"t":2,"v":{"temp":2}}', "not JSON"),
        (VAT, b'{"t":1,"v":{"temp":1}},{"t":2,"v":{"temp":2}}', "not JSON"),
        (VAT, b"[" * 900_000, "not JSON"),
        (VAT, b'{"t":1,"v":{"temp":1},"x":' + b"[" * 5000 + b"]" * 5000 + b"}", "not JSON"),
        (b"sw/brine/w1/gw/status", b'{"x":' + b"[" * 5000, "not a status"),
        (VAT, [], "not a JSON object"),
        (VAT, {"t": 1}, "`v` must be an object"),
        (VAT, {"t": 1, "v": {}}, "no values"),
        (VAT, {"t": 1, "v": {"temp": "3.5"}}, "temp is '3.5', must be a finite number"),
        (VAT, {"t": 1, "v": {"temp": True}}, "temp is 'True', must be a finite number"),
        (VAT, {"t": 1, "v": {"salt": 1}}, "unknown channel 'salt'"),
        (VAT, {"t": "2026-01-01T00:00:00Z", "v": {"temp": 1}}, "`t` must be whole milliseconds"),
        (VAT, {"t": None, "v": {"temp": 1}}, "`t` must be whole milliseconds"),
        (VAT, {"v": {"temp": 1}}, "`t` must be whole milliseconds"),
        (VAT, {"t": 1e300, "v": {"temp": 1}}, "`t` must be whole milliseconds"),
        (VAT, {"t": [], "v": {"temp": []}}, "`t` is an empty array"),
        (VAT, {"t": [1, 2], "v": {"temp": [1]}}, "one value a time"),
        (VAT, {"t": 1, "h": "yes", "v": {"temp": 1}}, "`h` must be true or false"),
        (b"sw/brine/w1/vat-9/telemetry", {"t": 1, "v": {"temp": 1}}, "unknown device brine.w1.vat-9"),
        (b"sw/brine/w1/vat.1/telemetry", {"t": 1, "v": {"temp": 1}}, "an id in the topic"),
        (b"sw/brine/w1/v\xc3\xa4t/telemetry", {"t": 1, "v": {"temp": 1}}, "not plain ASCII"),
        (b"sw/brine/w1/vat-1/weather", {"t": 1}, "unknown kind"),
        (b"sw/brine/w1/vat-1", {"t": 1}, "topic is not"),
        (b"xx/brine/w1/vat-1/telemetry", {"t": 1}, "topic is not"),
        (b"sw/brine/w1/gw/telemetry", {"t": 1, "v": {"temp": 1}}, "has no channels"),
        (b"sw/brine/w1/vat-1/command", {"id": "1"}, "not taken by this version"),
        (b"sw/brine/w1/gw/event", {"t": 1, "kind": "x"}, "device type gateway tells no events"),
        (b"sw/brine/w1/vat-1/status", {"state": "asleep"}, "must be 'online' or 'offline'"),
        (b"sw/brine/w1/vat-1/status", b"", "not a status"),
    ],
)
def test_what_cannot_be_taken_is_a_dead_letter_and_its_neighbour_is_not(decoder, topic, body, reason):
    out = decode(decoder, (topic, body), (VAT_2, {"t": 7, "v": {"temp": 1}}), first=100)
    assert len(out.dead) == 1
    letter = out.dead[0]
    assert reason in letter.reason
    assert "\n" not in letter.reason
    assert (letter.position, letter.topic, letter.received_ms) == (100, topic, 5000)
    assert letter.payload == (body if isinstance(body, bytes) else json.dumps(body).encode())
    assert out.device[0] == DEAD
    assert rows(out) == [(2, 7, 1.0, 1)]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"temp": 1, "level": "2"}, "level is '2'"),
        ({"temp": 1, "salt": 3}, "unknown channel 'salt'"),
        ({"temp": 1, "level": 10**400}, "level is '1000"),
    ],
)
def test_good_values_beside_bad_ones_are_kept_and_the_bad_named(decoder, values, reason):
    out = decode(decoder, (VAT, {"t": 1, "v": values}))
    assert rows(out) == [(0, 1, 1.0, 0)]
    assert reason in out.partial[0].reason


def test_a_bad_identity_does_not_cost_the_readings(decoder):
    out = decode(decoder, (VAT, {"t": 1, "b": 5, "n": -1, "v": {"temp": 1}}))
    assert rows(out) == [(0, 1, 1.0, 0)]
    assert out.n.tolist() == [NOT_NUMBERED]
    assert "`b` must be" in out.partial[0].reason


def test_status_tells_who_is_there(decoder):
    out = decode(decoder, (b"sw/brine/w1/gw/status", {"t": 9, "state": "offline"}))
    assert [(r.message, r.device, r.online, r.at_ms) for r in out.status] == [(0, 0, False, 9)]
    assert out.dead == []


def test_a_device_that_joins_the_inventory_is_known_at_once(decoder, vat_registry, vats):
    new = b"sw/brine/w1/vat-9/telemetry"
    assert len(decode(decoder, (new, {"t": 1, "v": {"temp": 1}})).dead) == 1
    third = type(vats[0])(scene="brine", site="w1", device="vat-9", type="vat")
    vat_registry.apply([*vats, third], at_ms=1)
    decoder.grow(vat_registry)
    assert rows(decode(decoder, (new, {"t": 1, "v": {"temp": 1}}))) == [(4, 1, 1.0, 0)]


samples = st.dictionaries(
    st.sampled_from(["temp", "level"]), st.floats(allow_nan=False, allow_infinity=False), min_size=1
)


@given(st.lists(st.tuples(st.booleans(), st.integers(-(2**53), 2**53), samples), max_size=20), st.integers(0, 20))
@settings(deadline=None, max_examples=60)
def test_every_number_comes_through_bit_for_bit_whatever_the_split(vat_registry_of, messages, cut):
    pairs = [(VAT if first else VAT_2, json.dumps({"t": t, "v": v}).encode()) for first, t, v in messages]
    decoder = NativeDecoder("sw")
    decoder.grow(vat_registry_of)
    got = []
    for offset, part in ((0, pairs[:cut]), (min(cut, len(pairs)), pairs[cut:])):
        out = decoder.decode(Messages.of(part, 0), 0)
        got += [(s, t, np.float64(v).tobytes(), m + offset) for s, t, v, m in rows(out)]
    expected = [
        (0 + c + (0 if first else 2), t, np.float64(v[key]).tobytes(), i)
        for i, (first, t, v) in enumerate(messages)
        for c, key in enumerate(["temp", "level"])
        if key in v
    ]
    assert got == expected


@given(st.binary(max_size=60))
@settings(deadline=None, max_examples=200)
def test_no_payload_raises_or_passes_unnoticed(vat_registry_of, payload):
    decoder = NativeDecoder("sw")
    decoder.grow(vat_registry_of)
    out = decoder.decode(Messages.of([(VAT, payload)], 0), 0)
    assert len(out.dead) + len(set(out.batch.message.tolist())) == 1


numbers = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(-(10**20), 10**20).map(str),
    st.from_regex(r"-?(0|[1-9][0-9]{0,18})(\.[0-9]{1,24})?([eE][-+]?[0-9]{1,3})?", fullmatch=True),
    st.sampled_from(["null", "01", "-", "1.", ".5", "1e", "+1", "-0", "0e0", "9007199254740993", "1e23", "true"]),
)
spaces = st.sampled_from(["", " ", "\n\t "])
members = st.fixed_dictionaries(
    {"v": st.dictionaries(st.sampled_from(["temp", "level"]), numbers, max_size=2)},
    optional={
        "t": st.one_of(st.integers(-(2**54), 2**54).map(str), numbers),
        "b": st.sampled_from(['"x"', '""', f'"{"y" * 39}"', f'"{"y" * 40}"', '"\\u0041"', '"ü"', "null", "7"]),
        "n": st.one_of(st.integers(-2, 2**54).map(str), numbers),
        "h": st.sampled_from(["true", "false", "null", "1"]),
        "x": st.just("[]"),
    },
)


@st.composite
def payloads(draw):
    """Nearly right payloads: members in any order, odd numbers and spaces, now and then a byte changed or cut."""
    drawn = draw(members)
    space = draw(spaces)
    drawn["v"] = "{" + ",".join(f'"{k}"{space}:{space}{x}' for k, x in drawn["v"].items()) + space + "}"
    order = draw(st.permutations(sorted(drawn)))
    text = "{" + f"{space},{space}".join(f'"{key}":{space}{drawn[key]}' for key in order) + "}" + space
    raw = bytearray(text.encode())
    if draw(st.booleans()) and draw(st.booleans()):
        raw[draw(st.integers(0, len(raw) - 1))] = draw(st.integers(0, 255))
    return bytes(raw[: draw(st.integers(0, len(raw)))] if draw(st.integers(0, 9)) == 0 else raw)


@given(st.lists(payloads(), min_size=1, max_size=8))
@settings(deadline=None, max_examples=400)
def test_the_compiled_path_reads_exactly_what_the_plain_one_does(vat_registry_of, bodies):
    decoder = NativeDecoder("sw")
    decoder.grow(vat_registry_of)
    decode(decoder, (VAT, {"t": 0, "v": {"temp": 0}}))  # from here on the topic is known
    out = decoder.decode(Messages.of([(VAT, body) for body in bodies], 5000), 0)
    expected = []
    for i, body in enumerate(bodies):
        plain = salvage(body, ("temp", "level"))
        if not isinstance(plain, Salvaged):
            assert out.device[i] == DEAD
            continue
        numbered = plain.boot is not None and plain.n is not None
        assert out.device[i] == 0
        assert out.n[i] == (plain.n if numbered else NOT_NUMBERED)
        assert not numbered or out.boot[i].tobytes() == boot_name(plain.boot)
        expected += [
            (channel, t_ms, value, i)
            for t_ms, row in zip(plain.t_ms, plain.rows, strict=True)
            for channel, value in enumerate(row)
            if value is not None
        ]
    assert rows(out) == expected


@given(st.text(max_size=80), st.text(max_size=80))
def test_boot_ids_are_told_apart_whatever_their_length(one, other):
    assert len(boot_name(one)) == BOOT_BYTES
    assert (boot_name(one) == boot_name(other)) == (one == other)


def test_a_thousand_topics_are_each_known_again(vat_scene):
    registry = Registry([vat_scene])
    registry.apply([Device(scene="brine", site="w1", device=f"vat-{i}", type="vat") for i in range(1000)], at_ms=0)
    decoder = NativeDecoder("sw")
    decoder.grow(registry)
    pairs = [(f"sw/brine/w1/vat-{i}/telemetry".encode(), {"t": i, "v": {"temp": i}}) for i in range(1000)]
    for _ in range(2):
        assert rows(decode(decoder, *pairs)) == [(2 * i, i, i, i) for i in range(1000)]


@pytest.fixture(scope="module")
def vat_registry_of(vat_scene):
    registry = Registry([vat_scene])
    registry.apply([Device(scene="brine", site="w1", device=f"vat-{i}", type="vat") for i in (1, 2)], at_ms=0)
    return registry


@pytest.mark.parametrize("topic", [VAT, VAT.replace(b"telemetry", b"status"), VAT.replace(b"vat-1", b"vat-99")])
def test_a_payload_of_which_only_the_beginning_was_taken_is_dead_for_its_length(decoder, topic):
    beginning = json.dumps({"t": 1000, "v": {"temp": 20.5}}).encode()
    out = decode(decoder, (topic, shortened(beginning, 20_000_000)))
    (letter,) = out.dead
    assert letter.reason.startswith("too long: of 20000000 bytes only the beginning was taken")
    assert letter.payload.endswith(beginning)
    assert rows(out) == []
