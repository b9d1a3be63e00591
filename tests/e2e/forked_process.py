"""``assay COMMAND`` as a process that starts at once.

Each is forked from a server that has imported everything already: a process of its own,
which can be killed like any other, without the seven seconds of CPU time of its imports.
"""

import importlib
import multiprocessing
import os
import sys
from multiprocessing.process import BaseProcess
from pathlib import Path

from tests.e2e.dying_process import arm

IMPORTED = [
    "tests.e2e.forked_process",
    "backend.app",
    "backend.worker",
    "backend.cli.server",
    "backend.bootstrap",
    "backend.annotations.jobs",
    "backend.label_studio.jobs",
    "backend.selection.jobs",
    "backend.ingestion.jobs",
    "backend.training.jobs",
    "label_studio_sdk",
    "uvicorn",
]
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(IMPORTED)


class ForkedProcess:
    """A running ``assay ARGUMENTS``, with the methods of ``subprocess.Popen`` that tests use.

    Its output goes to the end of ``log_file``; what it says on stderr, too, unless
    ``error_file`` is given.
    """

    def __init__(
        self,
        *arguments: str,
        environment: dict[str, str],
        log_file: Path,
        error_file: Path | None = None,
        dying_at: str | None = None,
    ) -> None:
        os.environ.setdefault("OMP_NUM_THREADS", "1")  # read by the server's libraries on import
        self._process: BaseProcess = CONTEXT.Process(
            target=run, args=(arguments, environment, log_file, error_file or log_file, dying_at)
        )
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        assert self._process.exitcode is not None, f"still running after {timeout} s"
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self._process.kill()


def run(
    arguments: tuple[str, ...],
    environment: dict[str, str],
    log_file: Path,
    error_file: Path,
    dying_at: str | None,
) -> None:
    """Become ``assay ARGUMENTS``."""
    for stream, path in ((1, log_file), (2, error_file)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), stream)
    os.environ.clear()
    os.environ.update(environment)
    if dying_at is not None:
        arm(dying_at)
    app = importlib.import_module("backend.cli").app
    sys.argv = ["assay", *arguments]
    app()
