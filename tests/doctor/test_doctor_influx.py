"""InfluxDB with its login on: rights, other people's data and retention; 2.x by what a server of ours answers."""

from __future__ import annotations

import json

import httpx
import pytest
from web_server import serving

import influx_server
from scenewatch.doctor import influx
from scenewatch.doctor.findings import Verdict
from scenewatch.doctor.influx import influxdb
from scenewatch.model.errors import TemporaryError

ADMIN = ("admin", "admin-word")
WORD = "worker-word-77"
LEVELS = ("", "_1m", "_1h", "_1d")
NAMES = ("reader", "writer", "nobody", "worker")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    if influx_server.program() is None:
        pytest.skip("needs InfluxDB 1.8")
    with influx_server.running(tmp_path_factory.mktemp("influxd"), HTTP_AUTH_ENABLED="true") as address:
        ask(address, f"CREATE USER {ADMIN[0]} WITH PASSWORD '{ADMIN[1]}' WITH ALL PRIVILEGES", login=None)
        for name in NAMES:
            ask(address, f"CREATE USER {name} WITH PASSWORD '{WORD}'")
        yield address


def ask(address, statement, login=ADMIN):
    answer = httpx.post(f"{address}/query", data={"q": statement}, auth=login)
    answer.raise_for_status()
    assert "error" not in answer.json()["results"][0], answer.text


@pytest.fixture
def databases(server):
    """All four, empty; the worker may do all in them."""
    for suffix in LEVELS:
        ask(server, f'CREATE DATABASE "city{suffix}"')
        ask(server, f'GRANT ALL ON "city{suffix}" TO worker')
    ask(server, 'GRANT READ ON "city" TO reader')
    ask(server, 'GRANT WRITE ON "city" TO writer')
    yield server
    for suffix in LEVELS:
        ask(server, f'DROP DATABASE "city{suffix}"')


@pytest.fixture
def checked(databases, examined, findings, tmp_path):
    def run(login=f"worker:{WORD}", address=databases, **options):
        (tmp_path / "token").write_text(login)
        others = f'token_file = "{tmp_path}/token"'
        subject = examined(1, store=f"influx+{address}/?org=o&bucket=city", others=others, **options)
        found = findings(influxdb, subject)
        assert WORD not in str(found)
        return found

    return run


def write(server, *lines, bucket="city"):
    headers = {"Authorization": "Token admin:admin-word"}
    answer = httpx.post(
        f"{server}/api/v2/write?bucket={bucket}&org=o", content="\n".join(lines).encode(), headers=headers
    )
    assert answer.status_code == 204, answer.text


def test_four_buckets_that_we_may_read_and_write_are_well(checked, databases):
    write(databases, "vat,scene=brine temp=1,temp_flag=1i,temp_test=0i")
    write(databases, "pipeline,worker=w received=1i", "vat,scene=brine temp_min=1,temp_good=1i", bucket="city_1m")
    write(databases, "alarm,scene=brine standing=1i", bucket="city_1d")
    found = checked()
    assert (found[Verdict.FAILED], found[Verdict.WARNING]) == ([], [])
    assert [line for line in found[Verdict.OK] if "may read and write" in line] == [
        f"bucket city{suffix}: the token may read and write" for suffix in LEVELS
    ]
    assert "bucket city_1h keeps for ever" in found[Verdict.OK]


def test_looking_writes_nothing(checked, databases):
    checked()
    answer = httpx.post(f"{databases}/query", params={"db": "city"}, data={"q": "SHOW MEASUREMENTS"}, auth=ADMIN)
    assert answer.json()["results"] == [{"statement_id": 0}]


RIGHTS = {
    "a wrong password": (f"worker:{WORD}-not", 4, "the server does not know our token (authorization failed)"),
    "no login": ("", 4, "the server does not know our token"),
    "may not write": (f"reader:{WORD}", 4, "bucket city: the token may not write ("),
    "may not read": (f"writer:{WORD}", 4, "bucket city: the token may not read ("),
    "may do nothing": (f"nobody:{WORD}", 4, "bucket city: the token may not write or read ("),
}


@pytest.mark.parametrize(("login", "count", "line"), RIGHTS.values(), ids=RIGHTS)
def test_rights_that_are_missing_are_told_for_each_bucket(
    checked, examined, findings, databases, login, count, line
):
    if login:
        found = checked(login)
    else:
        found = findings(influxdb, examined(1, store=f"influx+{databases}/?org=o&bucket=city"))
    assert len(found[Verdict.FAILED]) == count
    assert line in found[Verdict.FAILED][0]


def test_a_bucket_that_is_missing_is_told_and_not_made(checked, databases):
    ask(databases, 'DROP DATABASE "city_1h"')
    [told] = checked()[Verdict.FAILED]
    assert told.startswith("bucket city_1h is not there (")
    assert told.endswith("-> make it, and let the token read and write it")
    assert len(checked()[Verdict.FAILED]) == 1


def test_other_peoples_data_are_told_and_left(checked, databases):
    write(databases, *(f"cpu{n},host=h usage=1" for n in range(7)))
    write(databases, "vat,scene=brine temp=1,colour=3")
    told = checked()[Verdict.WARNING]
    first, second = told
    assert first.startswith(
        "bucket city holds measurements that no scene has: cpu0, cpu1, cpu2, cpu3, cpu4 and 2 more -> "
    )
    assert second.startswith("bucket city holds fields that no scene has: vat.colour -> ")
    assert checked()[Verdict.WARNING] == told, "it is still there"


def test_a_retention_shorter_than_what_devices_buffer_or_a_dashboard_shows(checked, databases, tmp_path):
    ask(databases, 'ALTER RETENTION POLICY autogen ON "city" DURATION 72h SHARD DURATION 1h')
    ask(databases, 'ALTER RETENTION POLICY autogen ON "city_1d" DURATION 60d SHARD DURATION 1d')
    board = {
        "uid": "sw-site",
        "title": "Site",
        "time": {"from": "now-90d", "to": "now"},
        "panels": [{"datasource": {"type": "influxdb", "uid": "sw-day"}}],
    }
    (tmp_path / "boards").mkdir()
    (tmp_path / "boards" / "site.json").write_text(json.dumps(board))
    raw, day = checked(dashboards=tmp_path / "boards")[Verdict.WARNING]
    assert raw.startswith("bucket city keeps 3 days: what devices buffered for longer is refused -> ")
    assert day.startswith("bucket city_1d keeps 60 days, but the dashboard 'Site' shows 90 days -> ")


def test_a_retention_that_is_not_what_the_settings_say(databases, examined, findings, tmp_path):
    ask(databases, 'ALTER RETENTION POLICY autogen ON "city_1m" DURATION 400d')
    (tmp_path / "token").write_text(f"worker:{WORD}")
    others = f'token_file = "{tmp_path}/token"\n[keep]\nreadings_days = 90\nminutes_days = 400'
    found = findings(influxdb, examined(1, store=f"influx+{databases}/?bucket=city", others=others))
    [told] = found[Verdict.WARNING]
    assert told.startswith("bucket city keeps for ever, but keep.readings_days says 90 days -> make the two alike")
    assert "bucket city_1m keeps 400 days" in found[Verdict.OK]


def test_more_devices_than_a_1_8_takes(checked, databases, monkeypatch):
    write(databases, *(f"vat,device=d{n} temp=1" for n in range(4)), "other,device=d9 x=1")
    assert not any("max-values-per-tag" in line for line in checked()[Verdict.WARNING])
    monkeypatch.setattr(influx, "MANY_DEVICES", 3)
    told = checked()[Verdict.WARNING][0]
    assert told.startswith(
        "bucket city has 5 devices, and InfluxDB 1.8 takes no more than 100,000 of one tag -> set"
    )


def test_what_is_no_influxdb_is_told(checked):
    with serving({}) as address:
        [told] = checked(address=address)[Verdict.FAILED]
    assert told == f"what answers at {address} is no InfluxDB -> check store.url"


def test_a_server_that_is_away(checked):
    with pytest.raises(TemporaryError, match=r"cannot be reached \(.*refused\): check the address") as raised:
        checked(address="http://127.0.0.1:1")
    assert WORD not in str(raised.value)


# --- 2.x ---------------------------------------------------------------------------------------------------

TWO = {"X-Influxdb-Version": "v2.7.12"}


def bucket_list(**seconds):
    named = [{"name": name, "retentionRules": [{"everySeconds": s}]} for name, s in seconds.items()]
    return (200, {}, {"buckets": named})


def test_of_a_2_the_retention_is_the_buckets_own(checked):
    answers = {
        "/ping": (204, TWO, None),
        "/api/v2/write": (400, {}, {"code": "invalid", "message": "writing requires points"}),
        "/query": (200, {}, {"results": [{"statement_id": 0}]}),
        "/api/v2/buckets": bucket_list(city=3 * 86_400, city_1m=0, city_1h=0),
    }
    with serving(answers) as address:
        found = checked(address=address)
    assert "bucket city: the token may read and write" in found[Verdict.OK]
    short, unseen = found[Verdict.WARNING]
    assert short.startswith("bucket city keeps 3 days")
    assert unseen.startswith("bucket city_1d: its retention cannot be seen (bucket not found, or")


def test_of_a_2_a_token_without_rights_is_told(checked):
    refusal = (401, {}, {"code": "unauthorized", "message": "unauthorized access"})
    answers = {"/ping": (204, TWO, None), "/api/v2/write": refusal, "/query": refusal}
    with serving(answers) as address:
        found = checked(address=address)
    assert len(found[Verdict.FAILED]) == 4
    assert "the server does not know our token (unauthorized access)" in found[Verdict.FAILED][0]
