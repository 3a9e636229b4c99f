"""Clean kitchens over many seeds and seasons, how fast faults show, and how fast the physics is."""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np

from scenewatch.devices.fleet import Fleet
from scenewatch.devices.history import batches
from scenewatch.model.registry import Registry
from scenewatch.scenes.kitchen import KITCHEN, kernel
from scenewatch.scenes.kitchen.cabinets import TYPICAL
from scenewatch.scenes.kitchen.demonstration import KitchenDemonstration
from scenewatch.scenes.kitchen.device_types import EVERY
from scenewatch.scenes.kitchen.physics import Kitchen

DAY_MS = 86_400_000
NEW_YEAR_MS = 1_767_225_600_000
STEPS_A_MINUTE = 2


def cold_kitchens(sites):
    """Those of the demonstration with their gateways, fridges and freezers alone."""
    return [d for d in KitchenDemonstration().devices(sites) if d.type in {"gateway", *TYPICAL}]


def run_lengths(mask):
    """Lengths of all runs of true values, column by column, in minutes."""
    edges = np.diff(np.pad(mask.astype(np.int8), ((1, 1), (0, 0))), axis=0)
    return (np.argwhere(edges.T == -1)[:, 1] - np.argwhere(edges.T == 1)[:, 1]) / STEPS_A_MINUTE


def clean(seeds, first_seed, days, sites):
    devices = cold_kitchens(sites)
    fridge = np.array([d.type == "fridge" for d in devices if d.type != "gateway"])
    worst = dict.fromkeys(("fridge", "freezer", "door"), 0.0)
    raises = {"fridge": [], "freezer": []}
    print("seed day  raises/day fridge freezer  longest min: fridge freezer door  quick")
    for n in range(seeds):
        seed, day = first_seed + n, n * 365 // seeds
        start_ms = NEW_YEAR_MS + day * DAY_MS
        values = Kitchen(devices, seed=seed, start_ms=start_ms).run(start_ms + days * DAY_MS, {})
        values = values.reshape(len(values), -1, kernel.CHANNELS)
        air = values[:, :, kernel.AIR_TEMP]
        runs = {
            "fridge": run_lengths(air[:, fridge] > 8.0),
            "freezer": run_lengths(air[:, ~fridge] > -12.0),
            "door": run_lengths(values[:, :, kernel.DOOR] > 0.5),
        }
        per_day = {k: len(runs[k]) / days / (fridge if k == "fridge" else ~fridge).sum() for k in raises}
        longest = {k: float(r.max(initial=0.0)) for k, r in runs.items()}
        quick = np.abs(np.diff(air, axis=0)) * STEPS_A_MINUTE > 6.0
        print(
            f"{seed:4} {day:3}  {per_day['fridge']:17.2f} {per_day['freezer']:7.2f}"
            f"  {longest['fridge']:19.1f} {longest['freezer']:7.1f} {longest['door']:4.1f}  {quick.mean():.4%}"
        )
        for kind, found in raises.items():
            found.append(per_day[kind])
        worst = {k: max(worst[k], longest[k]) for k in worst}
    for kind, found in raises.items():
        low, high, mean = min(found), max(found), statistics.mean(found)
        print(f"{kind}: plain limit raises {low:.2f} to {high:.2f} a day, mean {mean:.2f}")
    print("longest of all, min: " + ", ".join(f"{k} {v:.1f}" for k, v in worst.items()))


def dead_compressors(sites):
    """Minutes from the fault to an alarm after half an hour above the limit."""
    devices = cold_kitchens(sites)
    types = np.array([d.type for d in devices if d.type != "gateway"])
    limit = np.where(types == "fridge", 8.0, -12.0)
    steps, delay = 960, 60
    dead = {"compressor": np.zeros((steps, len(devices)))}
    found = {"fridge": [], "freezer": []}
    for n in range(12):
        start_ms = NEW_YEAR_MS + n * 30 * DAY_MS + n * 5 * DAY_MS // 24
        values = Kitchen(devices, seed=n, start_ms=start_ms).run(start_ms + steps * 30_000, dead)
        warm = values.reshape(steps, -1, kernel.CHANNELS)[:, :, kernel.AIR_TEMP] > limit
        held = np.lib.stride_tricks.sliding_window_view(warm, delay + 1, axis=0).all(axis=-1)
        at = np.where(held.any(axis=0), (held.argmax(axis=0) + delay) / STEPS_A_MINUTE, np.inf)
        for kind, so_far in found.items():
            so_far.extend(at[types == kind].tolist())
    for kind, at in found.items():
        print(
            f"compressor dead in a {kind}: alarm after median {statistics.median(at):.0f}, worst {max(at):.0f} min"
            f" of {len(at)}"
        )


def best_and_median(work, rounds):
    spent = []
    for _ in range(rounds):
        before = time.process_time()
        work()
        spent.append(time.process_time() - before)
    return min(spent), statistics.median(spent)


def speed(rounds):
    print("\nCPU time                                                 best    median   device-steps/s (best)")
    for sites, devices in (
        (60, cold_kitchens(60)),
        (10, KitchenDemonstration().devices(10)),
        (60, KitchenDemonstration().devices(60)),
    ):
        speaking = sum(d.type != "gateway" for d in devices)
        kitchen = Kitchen(devices, seed=1, start_ms=NEW_YEAR_MS)
        day = iter(range(1, 10_000))
        device_steps = speaking * DAY_MS // EVERY

        def physics(kitchen=kitchen, day=day):
            kitchen.run(NEW_YEAR_MS + next(day) * DAY_MS, {})

        def history(devices=devices):
            registry = Registry([KITCHEN])
            registry.apply(devices, at_ms=0)
            fleet = Fleet(KITCHEN, devices, seed=1, start_ms=NEW_YEAR_MS)
            for _ in batches(fleet, registry, NEW_YEAR_MS, NEW_YEAR_MS + DAY_MS):
                pass

        for name, work in (("physics, 24 h", physics), ("start and history as batches, 24 h", history)):
            best, median = best_and_median(work, rounds)
            what = f"{sites:3} sites, {speaking} devices, {name}"
            print(f"{what:56} {best:.3f} s {median:.3f} s {device_steps / best:12,.0f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--seeds", type=int, default=24, help="clean runs, spread over a year (default %(default)s)"
    )
    parser.add_argument("--first-seed", type=int, default=1, help="the first of them (default %(default)s)")
    parser.add_argument("--days", type=int, default=14, help="length of a clean run (default %(default)s)")
    parser.add_argument("--sites", type=int, default=10, help="kitchens in a clean run (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="of each timing (default %(default)s)")
    given = parser.parse_args()
    clean(given.seeds, given.first_seed, given.days, given.sites)
    dead_compressors(given.sites)
    speed(given.rounds)


if __name__ == "__main__":
    main()
