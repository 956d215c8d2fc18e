# SPDX-FileCopyrightText: Copyright (c) 2026 The nixl-stripe authors
# SPDX-License-Identifier: Apache-2.0
"""Metrics over HTTP. Whoever can reach the port may read them, and can do no more than that.

A caller that says nothing, or reads nothing, is left after some seconds; of a crowd the one who has
been there longest goes first, so that a scrape is answered whoever else is there.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Any

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from nixl_stripe.proof.exposition import content_type, text_of

#: Callers at a time, and seconds for which one may keep the connection waiting.
MAX_CALLERS, CALLER_S = 32, 10.0
SAME_S = 0.2
"""Seconds for which callers are given the same text: their number does not make work."""


class MetricsServer(ThreadingMixIn, TCPServer):
    """Listens at an address, or a host's first one; port 0: any. Ends with `stop`.

    OSError: it cannot listen there.
    """

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = MAX_CALLERS

    def __init__(self, metrics: Collector, address: str, port: int) -> None:
        found = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
        self.address_family, place = found[0], found[4]
        self.metrics = metrics
        self._callers: dict[Any, None] = {}
        self._lock = threading.Lock()
        self._texts: dict[str, bytes] = {}
        self._made_at = 0.0
        self._families: list[Metric] = []
        self._making = threading.Lock()
        super().__init__(place, _Handler)  # type: ignore[arg-type]  # a scope may be in it
        self.port: int = self.server_address[1]
        self.thread = threading.Thread(target=self.serve_forever, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        """Close the port."""
        self.shutdown()
        self.server_close()

    def text(self, content: str) -> bytes:
        """Return the metrics in a form, SAME_S old at most."""
        with self._making:
            if time.monotonic() - self._made_at >= SAME_S:
                self._texts.clear()
            if not self._texts:
                self._families = list(self.metrics.collect())
                self._made_at = time.monotonic()
            if content not in self._texts:
                self._texts[content] = text_of(self._families, content)
            return self._texts[content]

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread; see MAX_CALLERS."""
        with self._lock:
            if len(self._callers) >= MAX_CALLERS:
                longest = next(iter(self._callers))
                del self._callers[longest]
                with contextlib.suppress(OSError):  # it may have gone just now
                    longest.shutdown(socket.SHUT_RDWR)  # which ends its thread
            self._callers[request] = None
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget a caller."""
        with self._lock:
            self._callers.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Pass over callers that went away; a fault of ours is shown."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """`/metrics` and `/` are the metrics."""

    server: MetricsServer
    timeout = CALLER_S
    server_version, sys_version = "nixl-stripe", ""

    def do_GET(self) -> None:
        """Send the metrics as they are now, in the form that is asked for."""
        body = self._head()
        if body:
            self.wfile.write(body)

    def do_HEAD(self) -> None:
        """Send what stands before the metrics."""
        self._head()

    def _head(self) -> bytes:
        if self.path.partition("?")[0] not in ("/", "/metrics"):
            self.send_error(404, "accepted is /metrics")
            return b""
        content = content_type(self.headers.get("Accept", ""))
        body = self.server.text(content)
        self.send_response(200)
        self.send_header("Content-Type", content)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        return body

    def log_message(self, format: str, *args: object) -> None:
        """Keep what callers send out of the log."""
