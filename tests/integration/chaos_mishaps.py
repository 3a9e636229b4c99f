"""What can go wrong, and what is drawn of it for one round."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chaos import END_S, wait_for

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Collection

    from chaos_scene import ChaosScene

    Deed = Callable[[ChaosScene], object]

MOST_AT_ONCE = 3
LATEST_S = 1.2
"""When a mishap of a round may begin."""
SHORTEST_S = 0.2
SLOW_BYTES_S = 30_000


@dataclass(frozen=True)
class Mishap:
    """Begins with `strike` and ends with `lift`. No two of one `part` at once: they would undo each other."""

    name: str
    part: str
    strike: Deed
    lift: Deed
    needs: str = ""
    """The broker, the store, or the disk that the scene must have."""


@dataclass(frozen=True)
class Drawn:
    """A mishap with its time in the round."""

    mishap: Mishap
    at_s: float
    for_s: float


def _killed(name: str) -> tuple[Deed, Deed]:
    return lambda scene: scene.kill(name), lambda scene: scene.start(name)


def _stopped(name: str) -> tuple[Deed, Deed]:
    return lambda scene: scene.stop(name), lambda scene: scene.start(name)


def _restored(link: str) -> Deed:
    return lambda scene: scene.links[link].restore()


def _cut_and_restored(link: str) -> Deed:
    def lift(scene: ChaosScene) -> None:
        scene.links[link].cut()
        scene.links[link].restore()

    return lift


def _of_link(link: str, needs: str = "") -> tuple[Mishap, ...]:
    return (
        Mishap(f"{link} cut", link, lambda s: s.links[link].cut(), _restored(link), needs),
        Mishap(f"{link} refused", link, lambda s: s.links[link].refuse(), _restored(link), needs),
        Mishap(f"{link} stalled", link, lambda s: s.links[link].silence(), _restored(link), needs),
        Mishap(f"{link} lost", link, lambda s: s.links[link].silence(), _cut_and_restored(link), needs),
        Mishap(f"{link} slow", link, lambda s: s.links[link].slow(SLOW_BYTES_S), _restored(link), needs),
    )


STORE = "worker-store"

MISHAPS = (
    Mishap("worker killed", "worker", *_killed("worker")),
    Mishap("worker ended", "worker", *_stopped("worker")),
    Mishap("NATS killed", "broker", *_killed("broker"), needs="nats"),
    Mishap("Mosquitto ended", "broker", *_stopped("broker"), needs="mosquitto"),
    *_of_link("worker-broker"),
    *_of_link("publishers-broker"),
    Mishap("InfluxDB killed", "influx", *_killed("influx"), needs="influx"),
    Mishap("InfluxDB frozen", "influx", lambda s: s.freeze("influx"), lambda s: s.thaw("influx"), needs="influx"),
    *_of_link(STORE, needs="influx"),
    Mishap("InfluxDB says 503", STORE, lambda s: s.links[STORE].answer_busy(), _restored(STORE), needs="influx"),
    Mishap("disk full", "disk", lambda s: s.disk.fill(), lambda s: s.disk.free(), needs="disk"),
)


def draw(chance: random.Random, parts: Collection[str], longest_s: float) -> list[Drawn]:
    """One to three, of unlike parts, that may overlap."""
    possible = [m for m in MISHAPS if not m.needs or m.needs in parts]
    chance.shuffle(possible)  # then of each part any one
    by_part = {m.part: m for m in possible}
    chosen = chance.sample(list(by_part.values()), chance.randint(1, MOST_AT_ONCE))
    return [Drawn(m, chance.uniform(0.2, LATEST_S), chance.uniform(SHORTEST_S, longest_s)) for m in chosen]


def suffer(scene: ChaosScene, drawn: list[Drawn]) -> None:
    """All of them in their time; returns when the last is over. What falls by itself is started again."""
    over = threading.Event()
    with ThreadPoolExecutor(len(drawn)) as pool:
        futures = [pool.submit(_suffer_one, scene, d, over) for d in drawn]

        def all_over() -> bool:
            scene.tend()
            return all(future.done() for future in futures)

        longest_s = max(d.at_s + d.for_s for d in drawn)
        wait_for(all_over, "the mishaps to be over", longest_s + END_S)
        for future in futures:
            future.result()


def _suffer_one(scene: ChaosScene, drawn: Drawn, pause: threading.Event) -> None:
    pause.wait(drawn.at_s)
    drawn.mishap.strike(scene)
    pause.wait(drawn.for_s)
    drawn.mishap.lift(scene)
