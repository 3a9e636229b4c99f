"""What the console costs: rendering a page, and one change told to many open pages."""

import argparse
import asyncio
import statistics
import sys
import time
from functools import partial
from pathlib import Path

sys.path += [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "console")]

import httpx
from fake_worker import NOW, FakeWorker, Served
from websockets.asyncio.client import connect

from ports import free_port
from scenewatch.console.app import create_app


def cpu_ms(work, rounds):
    spent = []
    for _ in range(rounds):
        before = time.process_time()
        work()
        spent.append(1000 * (time.process_time() - before))
    return min(spent), statistics.median(spent)


async def latency_ms(worker, port, pages, changes):
    """From the worker's word to the last open page that hears it."""
    device = worker.devices[1]["id"]
    opened = [
        await connect(f"ws://127.0.0.1:{port}/live", origin=f"http://127.0.0.1:{port}", proxy=None, max_size=None)
        for _ in range(pages)
    ]
    spent = []
    for n in range(changes):
        value = 1000.0 + n
        before = time.perf_counter()
        worker.measure(device, "air_temp", value)
        await asyncio.gather(*(heard(page, f"[{value}") for page in opened))
        spent.append(1000 * (time.perf_counter() - before))
    for page in opened:
        await page.close()
    return min(spent), statistics.median(spent)


async def heard(page, text):
    while text not in await page.recv():
        continue


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sites", type=int, default=60, help="six devices each (60)")
    parser.add_argument("--pages", type=int, default=30, help="open at once (30)")
    parser.add_argument("--rounds", type=int, default=20)
    args = parser.parse_args()
    worker = FakeWorker(sites=args.sites, now=NOW)
    worker_port, port = free_port(), free_port()
    served = [Served(worker.app(), worker_port), Served(create_app(f"http://127.0.0.1:{worker_port}"), port)]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
        http.get("/")
        rows = [
            (f"{name}, CPU ms (client included)", cpu_ms(partial(http.get, path), args.rounds))
            for name, path in (
                ("overview", "/"),
                ("site", "/site?site=kitchen.s001"),
                ("device", "/device?device=kitchen.s001.s001-fridge-1"),
            )
        ]
    told = asyncio.run(latency_ms(worker, port, args.pages, args.rounds))
    rows.append((f"worker to the last of {args.pages} pages, ms", told))
    for server in reversed(served):
        server.stop()
    sys.stdout.write(f"{'':<48}{'best':>8}{'median':>8}\n")
    for name, (best, median) in rows:
        sys.stdout.write(f"{name:<48}{best:>8.1f}{median:>8.1f}\n")


if __name__ == "__main__":
    main()
