"""A fleet in several processes: who ends whom, and what is said of one that falls over."""

import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import replace

import pytest

from scenewatch.devices.simulate import simulate
from scenewatch.model.errors import ScenewatchError
from scenewatch.scenes.kitchen import KITCHEN
from scenewatch.scenes.kitchen.demonstration import KitchenDemonstration

SPAWN = multiprocessing.get_context("spawn")


def run_two(simulation, stop):
    simulate(simulation, stop, processes=2)


def test_processes_end_cleanly_when_their_parent_was_killed(simulation, subscriber, wait_until):
    never = SPAWN.Event()
    parent = SPAWN.Process(target=run_two, args=(simulation, never))
    parent.start()
    try:
        wait_until(lambda: len(subscriber.status) >= 12, "everyone to be online")
    finally:
        parent.kill()
        parent.join()
    wait_until(lambda: len(subscriber.status) >= 24, "everyone to say goodbye")
    assert Counter(state for _, state in subscriber.status) == {"online": 12, "offline": 12}


def test_a_process_that_falls_over_is_named_with_its_reason(simulation, capfd):
    broken = replace(simulation, scene=replace(KITCHEN, simulator="scenewatch.nowhere:Nothing"))
    told = r"process devices-\d of 2 \(pid \d+\) fell over: ModuleNotFoundError: .*nowhere"
    with pytest.raises(ScenewatchError, match=told):
        simulate(broken, threading.Event(), processes=2)
    assert "Traceback" in capfd.readouterr().err, "where it was, too"


def test_a_process_that_is_killed_is_named_and_the_others_say_goodbye(simulation, subscriber, wait_until, running):
    end = running(simulate, simulation, processes=2)
    wait_until(lambda: len(subscriber.status) >= 12, "everyone to be online")
    victim = next(p for p in multiprocessing.active_children() if p.name == "devices-2")
    os.kill(victim.pid, signal.SIGKILL)
    wait_until(lambda: ("s001-fridge-1", "offline") in subscriber.status, "the other one's goodbye")
    with pytest.raises(ScenewatchError, match=rf"devices-2 of 2 \(pid {victim.pid}\) fell over: killed by SIGKILL"):
        end()
    assert multiprocessing.active_children() == []


def test_ctrl_c_ends_all_of_them_well(broker, subscriber, wait_until):
    """It reaches the children as well, at whatever they are doing."""
    count = len(KitchenDemonstration().devices(2))
    url = f"mqtt://127.0.0.1:{broker.port}"
    command = [sys.executable, "-m", "scenewatch", "simulate", "--sites", "2", "--processes", "2", "--broker", url]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as group:
        wait_until(lambda: len(subscriber.status) >= count, "everyone to be online")
        os.killpg(group.pid, signal.SIGINT)
        errors = group.communicate(timeout=20)[1]
    assert (group.returncode, errors) == (0, "")
    wait_until(lambda: len(subscriber.status) >= 2 * count, "everyone to be offline")
    assert Counter(state for _, state in subscriber.status) == {"online": count, "offline": count}


@pytest.mark.parametrize(
    ("soft", "hard", "connections", "told"),
    [
        (128, 1024, 500, "564"),
        (1000, 1024, 500, "1000"),
        (
            128,
            200,
            500,
            "500 connections need 564 open files, and a process may have 200 here: call `ulimit -n 564`",
        ),
    ],
)
def test_room_for_connections_is_made_or_its_lack_told_with_the_mend(soft, hard, connections, told):
    program = f"""
import resource
from scenewatch.devices.openfiles import make_room
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
make_room({connections})
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert re.search(re.escape(told), done.stdout + done.stderr)
