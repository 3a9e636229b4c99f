"""`/metrics` in Prometheus text: the ledger and the pipeline's load, in the field's usual names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from scenewatch.api import accounts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client.metrics_core import Metric

    from scenewatch.api.views import View


class WorkerCollector(Collector):
    """Reads the worker's views at each scrape; keeps nothing."""

    def __init__(self, view: View) -> None:
        self._view = view

    def collect(self) -> Iterable[Metric]:
        ledger = self._view.ledger()
        messages = CounterMetricFamily("scenewatch_messages", "Messages by their fate", labels=["fate"])
        for fate in ("stored", "duplicate"):
            messages.add_metric([fate], getattr(ledger.counts, fate))
        yield messages
        yield GaugeMetricFamily("scenewatch_dead_letters", "Messages not taken until now", value=ledger.counts.dead)
        yield CounterMetricFamily("scenewatch_messages_received", "Messages made durable", value=ledger.received)
        yield GaugeMetricFamily(
            "scenewatch_messages_pending", "Received, not yet accounted for", value=ledger.pending
        )
        readings = CounterMetricFamily("scenewatch_readings", "Readings since start", labels=["place"])
        readings.add_metric(["stored"], ledger.readings_stored)
        readings.add_metric(["late"], ledger.readings_late)
        readings.add_metric(["duplicate"], ledger.readings_duplicate)
        yield readings
        flagged = CounterMetricFamily("scenewatch_readings_flagged", "Readings by quality test", labels=["test"])
        for test, count in ledger.by_test.items():
            flagged.add_metric([test], count)
        yield flagged
        yield CounterMetricFamily("scenewatch_values_refused", "Values kept apart", value=ledger.values_refused)
        yield GaugeMetricFamily("scenewatch_journal_bytes", "Journal on disk", value=ledger.journal_bytes)
        yield CounterMetricFamily(
            "scenewatch_journal_positions_lost",
            "Positions that damage made unreadable",
            value=ledger.positions_lost,
        )
        yield GaugeMetricFamily(
            "scenewatch_journal_head", "Position behind the newest record", value=ledger.journal_head
        )
        yield GaugeMetricFamily("scenewatch_store_position", "Position the store has", value=ledger.store_position)
        connected = ledger.source_state == "connected"
        yield GaugeMetricFamily("scenewatch_source_connected", "1 while subscribed at the broker", value=connected)
        events = CounterMetricFamily(
            "scenewatch_source_events", "What befell the broker's connection since start", labels=["event"]
        )
        for event, count in ledger.source_events.items():
            events.add_metric([event], count)
        yield events
        dropped = CounterMetricFamily(
            "scenewatch_records_dropped", "Alarms, events and figures the store will never have", labels=["kind"]
        )
        for kind, count in ledger.records_dropped.items():
            dropped.add_metric([kind], count)
        yield dropped
        yield from self._summaries()
        yield from self._sites()
        standing = GaugeMetricFamily("scenewatch_alarms_standing", "Standing alarms", labels=["priority"])
        alarms = self._view.alarms("standing", 100_000)
        for priority in ("low", "medium", "high"):
            standing.add_metric([priority], sum(a.priority == priority for a in alarms))
        yield standing

    def _summaries(self) -> Iterable[Metric]:
        found = self._view.summaries()
        until = GaugeMetricFamily(
            "scenewatch_summarised_until_seconds", "Time up to which windows are made", labels=["level"]
        )
        for level, at_ms in found.until.items():
            until.add_metric([level], at_ms / 1000)
        yield until
        yield GaugeMetricFamily(
            "scenewatch_summaries_waiting", "Hours of devices to be made anew", value=found.waiting
        )
        yield CounterMetricFamily(
            "scenewatch_summaries_dropped", "Hours of devices not made anew: part may be gone", value=found.dropped
        )

    def _sites(self) -> Iterable[Metric]:
        """Dead letters are a gauge: each one that is tried again and taken makes them fewer."""
        found = accounts.by_site(self._view)
        messages = CounterMetricFamily("scenewatch_site_messages", "Messages by fate", labels=["site", "fate"])
        dead = GaugeMetricFamily("scenewatch_site_dead_letters", "Messages not taken until now", labels=["site"])
        pending = GaugeMetricFamily("scenewatch_site_messages_pending", "On the way to the store", labels=["site"])
        missing = GaugeMetricFamily("scenewatch_site_numbers_missing", "Numbers skipped", labels=["site"])
        for site in (*found["sites"], {"id": "", **found["unassigned"]}):
            for fate in ("stored", "duplicate"):
                messages.add_metric([site["id"], fate], site[fate])
            dead.add_metric([site["id"]], site["dead"])
            pending.add_metric([site["id"]], site["pending"])
            missing.add_metric([site["id"]], site["missing"])
        yield from (messages, dead, pending, missing)
        total = found["total"]
        yield GaugeMetricFamily(
            "scenewatch_numbers_missing", "Numbers that devices skipped", value=total["missing"]
        )
        yield CounterMetricFamily("scenewatch_numbers_reused", "Numbers used twice", value=total["reused"])


def exposition(view: View) -> bytes:
    registry = CollectorRegistry()
    registry.register(WorkerCollector(view))
    return generate_latest(registry)
