"""Devices on a real broker: what an independent subscriber gets, and what outages and ends do."""

import logging
import multiprocessing
import ssl
from collections import Counter, defaultdict
from dataclasses import replace

import pytest

from scenewatch.devices.faults import FaultPlan, PlannedFault
from scenewatch.devices.fleet import Fleet
from scenewatch.devices.schedule import Schedule
from scenewatch.devices.simulate import fitting_processes, simulate, split
from scenewatch.model.clock import SystemClock
from scenewatch.scenes.kitchen.demonstration import KitchenDemonstration

SPAWN = multiprocessing.get_context("spawn")
MINUTE_MS = 60_000
IDS = [d.device for d in KitchenDemonstration().devices(2) if d.type in {"gateway", "fridge", "freezer"}]


def expected(simulation, to_ms):
    """{(device id, t): values} of a fleet that never met a broker."""
    s = simulation
    fleet = Fleet(s.scene, s.devices, seed=s.seed, start_ms=s.start_ms, plan=s.plan)
    fleet.skip(s.live_from_ms)
    return {
        (fleet.devices[x.device].id, x.t_ms): dict(zip(fleet.channels[x.device], x.values, strict=True))
        for x in Schedule(fleet).due(to_ms)
    }


def received(messages):
    """The same from messages; a message sent again is the same message."""
    found = {}
    for device, body in messages:
        times = body["t"]
        if not isinstance(times, list):
            found[device, times] = body["v"]
            continue
        for n, t in enumerate(times):
            found[device, t] = {k: v[n] for k, v in body["v"].items()}
    return found


def assert_numbered_without_holes(messages):
    numbers = defaultdict(set)
    for device, body in messages:
        numbers[device, body["b"]].add(body["n"])
    assert all(seen == set(range(len(seen))) for seen in numbers.values())


def test_a_subscriber_gets_exactly_what_the_fleet_measured(simulation, subscriber, running, wait_until, now_ms):
    silent = PlannedFault("sensor_silent", simulation.devices[1].id, now_ms - 8 * MINUTE_MS, now_ms - 5 * MINUTE_MS)
    simulation = replace(simulation, plan=FaultPlan((silent,)))
    running(simulate, simulation, processes=1)
    truth = expected(simulation, now_ms)
    assert len(truth) > 180
    wait_until(lambda: truth.keys() <= received(list(subscriber.telemetry)).keys(), "all samples up to now")
    found = received(subscriber.telemetry)
    assert {k: found[k] for k in truth} == truth
    assert all(t <= SystemClock().now_ms() for _, t in found)
    assert not any(d == silent.device and silent.from_ms <= t < silent.to_ms for d, t in found)
    assert_numbered_without_holes(subscriber.telemetry)
    assert len({body["b"] for _, body in subscriber.telemetry}) == 1


def test_fast_time_sends_samples_one_by_one_as_they_fall_due(simulation, subscriber, running, wait_until):
    simulation = replace(simulation, speed=100.0)
    running(simulate, simulation, processes=1)
    truth = expected(simulation, simulation.live_from_ms + 4 * MINUTE_MS)
    wait_until(lambda: truth.keys() <= received(list(subscriber.telemetry)).keys(), "four minutes in fast time")
    single = [body for _, body in subscriber.telemetry if not isinstance(body["t"], list)]
    assert len(single) > 0.8 * len(subscriber.telemetry)
    found = received(subscriber.telemetry)
    assert {k: found[k] for k in truth} == truth


def test_status_is_retained_online_and_offline_after_a_clean_stop(
    simulation, subscriber, subscribe, running, wait_until
):
    end = running(simulate, simulation, processes=1)
    wait_until(lambda: len(subscriber.status) >= 12, "everyone to be online")
    assert sorted(subscriber.status) == sorted((d, "online") for d in IDS)
    late = subscribe()
    wait_until(lambda: len(late.retained) >= 12, "retained status")
    assert {(device, body["state"]) for device, body in late.retained} == {(d, "online") for d in IDS}
    end()
    wait_until(lambda: len(subscriber.status) >= 24, "everyone to be offline")
    assert sorted(subscriber.status[12:]) == sorted((d, "offline") for d in IDS)
    later = subscribe()
    wait_until(lambda: len(later.retained) >= 12, "retained status")
    assert {body["state"] for _, body in later.retained} == {"offline"}


def run_one(simulation, stop):
    simulate(simulation, stop, processes=1)


def test_a_killed_process_leaves_its_gateways_last_wills(simulation, subscriber, wait_until):
    never = SPAWN.Event()
    process = SPAWN.Process(target=run_one, args=(simulation, never))
    process.start()
    try:
        wait_until(lambda: len(subscriber.status) >= 12, "everyone to be online")
    finally:
        process.kill()
        process.join()
    wait_until(lambda: len(subscriber.status) >= 14, "the wills")
    assert sorted(subscriber.status[12:]) == [("s001-gw", "offline"), ("s002-gw", "offline")]


def test_nothing_is_missing_after_the_broker_was_killed(
    simulation, broker, subscriber, running, wait_until, now_ms, caplog
):
    simulation = replace(simulation, speed=120.0)
    running(simulate, simulation, processes=1)
    wait_until(lambda: len(subscriber.telemetry) > 15, "the first samples")
    broker.kill()
    wait_until(lambda: any("gateways wait for it" in r.message for r in caplog.records), "the loss to be noticed")
    broker.start()
    truth = expected(simulation, now_ms)
    wait_until(lambda: truth.keys() <= received(list(subscriber.telemetry)).keys(), "all samples up to now")
    found = received(subscriber.telemetry)
    assert {k: found[k] for k in truth} == truth
    assert_numbered_without_holes(subscriber.telemetry)
    assert any(isinstance(body["t"], list) for _, body in subscriber.telemetry), "buffered ones go as arrays"
    wait_until(lambda: any("connected again" in r.message for r in caplog.records), "the return to be told")
    assert Counter(r.name for r in caplog.records if r.levelno >= logging.WARNING) == {
        "scenewatch.devices.publisher": 2
    }


def test_a_broker_away_at_start_is_waited_for_with_one_line(
    simulation, broker, subscribe, running, wait_until, caplog
):
    broker.kill()
    running(simulate, simulation, processes=1)
    wait_until(lambda: caplog.records, "a line about it")
    assert f"127.0.0.1:{broker.port}: 2 gateways wait for it" in caplog.text
    broker.start()
    subscriber = subscribe()
    wait_until(lambda: "connected again" in caplog.text, "the connection")
    wait_until(lambda: len(subscriber.telemetry) + len(subscriber.retained) > 0, "something to arrive")
    assert len(caplog.records) == 2


def test_without_a_broker_a_stop_is_quick(simulation, running, wait_until, caplog):
    end = running(simulate, simulation, processes=1)
    wait_until(lambda: caplog.records, "a line about the broker")
    end()
    assert len(caplog.records) == 1


def test_sites_are_shared_out_over_processes(simulation, subscriber, running, wait_until, now_ms):
    end = running(simulate, simulation, processes=2)
    truth = expected(simulation, now_ms)
    wait_until(lambda: truth.keys() <= received(list(subscriber.telemetry)).keys(), "all samples up to now")
    found = received(subscriber.telemetry)
    assert {k: found[k] for k in truth} == truth
    by_site = defaultdict(set)
    for device, body in subscriber.telemetry:
        by_site[device.split(".")[1]].add(body["b"])
    assert [len(boots) for boots in by_site.values()] == [1, 1]
    assert by_site["s001"] != by_site["s002"], "two processes"
    end()
    wait_until(lambda: len(subscriber.status) >= 24, "everyone to be offline")
    assert Counter(state for _, state in subscriber.status) == {"online": 12, "offline": 12}


def test_shares_keep_sites_whole_and_carry_their_own_faults(simulation):
    devices = tuple(KitchenDemonstration().devices(5))
    plan = FaultPlan(tuple(PlannedFault("door_ajar", d.id, 0, 1) for d in devices if d.type == "fridge"))
    shares = split(replace(simulation, devices=devices, plan=plan), 2)
    assert [sorted({d.site for d in s.devices}) for s in shares] == [["s001", "s003", "s005"], ["s002", "s004"]]
    assert sum((s.devices for s in shares), start=()) != devices
    assert {d.id for s in shares for d in s.devices} == {d.id for d in devices}
    for share in shares:
        assert {f.device for f in share.plan.faults} == {d.id for d in share.devices if d.type == "fridge"}
    assert len(split(simulation, 8)) == 2, "no process without a site"


@pytest.mark.parametrize(
    ("sites", "speed", "most", "processes"),
    [(10, 1, 8, 1), (60, 60, 8, 1), (60, 600, 8, 8), (60, 600, 16, 10), (2000, 1, 8, 4), (2000, 1, 2, 2)],
)
def test_as_many_processes_as_messages_and_connections_ask_for(simulation, sites, speed, most, processes):
    devices = tuple(KitchenDemonstration().devices(sites))
    assert fitting_processes(replace(simulation, devices=devices, speed=speed), most) == processes


# --- login and TLS

LOGIN = "authorization { user: u, password: right }"


def login(broker, folder, password):
    file = folder / "password"
    file.write_text(password)
    return replace(broker, username="u", password_file=file)


def test_a_refused_login_is_told_once_with_its_reason(simulation, broker, running, wait_until, caplog, tmp_path):
    broker.restart(LOGIN)
    running(simulate, replace(simulation, broker=login(simulation.broker, tmp_path, "guessed")), processes=1)
    wait_until(lambda: caplog.records, "a line about it")
    assert "gateways wait for it: refused: Not authorized" in caplog.text
    assert "guessed" not in caplog.text
    assert len(caplog.records) == 1


def test_a_login_is_used(simulation, broker, running, wait_until, subscribe, tmp_path):
    broker.restart(LOGIN)
    subscriber = subscribe(login=("u", "right"))
    running(simulate, replace(simulation, broker=login(simulation.broker, tmp_path, "right")), processes=1)
    wait_until(lambda: len(subscriber.telemetry) >= 10, "samples")


def trusting(certificate):
    return ssl.create_default_context(cafile=str(certificate))


def test_devices_speak_tls(simulation, broker, certificate, running, wait_until, subscribe, now_ms):
    public, private = certificate
    broker.restart(tls=f'tls {{ cert_file: "{public}", key_file: "{private}" }}')
    subscriber = subscribe(tls=trusting(public))
    url = simulation.broker.url.replace("mqtt:", "mqtts:")
    running(simulate, replace(simulation, broker=replace(simulation.broker, url=url, ca_file=public)), processes=1)
    truth = expected(simulation, now_ms)
    wait_until(lambda: truth.keys() <= received(list(subscriber.telemetry)).keys(), "all samples up to now")
