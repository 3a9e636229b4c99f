"""Series that depart from their own days, what insight says of them, and how that is scored."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from scenewatch.insight.insight import Insight
from scenewatch.model.batch import Batch
from scenewatch.model.insight import UNUSUAL, UNUSUAL_DEADBAND, Departure
from scenewatch.model.place import Device
from scenewatch.model.quantity import Quantity
from scenewatch.model.registry import Registry
from scenewatch.model.scene import Channel, DeviceType, Scene, Span
from scenewatch.model.words import Duration, Text, hours

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

Times = list[int]
Window = tuple[int, int]
HOUR = hours(1)
MONTH_MS = 30 * 24 * HOUR
BEGIN_MS = 1_780_000_000_000 // HOUR * HOUR
KINDS = ("white", "correlated", "heavy-tailed", "weekly")
LASTING_MS = hours(12)
"""Behind a fault's end its departure is still smoothed away."""
WORDS = Text("x", "x")


def departures(
    t_ms: NDArray[np.int64], value: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """(time, departure) of one series of readings, with the shipped defaults."""
    every = Duration(int(np.median(np.diff(t_ms))))
    registry = Registry([_scene(every)])
    registry.apply([Device(scene="s", site="a", device="d", type="one")], at_ms=0)
    insight = Insight()
    insight.grow(registry)
    told, _ = insight.derive(Batch.of(np.zeros(len(t_ms), np.int32), t_ms, value))
    return told.t_ms, told.value


def _scene(every: Duration) -> Scene:
    wide = Span(-1e9, 1e9)
    channels = (
        Channel(key="x", title=WORDS, quantity=Quantity.POWER, unit="W", possible=wide),
        Channel(
            key="away",
            title=WORDS,
            quantity=Quantity.DEPARTURE,
            unit="σ",
            possible=wide,
            derived=Departure(of="x"),
        ),
    )
    return Scene(
        key="s",
        title=WORDS,
        site_title=WORDS,
        device_types=(DeviceType(key="one", title=WORDS, every=every, channels=channels),),
        rules=(),
        faults=(),
        simulator="a:b",
        mishap="",
    )


def alarms(t_ms: NDArray[np.int64], away: NDArray[np.float64], limit: float = UNUSUAL) -> list[Window]:
    """From raise to return of an alarm on departures outside of ±limit; one that stands ends with the series."""
    release = limit * (1 - UNUSUAL_DEADBAND / UNUSUAL)
    begin, found = None, []
    for t, value in zip(t_ms.tolist(), np.abs(away).tolist(), strict=True):
        if begin is None and value > limit:
            begin = t
        elif begin is not None and value <= release:
            found.append((begin, t))
            begin = None
    return found if begin is None else [*found, (begin, int(t_ms[-1]))]


@dataclass(frozen=True, slots=True)
class Score:
    """What alarms came to, against windows of what is truly amiss."""

    windows: int
    found: int
    """With a new raise within them: one that stands already when they begin is none."""
    outside: int
    """Raises in no window."""
    months: float
    learning_days: float
    standing: float
    """Share of the time outside the windows."""


def score(t_ms: NDArray[np.int64], value: NDArray[np.float64], windows: list[Window], limit: float) -> Score:
    at, away = departures(t_ms, value)
    found = alarms(at, away, limit)
    raised = [begin for begin, _ in found]
    hours_ms = np.arange(t_ms[0], t_ms[-1], HOUR)
    outside = ~_within(hours_ms, windows)
    return Score(
        windows=len(windows),
        found=sum(any(begin <= t <= end for t in raised) for begin, end in windows),
        outside=sum(not any(begin <= t <= end for begin, end in windows) for t in raised),
        months=float(t_ms[-1] - t_ms[0]) / MONTH_MS,
        learning_days=float(at[0] - t_ms[0]) / (24 * HOUR) if len(at) else np.inf,
        standing=float(np.count_nonzero(_within(hours_ms, found) & outside) / np.count_nonzero(outside)),
    )


def _within(t_ms: NDArray[np.int64], spans: list[Window]) -> NDArray[np.bool_]:
    within = np.zeros(len(t_ms), np.bool_)
    for begin, end in spans:
        within |= (t_ms >= begin) & (t_ms <= end)
    return within


def drawn(chance: np.random.Generator, kind: str, days: int = 120) -> NDArray[np.float64]:
    """Hourly means of a series with a daily swing and noise of spread 1."""
    hour = np.arange(days * 24)
    swing = chance.uniform(0, 5) * np.sin(2 * np.pi * (hour + chance.uniform(0, 24)) / 24)
    swing += chance.uniform(0, 2) * np.sin(4 * np.pi * (hour + chance.uniform(0, 24)) / 24)
    if kind == "weekly":
        swing += chance.uniform(0.5, 2.5) * (hour // 24 % 7 >= 5)
    noise = (
        chance.standard_t(3, len(hour)) / np.sqrt(3) if kind == "heavy-tailed" else chance.normal(size=len(hour))
    )
    rho = 0.0 if kind == "white" else chance.uniform(0, 0.8)
    for i in range(1, len(noise)):
        noise[i] = rho * noise[i - 1] + np.sqrt(1 - rho**2) * noise[i]
    return swing + noise


def with_faults(chance: np.random.Generator, value: NDArray[np.float64]) -> list[Window]:
    """Put in steps of 4 to 6 spreads over 24 to 96 hours, one in a fortnight from the fourth week on."""
    windows = []
    for day in range(21, len(value) // 24 - 12, 14):
        begin, length = 24 * day + int(chance.integers(0, 120)), int(chance.integers(24, 97))
        value[begin : begin + length] += chance.uniform(4, 6) * chance.choice([-1, 1])
        windows.append((BEGIN_MS + begin * HOUR, BEGIN_MS + (begin + length) * HOUR + LASTING_MS))
    return windows


def score_drawn(chance: np.random.Generator, kind: str, limit: float = UNUSUAL) -> Score:
    value = drawn(chance, kind)
    windows = with_faults(chance, value)
    return score(BEGIN_MS + np.arange(len(value)) * HOUR, value, windows, limit)


def recorded(file: Path) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """A file of NAB, `timestamp,value`, in time."""
    with file.open(encoding="utf-8") as lines:
        rows = sorted((_epoch_ms(row["timestamp"]), float(row["value"])) for row in csv.DictReader(lines))
    t_ms, value = zip(*rows, strict=True)
    return np.array(t_ms, np.int64), np.array(value)


def true_windows(labels: Path, name: str) -> list[Window]:
    """Those of one file, from NAB's combined_windows.json."""
    of_files = json.loads(labels.read_text(encoding="utf-8"))
    (key,) = (key for key in of_files if key.endswith(name))
    return [(_epoch_ms(begin), _epoch_ms(end)) for begin, end in of_files[key]]


def _epoch_ms(stamp: str) -> int:
    return round(datetime.fromisoformat(stamp).replace(tzinfo=UTC).timestamp() * 1000)
