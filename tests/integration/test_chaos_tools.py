"""The chaos test's own tools: links do what they say, and the comparison finds what is wrong."""

import random
import socket
import threading
import time
from collections import Counter
from dataclasses import astuple

import httpx
import pytest
from chaos_devices import Fleet, Letter, Record
from chaos_disk import MIB, NOT_HERE, SmallDisk
from chaos_links import Network
from chaos_mishaps import MISHAPS, draw
from chaos_readback import Differences, compare

from scenewatch.model.place import Device

VALUES = (1.0, 0.0, 2.0, 0.0, 3.0)


@pytest.fixture
def echo():
    """A server that sends back what it gets; its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(connection):
        with connection:
            try:
                while data := connection.recv(65536):
                    connection.sendall(data)
            except ConnectionResetError:
                return

    def accept():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


@pytest.fixture
def link(echo):
    network = Network()
    yield network.link(echo)
    network.end()


@pytest.fixture
def connection(link):
    with socket.create_connection(("127.0.0.1", link.port), timeout=5) as connected:
        connected.sendall(b"one")
        assert connected.recv(3) == b"one"
        yield connected


def test_a_cut_link_resets_its_connections_and_takes_new_ones(link, connection):
    link.cut()
    with pytest.raises(ConnectionResetError):
        connection.recv(1)
    with socket.create_connection(("127.0.0.1", link.port), timeout=5) as again:
        again.sendall(b"two")
        assert again.recv(3) == b"two"


def test_a_refused_link_takes_no_connection_until_it_is_restored_on_its_port(link, connection):
    port = link.port
    link.refuse()
    with pytest.raises(ConnectionResetError):
        connection.recv(1)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
    link.restore()
    with socket.create_connection(("127.0.0.1", port), timeout=5) as again:
        again.sendall(b"two")
        assert again.recv(3) == b"two"


def test_what_is_sent_into_silence_arrives_when_it_is_over(link, connection):
    link.silence()
    connection.sendall(b"two")
    connection.settimeout(0.2)
    with pytest.raises(TimeoutError):
        connection.recv(1)
    link.restore()
    connection.settimeout(5)
    assert connection.recv(3) == b"two"


def test_a_slow_link_passes_so_many_bytes_a_second(link, connection):
    link.slow(100_000)
    began = time.monotonic()
    connection.sendall(bytes(20_000))
    got = 0
    while got < 20_000:
        got += len(connection.recv(65536))
    assert time.monotonic() - began >= 0.2


def test_a_busy_link_answers_every_request_with_503_and_is_past_when_restored(link, connection):
    link.answer_busy()
    with pytest.raises(ConnectionResetError):
        connection.recv(1)
    with httpx.Client(trust_env=False) as client:
        for body in (b"x" * 70_000, b""):
            assert client.post(f"http://127.0.0.1:{link.port}/write", content=body).status_code == 503
    link.restore()
    with socket.create_connection(("127.0.0.1", link.port), timeout=5) as again:
        again.sendall(b"two")
        assert again.recv(3) == b"two"


def test_a_connection_is_reset_when_nobody_listens_behind_the_link():
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        network = Network()
        try:
            dead = network.link(nobody.getsockname()[1])
            with (
                pytest.raises(ConnectionResetError),  # it may come while the connection is still being made
                socket.create_connection(("127.0.0.1", dead.port), timeout=5) as connected,
            ):
                connected.recv(1)
        finally:
            network.end()


def test_a_small_disk_is_filled_to_the_last_byte_and_freed(tmp_path):
    disk = SmallDisk(tmp_path / "disk", 2 * MIB + 4096)
    if not disk.mounted:
        pytest.skip(NOT_HERE)
    try:
        (disk.folder / "some").write_bytes(b"x")
        disk.fill()
        with pytest.raises(OSError, match="No space left"):
            (disk.folder / "more").write_bytes(b"x")
        disk.free()
        (disk.folder / "more").write_bytes(b"x")
    finally:
        disk.end()


def test_what_is_drawn_can_happen_together_and_comes_again_with_its_seed():
    parts = {"mosquitto", "duck"}
    drawn = [draw(random.Random(seed), parts, 3.0) for seed in range(200)]
    assert drawn == [draw(random.Random(seed), parts, 3.0) for seed in range(200)]
    assert {len(one) for one in drawn} == {1, 2, 3}
    for one in drawn:
        assert len({d.mishap.part for d in one}) == len(one)
        assert all(0.2 <= d.for_s <= 3.0 for d in one)
    names = {d.mishap.name for one in drawn for d in one}
    assert names == {m.name for m in MISHAPS if m.needs in {"", *parts}}


@pytest.mark.parametrize(
    ("stored", "letters", "found"),
    [
        pytest.param({"d": [(5, VALUES)]}, [b"bad"], Differences(), id="as sent"),
        pytest.param({"d": []}, [b"bad"], Differences(lost=1), id="lost"),
        pytest.param({"d": [(5, VALUES), (5, VALUES)]}, [b"bad"], Differences(twice=1), id="twice"),
        pytest.param({"d": [(5, VALUES), (6, VALUES)]}, [b"bad"], Differences(strange=1), id="a time never sent"),
        pytest.param(
            {"d": [(5, VALUES)], "e": [(5, VALUES)]}, [b"bad"], Differences(strange=1), id="a device never sent"
        ),
        pytest.param({"d": [(5, (*VALUES[:4], 3.5))]}, [b"bad"], Differences(strange=1), id="another value"),
        pytest.param({"d": [(5, (*VALUES[:4], None))]}, [b"bad"], Differences(strange=1), id="a value missing"),
        pytest.param({"d": [(5, VALUES)]}, [], Differences(letters_lost=1), id="a dead letter lost"),
        pytest.param(
            {"d": [(5, VALUES)]}, [b"bad", b"?"], Differences(letters_strange=1), id="a dead letter never sent"
        ),
        pytest.param({"d": [(5, VALUES)]}, [b"bad", b"bad"], Differences(), id="a dead letter redelivered"),
    ],
)
def test_the_comparison_finds(stored, letters, found):
    record = Record()
    record.places["d"][5] = [VALUES]
    record.letters[b"t", b"bad"] = Letter.NOT_JSON
    differences = compare(record, stored, Counter((b"t", letter) for letter in letters))
    assert astuple(differences) == astuple(found)


def test_a_fleet_sends_every_odd_thing_and_no_number_twice_but_in_the_same_message():
    fleet = Fleet([Device(scene="s", site="a", device=f"d{i}", type="fridge") for i in range(3)], 1)
    messages = [message for t_ms in range(5000) for message in fleet.any(f"s.a.d{t_ms % 3}", t_ms)]
    record = fleet.record
    assert len(messages) > len(set(messages)) > 4500
    assert len(set(messages)) == record.least_received
    assert record.repeats > 0
    assert set(record.letters.values()) == set(Letter)
    assert any(len(told) > 1 for places in record.places.values() for told in places.values())
    assert min(t_ms for places in record.places.values() for t_ms in places) < 0, "no clock was set back"
