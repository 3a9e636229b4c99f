"""Events and results: good parts of a message are taken, bad ones named, and nothing hostile gets through."""

import json
from urllib.parse import urlsplit

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from records import START_MS, messages, topic
from scenewatch.decode.events import LONGEST_DATA, LONGEST_MEDIA, LONGEST_TEXT, EventRead, read_event, read_result
from scenewatch.decode.identity import Identity
from scenewatch.decode.native import NativeDecoder
from scenewatch.model.decoded import NOT_NUMBERED, boot_name
from scenewatch.model.event import Event, Result
from scenewatch.model.scene import Severity

KINDS = ("boiled_over", "lid_open")
EVENT = topic("vat-1", "event")
WHOLE = {
    "t": START_MS,
    "b": "x",
    "n": 7,
    "kind": "boiled_over",
    "level": "alarm",
    "text": "over 好",
    "lat": 31.2,
    "lon": 121.5,
    "media": "https://cam.example/a.jpg?t=1",
    "data": {"by": [1, None, {"deep": "x"}]},
}


@pytest.fixture
def decoder(vat_registry):
    made = NativeDecoder("sw")
    made.grow(vat_registry)
    return made


def decode(decoder, *pairs, received_ms=START_MS, first=0):
    raw = [(at, body if isinstance(body, bytes) else json.dumps(body).encode()) for at, body in pairs]
    return decoder.decode(messages(first, received_ms, raw).messages, first)


def event(**more):
    return {"t": START_MS, "kind": "lid_open"} | more


def test_an_event_is_taken_with_all_it_says(decoder):
    out = decode(decoder, (EVENT, WHOLE), first=40)
    assert out.events == [
        Event(
            position=40,
            device=1,
            kind="boiled_over",
            at_ms=START_MS,
            received_ms=START_MS,
            level=Severity.ALARM,
            text="over 好",
            lat=31.2,
            lon=121.5,
            media="https://cam.example/a.jpg?t=1",
            data={"by": [1, None, {"deep": "x"}]},
        )
    ]
    assert (out.device.tolist(), out.n.tolist(), out.boot[0].tobytes()) == ([1], [7], boot_name("x"))
    assert (out.dead, out.partial, len(out.batch)) == ([], [], 0)


def test_of_an_event_only_kind_and_time_are_needed(decoder):
    out = decode(decoder, (EVENT, event()))
    assert out.events == [Event(position=0, device=1, kind="lid_open", at_ms=START_MS, received_ms=START_MS)]
    assert out.n.tolist() == [NOT_NUMBERED]


@pytest.mark.parametrize(
    ("t_ms", "believed"),
    [
        (START_MS - 10**10, START_MS - 10**10),
        (START_MS + 60_000, START_MS + 60_000),
        (START_MS + 60_001, START_MS),
        (START_MS // 1000, START_MS),
        (0, START_MS),
        (-5, START_MS),
    ],
)
def test_a_clock_that_is_wrong_gives_way_to_the_receive_time(decoder, t_ms, believed):
    assert decode(decoder, (EVENT, event(t=t_ms))).events[0].at_ms == believed


def test_what_is_marked_as_history_is_not_live(decoder):
    assert not decode(decoder, (EVENT, event(h=True))).events[0].live


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "not JSON"),
        (b"[]", "not a JSON object"),
        (b'{"t": NaN}', "not JSON"),
        (b"\xff", "not JSON"),
        (b'{"text": "\\ud800"}', "not JSON"),
        (b"[" * 5000, "not JSON"),
        ({"kind": "lid_open"}, "`t` must be whole milliseconds"),
        (event(t="now"), "`t` must be whole milliseconds"),
        (event(t=1.5), "`t` must be whole milliseconds"),
        (event(t=True), "`t` must be whole milliseconds"),
        (event(t=[START_MS]), "`t` must be whole milliseconds"),
        (event(t=2**60), "`t` must be whole milliseconds"),
        (event(kind="flood"), "unknown event 'flood': this type of device tells boiled_over, lid_open"),
        (event(kind=None), "unknown event 'None'"),
        (event(kind=["lid_open"]), "unknown event"),
        (event(kind="x" * 10_000), "unknown event"),
        (event(h="yes"), "`h` must be true or false"),
    ],
)
def test_what_is_no_event_is_a_dead_letter_with_its_reason(decoder, body, reason):
    out = decode(decoder, (EVENT, body), (EVENT, WHOLE))
    assert [letter.position for letter in out.dead] == [0]
    assert reason in out.dead[0].reason
    assert len(out.dead[0].reason) < 200
    assert [e.position for e in out.events] == [1]


@pytest.mark.parametrize(
    ("field", "value", "reason", "kept"),
    [
        ("level", "panic", "level is 'panic', must be one of info, warning, alarm", Severity.INFO),
        ("level", ["alarm"], "level is", Severity.INFO),
        ("text", 5, "text is '5', must be a text", ""),
        ("text", "x" * (LONGEST_TEXT + 1), f"text is longer than {LONGEST_TEXT}", "x" * LONGEST_TEXT),
        ("text", "a\0b", "text has a zero in it", "ab"),
        ("lat", "31", "`lat` and `lon` must both be degrees", None),
        ("lat", 90.1, "`lat` and `lon` must both be degrees", None),
        ("lon", None, "`lat` and `lon` must both be degrees", None),
        ("lon", 181, "`lat` and `lon` must both be degrees", None),
        ("lon", True, "`lat` and `lon` must both be degrees", None),
        pytest.param("lon", 10**400, "`lat` and `lon` must both be degrees", None, id="lon-beyond-any-float"),
        ("media", "javascript:alert(1)", "media must be an http or https address", ""),
        ("media", "data:text/html,x", "media must be an http or https address", ""),
        ("media", "ftp://a/b", "media must be an http or https address", ""),
        ("media", "//cam/a.jpg", "media must be an http or https address", ""),
        ("media", "https://", "media must be an http or https address", ""),
        ("media", "http://[::1", "media must be an http or https address", ""),
        ("media", "https://a/ b", "media must be an http or https address", ""),
        ("media", "https:\\\\a\\b", "media must be an http or https address", ""),
        ("media", "https://a/\n", "media must be an http or https address", ""),
        ("media", "https://a/" + "b" * LONGEST_MEDIA, "media must be an http or https address", ""),
        ("media", 7, "media must be an http or https address", ""),
        ("data", [1], "data must be an object", {}),
        ("data", {"x": "y" * LONGEST_DATA}, f"data is longer than {LONGEST_DATA}", {}),
    ],
)
def test_a_bad_part_is_named_and_left_out_and_the_rest_is_taken(decoder, field, value, reason, kept):
    out = decode(decoder, (EVENT, WHOLE | {field: value}))
    assert out.dead == []
    [letter] = out.partial
    assert letter.reason.startswith("taken without")
    assert reason in letter.reason
    [taken] = out.events
    assert getattr(taken, field) == kept
    assert (taken.kind, taken.at_ms, out.n[0]) == ("boiled_over", START_MS, 7)


def test_a_bad_number_costs_the_number_alone(decoder):
    out = decode(decoder, (EVENT, WHOLE | {"n": -1}))
    assert len(out.events) == 1
    assert out.n.tolist() == [NOT_NUMBERED]
    assert "`n` a whole number" in out.partial[0].reason


def test_events_and_readings_share_their_numbers_and_what_comes_twice_is_known(decoder):
    identity = Identity()
    reading = (topic("vat-1"), {"t": START_MS, "b": "x", "n": 7, "v": {"temp": 1}})
    out = decode(decoder, (EVENT, WHOLE), (EVENT, WHOLE), reading, (EVENT, WHOLE | {"n": 9}))
    assert identity.duplicates(out).tolist() == [False, True, True, False]
    assert identity.missing(1) == 1


def test_without_a_number_an_event_is_known_by_its_content(decoder):
    identity = Identity()
    out = decode(decoder, (EVENT, event()), (EVENT, event(text="other")), (EVENT, event()))
    assert identity.duplicates(out).tolist() == [False, False, True]


def test_an_answer_is_taken_and_one_that_comes_again_too(decoder):
    answer = (topic("vat-1", "result"), {"id": "c-1", "ok": False, "text": "busy"})
    out = decode(decoder, answer, answer, first=5)
    told = {"device": 1, "command": "c-1", "ok": False, "text": "busy", "received_ms": START_MS}
    assert out.results == [Result(position=5, **told), Result(position=6, **told)]
    assert Identity().duplicates(out).tolist() == [False, False]
    assert (out.dead, out.partial, out.device.tolist()) == ([], [], [1, 1])


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"ok", "not JSON"),
        ({"ok": True}, "`id` must be the command's"),
        ({"id": 5, "ok": True}, "`id` must be the command's"),
        ({"id": "", "ok": True}, "`id` must be the command's"),
        ({"id": "x" * 65, "ok": True}, "`id` must be the command's"),
        ({"id": "a\0", "ok": True}, "`id` must be the command's"),
        ({"id": "a", "ok": 1}, "`ok` must be true or false"),
        ({"id": "a"}, "`ok` must be true or false"),
    ],
)
def test_what_is_no_answer_is_a_dead_letter(decoder, body, reason):
    out = decode(decoder, (topic("gw", "result"), body))
    assert out.results == []
    assert reason in out.dead[0].reason


def test_a_text_that_is_too_long_does_not_cost_the_answer(decoder):
    out = decode(decoder, (topic("gw", "result"), {"id": "a", "ok": True, "text": "x" * 5000}))
    assert len(out.results[0].text) == LONGEST_TEXT
    assert "text is longer" in out.partial[0].reason


# --- laws --------------------------------------------------------------------------------------------------

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
bodies = st.fixed_dictionaries(
    {"t": st.sampled_from([START_MS, 0, None, 1e300]) | plain, "kind": st.sampled_from(KINDS) | plain},
    optional={
        name: plain | st.sampled_from([WHOLE[name]])
        for name in ("b", "n", "level", "text", "lat", "lon", "media", "data")
    }
    | {"h": st.booleans() | plain},
)


@settings(max_examples=300)
@given(bodies)
def test_whatever_comes_is_an_event_with_sound_parts_or_a_reason(body):
    read = read_event(msgspec.json.encode(body), KINDS)
    if not isinstance(read, EventRead):
        assert isinstance(read, str)
        assert read
        return
    assert read.kind in KINDS
    assert len(read.text) <= LONGEST_TEXT
    assert "\0" not in read.text
    assert read.media == "" or urlsplit(read.media).scheme in ("http", "https")
    assert read.place is None or (abs(read.place[0]) <= 90 and abs(read.place[1]) <= 180)
    assert len(msgspec.json.encode(read.data)) <= LONGEST_DATA
    left_out = {"text": "", "media": "", "data": {}}
    for name, default in left_out.items():
        if getattr(read, name) == default and body.get(name) not in (None, default):
            assert any(complaint.startswith(name) for complaint in read.complaints)


@settings(max_examples=200)
@given(st.binary(max_size=60) | bodies.map(msgspec.json.encode))
def test_any_bytes_are_read_without_an_error(payload):
    for read in (read_event(payload, KINDS), read_result(payload)):
        assert read
