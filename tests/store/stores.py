"""The stores that keep the contract. A new one joins with one line."""

import os
import sys
import zlib
from pathlib import Path

from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1]))  # the programs that tests start do not have pytest's path

import influx2_programs
import influx2_server
import influx_server
from scenewatch.model.level import Level
from scenewatch.store.duck import DuckStore
from scenewatch.store.influx import InfluxStore
from scenewatch.store.influxurl import InfluxUrl
from scenewatch.store.relational import Database


class OwnInfluxStore(InfluxStore):
    """With a relational database of its own, closed with it."""

    def __init__(self, folder, measurements=lambda _: "cold room"):
        self.database = Database(f"sqlite:///{folder / 'scenewatch.sqlite'}")
        self.url = InfluxUrl.parse(f"influx+{os.environ[influx_server.ADDRESS]}/?bucket={bucket(folder)}")
        for level in Level:
            influx_server.create(self.url.base, self.url.beside(level.suffix).database)
        super().__init__(self.url, database=self.database, measurements=measurements)

    def close(self):
        super().close()
        self.database.close()


class OwnInflux2Store(InfluxStore):
    """The same on InfluxDB 2."""

    def __init__(self, folder, measurements=lambda _: "cold room"):
        self.database = Database(f"sqlite:///{folder / 'scenewatch.sqlite'}")
        address = os.environ[influx2_server.ADDRESS]
        self.url = InfluxUrl.parse(f"influx+{address}/?org={influx2_server.ORG}&bucket={bucket(folder)}")
        for level in Level:
            influx2_server.create(self.url.base, self.url.beside(level.suffix).bucket)
        (folder / "token").write_text(influx2_server.TOKEN)
        super().__init__(self.url, database=self.database, measurements=measurements, token_file=folder / "token")

    def close(self):
        super().close()
        self.database.close()


def bucket(folder):
    return f"t{zlib.crc32(str(folder).encode()):08x}"


STORES = {
    "duck": lambda folder: DuckStore(folder / "readings.duckdb"),
    "influx": OwnInfluxStore,
}
SERVERS = {"influx": "influxd"}
"""The fixture of the server that a store needs."""
if influx2_programs.is_there():
    STORES["influx2"] = OwnInflux2Store
    SERVERS["influx2"] = "influxd2"

TRANSACTIONAL = {"duck"}
"""Their rows and position are one transaction; the others have the rows first."""

OF_INFLUX = (-9_223_372_036_854, 9_223_372_036_854)
TIMES = {"duck": (-(2**63), 2**63 - 2), "influx": OF_INFLUX, "influx2": OF_INFLUX}
"""The earliest and the latest each can hold."""

FINITE = st.floats(allow_nan=False, allow_infinity=False)
VALUES = {"duck": st.floats(allow_nan=False), "influx": FINITE, "influx2": FINITE}
