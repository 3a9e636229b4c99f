"""However often and however late messages come, each reading is in a real store once, each message counted."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from records import START_MS, control, messages, telemetry, topic
from scenewatch.decode.identity import BOOTS_KEPT
from scenewatch.model.place import Device
from scenewatch.model.ports import RecordKind
from scenewatch.pipeline import Pipeline, encode_inventory
from scenewatch.store.duck import DuckStore

BOOTS = BOOTS_KEPT + 3
VAT = Device(scene="brine", site="w1", device="vat-1", type="vat")


@st.composite
def deliveries(draw):
    """What one device sent, over more boots than are remembered, as a broker may bring it; in records."""
    sent = []
    for boot in range(draw(st.integers(1, BOOTS))):
        numbered = draw(st.booleans())
        for n in range(draw(st.integers(1, 4))):
            at_ms = START_MS + len(sent) * 1000
            named = {"b": f"b{boot}", "n": n} if numbered else {}
            sent.append((at_ms, telemetry(at_ms, **named, temp=len(sent))))
    again = draw(st.lists(st.sampled_from(sent), max_size=20))
    order = draw(st.permutations(again)) if draw(st.booleans()) else again
    whole = sent + order if draw(st.booleans()) else draw(st.permutations(sent + order))
    cuts = sorted(draw(st.sets(st.integers(1, len(whole)), max_size=5)) | {0, len(whole)})
    records = [whole[a:b] for a, b in pairwise(cuts)]
    return dict(sent), records, draw(st.sets(st.integers(0, len(records))))


@settings(deadline=None, max_examples=25)
@given(deliveries())
def test_every_reading_is_stored_once(vat_scene, delivered):
    sent, records, restarts = delivered
    pipeline = Pipeline([vat_scene], "sw")
    with TemporaryDirectory() as folder:
        store = DuckStore(Path(folder) / "readings.duckdb")
        body = encode_inventory([VAT])
        outcomes = [pipeline.run(control(0, START_MS, RecordKind.INVENTORY, body))]
        for k, record in enumerate(records):
            if k in restarts:
                saved, pipeline = b"".join(pipeline.snapshot()), Pipeline([vat_scene], "sw")
                pipeline.restore(saved)
            pairs = [(topic("vat-1"), payload) for _, payload in record]
            outcomes.append(pipeline.run(messages(pipeline.position, START_MS + 1_000_000, pairs)))
        for outcome in outcomes:
            store.write(outcome.batch, pipeline.registry.series_name)
            store.write(outcome.batch, pipeline.registry.series_name)  # as after a crash before it was told
        page = store.readings("brine.w1.vat-1.temp", 0, 2**62, 1000)
        counts = store.counts()
        store.close()
    assert page.t_ms.tolist() == sorted(sent)
    assert page.value.tolist() == [float(k) for k in range(len(sent))]
    received = sum(len(record) for record in records)
    assert (counts.stored + counts.duplicate, counts.dead) == (received, 0)
    assert pipeline.tally.devices(1)[0].tolist() == [counts.stored, counts.duplicate, 0, 0]
