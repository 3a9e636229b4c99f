"""Long spans: charts of two years, a site's day and year on both stores, and what summarising costs.

python tests/bench/bench_levels.py                      # about three minutes
python tests/bench/bench_levels.py --years 0.2 --days 1 # less than one

The sensor of the two-year chart has all its readings. The site has all of the last days; before them a reading
an hour, so that every hour and day has its summary. All summaries are made by `summarise`.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "store"))
sys.path.insert(0, str(Path(__file__).parents[1]))

import stores
from programs import Usage

from influx_server import ADDRESS, program, running
from scenewatch.model.batch import Batch
from scenewatch.model.level import Level
from scenewatch.store.chart import chart

EVERY_MS = 10_000
SPARSE_MS = 3_600_000
HOUR, DAY = Level.HOUR.span_ms, Level.DAY.span_ms
END = 20_000 * DAY
YEAR = 365 * DAY
LEVELS = (Level.MINUTE, Level.HOUR, Level.DAY)
POINTS = 800
PARTS = ("sensor", "duck", "influx")
SPIKE = 99.0
AT_ONCE = 200_000
DEVICES, CHANNELS = 6, ("temp", "door", "power", "defrost", "battery")


def say(what, spans, unit="ms"):
    sys.stdout.write(f"{what:<58}{min(spans):>10.2f}{statistics.median(spans):>10.2f}{max(spans):>10.2f}  {unit}\n")
    sys.stdout.flush()


@contextmanager
def cold(path):
    """The file's pages are asked for anew, as after a start of the machine."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        yield
    finally:
        os.close(descriptor)


def timed(work):
    at = time.perf_counter()
    result = work()
    return (time.perf_counter() - at) * 1e3, result


def wave(t_ms):
    return np.round(
        4 + np.sin(t_ms / HOUR) + np.random.default_rng(int(t_ms[0] // EVERY_MS)).normal(0, 0.1, len(t_ms)), 2
    )


def fill(store, from_ms, to_ms, every_ms, name, series=1):
    """All series at each time; returns how many readings."""
    times = max(1, AT_ONCE // series) * every_ms
    number = 0
    for begin in range(from_ms, to_ms, times):
        t_ms = np.repeat(np.arange(begin, min(begin + times, to_ms), every_ms), series)
        made = Batch.of(np.arange(len(t_ms)) % series, t_ms, wave(t_ms), position=store.position() + 1)
        number += store.write(made, name)
    return number


def summarise(store, from_ms, to_ms, step_ms=DAY):
    """CPU seconds of this process, and of all with those it started."""
    usage = Usage(os.getpid())
    mine, every = time.process_time(), usage.cpu_s()
    for begin in range(from_ms, to_ms, step_ms):
        for level in LEVELS:
            store.summarise(level, begin, min(begin + step_ms, to_ms))
    mine = time.process_time() - mine
    return mine, max(usage.cpu_s() - every - mine, 0.0)


def cost(what, number, client_s, server_s):
    say(f"summarising, {what}: here", [client_s * 1e6 / number], "µs of CPU a reading")
    if server_s:
        say(f"summarising, {what}: server", [server_s * 1e6 / number], "µs of CPU a reading")


def sensor(folder, span_ms, rounds):
    """One sensor on DuckDB with one sample far off."""
    name = "kitchen.north.fridge.temp"
    path, open_store = folder / "readings.duckdb", lambda: stores.STORES["duck"](folder)
    begin = END - span_ms
    with closing(open_store()) as store:
        peak = Batch.of([0], [begin + span_ms // 3 // EVERY_MS * EVERY_MS + 1], [SPIKE], position=1)
        store.write(peak, lambda _: name)
        number = 1 + fill(store, begin, END, EVERY_MS, lambda _: name)
        store.sort_closed_days(END)
        client_s, _ = summarise(store, begin, END)
    sys.stdout.write(f"one sensor, {number:,} readings, {path.stat().st_size / 2**20:.0f} MiB\n")
    cost("one series, minutes to days", number, client_s, 0)

    def ask(store, points=POINTS):
        took, found = timed(lambda: chart(store, name, begin, END, points))
        if found.windows.high.max() != SPIKE or found.windows.count.sum() != number:
            raise SystemExit("the chart is not whole, or without its peak")
        return took

    spans = []
    for _ in range(rounds):
        with cold(path), closing(open_store()) as store:
            spans.append(ask(store))
    say("chart of all of it, peak in it, cold (DuckDB)", spans)
    with closing(open_store()) as store:
        say("  the same, warm", [ask(store) for _ in range(rounds)])
        say("  the same with 10,000 points", [ask(store, 10_000) for _ in range(rounds)])
        store.summaries = lambda *_: chart_nothing()
        say("  the same of readings alone, were there no levels", [ask(store) for _ in range(2)])


def chart_nothing():
    from scenewatch.store.chart import NOTHING  # noqa: PLC0415  # for one round alone

    return NOTHING


def site_name(series):
    return f"kitchen.s001.fridge{series // len(CHANNELS)}.{CHANNELS[series % len(CHANNELS)]}"


def fill_site(store, days):
    """A year; returns how many readings its last days have, and what summarising them took."""
    series = DEVICES * len(CHANNELS)
    dense = END - days * DAY
    fill(store, END - YEAR, dense, SPARSE_MS, site_name, series)
    summarise(store, END - YEAR, dense, 28 * DAY)
    number = fill(store, dense, END, EVERY_MS, site_name, series)
    if hasattr(store, "sort_closed_days"):
        store.sort_closed_days(END)
    return number, summarise(store, dense, END)


def site_on_duck(folder, days, rounds):
    with closing(stores.STORES["duck"](folder)) as store:
        number, took = fill_site(store, days)
        cost(f"{DEVICES * len(CHANNELS)} series (DuckDB)", number, *took)
        for what, span in (("day", DAY), ("year", YEAR)):
            series = list(map(site_name, range(DEVICES * len(CHANNELS)))) * rounds
            spans = [
                timed(lambda one=one, span=span: chart(store, one, END - span, END, POINTS))[0] for one in series
            ]
            say(f"chart of a {what} of each series of a site (DuckDB)", spans)


def panels(span_ms, width_ms):
    """The questions that a dashboard asks of a site: each channel's course and extremes, by device."""
    where = f"(\"scene\" = 'kitchen' AND \"site\" = 's001') AND time >= {END - span_ms}ms AND time <= {END}ms"
    for channel in CHANNELS:
        for how in ("min", "mean", "max"):
            yield (
                f"SELECT {how}(/^{channel}(_{how})?$/) FROM /^cold room$/ WHERE {where} "  # noqa: S608  # our own
                f'GROUP BY time({width_ms}ms), "device" fill(none)'
            )


def site_on_influx(folder, days, rounds):
    with running(folder / "influx") as address:
        os.environ[ADDRESS] = address
        with closing(stores.OwnInfluxStore(folder)) as store:
            number, took = fill_site(store, days)
            cost(f"{DEVICES * len(CHANNELS)} series (InfluxDB)", number, *took)
            client = httpx.Client(base_url=address, timeout=60, trust_env=False)
            for what, level, span, width in (
                ("a day of readings", Level.READING, DAY, 120_000),
                ("a day of minutes", Level.MINUTE, DAY, 120_000),
                ("a year of hours", Level.HOUR, YEAR, 12 * HOUR),
                ("a year of days", Level.DAY, YEAR, DAY),
            ):
                asked = {"db": store.url.beside(level.suffix).database, "epoch": "ms"}
                spans = [
                    timed(lambda q=q, asked=asked: answered(client.get("/query", params={"q": q, **asked})))[0]
                    for _ in range(rounds)
                    for q in panels(span, width)
                ]
                say(f"a panel's question, {what} of a site (InfluxDB)", spans)
            for what, span in (("day", DAY), ("year", YEAR)):
                series = [site_name(n) for n in range(DEVICES * len(CHANNELS))]
                spans = [
                    timed(lambda one=one, span=span: chart(store, one, END - span, END, POINTS))[0]
                    for one in series
                ]
                say(f"chart of a {what} of each series of a site (InfluxDB)", spans)
            client.close()


def answered(response):
    if len(response.json()["results"][0]["series"]) != DEVICES:
        raise SystemExit(f"no answer for each device: {response.text[:500]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--years", type=float, default=2.0, help="of the one sensor")
    parser.add_argument("--days", type=int, default=2, help="of the site, with all readings")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    sys.stdout.write(f"{'':<58}{'best':>10}{'median':>10}{'worst':>10}\n")
    for part in chosen.parts:
        with tempfile.TemporaryDirectory() as folder:
            if part == "sensor":
                sensor(Path(folder), round(chosen.years * 365) * DAY, chosen.rounds)
            elif part == "duck":
                site_on_duck(Path(folder), chosen.days, chosen.rounds)
            elif program() is None:
                sys.exit("the rest needs InfluxDB 1.8: install Go, and it is built")
            else:
                site_on_influx(Path(folder), chosen.days, chosen.rounds)


if __name__ == "__main__":
    main()
