"""What only InfluxStore does with levels: buckets that are missing or refuse, odd names, others' points."""

import logging
from contextlib import closing
from uuid import uuid4

import httpx
import pytest
import stores

from influx_server import create
from scenewatch.model.batch import Batch
from scenewatch.model.errors import TemporaryError
from scenewatch.model.flags import Flag
from scenewatch.model.level import Level
from scenewatch.store import influxlevels
from scenewatch.store.influx import InfluxStore
from scenewatch.store.influxanswers import Answer
from scenewatch.store.influxurl import InfluxUrl

MINUTE, HOUR = Level.MINUTE.span_ms, Level.HOUR.span_ms
T0 = 1_699_920_000_000


@pytest.fixture
def store(influxd, tmp_path):  # noqa: ARG001  # it must run first
    with closing(stores.OwnInfluxStore(tmp_path)) as store:
        yield store


@pytest.fixture
def ask(influxd, store):
    def ask(query, suffix=""):
        db = store.url.beside(suffix).database
        answer = httpx.post(f"{influxd}/query", params={"db": db, "epoch": "ms"}, data={"q": query}).json()
        return answer["results"][0].get("series", [])

    return ask


@pytest.fixture
def put(influxd, store):
    def put(lines, suffix=""):
        db = store.url.beside(suffix).database
        httpx.post(f"{influxd}/write", params={"db": db, "precision": "ms"}, content=lines).raise_for_status()

    return put


def write(store, rows, names):
    """Rows of (series, t, value, flag)."""
    series, t_ms, value, flag = zip(*rows, strict=True)
    batch = Batch.of(series, t_ms, value, position=store.position() + 1)
    batch.flag[:] = flag
    store.write(batch, names.__getitem__)


NAMES = ["kitchen.north.r1.temp", "kitchen.north.r1.door", "drainage.north.r1.temp", "kitchen.south.r 2,=.temp"]


def test_a_window_is_one_point_of_a_device_with_fields_beside_no_plain_one(store, ask):
    write(store, [(0, T0, 1.5, 1), (1, T0, 1.0, 4), (0, T0 + 10_000, 2.5, 3)], NAMES)
    assert store.summarise(Level.MINUTE, T0, T0 + MINUTE) == 2
    [found] = ask("SELECT * FROM /.+/", "_1m")
    assert found["name"] == "cold room"
    assert dict(zip(found["columns"], found["values"][0], strict=True)) == {
        "time": T0,
        "scene": "kitchen",
        "site": "north",
        "device": "r1",
        "temp_min": 1.5,
        "temp_max": 2.5,
        "temp_mean": 2,
        "temp_count": 2,
        "temp_good": 2,
        "temp_flag": 3,
        "door_min": 1,
        "door_max": 1,
        "door_count": 1,
        "door_good": 0,
        "door_flag": 4,
    }
    types = {name: kind for [one] in [ask("SHOW FIELD KEYS", "_1m")] for name, kind in one["values"]}
    assert {name for name, kind in types.items() if kind == "integer"} == {
        f"{channel}{end}" for channel in ("temp", "door") for end in ("_count", "_good", "_flag")
    }


@pytest.mark.parametrize("suffix", ["", "_1m"])
def test_one_question_finds_the_peak_on_every_level(store, ask, suffix):
    write(store, [(0, T0 + k * 1000, 99.0 if k == 7 else 1.0, 1) for k in range(60)], NAMES)
    store.summarise(Level.MINUTE, T0, T0 + MINUTE)
    [found] = ask('SELECT max(/^temp(_max)?$/) FROM "cold room"', suffix)
    assert found["values"][0][1] == 99


def test_scenes_and_sites_of_one_name_are_not_mixed_up(store):
    write(store, [(n, T0, float(n), 1) for n in range(4)], NAMES)
    for level in (Level.MINUTE, Level.HOUR):
        assert store.summarise(level, T0, T0 + HOUR) == 4
        for n, name in enumerate(NAMES):
            assert store.summaries(name, level, 0, 2 * T0, 9).mean.tolist() == [n]
    assert store.summarise(Level.MINUTE, T0, T0 + MINUTE, devices=["kitchen.south.r 2,="]) == 1


def test_large_answers_are_asked_for_in_parts(store, monkeypatch):
    for limit, value in (
        ("ROWS_AT_ONCE", 2),
        ("DEVICES_A_SITE", 2),
        ("DEVICES_AT_ONCE", 1),
        ("LINES_AT_ONCE", 3),
    ):
        monkeypatch.setattr(influxlevels, limit, value)
    names = [f"kitchen.s{n}.r.temp" for n in range(5)]
    write(
        store, [(n, T0 + k * MINUTE, float(n * k), 4 if k == 2 else 1) for n in range(5) for k in range(5)], names
    )
    assert store.summarise(Level.MINUTE, T0, T0 + 5 * MINUTE) == 25
    assert store.summarise(Level.HOUR, T0, T0 + HOUR, devices=[f"kitchen.s{n}.r" for n in range(3)]) == 3
    found = store.summaries(names[2], Level.HOUR, T0, T0 + HOUR, 9)
    assert (found.low[0], found.high[0], found.mean[0], found.good[0]) == (0, 8, 4.0, 4)


def test_a_device_whose_type_changed_has_one_window(store, put):
    fields = "temp={v},temp_flag={f}i,temp_test=0i"
    for kind, value, flag, t_ms in (("old", 1.0, 4, T0), ("new", 5.0, 1, T0 + 30_000)):
        put(f"{kind},scene=kitchen,site=north,device=r1 {fields.format(v=value, f=flag)} {t_ms}")
    store.summarise(Level.MINUTE, T0, T0 + MINUTE)
    found = store.summaries(NAMES[0], Level.MINUTE, T0, T0 + MINUTE, 9)
    columns = (found.low, found.high, found.mean, found.count, found.good, found.flag)
    assert [c.tolist() for c in columns] == [[1.0], [5.0], [5.0], [2], [1], [Flag.FAIL]]


def test_other_peoples_points_are_left_alone(store, put):
    put(f'weather,town=x temp=3,temp_flag=1i {T0}\nalarm,scene=kitchen,site=n,device=r text="a",standing=1i {T0}')
    assert store.summarise(Level.MINUTE, T0, T0 + MINUTE) == 0
    put(f"site,scene=kitchen,site=n received=3i {T0}", "_1m")
    assert store.summarise(Level.HOUR, T0, T0 + HOUR) == 0


def test_a_missing_bucket_is_told_and_readings_go_on(influxd, database):
    name = f"alone_{uuid4().hex}"
    create(influxd, name)
    url = InfluxUrl.parse(f"influx+{influxd}/?bucket={name}")
    with closing(InfluxStore(url, database=database, measurements=lambda _: "m")) as store:
        write(store, [(0, T0, 1.0, 1)], NAMES)
        with pytest.raises(
            TemporaryError, match=rf"bucket {name}_1m: there is no such database or bucket; make it"
        ):
            store.summarise(Level.MINUTE, T0, T0 + MINUTE)
        with pytest.raises(TemporaryError, match=rf"bucket {name}_1h: there is no such"):
            store.summaries(NAMES[0], Level.HOUR, T0, T0 + MINUTE, 9)
        write(store, [(0, T0 + 1, 2.0, 1)], NAMES)
        create(influxd, f"{name}_1m")
        assert store.summarise(Level.MINUTE, T0, T0 + MINUTE) == 1


def test_windows_older_than_their_bucket_keeps_are_not_missed(influxd, store):
    write(store, [(0, T0, 1.0, 1)], NAMES)
    policy = f'ALTER RETENTION POLICY autogen ON "{store.url.database}_1m" DURATION 1h SHARD DURATION 1h'
    httpx.post(f"{influxd}/query", data={"q": policy}).raise_for_status()
    assert store.summarise(Level.MINUTE, T0, T0 + MINUTE) == 1
    assert len(store.summaries(NAMES[0], Level.MINUTE, 0, 2 * T0, 9).t_ms) == 0


def test_a_field_that_is_taken_is_told_once_and_the_rest_is_kept(store, put, caplog):
    put(f'cold\\ room,scene=kitchen,site=north,device=r1 temp_min="mine" {T0 + 1}', "_1m")
    put(f"oven,scene=kitchen,site=north,device=r2 temp=5,temp_flag=1i {T0}")
    write(store, [(0, T0, 1.0, 1), (3, T0, 2.0, 1)], NAMES)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            store.summarise(Level.MINUTE, T0, T0 + MINUTE)
    assert [record.message.partition(": ")[0] for record in caplog.records] == ["MINUTE"]
    assert len(store.summaries(NAMES[0], Level.MINUTE, T0, T0 + MINUTE, 9).t_ms) == 0
    assert store.summaries("kitchen.north.r2.temp", Level.MINUTE, T0, T0 + MINUTE, 9).low.tolist() == [5.0]


def test_an_answer_that_is_none_of_influxdbs_is_told(store, monkeypatch):
    monkeypatch.setattr(store._server, "_ask", lambda *_: answer_of(b'{"results":[{"series":[]}]}'))
    assert store.oldest_ms() is None
    for body in (b"<html>", b'{"results":[]}', b'{"results":[{"series":[{"columns":["time"],"values":[[1,2]]}]}]}'):
        monkeypatch.setattr(store._server, "_ask", lambda *_, body=body: answer_of(body))
        with pytest.raises(TemporaryError, match="what answers is no InfluxDB"):
            store.oldest_ms()


def answer_of(body):
    return Answer(200, {}, body)
