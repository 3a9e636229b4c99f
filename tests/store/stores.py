"""The stores that keep the contract. A new one joins with one line."""

from scenewatch.store.duck import DuckStore

STORES = {
    "duck": lambda folder: DuckStore(folder / "readings.duckdb"),
}
