"""A stand-in for a Label Studio in which nothing happens, for benchmarks of what stands idle."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@contextmanager
def quiet_label_studio() -> Iterator[tuple[str, dict[int, str]]]:
    """URL of a server that knows the projects named in the dict (id to marker) and no tasks."""
    markers: dict[int, str] = {}

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0].rstrip("/")
            body: Any = {"tasks": [], "total": 0}
            if path.startswith("/api/projects/"):
                number = int(path.split("/")[3])
                body = {"id": number, "description": markers[number], "task_number": 0}
            content = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: object) -> None:
            """Silence."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", markers
    finally:
        server.shutdown()
        server.server_close()
