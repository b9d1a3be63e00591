"""Small programs in the place of the API and Label Studio, and the real worker without jobs.

What is tested is how processes are started, found, repaired and stopped; the end-to-end
tests run the same stack with the real programs.
"""

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
    """200 to everything."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()


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
