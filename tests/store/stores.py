"""The stores that keep the contract. A new one joins with one line."""

import os
import zlib

import httpx
from hypothesis import strategies as st

from scenewatch.store.duck import DuckStore
from scenewatch.store.influx import InfluxStore
from scenewatch.store.influxurl import InfluxUrl
from scenewatch.store.relational import Database

INFLUX = "INFLUX_OF_THE_TESTS"
"""The environment variable with the server's address, for the programs that tests start too."""


class OwnInfluxStore(InfluxStore):
    """With a relational database of its own, closed with it."""

    def __init__(self, folder, measurements=lambda _: "cold room"):
        self.database = Database(f"sqlite:///{folder / 'scenewatch.sqlite'}")
        self.url = InfluxUrl.parse(f"influx+{os.environ[INFLUX]}/?bucket={bucket(folder)}")
        create = f'CREATE DATABASE "{self.url.database}"'
        httpx.post(f"{self.url.base}/query", data={"q": create}).raise_for_status()
        super().__init__(self.url, token_file=None, database=self.database, measurements=measurements)

    def close(self):
        super().close()
        self.database.close()


def bucket(folder):
    return f"t{zlib.crc32(str(folder).encode()):08x}"


STORES = {
    "duck": lambda folder: DuckStore(folder / "readings.duckdb"),
    "influx": OwnInfluxStore,
}

TRANSACTIONAL = {"duck"}
"""Their rows and position are one transaction; the others have the rows first."""

TIMES = {"duck": (-(2**63), 2**63 - 2), "influx": (-9_223_372_036_854, 9_223_372_036_854)}
"""The earliest and the latest each can hold."""

VALUES = {"duck": st.floats(allow_nan=False), "influx": st.floats(allow_nan=False, allow_infinity=False)}
