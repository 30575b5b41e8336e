"""Metrics of the server, for Prometheus."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

if TYPE_CHECKING:
    from memn2n.serve.models import Models

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class RequestMetrics:
    """Counters and times of the requests to one server, and the lengths of its models' queues."""

    def __init__(self, models: Models) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter("memn2n_requests", "Requests answered.", ("route", "status"), registry=self._registry)
        self._seconds = Histogram(
            "memn2n_request_seconds", "Seconds from the request's headers to the end of the response.", ("route",),
            buckets=_SECONDS, registry=self._registry,
        )  # fmt: skip
        self._asked = Counter(
            "memn2n_asked", "Questions and texts that each model has answered.", ("model",), registry=self._registry
        )
        waiting = Gauge("memn2n_waiting", "Jobs waiting for each model.", ("model",), registry=self._registry)
        for model in models.all:
            self._asked.labels(model.name)
            waiting.labels(model.name).set_function(partial(getattr, model.queue, "waiting"))

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count a request.

        Args:
            route: the path as the API documents it. Each different one is a new time series.
            status: the HTTP status; 0 if no response was sent.
            seconds: duration of the request.
        """
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def asked(self, model: str, questions: int = 1) -> None:
        """Count questions that a model has answered."""
        self._asked.labels(model).inc(questions)

    def text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self._registry)
