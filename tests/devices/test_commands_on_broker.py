"""Commands as an operator's program sends them, over a real broker and back."""

from dataclasses import replace

import pytest

from scenewatch.devices.simulate import simulate
from scenewatch.scenes.kitchen.demonstration import KitchenDemonstration

GAS = "s001-gas"


@pytest.fixture
def kitchen(simulation):
    """Steps of half a second."""
    return replace(simulation, devices=tuple(KitchenDemonstration().devices(1)), speed=60.0)


def shut(command_id, expires_at):
    return {"id": command_id, "name": "shut_valve", "args": {}, "expires_at": expires_at}


def valves(subscriber):
    """What the gas detector read of its valve, in order of time; buffered samples are left out."""
    told = [body for device, body in list(subscriber.telemetry) if device == f"kitchen.s001.{GAS}"]
    return [body["v"]["valve"] for body in told if not isinstance(body["t"], list)]


def test_a_command_is_done_shown_and_answered_and_again_only_answered(
    kitchen, subscriber, running, wait_until, now_ms
):
    running(simulate, kitchen, processes=1)
    wait_until(lambda: valves(subscriber)[-1:] == [1.0], "the first readings")
    subscriber.send(f"sw/kitchen/s001/{GAS}/command", shut("c1", now_ms))
    wait_until(lambda: subscriber.results, "an answer")
    done = {"id": "c1", "ok": True, "text": "Gas valve is shut"}
    assert subscriber.results == [(GAS, done)]
    wait_until(lambda: valves(subscriber)[-1:] == [0.0], "readings with the valve shut")
    subscriber.send(f"sw/kitchen/s001/{GAS}/command", shut("c1", now_ms))
    wait_until(lambda: len(subscriber.results) == 2, "the same answer")
    assert subscriber.results[1] == (GAS, done)


def test_commands_that_waited_for_their_gateway_are_refused_when_they_are_over(
    kitchen, subscriber, running, wait_until, now_ms
):
    kitchen = replace(kitchen, speed=1.0)
    end = running(simulate, kitchen, processes=1)
    wait_until(lambda: len(subscriber.status) >= len(kitchen.devices), "the broker to know what it wants to hear")
    end()
    subscriber.send(f"sw/kitchen/s001/{GAS}/command", shut("late", now_ms - 5_000))
    subscriber.send("sw/kitchen/s001/nobody/command", shut("none", now_ms))
    running(simulate, kitchen, processes=1)
    wait_until(lambda: subscriber.results, "an answer")
    ((device, told),) = subscriber.results
    assert (device, told["id"], told["ok"]) == (GAS, "late", False)
    assert told["text"].startswith("expired ")


def test_gateways_that_may_not_hear_say_so_once(kitchen, broker, running, wait_until, tmp_path, caplog):
    rights = '{ publish: ">", subscribe: { deny: "sw.*.*.*.command" } }'
    broker.restart(f"authorization {{ users [ {{ user: u, password: right, permissions {rights} }} ] }}")
    (tmp_path / "password").write_text("right")
    entry = replace(kitchen.broker, username="u", password_file=tmp_path / "password")
    running(simulate, replace(kitchen, broker=entry), processes=1)
    wait_until(lambda: caplog.records, "a line about it")
    assert "1 gateways hear no commands: " in caplog.text
    assert len(caplog.records) == 1
