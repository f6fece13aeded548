"""A collector of traces: OTLP over HTTP on a real socket, as OpenTelemetry's own protocol says."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.proto.trace.v1.trace_pb2 import Status as ProtocolStatus

Value = str | int | float | bool
_PROTOBUF = "application/x-protobuf"


@dataclass(frozen=True, slots=True)
class Seen:
    """A span as it arrived; `resource` is what its process told of itself."""

    name: str
    id: str
    parent: str
    trace: str
    kind: int
    failed: bool
    milliseconds: float
    attributes: dict[str, Value]
    resource: dict[str, Value]


@dataclass(slots=True)
class Collector:
    """What has arrived so far. `status` is what each call is answered with."""

    url: str = ""
    status: int = 200
    calls: int = 0
    bodies: list[bytes] = field(default_factory=list)

    @property
    def spans(self) -> list[Seen]:
        """All spans, in the order of their arrival."""
        return [each for body in list(self.bodies) for each in _spans_in(body)]

    def named(self, name: str) -> list[Seen]:
        """The spans of this name."""
        return [each for each in self.spans if each.name == name]


@contextmanager
def collecting() -> Iterator[Collector]:
    """Collect on a free port of this machine while the block runs."""
    collector = Collector()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    runner = asyncio.run_coroutine_threadsafe(_listen(collector), loop).result(10)
    try:
        yield collector
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _listen(collector: Collector) -> web.AppRunner:
    async def take(request: web.Request) -> web.Response:
        collector.calls += 1
        assert request.content_type == _PROTOBUF
        body = await request.read()
        if collector.status == 200:
            collector.bodies.append(body)
        answer = ExportTraceServiceResponse().SerializeToString()
        return web.Response(status=collector.status, body=answer, content_type=_PROTOBUF)

    application = web.Application()
    application.router.add_post("/v1/traces", take)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    collector.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    return runner


def _spans_in(body: bytes) -> Iterator[Seen]:
    for told in ExportTraceServiceRequest.FromString(body).resource_spans:
        resource = _values(told.resource.attributes)
        for scope in told.scope_spans:
            yield from (_seen(each, resource) for each in scope.spans)


def _seen(span: Span, resource: dict[str, Value]) -> Seen:
    return Seen(
        span.name,
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.trace_id.hex(),
        span.kind,
        span.status.code == ProtocolStatus.STATUS_CODE_ERROR,
        (span.end_time_unix_nano - span.start_time_unix_nano) / 1e6,
        _values(span.attributes),
        resource,
    )


def _values(attributes: list[KeyValue]) -> dict[str, Value]:
    return {each.key: _value(each.value) for each in attributes}


def _value(value: AnyValue) -> Value:
    held = value.WhichOneof("value")
    assert held is not None
    found = getattr(value, held)
    assert isinstance(found, str | int | float | bool)
    return found
