"""A real InfluxDB 2.7, where it has been built: see influx2_programs.py."""

from contextlib import contextmanager

import httpx

from influx2_programs import SERVER
from influx_server import started
from ports import free_port

ADDRESS = "INFLUX2_OF_THE_TESTS"
"""The environment variable with the server's address, for the programs that tests start too."""
ORG, TOKEN = "city", "the-tests-own"


@contextmanager
def running(folder, port=None):
    """A server that has been set up, with its data in `folder`; gives its address."""
    address = f"http://127.0.0.1:{port or free_port()}"
    environment = {
        "HTTP_BIND_ADDRESS": address.removeprefix("http://"),
        "BOLT_PATH": str(folder / "influxd.bolt"),
        "SQLITE_PATH": str(folder / "influxd.sqlite"),
        "ENGINE_PATH": str(folder / "engine"),
        "REPORTING_DISABLED": "true",
    }
    given = {f"INFLUXD_{name}": value for name, value in environment.items()}
    with started([SERVER], given, folder, f"{address}/health"):
        set_up(address)
        yield address


def set_up(address):
    """Once: a server that has been set up refuses the second time."""
    first = {"username": "tests", "password": "the-tests-own", "org": ORG, "bucket": "first", "token": TOKEN}
    answer = httpx.post(f"{address}/api/v2/setup", json=first)
    assert answer.is_success or answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY, answer.text


def create(address, bucket):
    """Make the bucket, if it is not there."""
    with httpx.Client(base_url=address, headers={"Authorization": f"Token {TOKEN}"}) as client:
        [org] = client.get("/api/v2/orgs", params={"org": ORG}).raise_for_status().json()["orgs"]
        made = client.post("/api/v2/buckets", json={"orgID": org["id"], "name": bucket, "retentionRules": []})
        assert made.is_success or made.status_code == httpx.codes.UNPROCESSABLE_ENTITY, made.text
