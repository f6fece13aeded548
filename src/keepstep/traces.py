"""Sending spans by OpenTelemetry: OTLP over HTTP, set up by the standard OTEL_ variables alone.

Imported only where an endpoint is named (`environment.traces_wanted`); needs the extra `otel`.
Whatever befalls the collector, the work goes on: spans wait in a bounded queue, a thread of the
SDK sends them, and what can't be sent is dropped.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind, Status, StatusCode

from keepstep import __version__, spans
from keepstep.core.errors import KeepstepError
from keepstep.core.failures import FAILURES
from keepstep.spans import Kind, Value

log = logging.getLogger("keepstep.traces")

NOT_SENT = "traces-not-sent"
# The last spans are given so long when the process ends.
END_SECONDS = 3.0

_KINDS = {
    Kind.WITHIN: SpanKind.INTERNAL,
    Kind.CLIENT: SpanKind.CLIENT,
    Kind.SERVER: SpanKind.SERVER,
}


@contextmanager
def sending(command: str) -> Iterator[None]:
    """Send the spans of this process while the block runs, and the last of them at its end.

    `command` is that of keepstep. Raises what the libraries do for OTEL_ variables that can't be.
    """
    # They tell of each batch that fails, in words of their own; `_Noting` tells once.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL + 1)
    provider = TracerProvider(resource=_resource(command), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(_Noting(OTLPSpanExporter())))
    spans.send_to(_opener(provider.get_tracer("keepstep", __version__)))
    try:
        yield
    finally:
        spans.send_to(None)
        # A collector that does not answer would hold the end up for half a minute.
        ending = threading.Thread(target=provider.shutdown, name="keepstep-traces", daemon=True)
        ending.start()
        ending.join(END_SECONDS)


def _resource(command: str) -> Resource:
    """Give what all spans have in common; OTEL_SERVICE_NAME and _RESOURCE_ATTRIBUTES win."""
    ours = Resource.create(
        {
            "service.name": "keepstep",
            "service.version": __version__,
            "host.name": socket.gethostname(),
            "process.pid": os.getpid(),
            "keepstep.command": command,
        }
    )
    return ours.merge(OTELResourceDetector().detect())


def _opener(tracer: trace.Tracer) -> spans.Open:
    @contextmanager
    def opened(name: str, kind: Kind) -> Iterator[spans.Span]:
        # The words of an error could hold an appointment's text: only what is told is kept.
        with tracer.start_as_current_span(
            name, kind=_KINDS[kind], record_exception=False, set_status_on_exception=False
        ) as begun:
            span = _Recorded(begun)
            try:
                yield span
            except BaseException as error:
                span.failed(
                    error.code if isinstance(error, KeepstepError) else type(error).__name__
                )
                raise

    return opened


class _Recorded:
    """A `Span` of OpenTelemetry."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        self.recorded = span.is_recording()

    def rename(self, name: str) -> None:
        """Name it anew."""
        self._span.update_name(name)

    def tell(self, attributes: Mapping[str, Value]) -> None:
        """Add attributes."""
        self._span.set_attributes(attributes)

    def failed(self, code: str) -> None:
        """Mark it as an error of this type."""
        self._span.set_attribute("error.type", code)
        self._span.set_status(Status(StatusCode.ERROR))


class _Noting(SpanExporter):
    """Sends by another exporter, and logs when that begins to fail and when it is over."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._fails = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send a batch; nothing is raised, whatever happens."""
        try:
            result = self._exporter.export(spans)
        except Exception as error:  # noqa: BLE001 - the thread that sends must go on
            log.debug("exporter: %s", type(error).__name__)
            result = SpanExportResult.FAILURE
        self._note(fails=result is not SpanExportResult.SUCCESS)
        return result

    def _note(self, *, fails: bool) -> None:
        if fails and not self._fails:
            failure = FAILURES[NOT_SENT]
            log.warning("%s %s", failure.message, failure.remedy, extra={"code": NOT_SENT})
        elif self._fails and not fails:
            log.info("traces are sent again")
        self._fails = fails

    def shutdown(self) -> None:
        """Release connections."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Do nothing: nothing is held back here."""
        return self._exporter.force_flush(timeout_millis)
