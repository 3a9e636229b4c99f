"""What recorded data cost in CPU time: a device and year at 30 s with five channels, CSV and Parquet, wide and long.

With --data also what the shipped rule of deviation finds on the two series of the Numenta Anomaly Benchmark, at
its limit and a tenth below and above, and what the rules of docs/maps find in a sewer's flow. The data are looked
for in the folders nab and sewer-flow of DATA.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from scenewatch.backtesting import Files, backtest, read
from scenewatch.recorded.mapping import Mapping, load_map
from scenewatch.recorded.windows import load_windows

MAPS = Path(__file__).parents[2] / "docs" / "maps"
CHANNELS = 5
DAYS = 365
EVERY_S = 30
RULES = [
    {"key": "high", "kind": "above", "on": "c0", "limit": 25.0, "deadband": 1.0, "on_delay": "5 min"},
    {"key": "unusual", "kind": "deviation", "on": "c0"},
    {"key": "apart", "kind": "outside", "on": "c1", "low": -25.0, "high": 25.0, "on_delay": "10 min"},
    {"key": "fast", "kind": "rate", "on": "c2", "limit": 40.0, "over": "1 h"},
    {"key": "silent", "kind": "no_data", "on": "c3", "after": "1 h"},
]


def mapping(*, long: bool) -> Mapping:
    entries = {"time": {"column": "time"}, "device": {"id": "d1", "every": "30 s"}}
    entries["channel"] = [{"key": f"c{n}", "possible": [-1000, 1000]} for n in range(CHANNELS)]
    if long:
        entries |= {"long": {"channel": "channel", "value": "value"}}
    return Mapping.model_validate(entries | {"rule": RULES})


def write(folder: Path) -> dict[str, Path]:
    """A year of waves with noise, in four forms."""
    files = {name: folder / f"{name.replace(' ', '_')}" for name in ("wide csv", "wide parquet", "long csv")}
    files = {n: p.with_suffix(".parquet" if "parquet" in n else ".csv") for n, p in files.items()}
    waves = ", ".join(
        f"round(10 * sin(2 * pi() * n * {EVERY_S} / 86400 + {c}) + random() * 4, 2) AS c{c}"
        for c in range(CHANNELS)
    )
    rows = DAYS * 86_400 // EVERY_S
    with duckdb.connect() as con:
        con.execute("SELECT setseed(0.5)")
        con.execute(
            f"CREATE TABLE wide AS SELECT TIMESTAMP '2025-01-01' + INTERVAL ({EVERY_S} * n) SECOND AS time, "  # noqa: S608 - words of ours
            f"{waves} FROM range({rows}) AS r(n)"
        )
        con.execute(f"COPY wide TO '{files['wide csv']}' (HEADER)")
        con.execute(f"COPY wide TO '{files['wide parquet']}' (FORMAT parquet)")
        con.execute(
            "COPY (UNPIVOT wide ON c0, c1, c2, c3, c4 INTO NAME channel VALUE value) "
            f"TO '{files['long csv']}' (HEADER)"
        )
    return files


def table_of_times(rounds: int) -> None:
    print(f"{'a device and year':<18}{'MB':>6}{'readings':>12}{'read CPU s':>16}{'judge CPU s':>16}{'peak MB':>9}")
    print(f"{'':<36}{'best  median':>16}{'best  median':>16}")
    with TemporaryDirectory() as folder:
        for name, path in write(Path(folder)).items():
            reading, judging = [], []
            for _ in range(rounds):
                begin = time.process_time()
                past = read(None, Files(paths=(path,), mapping=mapping(long="long" in name)))
                reading.append(time.process_time() - begin)
                begin = time.process_time()
                report = backtest(past)
                judging.append(time.process_time() - begin)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            print(
                f"{name:<18}{path.stat().st_size / 1e6:>6.0f}{report.readings:>12,}"
                f"{min(reading):>8.2f}{statistics.median(reading):>8.2f}"
                f"{min(judging):>8.2f}{statistics.median(judging):>8.2f}{peak:>9}"
            )


def table_of_nab(data: Path) -> None:
    files = tuple(sorted((data / "nab").glob("*.csv")))
    past = read(None, Files(paths=files, mapping=load_map(MAPS / "nab.toml")))
    windows = load_windows(data / "nab" / "combined_windows.json", past.recorded.devices)
    rule = past.scene.rules[0]
    print(f"\n{'NAB, limit':<12}{'series':<42}{'found':>7}{'outside':>9}{'a month':>9}{'in alarm':>10}")
    for share in (0.9, 1.0, 1.1):
        limits = {f"{past.scene.key}.{rule.key}": {"low": rule.when.low * share, "high": rule.when.high * share}}
        for one in backtest(past, limits=limits, windows=windows).series:
            name = one.device.rpartition(".")[2]
            print(
                f"{rule.when.high * share:<12.2f}{name:<42}{one.found:>5}/{one.windows}{one.raised_outside:>9}"
                f"{one.raised_outside_a_month:>9.2f}{100 * one.outside_in_alarm:>8.1f} %"
            )


def table_of_sewer(data: Path) -> None:
    files = tuple(data / "sewer-flow" / name for name in ("flow_monitor.csv", "rain_gauge.csv"))
    report = backtest(read(None, Files(paths=files, mapping=load_map(MAPS / "sewer-flow.toml"))))
    print(f"\n{'sewer flow':<24}{'raised':>7}")
    for rule in report.rules:
        print(f"{rule.key:<24}{rule.raised:>7}")
    for alarm in report.alarms:
        begin, end = (
            datetime.fromtimestamp(at / 1000, UTC) for at in (alarm.raised_at, alarm.cleared_at or report.to_ms)
        )
        print(f"  {alarm.rule:<22} {begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="of reading and judging (3)")
    parser.add_argument("--data", type=Path, default=None, help="folder with nab and sewer-flow")
    options = parser.parse_args()
    table_of_times(options.rounds)
    if options.data is not None:
        table_of_nab(options.data)
        table_of_sewer(options.data)


if __name__ == "__main__":
    main()
