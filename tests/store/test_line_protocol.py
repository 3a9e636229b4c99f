"""What is sent to InfluxDB: exact lines, and that a real server reads from them what was meant."""

import zlib
from contextlib import closing

import httpx
import numpy as np
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from scenewatch.model.errors import RefusedError
from scenewatch.store import influxql
from scenewatch.store.influxserver import InfluxServer
from scenewatch.store.influxurl import InfluxUrl
from scenewatch.store.lineprotocol import LineTexts, SeriesKey


def encode(keys, rows):
    """Rows of (series, t, value, flag, test)."""
    texts = LineTexts()
    texts.add(keys)
    return texts.encode(*(np.array(c, t) for c, t in zip(zip(*rows, strict=True), TYPES, strict=True)))


TYPES = (np.int32, np.int64, np.float64, np.uint8, np.uint8)
ROOM = SeriesKey("cold_room", "kitchen", "north", "room1", "temp")
DOOR = SeriesKey("cold_room", "kitchen", "north", "room1", "door")
OTHER = SeriesKey("cold_room", "kitchen", "north", "room2", "temp")


def test_one_device_at_one_time_is_one_line():
    rows = [(0, 10, 4.5, 1, 0), (1, 10, 1.0, 3, 4), (0, 20, -0.0, 1, 0), (2, 20, 1e300, 9, 6)]
    head = "cold_room,scene=kitchen,site=north,device=room"
    assert encode([ROOM, DOOR, OTHER], rows).decode().splitlines() == [
        f"{head}1 temp=4.5,temp_flag=1i,temp_test=0i,door=1.0,door_flag=3i,door_test=4i 10",
        f"{head}1 temp=-0.0,temp_flag=1i,temp_test=0i 20",
        f"{head}2 temp=1e300,temp_flag=9i,temp_test=6i 20",
    ]


def test_nothing_is_no_line():
    none = LineTexts().encode(*(np.empty(0, t) for t in TYPES))
    assert none == b""


MEASUREMENTS = {
    "cpu,main": r"cpu\,main",
    "cpu load": r"cpu\ load",
    "cpu=load": "cpu=load",
    "u zone=east": r"u\ zone=east",
    '"cpu"': '"cpu"',
    ",": r"\,",
    "4": "4",
}
TAG_VALUES = {
    "east west": r"east\ west",
    "east,west": r"east\,west",
    "tag=value": r"tag\=value",
    "w,est": r"w\,est",
    "eas\\t": r"eas\t",
    "eas\\ t": r"eas\\ t",
    "\\ east": r"\\ east",
    "east\\ ": r"east\\ ",
    "two\\\\ words": r"two\\\ words",
    "\\,,=east": r"\\,\,\=east",
    '1\\"\\"': r"1\"\"",
    '"a': '"a',
    '"serverA"': '"serverA"',
    "v 0 1": r"v\ 0\ 1",
    "  ": r"\ \ ",
    "厨房": "厨房",
    "d'": "d'",
}
FIELD_KEYS = {
    "name,bar": r"name\,bar",
    "value ms": r"value\ ms",
    "name=bar": r"name\=bar",
    "a ": r"a\ ",
    "float64-tiny": "float64-tiny",
    '"': '"',
    "%": "%",
}
NUMBERS = (
    *("1.0", "-1.0", "-0.0", "0.0", "42.0", "12.123", "-0.64", "0.0001", "6632243.0", "10000.0", "2e-7"),
    *("5e-324", "2.2250738585072014e-308", "1.7976931348623157e308", "-1.7976931348623157e308"),
    *("9007199254740992.0", "9.223372036854776e18", "1.8446744073709552e19", "2.620414472316874e52"),
)


@pytest.mark.parametrize(("name", "written"), MEASUREMENTS.items())
def test_a_measurement_is_written(name, written):
    assert line(SeriesKey(name, "s", "p", "d", "v")).startswith(f"{written},scene=s,")


@pytest.mark.parametrize(("value", "written"), TAG_VALUES.items())
@pytest.mark.parametrize("place", ["scene", "site", "device"])
def test_a_tags_value_is_written(place, value, written):
    tags = {"scene": "s", "site": "p", "device": "d"}
    told = ",".join(f"{key}={text}" for key, text in (tags | {place: written}).items())
    assert line(SeriesKey("m", **tags | {place: value}, channel="v")).startswith(f"m,{told} v=1.5,")


@pytest.mark.parametrize(("name", "written"), FIELD_KEYS.items())
def test_a_fields_key_is_written(name, written):
    fields = f"{written}=1.5,{written}_flag=1i,{written}_test=0i"
    assert line(SeriesKey("m", "s", "p", "d", name)) == f"m,scene=s,site=p,device=d {fields} 1"


@pytest.mark.parametrize("written", NUMBERS)
def test_a_number_is_written_as_a_float_in_its_shortest_form(written):
    assert line(ROOM, float(written)).split(" ")[1].partition(",")[0] == f"temp={written}"


def line(key, value=1.5):
    [one] = encode([key], [(0, 1, value, 1, 0)]).decode().splitlines()
    return one


@pytest.mark.parametrize("part", range(5))
@pytest.mark.parametrize("name", ["", "two\nlines", "\x00", "end\\", "tab\t"])
def test_what_no_line_can_carry_is_refused(name, part):
    parts = ["m", "s", "p", "d", "v"]
    parts[part] = name
    texts = LineTexts()
    with pytest.raises(RefusedError, match="line protocol"):
        texts.add([ROOM, SeriesKey(*parts)])
    assert len(texts) == 0


@pytest.mark.parametrize(("measurement", "channel"), [("m", "\\="), ("\\,", "v"), ("a\\b", "v")])
def test_only_tags_may_have_a_backslash(measurement, channel):
    with pytest.raises(RefusedError, match="no backslash"):
        LineTexts().add([SeriesKey(measurement, "s", "p", "d", channel)])


def test_a_comment_is_no_measurement():
    with pytest.raises(RefusedError, match="comment"):
        LineTexts().add([SeriesKey("#m", "s", "p", "d", "v")])


def test_a_name_has_four_parts():
    assert SeriesKey.of("cold_room", "kitchen.north.room1.temp") == ROOM
    with pytest.raises(RefusedError, match=r"scene\.site\.device\.channel"):
        SeriesKey.of("cold_room", "kitchen.north.room1")


@pytest.fixture(scope="module")
def fresh_database(influxd):
    """Makes an empty database for a number; gives the server's side of it."""

    def make(text):
        name = f"lines{zlib.crc32(text.encode()):08x}"
        query = f'DROP DATABASE "{name}"; CREATE DATABASE "{name}"'
        httpx.post(f"{influxd}/query", data={"q": query}).raise_for_status()
        return InfluxServer(InfluxUrl.parse(f"influx+{influxd}/?bucket={name}"))

    return make


NAMES = st.text(st.sampled_from("ab ,=\\\"'%/#é厨🦆_.()"), min_size=1, max_size=8).filter(
    lambda name: not name.endswith("\\")
)
FIELDS = NAMES.filter(lambda name: "\\" not in name)
KEYS = st.builds(SeriesKey, FIELDS.filter(lambda name: not name.startswith("#")), NAMES, NAMES, NAMES, FIELDS)
VALUES = st.floats(allow_nan=False, allow_infinity=False)
WITHOUT_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
"""Each example is a database of its own: a failure would take minutes to be made small."""


@settings(deadline=None, max_examples=40, phases=WITHOUT_SHRINKING)
@given(
    key=KEYS, value=VALUES, t_ms=st.integers(0, 6 * 86_400_000), flag=st.integers(0, 255), test=st.integers(0, 255)
)
def test_a_real_server_reads_what_was_meant(fresh_database, key, value, t_ms, flag, test):
    with closing(fresh_database(repr(key))) as server:
        server.write(encode([key], [(0, t_ms, value, flag, test)]))
        [[found]] = server.query(influxql.earliest(key, t_ms, t_ms, 2))
        assert [list(map(repr, row)) for row in found.rows] == [
            [repr(float(t_ms)), repr(value), repr(float(flag)), repr(float(test))]
        ]
        [[newest]] = server.query(influxql.newest_of_each(key.scene, key.channel))
        assert newest.tags == {"scene": key.scene, "site": key.site, "device": key.device}
        assert newest.rows == [[t_ms, value]]


@settings(deadline=None, max_examples=20)
@example(values=[float(text) for text in NUMBERS])
@given(values=st.lists(VALUES, min_size=1, max_size=200))
def test_many_values_come_back_bit_for_bit(fresh_database, values):
    with closing(fresh_database("many")) as server:
        server.write(encode([ROOM], [(0, t, value, 1, 0) for t, value in enumerate(values)]))
        [[found]] = server.query(influxql.earliest(ROOM, 0, len(values), 1000))
        read = np.array([row[1] for row in found.rows])
        assert read.tobytes() == np.array(values).tobytes()


def test_a_series_is_found_again_by_its_name_under_each_measurement():
    moved = SeriesKey("fridge", "kitchen", "north", "room1", "temp")
    keys = [ROOM, OTHER, DOOR, moved]
    texts = LineTexts()
    for key in keys:
        assert key.measurement not in texts.numbers(key)
        texts.add([key])
    assert [texts.key(n) for n in range(len(texts))] == keys
    assert texts.numbers(ROOM) == texts.numbers(moved) == {"cold_room": 0, "fridge": 3}
    assert texts.numbers(OTHER) == {"cold_room": 1}
    assert texts.numbers(DOOR) == {"cold_room": 2}
    assert texts.numbers(SeriesKey("fridge", "kitchen", "north", "room9", "temp")) == {}
