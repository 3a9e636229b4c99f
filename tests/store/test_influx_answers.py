"""Whatever a server answers leads to one clear line, and to nothing lost, nothing doubled and nobody's end."""

from contextlib import closing

import numpy as np
import pytest

from raw_server import HANG, NOTHING_FOUND, RESET, RawServer, http, well
from scenewatch.model.batch import Batch
from scenewatch.model.errors import ConfigurationError, TemporaryError
from scenewatch.model.ledger import Counts
from scenewatch.store import influxserver, requestsize
from scenewatch.store.influx import InfluxStore
from scenewatch.store.influxurl import InfluxUrl

PAGE = b"<html>\n<title>Welcome</title>\n</html>"
NO_INFLUXDB = "what answers is no InfluxDB; is store.url right?"


def name(series):
    return f"kitchen.north.room{series}.temp"


def batch(position, readings=1):
    made = Batch.of(np.zeros(readings), 1000 * position + np.arange(readings), np.ones(readings), position=position)
    made.counts = Counts(stored=readings)
    return made


@pytest.fixture
def server():
    with closing(RawServer()) as server:
        yield server


@pytest.fixture
def open_store(server, database):
    opened = []

    def open_store(**options):
        url = InfluxUrl.parse(f"influx+{server.address}/?org=o&bucket=b")
        opened.append(InfluxStore(url, database=database, measurements=lambda _: "m", **options))
        return opened[-1]

    yield open_store
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store, monkeypatch):
    monkeypatch.setattr(influxserver, "TIMEOUT_S", 2.0)
    return open_store()


class Apart:
    """Remembers what was kept apart; a message each."""

    def __init__(self):
        self.reasons = {}

    def __call__(self, _, reasons):
        self.reasons |= reasons
        return Counts(stored=-len(reasons), dead=len(reasons))


@pytest.fixture
def apart():
    return Apart()


def written(server):
    """The lines of all writes that were answered well."""
    return [line for path, _, body in server.requests if path.startswith("/api") for line in body.splitlines()]


WRONG_ANSWERS = {
    "a wrong token": (http(401, {"code": "unauthorized", "message": "unauthorized access"}), "store.token_file"),
    "no permission": (http(403, {"error": "user may not write"}), "store.token_file says (user may not write)"),
    "no database": (http(404, {"error": 'database not found: "b"'}), "no such database or bucket; make it"),
    "no page": (http(404, b"404 page not found\n"), NO_INFLUXDB),
    "not its method": (http(405, b""), NO_INFLUXDB),
    "another's bad request": (http(400, PAGE), f"{NO_INFLUXDB} (400: <html> <title>Welcome</title> </html>)"),
    "a list": (http(400, [1]), NO_INFLUXDB),
    "too many": (
        http(429, {"message": "org\nis limited"}),
        "is busy or limits us, that is waited for (429: org is",
    ),
    "broken": (http(500, b""), "cannot take or give readings now (500: no reason given)"),
    "a proxy without its server": (http(502, b"Bad Gateway"), "(502: Bad Gateway)"),
    "away": (http(503, PAGE), "is busy or limits us"),
    "too slow": (http(504, {"error": "timeout"}), "(504: timeout)"),
    "a page": (http(200, PAGE), NO_INFLUXDB),
    "a promise": (http(202, {}), NO_INFLUXDB),
    "elsewhere": (
        http(307, b"", Location="https://ann:word@login.example/?x"),
        "sends us to https://login.example",
    ),
    "nowhere": (http(301, b""), "sends us to elsewhere (301)"),
    "bytes that are no text": (http(500, b"\xff\xfe\x00"), "gives no whole answer"),
    "signs that no terminal takes": (http(500, {"error": "\x1b[31m\x00\ud800!"}), "(500: [31m !)"),
    "not HTTP": (b"220 mail.example ESMTP\r\n", "gives no whole answer"),
    "nothing at all": (b"", "gives no whole answer"),
    "half a head": (b"HTTP/1.1 20", "gives no whole answer"),
    "half a body": (b"HTTP/1.1 500 X\r\nContent-Length: 99\r\n\r\n{", "gives no whole answer"),
    "what is not packed": (http(500, b"plain", Content_Encoding="gzip"), "gives no whole answer"),
    "a break": (RESET, "gives no whole answer"),
    "silence": (HANG, "gives no whole answer, it may be overloaded or ending (timed out)"),
}


@pytest.mark.parametrize(("answer", "told"), WRONG_ANSWERS.values(), ids=WRONG_ANSWERS)
def test_what_is_answered_to_a_write_is_one_line_and_the_batch_waits(server, store, apart, answer, told, caplog):
    server.answer = lambda path, *_: answer if path.startswith("/api") else NOTHING_FOUND
    with pytest.raises(TemporaryError) as raised:
        store.write(batch(1), name, apart)
    assert told in str(raised.value)
    assert server.address in str(raised.value)
    assert str(raised.value).isprintable()
    assert "word" not in str(raised.value)
    assert (store.position(), apart.reasons, caplog.records) == (0, {}, [])
    del server.answer, server.requests[:]
    assert store.write(batch(1), name, apart) == 1
    assert (len(written(server)), store.counts()) == (1, Counts(stored=1))


WRONG_RESULTS = {
    "a page": PAGE,
    "nothing": b"",
    "a number": 1,
    "no results": {},
    "results of another kind": {"results": {"a": 1}},
    "too few": {"results": []},
    "too many": {"results": [{}, {}]},
    "a series without rows": {"results": [{"series": [{"name": "m"}]}]},
    "rows that are none": {"results": [{"series": [{"values": [1]}]}]},
    "empty rows": {"results": [{"series": [{"values": [[]]}]}]},
    "times that are none": {"results": [{"series": [{"values": [["now", 1]]}]}]},
    "a time beyond all": b'{"results": [{"series": [{"values": [[1e400, 1]]}]}]}',
    "no time": b'{"results": [{"series": [{"values": [[NaN, 1]]}]}]}',
    "a deep one": b"[" * 100_000,
}


@pytest.mark.parametrize("body", WRONG_RESULTS.values(), ids=WRONG_RESULTS)
def test_what_is_answered_to_a_query_is_one_line_and_the_batch_waits(server, store, body):
    server.answer = lambda *_: http(200, body)
    for ask in (lambda: store.write(batch(1), name), lambda: store.readings(name(0), 0, 9, 9)):
        with pytest.raises(TemporaryError, match="what answers is no InfluxDB"):
            ask()


@pytest.mark.parametrize(
    ("result", "told"),
    [
        ({"error": "database not found: b"}, "there is no such database or bucket; make it"),
        ({"error": "engine: not ready"}, "cannot be asked"),
        ({"partial": True}, "set max-row-limit to 0"),
        ({"series": [{"values": [[1, 2]], "partial": True}]}, "set max-row-limit to 0"),
    ],
)
def test_a_query_without_its_whole_result_says_why(server, store, result, told):
    server.answer = lambda *_: http(200, {"results": [result]})
    with pytest.raises(TemporaryError, match=told):
        store.write(batch(1), name)


@pytest.mark.parametrize(("wish", "granted"), [("7", 7), ("0", 0), ("-1", 0), ("tomorrow", 0), ("9" * 30, 0)])
@pytest.mark.parametrize("status", [429, 503])
def test_a_server_may_wish_for_a_pause(server, store, status, wish, granted):
    server.answer = lambda *_: http(status, b"", Retry_After=wish)
    with pytest.raises(TemporaryError) as raised:
        store.write(batch(1), name)
    assert raised.value.retry_after_s == granted


@pytest.mark.parametrize(
    "said",
    [
        {"error": "partial write: value out of range dropped=1"},
        {"code": "invalid", "message": "value out of range"},
        {
            "error": "partial write of line protocol occurred",
            "data": [{"error_message": "value out of range", "line_number": 1, "original_line": "m v=1"}],
        },
    ],
    ids=["1.8", "2", "3"],
)
def test_only_the_bad_readings_are_refused_in_every_versions_words(server, store, apart, said):
    bad = b" 1007\n"
    server.answer = lambda path, _, body: http(400, said) if bad in body else well(path)
    assert store.write(batch(1, 50), name, apart) == 49
    assert list(apart.reasons) == [7]
    assert "value out of range" in apart.reasons[7]
    assert store.counts() == Counts(stored=49, dead=1)


def test_the_size_that_was_too_large_is_remembered(server, store, apart, monkeypatch):
    monkeypatch.setattr(requestsize, "LEAST", 10)
    most = 100

    def answer(path, _, body):
        return http(413, PAGE) if body.count(b"\n") > most else well(path)

    server.answer = answer
    assert store.write(batch(1, 1000), name, apart) == 1000
    server.requests.clear()
    assert store.write(batch(2, 1000), name, apart) == 1000
    sizes = [body.count(b"\n") for path, _, body in server.requests if path.startswith("/api")]
    assert max(sizes) <= most
    assert len(sizes) < 20
    assert apart.reasons == {}


def test_a_line_that_is_too_long_alone_is_refused(server, store, apart):
    server.answer = lambda path, _, body: (
        http(413, {"error": "Request Entity Too Large"}) if b" 1003\n" in body else well(path)
    )
    assert store.write(batch(1, 9), name, apart) == 8
    assert apart.reasons == {3: "Request Entity Too Large"}


def test_a_server_that_hangs_at_large_requests_is_sent_smaller_ones(server, store, apart, monkeypatch):
    monkeypatch.setattr(requestsize, "LEAST", 10)
    store._size.readings = 80
    server.answer = lambda path, _, body: HANG if body.count(b"\n") > 20 else well(path)
    for _ in range(2):
        with pytest.raises(TemporaryError, match="overloaded"):
            store.write(batch(1, 80), name, apart)
    assert store.write(batch(1, 20), name, apart) == 20
    assert store._size.readings == 40, "it is tried again with more"


@pytest.mark.parametrize("series", ["kitchen.north.ro\nom.temp", "kitchen.north.temp", "kitchen.north.r.te\\mp"])
def test_names_that_cannot_be_written_are_refused_and_the_others_stored(store, apart, series, caplog):
    names = {0: name(0), 1: series}.__getitem__
    for position in (1, 2):
        made = batch(position, 4)
        made.series[[1, 2]] = 1
        assert store.write(made, names, apart) == 2
    assert list(apart.reasons) == [1, 2]
    assert store.counts() == Counts(stored=4, dead=4)
    assert len(caplog.records) == 1


def test_a_refusal_is_told_once_and_not_with_each_number_in_it(server, store, apart, caplog):
    server.answer = lambda path, _, body: (
        http(400, {"error": f"bad at {len(server.requests)}"}) if body.startswith(b"m,") else well(path)
    )
    for position in range(1, 9):
        store.write(batch(position), name, apart)
    assert [record.message.partition(",")[0] for record in caplog.records] == ["the store refused readings"]


# --- the login ---------------------------------------------------------------------------------------------


def test_a_token_that_was_changed_is_read_again(server, open_store, tmp_path):
    file = tmp_path / "token"
    file.write_text("ann:word")
    store = open_store(token_file=file)
    good = {"Token ann:word"}

    def answer(path, headers, _):
        return well(path) if headers["authorization"] in good else http(401, {"error": "wrong"})

    server.answer = answer
    assert store.write(batch(1), name) == 1
    good.clear()
    with pytest.raises(TemporaryError, match=r"store\.token_file"):
        store.write(batch(2), name)
    good.add("Token bob:sesame")
    file.write_text("bob:sesame\n")
    assert store.write(batch(2), name) == 1
    assert store.readings(name(0), 0, 9, 9).t_ms.tolist() == []


def test_a_token_file_that_vanished_is_told_and_the_token_kept(server, open_store, tmp_path, caplog):
    file = tmp_path / "token"
    file.write_text("ann:word")
    store = open_store(token_file=file)
    file.unlink()
    server.answer = lambda *_: http(401, b"")
    with pytest.raises(TemporaryError):
        store.write(batch(1), name)
    assert "the token in use is kept: store.token_file" in caplog.text
    assert "word" not in caplog.text


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"s3cret\nX-Evil: 1", b"s3cret\x00", "s3crét".encode(), b"\xffs3cret"]
)
def test_a_token_that_cannot_be_one_is_a_mistake_and_is_not_told(open_store, tmp_path, content):
    file = tmp_path / "token"
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"store\.token_file") as raised:
        open_store(token_file=file)
    assert "s3cr" not in str(raised.value)
