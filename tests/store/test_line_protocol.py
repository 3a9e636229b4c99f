"""What is sent to InfluxDB: exact lines, and that a real server reads from them what was meant."""

import zlib
from contextlib import closing

import httpx
import numpy as np
import pytest
from hypothesis import Phase, given, settings
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


@pytest.mark.parametrize(
    ("key", "line"),
    [
        (SeriesKey("cpu,main", "s", "p", "d", "name,bar"), r"cpu\,main,scene=s,site=p,device=d name\,bar="),
        (SeriesKey("cpu load", "s", "p", "d", "value ms"), r"cpu\ load,scene=s,site=p,device=d value\ ms="),
        (SeriesKey("cpu=main", "s", "p", "d", "name=bar"), r"cpu=main,scene=s,site=p,device=d name\=bar="),
        (
            SeriesKey("m", "east west", "a,b", "tag=value", "v"),
            r"m,scene=east\ west,site=a\,b,device=tag\=value v=",
        ),
        (SeriesKey("m", "eas\\t", "\\,,=east", "d", "v"), r"m,scene=eas\t,site=\\,\,\=east,device=d v="),
        (SeriesKey("m", '"quoted"', "厨房", "d'", "v"), 'm,scene="quoted",site=厨房,device=d\' v='),
    ],
)
def test_what_separates_is_escaped(key, line):
    assert encode([key], [(0, 1, 1.5, 1, 0)]).decode().startswith(f"{line}1.5,")


@pytest.mark.parametrize("part", range(5))
@pytest.mark.parametrize("name", ["", "two\nlines", "\x00", "end\\", "tab\t"])
def test_what_no_line_can_carry_is_refused(name, part):
    parts = ["m", "s", "p", "d", "v"]
    parts[part] = name
    texts = LineTexts()
    with pytest.raises(RefusedError, match="line protocol"):
        texts.add([ROOM, SeriesKey(*parts)])
    assert texts.keys == []


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
@given(values=st.lists(VALUES, min_size=1, max_size=200))
def test_many_values_come_back_bit_for_bit(fresh_database, values):
    with closing(fresh_database("many")) as server:
        server.write(encode([ROOM], [(0, t, value, 1, 0) for t, value in enumerate(values)]))
        [[found]] = server.query(influxql.earliest(ROOM, 0, len(values), 1000))
        read = np.array([row[1] for row in found.rows])
        assert read.tobytes() == np.array(values).tobytes()
