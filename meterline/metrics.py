"""Expose what an operator watches: counters of what was taken in, and the state of the ledger when it is asked.

No label names a tenant or a source: how many there are is not ours to bound.
"""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from ledger.block import Marker
from meterline.installation import Installation
from meterline.upkeep import Upkeep

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The metrics of one service."""

    def __init__(self, installation: Installation, upkeep: Upkeep) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "meterline_requests", "Requests to POST /v1/events by status", ["status"], registry=self._registry
        )
        self._events = Counter("meterline_events", "Events received by outcome", ["outcome"], registry=self._registry)
        self._block_seconds = Histogram(
            "meterline_block_seconds", "Time to store one block", buckets=SECONDS, registry=self._registry
        )
        self._registry.register(_State(installation, upkeep))

    def block_stored(self, marker: Marker, seconds: float) -> None:
        """Count one block."""
        self._block_seconds.observe(seconds)
        for outcome in ("accepted", "conflicts", "quarantined", "duplicates", "rejected"):
            self._events.labels(outcome).inc(getattr(marker, outcome))

    def text(self) -> bytes:
        """The metrics in Prometheus' text format."""
        return generate_latest(self._registry)


class _State(Collector):
    """Gauges that are read from the installation when they are asked for."""

    def __init__(self, installation: Installation, upkeep: Upkeep) -> None:
        self._installation = installation
        self._upkeep = upkeep

    def collect(self) -> Iterator[Metric]:
        """The state of the ledger and the intake."""
        ledger, intake = self._installation.ledger, self._installation.intake
        yield GaugeMetricFamily("meterline_head_block", "Number of the last marked block", ledger.head.block)
        yield GaugeMetricFamily(
            "meterline_anchored_block",
            "Number of the last block whose loss would be seen; /readyz says why it stays behind the head",
            ledger.anchored_block,
        )
        yield GaugeMetricFamily(
            "meterline_usage_waiting_events", "Accepted events that are not in usage yet", ledger.waiting_events
        )
        yield GaugeMetricFamily(
            "meterline_upkeep_put_off",
            "1 while upkeep can't be done; /readyz says why",
            int(bool(self._upkeep.trouble)),
        )
        yield GaugeMetricFamily("meterline_identities", "Identities in the index", intake.index.count)
        yield GaugeMetricFamily("meterline_identity_index_bytes", "Memory of the index", intake.index.nbytes)
        yield GaugeMetricFamily("meterline_inflight_bytes", "Bodies being read or stored", intake.inflight_bytes)
        parts = GaugeMetricFamily("meterline_parts", "Parts of a table: the merges still owed", labels=["table"])
        size = GaugeMetricFamily("meterline_table_bytes", "Bytes of a table on disk", labels=["table"])
        for table, count, _, nbytes in ledger.parts():
            parts.add_metric([table], count)
            size.add_metric([table], nbytes)
        yield parts
        yield size
