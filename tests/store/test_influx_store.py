"""What only InfluxStore does: a server that is away, refuses, forgets, or has been written to before."""

from contextlib import closing

import httpx
import numpy as np
import pytest
import stores

from influx_server import create, running
from ports import free_port
from scenewatch.model.batch import Batch
from scenewatch.model.errors import RefusedError, TemporaryError
from scenewatch.model.ledger import Counts
from scenewatch.store import requestsize
from scenewatch.store.influx import InfluxStore
from scenewatch.store.influxurl import InfluxUrl
from scenewatch.store.relational import Database

ALL_TIME = (-(2**63), 2**63 - 1, 1_000_000)
FIELDS = ("temp", "door")
NO_LOGIN = r"does not accept what store\.token_file says"


def name(series):
    return f"kitchen.north.room{series // 2}.{FIELDS[series % 2]}"


def batch(rows, position=1):
    """Rows of (series, t, value)."""
    series, t_ms, value = zip(*rows, strict=True)
    made = Batch.of(series, t_ms, value, position=position)
    made.counts = Counts(stored=len(rows))
    return made


def contents(store, series=0):
    found = store.readings(name(series), *ALL_TIME)
    return list(zip(found.t_ms.tolist(), found.value.tolist(), strict=True))


@pytest.fixture
def store(influxd, tmp_path):  # noqa: ARG001  # it must run first
    with closing(stores.OwnInfluxStore(tmp_path)) as store:
        yield store


@pytest.fixture
def ask(influxd, store):
    def ask(query):
        return httpx.post(f"{influxd}/query", params={"db": store.url.database}, data={"q": query}).json()

    return ask


@pytest.fixture
def put(influxd, store):
    def put(lines):
        answer = httpx.post(f"{influxd}/write", params={"db": store.url.database, "precision": "ms"}, content=lines)
        answer.raise_for_status()

    return put


def test_a_measurement_a_type_with_fields_a_channel(store, ask):
    store.write(batch([(0, 10, 1.5), (1, 10, 2.5), (2, 10, 3.5)]), name)
    [found] = ask("SELECT * FROM /.+/")["results"][0]["series"]
    assert found["name"] == "cold room"
    columns = [
        "time",
        "device",
        "door",
        "door_flag",
        "door_test",
        "scene",
        "site",
        "temp",
        "temp_flag",
        "temp_test",
    ]
    assert found["columns"] == columns
    assert found["values"] == [
        ["1970-01-01T00:00:00.01Z", "room0", 2.5, 2, 0, "kitchen", "north", 1.5, 2, 0],
        ["1970-01-01T00:00:00.01Z", "room1", None, None, None, "kitchen", "north", 3.5, 2, 0],
    ]


@pytest.mark.usefixtures("influxd")
def test_a_batch_that_was_written_before_the_account_was_lost_changes_nothing(store, tmp_path):
    rows = [(0, 10, 1.0), (1, 10, 2.0), (0, 20, 3.0)]
    store.write(batch(rows), name)
    with store.database.writing() as con:
        con.exec_driver_sql("delete from store_position")
    with closing(stores.OwnInfluxStore(tmp_path)) as again:
        assert (again.position(), again.counts(), again.newest_ms()) == (0, Counts(), None)
        changed = [(s, t, value + 1) for s, t, value in rows]
        assert again.write(batch([*changed, (0, 15, 9.0)]), name) == 1
        assert contents(again) == [(10, 1.0), (15, 9.0), (20, 3.0)]
        assert (again.position(), again.counts()) == (1, Counts(stored=4))


def test_a_batch_of_which_some_was_written_before_a_failure_is_completed(store, monkeypatch):
    wanted = batch([(0, t, float(t)) for t in range(50)])
    write, written = store._server.write, []

    def fail_at_the_second(lines):
        if len(written) == 1:
            raise TemporaryError("away")
        write(lines)
        written.append(lines)

    monkeypatch.setattr(requestsize, "LEAST", 20)
    store._size.was_too_large(40)
    monkeypatch.setattr(store._server, "write", fail_at_the_second)
    with pytest.raises(TemporaryError):
        store.write(wanted, name)
    assert store.position() == 0
    assert len(contents(store)) == 20
    monkeypatch.setattr(store._server, "write", write)
    assert store.write(wanted, name) == 30
    assert contents(store) == [(t, float(t)) for t in range(50)]


def test_late_readings_of_hundreds_of_series_are_asked_for_together(store):
    series = range(450)
    store.write(batch([(s, t, 1.0) for s in series for t in (10, 30)], 1), name)
    late = [(s, t, 2.0) for s in series for t in (10, 20, 30, 20)]
    assert store.write(batch(late, 2), name) == len(series)
    assert contents(store, 449) == [(10, 1.0), (20, 2.0), (30, 1.0)]


@pytest.mark.usefixtures("influxd")
def test_a_device_of_a_new_type_keeps_its_series(tmp_path):
    kinds = {0: "cold room", 10: "freezer"}
    with closing(stores.OwnInfluxStore(tmp_path, kinds.__getitem__)) as store:
        store.write(batch([(0, 10, 1.0), (0, 20, 1.0)], 1), name)
        assert store.write(batch([(10, 30, 2.0), (10, 10, 2.0)], 2), lambda _: name(0)) == 1
        assert contents(store) == [(10, 1.0), (20, 1.0), (30, 2.0)]
        limited = store.readings(name(0), 0, 100, 2)
        assert (limited.t_ms.tolist(), limited.truncated) == ([10, 20], True)


def test_a_large_batch_goes_in_several_requests(store, monkeypatch):
    sent = []
    write = store._server.write
    monkeypatch.setattr(store._server, "write", lambda lines: (sent.append(lines.count(b"\n")), write(lines)))
    rows = np.arange(50_000)
    large = Batch.of(rows % 2, rows // 2, rows * 0.5, position=1)
    assert store.write(large, name) == 50_000
    assert sum(sent) == 25_000
    assert len(sent) == 3
    assert len(contents(store, 1)) == 25_000


def test_a_remote_server_is_sent_gzip(store, monkeypatch):
    monkeypatch.setattr(store._server, "_compresses", True)
    post, encodings = store._server._writes.post_write_with_http_info, []

    def noted(*args, **kwargs):
        encodings.append(kwargs.get("content_encoding"))
        return post(*args, **kwargs)

    monkeypatch.setattr(store._server._writes, "post_write_with_http_info", noted)
    store.write(batch([(0, t, 1.5) for t in range(1000)], 1), name)
    store.write(batch([(0, 1000, 1.5)], 2), name)
    assert encodings == ["gzip", None]
    assert len(contents(store)) == 1001


# --- refused -----------------------------------------------------------------------------------------------


@pytest.fixture
def apart():
    """Row to reason of what was kept apart; told as if each were a message."""

    class Apart(dict):
        def __call__(self, _, reasons):
            self |= reasons
            return Counts(stored=-len(reasons), dead=len(reasons))

    return Apart()


def test_only_the_bad_readings_are_kept_apart_with_the_reason(store, apart, caplog):
    bad = {7: float("inf"), 150: float("nan"), 299: float("-inf")}
    assert store.write(batch([(0, t, bad.get(t, float(t))) for t in range(300)]), name, apart) == 297
    assert [t for t, _ in contents(store)] == [t for t in range(300) if t not in bad]
    assert (store.position(), store.counts(), store.newest_ms()) == (1, Counts(stored=297, dead=3), 298)
    assert list(apart) == list(bad)
    assert all("unable to parse" in reason for reason in apart.values())
    assert all("the store refused readings" in record.message for record in caplog.records)


def test_what_was_refused_before_the_account_was_lost_is_refused_again(store, apart, tmp_path):
    rows = [(0, 10, 1.0), (0, 20, float("inf")), (0, 30, 3.0)]
    assert store.write(batch(rows), name, apart) == 2
    first = dict(apart)
    with store.database.writing() as con:
        con.exec_driver_sql("delete from store_position")
    with closing(stores.OwnInfluxStore(tmp_path)) as again:
        assert again.write(batch(rows), name, apart) == 0
        assert (apart, again.counts()) == (first, Counts(stored=2, dead=1))
        assert contents(again) == [(10, 1.0), (30, 3.0)]


def test_who_has_no_place_for_what_is_refused_is_told(store):
    with pytest.raises(RefusedError, match="unable to parse"):
        store.write(batch([(0, 10, float("inf"))]), name)
    assert store.position() == 0


def test_a_field_of_another_type_takes_none_of_its_neighbours_along(store, put, apart, monkeypatch):
    put("cold\\ room,scene=kitchen,site=north,device=room9 temp=1i 5")
    sent = []
    write = store._server.write
    monkeypatch.setattr(store._server, "write", lambda lines: (sent.append(lines), write(lines)))
    rows = [(s, t, 1.0) for s in range(100) for t in (10, 20)]
    assert store.write(batch(rows), name, apart) == 100
    assert contents(store, 1) == [(10, 1.0), (20, 1.0)]
    assert contents(store, 0) == []
    assert sorted(apart) == [row for row, (s, *_) in enumerate(rows) if s % 2 == 0]
    assert "field type conflict" in apart[0]
    assert len(sent) == 3, "all together, then each field alone"


def test_what_is_too_old_for_the_server_is_known_at_once(store, ask, apart, monkeypatch):
    ask(f'CREATE RETENTION POLICY "short" ON "{store.url.database}" DURATION 1h REPLICATION 1 DEFAULT')
    sent = []
    write = store._server.write
    monkeypatch.setattr(store._server, "write", lambda lines: (sent.append(lines), write(lines)))
    assert store.write(batch([(s, t, 1.0) for s in (0, 1) for t in range(100)]), name, apart) == 0
    assert len(sent) == 1
    assert len(apart) == 200
    assert "retention policy" in apart[0]


def test_times_that_do_not_fit_are_refused_not_bent(store, apart):
    assert store.write(batch([(0, 2**53, 1.0), (0, -(2**63), 1.0), (0, 10, 1.0)]), name, apart) == 1
    assert contents(store) == [(10, 1.0)]
    assert sorted(apart) == [0, 1]


def test_what_another_wrote_as_text_under_the_name_is_no_reading(store, put):
    put('cold\\ room,scene=kitchen,site=north,device=room0 temp="warm",temp_flag=1i,temp_test=0i 5')
    assert contents(store) == []


def test_a_series_no_one_can_have_has_no_readings(store):
    assert store.readings("nonsense", *ALL_TIME).t_ms.tolist() == []
    assert store.readings("a'b.c\"d.\\.e", *ALL_TIME).t_ms.tolist() == []
    assert store.readings(name(0), 10, 10, 5).t_ms.tolist() == []


# --- away --------------------------------------------------------------------------------------------------


@pytest.fixture
def database(tmp_path):
    with closing(Database(f"sqlite:///{tmp_path / 'rows.sqlite'}")) as database:
        yield database


@pytest.fixture
def open_at(database):
    opened = []

    def open_at(address, bucket="b", token_file=None):
        url = InfluxUrl.parse(f"influx+{address}/?org=o&bucket={bucket}")
        opened.append(InfluxStore(url, token_file=token_file, database=database, measurements=lambda _: "m"))
        return opened[-1]

    yield open_at
    for store in opened:
        store.close()


@pytest.mark.usefixtures("influxd")
def test_a_server_that_comes_later_and_goes_and_comes_back_has_everything(open_at, tmp_path):
    port, folder = free_port(), tmp_path / "influx"
    store = open_at(f"http://127.0.0.1:{port}")
    with pytest.raises(TemporaryError, match="cannot be reached"):
        store.write(batch([(0, 10, 1.0)], 1), name)
    with running(folder, port) as address:
        create(address, "b")
        assert store.write(batch([(0, 10, 1.0)], 1), name) == 1
    with pytest.raises(TemporaryError, match="cannot be reached"):
        store.write(batch([(0, 20, 2.0)], 2), name)
    with pytest.raises(TemporaryError, match="cannot be reached"):
        store.readings(name(0), *ALL_TIME)
    assert store.position() == 1
    with running(folder, port):
        assert store.write(batch([(0, 20, 2.0)], 2), name) == 1
        assert contents(store) == [(10, 1.0), (20, 2.0)]


def test_a_bucket_that_is_not_there_is_one_clear_line(influxd, open_at):
    store = open_at(influxd, "nowhere")
    with pytest.raises(TemporaryError, match="database not found: nowhere") as told:
        store.write(batch([(0, 10, 1.0)]), name)
    assert "\n" not in str(told.value)
    with pytest.raises(TemporaryError, match="there is no such database or bucket; make it"):
        store._server.write(b"m v=1 1\n")


@pytest.mark.usefixtures("influxd")
def test_a_login_is_needed_where_the_server_wants_one(open_at, tmp_path):
    token = tmp_path / "token"
    with running(tmp_path / "influx", HTTP_AUTH_ENABLED="true") as address:
        make = "CREATE USER ann WITH PASSWORD 'word' WITH ALL PRIVILEGES; CREATE DATABASE b"
        httpx.post(f"{address}/query", data={"q": make.partition(";")[0]}).raise_for_status()
        httpx.post(f"{address}/query", data={"q": make}, auth=("ann", "word")).raise_for_status()
        token.write_text("ann:wrong", "utf-8")
        for file in (None, token):
            store = open_at(address, token_file=file)
            with pytest.raises(TemporaryError, match=NO_LOGIN) as told:
                store.write(batch([(0, 10, 1.0)]), name)
            assert "wrong" not in str(told.value)
            with pytest.raises(TemporaryError, match=NO_LOGIN):
                store._server.write(b"m v=1 1\n")
        token.write_text("ann:word\n", "utf-8")
        store = open_at(address, token_file=token)
        assert store.write(batch([(0, 10, 1.0)]), name) == 1
        assert contents(store) == [(10, 1.0)]


def test_a_request_larger_than_a_real_server_takes_goes_in_parts(influxd, open_at, tmp_path):  # noqa: ARG001  # builds it
    with running(tmp_path / "influx", HTTP_MAX_BODY_SIZE="4000") as address:
        create(address, "b")
        store = open_at(address)
        assert store.write(batch([(0, t, 1.0) for t in range(1000)]), name) == 1000
        assert len(contents(store)) == 1000


def test_another_bucket_begins_anew(influxd, open_at):
    for bucket in ("first", "second"):
        create(influxd, bucket)
        store = open_at(influxd, bucket)
        assert store.position() == 0
        assert store.write(batch([(0, 10, 1.0)]), name) == 1
    assert open_at(influxd, "first").position() == 1
