"""Dead letters tried again in the chain: each comes to its right time, the sum stays, and nothing live moves."""

import numpy as np
import pytest

from records import START_MS, control, messages, telemetry, told, topic
from scenewatch.ledger.retry import encode_retry
from scenewatch.model.errors import CorruptError
from scenewatch.model.flags import Place
from scenewatch.model.ledger import NOWHERE, Counts, DeadLetter, of_site
from scenewatch.model.place import Device
from scenewatch.model.ports import RecordKind
from scenewatch.pipeline import Pipeline, encode_inventory

LATER_MS = START_MS + 3_600_000
STRANGER = Device(scene="brine", site="w1", device="vat-7", type="vat")


class Chain:
    """A pipeline, and the table of dead letters as it would be."""

    def __init__(self, scene, devices):
        self.pipeline = Pipeline([scene], "sw")
        self.letters = {}
        self.stored = set()
        self.transitions = []
        self.devices = list(devices)
        self.know(*devices)

    def run(self, record):
        outcome = self.pipeline.run(record)
        batch = outcome.batch
        self.transitions += outcome.transitions
        self.letters |= {d.position: d for d in batch.dead}
        for tried in batch.tried:
            if tried.reason is None:
                del self.letters[tried.position]
            else:
                old = self.letters[tried.position]
                self.letters[tried.position] = DeadLetter(
                    old.position, old.received_ms, old.topic, old.payload, tried.reason, old.owner
                )
        kept = batch.place != Place.DUPLICATE
        rows = zip(batch.series[kept].tolist(), batch.t_ms[kept].tolist(), batch.value[kept].tolist(), strict=True)
        for series, t_ms, value in rows:
            if (series, t_ms) not in {(s, t) for s, t, _ in self.stored}:  # the store's own rule
                self.stored.add((series, t_ms, value))
        assert self.balanced()
        return outcome

    def know(self, *devices):
        self.devices = list({d.id: d for d in [*self.devices, *devices]}.values())
        body = encode_inventory(self.devices)
        self.run(control(self.pipeline.position, START_MS, RecordKind.INVENTORY, body))

    def send(self, at_ms, *pairs):
        return self.run(messages(self.pipeline.position, at_ms, pairs))

    def retry(self, *letters):
        body = encode_retry(letters or list(self.letters.values()))
        return self.run(control(self.pipeline.position, LATER_MS, RecordKind.RETRY, body))

    def balanced(self):
        sums = self.pipeline.tally.devices(20).sum(axis=0) + self.pipeline.tally.others(5).sum(axis=0)
        c = self.pipeline.counts
        return sums[:3].tolist() == [c.stored, c.duplicate, c.dead] and c.positions == self.pipeline.position

    def of(self, device):
        number = self.pipeline.registry.number(f"brine.w1.{device}")
        return self.pipeline.tally.devices(20)[number].tolist()

    def readings(self, device, channel=0):
        number = self.pipeline.registry.number(f"brine.w1.{device}")
        series = self.pipeline.registry.first_series[number] + channel
        return sorted((t - START_MS, value) for s, t, value in self.stored if s == series)


@pytest.fixture
def chain(vat_scene, vats):
    return Chain(vat_scene, vats)


def from_stranger(n, *, temp=95, boot="x"):
    at_ms = START_MS + n * 10_000
    return at_ms, (topic("vat-7"), telemetry(at_ms, b=boot, n=n, temp=temp))


def test_what_an_unknown_device_sent_comes_to_its_time_when_it_is_known(chain):
    for n in range(4):
        chain.send(*from_stranger(n))
    assert (chain.pipeline.counts.dead, chain.letters[2].owner) == (4, of_site(0))
    chain.know(STRANGER)
    outcome = chain.retry()
    assert outcome.batch.counts == Counts(stored=4, dead=-4, control=1)
    assert [(t.position, t.reason) for t in outcome.batch.tried] == [(p, None) for p in (1, 2, 3, 4)]
    assert chain.readings("vat-7") == [(n * 10_000, 95.0) for n in range(4)]
    assert chain.of("vat-7") == [4, 0, 0, 0]
    assert not chain.pipeline.tally.others(2).any()
    assert chain.letters == {}


def test_it_raises_no_alarm_and_shows_nothing_as_now(chain):
    for n in range(8):  # long and hot enough for a live alarm
        chain.send(*from_stranger(n))
    chain.know(STRANGER)
    chain.retry()
    series = chain.pipeline.registry.first_series[chain.pipeline.registry.number(STRANGER.id)]
    assert chain.transitions == []
    assert np.isnan(chain.pipeline.quality.last(slice(series, series + 1)).value).all()
    live = chain.send(LATER_MS, (topic("vat-7"), telemetry(LATER_MS, b="x", n=8, temp=20)))
    assert live.batch.place.tolist() == [Place.NEW]


def test_what_it_told_is_history_and_has_its_own_place_in_the_journal(chain):
    lid = told(START_MS, "lid_open", b="x", n=0, text="early")
    chain.send(START_MS + 5, (topic("vat-7", "event"), lid))
    chain.send(START_MS + 5, (topic("vat-7", "result"), b'{"id": "c1", "ok": true}'))
    chain.know(STRANGER)
    outcome = chain.retry()
    [event] = outcome.events
    assert (event.position, event.at_ms, event.received_ms, event.live) == (1, START_MS, START_MS + 5, False)
    assert [(r.position, r.command) for r in outcome.results] == [(2, "c1")]
    assert chain.send(LATER_MS, (topic("vat-7", "event"), lid)).events == []
    assert chain.of("vat-7")[:2] == [2, 1]


def test_it_is_received_when_it_was_received(chain):
    """A clock that was wrong then is mended as it would have been then."""
    wrong = START_MS + 7_200_000
    chain.send(START_MS, (topic("vat-7"), telemetry(wrong, temp=20)))
    chain.know(STRANGER)
    chain.retry()
    assert chain.readings("vat-7") == [(0, 20.0)]


def test_what_the_device_has_sent_again_since_is_a_duplicate(chain):
    sent = [from_stranger(n) for n in range(3)]
    for one in sent:
        chain.send(*one)
    chain.know(STRANGER)
    chain.send(LATER_MS - 1, sent[1][1])
    outcome = chain.retry()
    assert outcome.batch.counts == Counts(stored=2, duplicate=1, dead=-3, control=1)
    assert chain.readings("vat-7") == [(0, 95.0), (10_000, 95.0), (20_000, 95.0)]
    assert chain.of("vat-7") == [3, 1, 0, 0]


def test_unnumbered_ones_are_known_by_their_content(chain):
    pair = topic("vat-7"), telemetry(START_MS, temp=20)
    chain.send(START_MS, pair, pair)
    chain.know(STRANGER)
    assert chain.retry().batch.counts == Counts(stored=1, duplicate=1, dead=-2, control=1)


def test_what_was_taken_before_fills_the_gap_it_left(chain):
    vat = topic("vat-1")
    bad = b'{"t": %d, "b": "x", "n": 1, "v": {"ph": 7}}' % START_MS
    chain.send(START_MS, (vat, telemetry(START_MS, b="x", n=0, temp=20)), (vat, bad))
    chain.send(START_MS + 1, (vat, telemetry(START_MS + 1, b="x", n=2, temp=20)))
    assert chain.pipeline.identity.missing(1) == 1
    (letter,) = chain.letters.values()
    mended = DeadLetter(
        letter.position, letter.received_ms, vat, bad.replace(b"ph", b"temp"), letter.reason, letter.owner
    )
    chain.retry(mended)
    assert (chain.pipeline.identity.missing(1), chain.of("vat-1")) == (0, [3, 0, 0, 0])


def test_still_bad_it_stays_with_the_reason_of_today(chain):
    chain.send(START_MS, (topic("vat-7"), b"{"), (topic("vat-1"), b"["))
    chain.know(STRANGER)
    outcome = chain.retry()
    assert outcome.batch.counts == Counts(control=1)
    reasons = {t.position: t.reason.partition(":")[0] for t in outcome.batch.tried}
    assert reasons == {1: "not JSON", 2: "not JSON"}
    assert chain.pipeline.counts.dead == 2


def test_taken_without_some_values_it_is_stored_and_its_letter_stays(chain):
    chain.send(START_MS, (topic("vat-7"), telemetry(START_MS, b="x", n=0, temp="hot", level=50)))
    chain.know(STRANGER)
    outcome = chain.retry()
    assert outcome.batch.counts == Counts(stored=1, dead=-1, control=1)
    assert chain.letters[1].reason.startswith("taken without: temp")
    assert chain.pipeline.values_refused == 1
    again = chain.retry()  # now as what it is: a stored message without a value
    assert (again.batch.counts, chain.pipeline.values_refused) == (Counts(control=1), 1)
    assert chain.readings("vat-7", 1) == [(0, 50.0)]


def test_of_a_message_taken_in_part_only_the_rest_comes_in(chain):
    vat = topic("vat-1")
    body = telemetry(START_MS, b="x", n=0, temp="80", level=50)
    chain.send(START_MS, (vat, body))
    (letter,) = chain.letters.values()
    mended = body.replace(b'"80"', b"80")
    chain.retry(DeadLetter(letter.position, letter.received_ms, vat, mended, letter.reason, letter.owner))
    assert (chain.readings("vat-1", 0), chain.readings("vat-1", 1)) == ([(0, 80.0)], [(0, 50.0)])
    assert (chain.pipeline.counts, chain.pipeline.values_refused) == (Counts(stored=1, control=2), 0)
    assert chain.letters == {}


def test_what_the_store_refused_is_offered_to_it_again(chain):
    """It has a number that is known: only the store can tell what it lacks."""
    pair = topic("vat-1"), telemetry(START_MS, b="x", n=0, temp=20)
    chain.send(START_MS, pair)
    chain.pipeline.counts += Counts(stored=-1, dead=1)  # as in the store's account
    letter = DeadLetter(1, START_MS, *pair, "the store refused temp: field type conflict", owner=1)
    outcome = chain.pipeline.run(
        control(chain.pipeline.position, LATER_MS, RecordKind.RETRY, encode_retry([letter]))
    )
    assert outcome.batch.counts == Counts(stored=1, dead=-1, control=1)
    assert (outcome.batch.value.tolist(), outcome.batch.place.tolist()) == ([20.0], [Place.LATE])
    assert outcome.batch.message.tolist() == [1 - 2]


def test_a_status_of_old_does_not_say_who_is_there_now(chain):
    chain.send(START_MS, (topic("vat-7", "status"), b'{"state": "online"}'))
    chain.know(STRANGER)
    assert chain.retry().batch.counts == Counts(stored=1, dead=-1, control=1)
    assert chain.pipeline.online == {}


def test_a_letter_older_than_a_column_can_say_is_told_at_the_record(chain):
    pair = topic("vat-1"), telemetry(START_MS, temp=20)
    body = encode_retry([DeadLetter(0, START_MS, *pair, "not JSON", NOWHERE)])
    chain.pipeline.position = 2**33
    outcome = chain.pipeline.run(control(2**33, LATER_MS, RecordKind.RETRY, body))
    assert outcome.batch.message.tolist() == [0]


def test_what_is_no_body_is_named(chain):
    with pytest.raises(CorruptError, match="record 1 holds no dead letters"):
        chain.pipeline.run(control(1, LATER_MS, RecordKind.RETRY, b"\x91"))
