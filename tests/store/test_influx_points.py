"""What is InfluxDB's own about points: buckets that are missing, fields of another type, times too old."""

import httpx
import pytest

from influx_server import create
from scenewatch.model.errors import RefusedError, TemporaryError
from scenewatch.model.level import Level
from scenewatch.model.point import Point
from scenewatch.store import influxpoints
from scenewatch.store.influxpoints import InfluxPoints, line
from scenewatch.store.influxserver import InfluxServer
from scenewatch.store.influxurl import InfluxUrl

ALL_TIME = (-(2**63), 2**63 - 1)


@pytest.fixture
def points(influxd, request):
    """A bucket of its own, of which only the readings' is there."""
    bucket = f"p{abs(hash(request.node.name)):x}"
    create(influxd, bucket)
    server = InfluxServer(InfluxUrl.parse(f"influx+{influxd}/?bucket={bucket}"))
    made = InfluxPoints(server)
    made.bucket, made.address = bucket, influxd
    yield made
    server.close()


def point(t_ms, value, keep=Level.DAY):
    return Point(measurement="m", tags={"a": "x"}, t_ms=t_ms, fields={"f": value}, keep=keep)


def test_of_a_bucket_that_is_missing_the_name_is_told_and_the_others_take_theirs(points):
    create(points.address, f"{points.bucket}_1m")
    with pytest.raises(TemporaryError, match=f"bucket {points.bucket}_1d: there is no such database"):
        points.record([point(1, 1), point(1, 1, Level.MINUTE)])
    assert len(points.recorded("m", Level.MINUTE, *ALL_TIME, 10)) == 1
    with pytest.raises(TemporaryError, match=f"bucket {points.bucket}_1d: there is no such database"):
        points.recorded("m", Level.DAY, *ALL_TIME, 10)


def test_only_what_has_another_type_is_refused(points):
    create(points.address, f"{points.bucket}_1d")
    points.record([point(1, 1)])
    with pytest.raises(RefusedError, match=r"2 of 50 points are refused: .*field type conflict"):
        points.record([point(t, "text" if t in (10, 20) else t) for t in range(1, 51)])
    assert [p.t_ms for p in points.recorded("m", Level.DAY, *ALL_TIME, 100)] == [
        t for t in range(1, 51) if t not in (10, 20)
    ]


def test_what_is_older_than_the_bucket_keeps_is_refused_at_once(points, monkeypatch):
    create(points.address, f"{points.bucket}_1d")
    policy = f'CREATE RETENTION POLICY "short" ON "{points.bucket}_1d" DURATION 1h REPLICATION 1 DEFAULT'
    httpx.post(f"{points.address}/query", data={"q": policy}).raise_for_status()
    sent = []
    server = points._servers[Level.DAY]
    write = server.write
    monkeypatch.setattr(server, "write", lambda lines: (sent.append(1), write(lines)))
    with pytest.raises(RefusedError, match=r"1000 of 1000 points are refused: .*beyond retention policy"):
        points.record([point(t, t) for t in range(1000)])
    assert len(sent) == 1


def test_a_request_that_is_too_large_is_halved(points, monkeypatch):
    create(points.address, f"{points.bucket}_1d")
    server = points._servers[Level.DAY]
    write = server.write

    def small(lines):
        if lines.count(b"\n") > 3:
            raise influxpoints.RequestTooLargeError("too large")
        write(lines)

    monkeypatch.setattr(server, "write", small)
    points.record([point(t, t) for t in range(20)])
    assert len(points.recorded("m", Level.DAY, *ALL_TIME, 100)) == 20


def test_a_line_is_written_as_line_protocol_has_it():
    made = Point(
        measurement="a b,c=d",
        tags={"z": "1 2", "é=": ",\\,"},
        t_ms=-5,
        fields={"i": -1, "f": 1.0, "tiny": 5e-324, "s": 'a"\\\nb', "e": ""},
        keep=Level.DAY,
    )
    assert line(made) == ('a\\ b\\,c=d,z=1\\ 2,é\\==\\,\\\\, i=-1i,f=1.0,tiny=5e-324,s="a\\"\\\\\nb",e="" -5\n')
