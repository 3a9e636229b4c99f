"""The supervisor with real children: starts them again after a pause that grows, and leaves none behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ends import HandClock, wait_for
from scenewatch.embedded import supervisor as module
from scenewatch.embedded.supervisor import BACK_OFF_MS, STABLE_MS, Supervisor

SLEEPER = ("sleep", "600")
STUBBORN = (
    sys.executable,
    "-c",
    "import signal; signal.signal(15, signal.SIG_IGN); print(1, flush=True); signal.pause()",
)


@pytest.fixture
def clock():
    return HandClock(1_000_000)


@pytest.fixture
def supervisor(clock):
    made = Supervisor(clock)
    yield made
    for child in made.children:
        if child.process is not None and child.process.poll() is None:
            child.process.kill()
            child.process.wait()


def alive(pid):
    """A process that has ended but is not waited for yet does not count."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def fell(child):
    child.process.kill()
    child.process.wait()


def test_a_child_that_runs_is_left_alone(supervisor, tmp_path):
    child = supervisor.start("sleeper", SLEEPER, tmp_path / "logs" / "sleeper.log")
    assert supervisor.watch() == []
    assert alive(child.process.pid)


def test_a_fallen_child_is_told_and_started_again_when_it_is_due(supervisor, clock, tmp_path):
    child = supervisor.start("sleeper", SLEEPER, tmp_path / "sleeper.log")
    first = child.process.pid
    fell(child)
    assert supervisor.watch() == [
        f"sleeper ended (signal SIGKILL); starting it again in 0.5 s, its log is {tmp_path}/sleeper.log"
    ]
    clock.ms += BACK_OFF_MS[0] - 1
    assert supervisor.watch() == []
    assert child.process.pid == first
    clock.ms += 1
    assert supervisor.watch() == []
    assert child.process.pid != first
    assert alive(child.process.pid)


def test_the_pause_grows_with_each_fall_and_is_forgotten_after_a_stable_time(supervisor, clock, tmp_path):
    child = supervisor.start("sleeper", SLEEPER, tmp_path / "sleeper.log")
    pauses = []
    for _ in range(len(BACK_OFF_MS) + 2):
        fell(child)
        supervisor.watch()
        pauses.append(child.again_at_ms - clock.ms)
        clock.ms = child.again_at_ms
        supervisor.watch()
    assert pauses == [*BACK_OFF_MS, BACK_OFF_MS[-1], BACK_OFF_MS[-1]]
    clock.ms += STABLE_MS + 1
    fell(child)
    supervisor.watch()
    assert child.again_at_ms - clock.ms == BACK_OFF_MS[0]


def test_only_the_fallen_one_is_started_again(supervisor, clock, tmp_path):
    first, second = (supervisor.start(name, SLEEPER, tmp_path / f"{name}.log") for name in ("a", "b"))
    stays = second.process.pid
    fell(first)
    clock.ms += 1_000_000
    assert [line.split()[0] for line in supervisor.watch()] == ["a"]
    assert second.process.pid == stays


def test_what_a_child_says_goes_into_its_log_over_all_its_lives(supervisor, clock, tmp_path):
    log = tmp_path / "child.log"
    child = supervisor.start("child", ("sh", "-c", "echo out; echo err >&2; exit 3"), log)
    child.process.wait()
    assert "exit status 3" in supervisor.watch()[0]
    clock.ms += BACK_OFF_MS[0]
    supervisor.watch()
    child.process.wait()
    assert log.read_text() == "out\nerr\n" * 2


def test_stop_ends_all_the_last_started_first(supervisor, tmp_path):
    order = tmp_path / "order"
    script = f"trap 'echo $0 >> {order}; exit' TERM; echo up; while :; do sleep 0.05; done"
    children = [supervisor.start(n, ("sh", "-c", script, n), tmp_path / f"{n}.log") for n in ("a", "b", "c")]
    wait_for(lambda: all(child.log_path.read_text() for child in children))
    assert supervisor.stop() == []
    assert order.read_text().split() == ["c", "b", "a"]
    assert not any(alive(child.process.pid) for child in children)


def test_one_that_does_not_end_is_killed_and_named(supervisor, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PATIENCE_S", 0.1)
    child = supervisor.start("stubborn", STUBBORN, tmp_path / "stubborn.log")
    wait_for((tmp_path / "stubborn.log").read_text)
    assert supervisor.stop() == ["stubborn"]
    assert not alive(child.process.pid)


def test_stop_passes_over_those_that_have_fallen(supervisor, tmp_path):
    child = supervisor.start("sleeper", SLEEPER, tmp_path / "sleeper.log")
    fell(child)
    supervisor.watch()
    assert supervisor.stop() == []
    assert supervisor.watch() == []


def test_children_end_with_a_supervisor_that_is_killed(tmp_path):
    code = (
        "import sys, signal, pathlib; from scenewatch.embedded.supervisor import Supervisor\n"
        "from scenewatch.model.clock import SystemClock\n"
        f"s = Supervisor(SystemClock()); log = pathlib.Path({str(tmp_path)!r}) / 'log'\n"
        "print(*[s.start('x', ('sleep', '600'), log).process.pid for _ in range(2)], flush=True); signal.pause()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        children = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(children) == 2
        assert all(alive(pid) for pid in children)
        os.kill(parent.pid, signal.SIGKILL)
        wait_for(lambda: not any(alive(pid) for pid in children))
