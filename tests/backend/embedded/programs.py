"""Small programs in the place of the API and Label Studio, and the real worker without jobs.

What is tested is how processes are started, found, repaired and stopped; the end-to-end
tests run the same stack with the real programs.
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from backend.core.clock import utc_now
from backend.core.database import Database
from backend.core.migrations import upgrade
from backend.core.settings import get_settings
from backend.jobs.registry import Registry
from backend.worker import run_worker

LABEL_STUDIO = """\
#!{python}
import sys
sys.path.insert(0, {root!r})
from tests.backend.embedded.programs import answer
answer(int(sys.argv[sys.argv.index("--port") + 1]))
"""


class Answer(BaseHTTPRequestHandler):
    """200 to everything, but for who has not the token of the first start.

    As Label Studio does, it keeps that token and tells it to whoever logs in.
    """

    def do_GET(self) -> None:
        known = Path("token.txt")
        if not known.exists():
            known.write_text(os.environ.get("LABEL_STUDIO_USER_TOKEN", ""))
        token = known.read_text()
        asked = self.path == "/api/current-user/whoami"
        is_refused = asked and self.headers["Authorization"] != f"Token {token}"
        body = {
            "/api/current-user/token": json.dumps({"token": token}),
            "/user/login/": '<input name="csrfmiddlewaretoken" value="x">',
        }.get(self.path, "")
        self.answer(401 if is_refused else 200, body)

    def do_POST(self) -> None:
        self.answer(302 if self.path == "/user/login/" else 200, "")

    def answer(self, status: int, body: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())


def answer(port: int) -> None:
    HTTPServer(("127.0.0.1", port), Answer).serve_forever()


def write_label_studio(path: Path) -> Path:
    """An executable that answers on the port it is given."""
    root = str(Path(__file__).parents[3])
    path.write_text(LABEL_STUDIO.format(python=sys.executable, root=root))
    path.chmod(0o755)
    return path


def main(command: str) -> None:
    settings = get_settings()
    if command == "migrate":
        upgrade(settings.store_url)
    elif command == "serve":
        if (settings.data_dir / "broken-api").exists():
            sys.exit("the API can not start: broken on purpose")
        answer(settings.port)
    elif command == "worker":
        run_worker(Database(settings.store_url), settings, Registry(), utc_now)


if __name__ == "__main__":
    main(sys.argv[1])
