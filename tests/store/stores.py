"""The stores that keep the contract. A new one joins with one line."""

import os
import sys
import zlib
from pathlib import Path

from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1]))  # the programs that tests start do not have pytest's path

from influx_server import ADDRESS, create
from scenewatch.model.level import Level
from scenewatch.store.duck import DuckStore
from scenewatch.store.influx import InfluxStore
from scenewatch.store.influxurl import InfluxUrl
from scenewatch.store.relational import Database


class OwnInfluxStore(InfluxStore):
    """With a relational database of its own, closed with it."""

    def __init__(self, folder, measurements=lambda _: "cold room"):
        self.database = Database(f"sqlite:///{folder / 'scenewatch.sqlite'}")
        self.url = InfluxUrl.parse(f"influx+{os.environ[ADDRESS]}/?bucket={bucket(folder)}")
        for level in Level:
            create(self.url.base, self.url.beside(level.suffix).database)
        super().__init__(self.url, database=self.database, measurements=measurements)

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
