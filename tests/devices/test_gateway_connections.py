"""Gateways against brokers that misbehave, and how devices are grouped under them."""

import socket
import threading
from collections import Counter
from dataclasses import replace
from itertools import islice, pairwise
from time import monotonic

import pytest

from scenewatch.devices.connection import WINDOW
from scenewatch.devices.fleet import Fleet
from scenewatch.devices.gateway import gateways
from scenewatch.devices.publisher import Publisher
from scenewatch.devices.schedule import Sample, Schedule
from scenewatch.model import backoff
from scenewatch.model.broker import Broker
from scenewatch.scenes.kitchen import KITCHEN

START_MS = 1_772_380_800_000
CONNACK = b"\x20\x02\x00\x00"
VALUES = (3.0, 0.0, 240.0, 0.0, 3.6)


def sample(t_ms, device):
    return Sample(t_ms, device, VALUES, stamped_ms=t_ms)


class FakeBroker:
    """Answers each connection in a thread of its own as `behave(broker, socket)` likes."""

    def __init__(self, behave):
        self.connects = []
        self.packets = []
        self._behave = behave
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = Broker(url=f"mqtt://127.0.0.1:{self._listener.getsockname()[1]}")
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connects.append(monotonic())
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection, connection.makefile("rb") as stream:
            try:
                self._behave(self, connection, stream)
            except OSError:
                return  # the client went away

    def read(self, stream):
        """One packet: (first byte, body); None at the end."""
        first = stream.read(1)
        if not first:
            return None
        length, shift = 0, 0
        while True:
            byte = stream.read(1)[0]
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        packet = (first[0], stream.read(length))
        self.packets.append(packet)
        return packet

    def close(self):
        self._listener.close()

    def published(self):
        return [p for p in list(self.packets) if p[0] >> 4 == 3]


def accept_and_close(broker, connection, stream):
    broker.read(stream)
    connection.sendall(CONNACK)


def talk_garbage(broker, connection, stream):
    broker.read(stream)
    connection.sendall(b"\xf0\x02\x00\x00")  # a reserved packet
    broker.read(stream)


def send_a_broken_message(broker, connection, stream):
    broker.read(stream)
    connection.sendall(CONNACK + b"\x32\x01\xff")  # too short to have a topic
    while broker.read(stream):
        pass


def never_acknowledge(broker, connection, stream):
    broker.read(stream)
    connection.sendall(CONNACK)
    while broker.read(stream):
        pass


@pytest.fixture
def fake():
    made = []

    def make(behave):
        made.append(FakeBroker(behave))
        return made[-1]

    yield make
    for broker in made:
        broker.close()


@pytest.fixture
def kitchen_fleet(two_kitchens):
    return Fleet(KITCHEN, two_kitchens[:6], seed=1, start_ms=START_MS)


def publisher_of(fleet, address, clock):
    return Publisher(gateways(fleet, root="sw", boot="b"), address, clock)


def turn_until(publisher, condition, within_s=10.0):
    deadline = monotonic() + within_s
    while not condition():
        assert monotonic() < deadline, "in vain"
        publisher.turn(0.02)


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        (accept_and_close, "Unspecified error"),
        (talk_garbage, "Protocol error"),
        (send_a_broken_message, "Protocol error"),
    ],
)
def test_a_broker_that_throws_clients_out_is_tried_again_with_patience(
    behave, reason, fake, kitchen_fleet, hand_clock, caplog
):
    broker = fake(behave)
    with publisher_of(kitchen_fleet, broker.address, hand_clock(START_MS)) as publisher:
        turn_until(publisher, lambda: len(broker.connects) >= 3)
        publisher.stop(0.1)
    first, second = [b - a for a, b in pairwise(broker.connects[:3])]
    assert first >= backoff.FIRST_S / 2
    assert second >= backoff.FIRST_S, "doubled, in spite of jitter"
    assert f"1 gateways wait for it: {reason}" in caplog.text


def test_a_broker_that_acknowledges_nothing_holds_no_more_than_the_window(fake, kitchen_fleet, hand_clock):
    broker = fake(never_acknowledge)
    with publisher_of(kitchen_fleet, broker.address, hand_clock(START_MS)) as publisher:
        turn_until(publisher, lambda: publisher.connected)
        for n in range(200):
            publisher.offer([sample(START_MS + n * 30_000, 1)])
            publisher.turn(0.0)
        turn_until(publisher, lambda: len(broker.published()) >= WINDOW)
        for _ in range(5):
            publisher.turn(0.02)
        assert len(broker.published()) == WINDOW
        assert publisher.lag_ms(START_MS + 200 * 30_000) > 0
        began = monotonic()
        publisher.stop(0.5)
        assert monotonic() - began < 2


def test_a_connection_asks_for_its_session_and_leaves_a_will(fake, kitchen_fleet, hand_clock):
    broker = fake(never_acknowledge)
    with publisher_of(kitchen_fleet, broker.address, hand_clock(START_MS + 7)) as publisher:
        turn_until(publisher, lambda: publisher.connected)
        publisher.stop(0.1)
    first, body = broker.packets[0]
    assert first >> 4 == 1
    flags = body[7]
    assert flags == 0b00101100, "will, at least once, retained; session kept"
    assert b"sw-kitchen-s001-s001-gw" in body
    assert b"sw/kitchen/s001/s001-gw/status" in body
    assert b'{"t":%d,"state":"offline"}' % (START_MS + 7) in body


def test_what_does_not_fit_into_the_buffers_is_counted(kitchen_fleet, hand_clock):
    with publisher_of(kitchen_fleet, Broker(url="mqtt://127.0.0.1:1"), hand_clock(START_MS)) as publisher:
        publisher.offer(sample(START_MS + n, 1) for n in range(2880 + 25))
        assert publisher.dropped == 25
        assert publisher.messages == 0
        assert publisher.lag_ms(START_MS) is None


def test_one_device_with_much_to_say_does_not_keep_the_others_waiting(fake, kitchen_fleet, hand_clock):
    broker = fake(never_acknowledge)
    with publisher_of(kitchen_fleet, broker.address, hand_clock(START_MS)) as publisher:
        publisher.offer(sample(START_MS + n, 1) for n in range(2880))
        publisher.offer(sample(START_MS + n, 2) for n in range(3))
        turn_until(publisher, lambda: len(broker.published()) >= 6 + 25)
        publisher.stop(0.1)
    spoke = [b"fridge-1" in body for _, body in broker.published() if b"telemetry" in body]
    assert spoke[:2] == [True, False]


# --- grouping


def test_there_is_one_gateway_for_a_parent_and_its_children(two_kitchens):
    fleet = Fleet(KITCHEN, two_kitchens, seed=1, start_ms=START_MS)
    found = gateways(fleet, root="sw", boot="b")
    assert [g.client_id for g in found] == ["sw-kitchen-s001-s001-gw", "sw-kitchen-s002-s002-gw"]
    assert Counter(n for g in found for n in g.devices) == Counter(range(12))


def test_a_device_without_its_parent_speaks_for_itself(two_kitchens):
    lone = [replace(two_kitchens[1], parent=""), two_kitchens[8]]
    found = gateways(Fleet(KITCHEN, lone, seed=1, start_ms=START_MS), root="sw", boot="b")
    assert [g.client_id for g in found] == ["sw-kitchen-s001-s001-fridge-1", "sw-kitchen-s002-s002-fridge-2"]
    assert [list(g.devices) for g in found] == [[0], [1]]


def test_gateways_of_different_sites_may_have_one_name(two_kitchens):
    renamed = [replace(d, device=d.device[5:], parent=d.parent[5:]) for d in two_kitchens]
    found = gateways(Fleet(KITCHEN, renamed, seed=1, start_ms=START_MS), root="sw", boot="b")
    assert [len(list(g.devices)) for g in found] == [6, 6]


def test_a_caller_may_take_samples_a_few_at_a_time(kitchen_fleet, two_kitchens):
    whole = list(Schedule(Fleet(KITCHEN, two_kitchens[:6], seed=1, start_ms=START_MS)).due(START_MS + 14_400_000))
    schedule, found = Schedule(kitchen_fleet), []
    while len(found) < len(whole):
        found += islice(schedule.due(START_MS + 14_400_000), 7)
    assert found == whole
