"""Counts and times calls by method and code."""

import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import REGISTRY
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from laurel_server.metrics import SECONDS
from laurel_server.rpc.context import CallContext
from laurel_server.rpc.interceptors.handler import Handler, Payload
from laurel_server.rpc.methods import Method

_METHOD = ("service", "method")


class Metrics:
    """Rate, errors and duration by method. Streams are not timed: they last as long as somebody watches."""

    name = "metrics"

    def wrap(self, method: Method, handler: Handler) -> Handler:
        """Return a measured handler."""
        record = _COLLECTOR.record_of(method)

        async def measured(request: Payload, call: CallContext) -> Payload | None:
            record.running += 1
            try:
                return await handler(request, call)
            finally:
                record.end(call)

        return measured


class _Record:
    """The calls of one method, in plain numbers: only the event loop changes them, so they need no lock."""

    __slots__ = ("buckets", "codes", "method", "running", "seconds")

    def __init__(self, method: Method) -> None:
        self.method = method
        self.running = 0
        self.codes: Counter[str] = Counter()
        self.buckets = [0] * (len(SECONDS) + 1)
        self.seconds = 0.0

    def end(self, call: CallContext) -> None:
        """Count a call that has ended."""
        took = time.monotonic() - call.started_at
        self.running -= 1
        self.codes[call.code] += 1
        self.buckets[bisect_left(SECONDS, took)] += 1
        self.seconds += took

    @property
    def labels(self) -> tuple[str, str]:
        """Service and method."""
        return self.method.service, self.method.name


class _Collector(Collector):
    """Makes metrics of the records when somebody looks."""

    def __init__(self) -> None:
        self._records: dict[str, _Record] = {}

    def record_of(self, method: Method) -> _Record:
        """Return the record of `method`, which several servers in a process share."""
        return self._records.setdefault(method.full_name, _Record(method))

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics of calls."""
        calls = CounterMetricFamily("laurel_rpc_calls", "Calls that have ended.", labels=(*_METHOD, "code"))
        duration = HistogramMetricFamily("laurel_rpc_seconds", "Time from call to answer.", labels=_METHOD)
        running = GaugeMetricFamily("laurel_rpc_in_flight", "Unary calls under way.", labels=_METHOD)
        streams = GaugeMetricFamily("laurel_rpc_streams", "Streams that are open.", labels=_METHOD)
        for record in self._records.values():
            for code, count in record.codes.items():
                calls.add_metric((*record.labels, code), count)
            if record.method.server_streaming:
                streams.add_metric(record.labels, record.running)
            else:
                running.add_metric(record.labels, record.running)
                duration.add_metric(record.labels, _cumulative(record.buckets), record.seconds)
        yield from (calls, duration, running, streams)


def _cumulative(buckets: list[int]) -> list[tuple[str, float]]:
    bounds = (*(str(float(bound)) for bound in SECONDS), "+Inf")
    return list(zip(bounds, accumulate(buckets), strict=True))


_COLLECTOR = _Collector()
REGISTRY.register(_COLLECTOR)
