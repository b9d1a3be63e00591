"""Starting and stopping the embedded stack; every call leaves it consistent when repeated."""

import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from backend.core.database import Database
from backend.core.exceptions import AppError, Conflict
from backend.core.settings import Settings, load_settings
from backend.embedded.logins import ensure_admin
from backend.embedded.processes import DetachedProcess, tail
from backend.embedded.secrets import FILE_NAME, ensure_embedded_env, is_port_free
from backend.jobs.presence import is_working
from backend.words import N_, Message
from labeling.label_studio.server import LabelStudioServer

API_SECONDS = 60.0
"""Chosen: a cold start on a slow disk, with room to spare."""
WORKER_SECONDS = 60.0
"""The same."""
UNHEALTHY_SECONDS = 20.0
"""Chosen: a process that lives but is silent so long will not answer."""
STOP_SECONDS = {"worker": 40.0, "api": 10.0, "label-studio": 15.0}
"""Before it is killed. Chosen: a job of the worker gets ten seconds more than the 30 to its next
safe point."""
COMMAND = (sys.executable, "-m", "backend.cli")

Progress = Callable[[float, str], None]


class StackNotStarted(AppError):
    """A process of the embedded stack did not come up."""

    title = N_("Stack not started")


@dataclass(frozen=True)
class ServiceStatus:
    """One process of the stack."""

    name: str
    pid: int | None
    is_healthy: bool
    url: str | None
    log: Path


class EmbeddedStack:
    """Label Studio, API and worker of one data directory."""

    def __init__(self, data_dir: Path, *, command: tuple[str, ...] = COMMAND) -> None:
        self.data_dir = data_dir.absolute()
        self._command = command
        self._runs = self.data_dir / "run"
        self._logs = self.data_dir / "logs"

    def up(self, progress: Progress = lambda _fraction, _message: None) -> Settings:
        """All three answer; what already did is left alone. The settings they run with.

        Raises:
            StackNotStarted: the API or the worker died or did not answer; with its last words.
            LabelStudioNotStarted: the same of Label Studio.
            Conflict: another ``up`` or ``down`` is at work on this data directory.
        """
        values = ensure_embedded_env(self.data_dir)
        with self._alone():
            settings = self._settings()
            with ThreadPoolExecutor(max_workers=1) as pool:
                label_studio = pool.submit(self._ensure_label_studio, settings, values, progress)
                self._migrate()
                ensure_admin(settings, values)
                self._ensure_api(settings)
                self._ensure_worker(settings)
                self._await(label_studio, progress)
        progress(1.0, Message("everything answers"))
        return settings

    def down(self, progress: Progress = lambda _fraction, _message: None) -> list[str]:
        """Nothing of ours runs any more; the names of what did."""
        if not self._runs.exists():
            return []
        stopped = []
        with self._alone():
            for number, (name, timeout) in enumerate(STOP_SECONDS.items()):
                progress(number / len(STOP_SECONDS), Message("stopping {name}", name=name))
                if self._process(name).stop(timeout):
                    stopped.append(name)
        progress(1.0, Message("everything is stopped"))
        return stopped

    def reset(self) -> None:
        """The stack is stopped and its data directory gone.

        Raises:
            Conflict: the directory does not look like one of ours.
        """
        if not self.data_dir.exists():
            return
        if not (self.data_dir / FILE_NAME).exists():
            raise Conflict(
                Message(
                    "{folder} has no {file}: it is not a data directory of `assay up`.",
                    folder=self.data_dir,
                    file=FILE_NAME,
                ),
                field="data_dir",
                value=str(self.data_dir),
                remedy=Message("Set ASSAY_DATA_DIR to the right one, or delete it yourself."),
            )
        self.down()
        shutil.rmtree(self.data_dir)

    def status(self) -> list[ServiceStatus]:
        """The three processes, in the order they are started."""
        if not (self.data_dir / FILE_NAME).exists():
            return []
        settings = self._settings()
        api_url = f"http://{settings.host}:{settings.port}"
        answers = {
            "label-studio": (settings.label_studio_url, _answers(settings.label_studio_url)),
            "api": (api_url, _answers(api_url)),
            "worker": (None, self._worker_works(settings)),
        }
        return [
            ServiceStatus(
                name=name,
                pid=(pid := self._process(name).pid),
                is_healthy=pid is not None and is_healthy,
                url=url,
                log=self.log_file(name),
            )
            for name, (url, is_healthy) in answers.items()
        ]

    def log_file(self, name: str) -> Path:
        """Where the process's output goes."""
        if name == "label-studio":
            return self.data_dir / "label-studio" / "server.log"
        return self._logs / f"{name}.log"

    def _settings(self) -> Settings:
        return load_settings(data_dir=self.data_dir)

    def _process(self, name: str) -> DetachedProcess:
        return DetachedProcess(self._runs / f"{name}.json")

    @property
    def _environment(self) -> dict[str, str]:
        return os.environ | {"ASSAY_DATA_DIR": str(self.data_dir), "PYTHONUNBUFFERED": "1"}

    def _ensure_label_studio(
        self, settings: Settings, values: dict[str, str], progress: Progress
    ) -> None:
        address = urlsplit(settings.label_studio_url)
        token = settings.label_studio_token
        server = LabelStudioServer(
            executable=settings.label_studio_bin,
            data_dir=self.data_dir / "label-studio",
            port=address.port or 80,
            host=address.hostname or "127.0.0.1",
            email=values["ASSAY_LABEL_STUDIO_EMAIL"],
            password=values["ASSAY_LABEL_STUDIO_PASSWORD"],
            token=token.get_secret_value() if token else "",
        )
        process = self._process("label-studio")
        if not self._becomes_healthy(process, server.is_up):
            process.adopt(server.start(progress))

    def _ensure_api(self, settings: Settings) -> None:
        url = f"http://{settings.host}:{settings.port}"
        process = self._process("api")
        if self._becomes_healthy(process, lambda: _answers(url)):
            return
        if not is_port_free(settings.port, settings.host):
            raise StackNotStarted(
                Message("Port {port} on {host} is taken.", port=settings.port, host=settings.host),
                field="port",
                value=settings.port,
                remedy=Message("Stop what listens there, or set ASSAY_PORT to another port."),
            )
        process.start([*self._command, "serve"], self._environment, self.log_file("api"))
        self._await_health("api", lambda: _answers(url), API_SECONDS)

    def _ensure_worker(self, settings: Settings) -> None:
        process = self._process("worker")
        if self._becomes_healthy(process, lambda: self._worker_works(settings)):
            return
        process.start([*self._command, "worker"], self._environment, self.log_file("worker"))
        self._await_health("worker", lambda: self._worker_works(settings), WORKER_SECONDS)

    def _worker_works(self, settings: Settings) -> bool:
        pid = self._process("worker").pid
        if pid is None:
            return False
        database = Database(settings.store_url)
        try:
            return is_working(database, pid)
        finally:
            database.dispose()

    def _migrate(self) -> None:
        log = self.log_file("migrate")
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            ended = subprocess.run(
                [*self._command, "migrate"],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if ended.returncode != 0:
            raise StackNotStarted(
                Message("The store could not be migrated:\n{tail}", tail=tail(log)),
                remedy=Message("See {log}.", log=log),
            )

    def _becomes_healthy(self, process: DetachedProcess, is_healthy: Callable[[], bool]) -> bool:
        """True if it lives and answers; one that lives but stays silent is stopped."""
        deadline = time.monotonic() + UNHEALTHY_SECONDS
        while process.is_alive:
            if is_healthy():
                return True
            if time.monotonic() > deadline:
                process.stop(STOP_SECONDS[process.record.stem])
                return False
            time.sleep(0.2)
        return False

    def _await_health(self, name: str, is_healthy: Callable[[], bool], seconds: float) -> None:
        process, log = self._process(name), self.log_file(name)
        deadline = time.monotonic() + seconds
        while not is_healthy():
            if not process.is_alive:
                raise StackNotStarted(
                    Message("The {name} process ended at once:\n{tail}", name=name, tail=tail(log)),
                    remedy=Message("See {log}.", log=log),
                )
            if time.monotonic() > deadline:
                process.stop(STOP_SECONDS[name])
                raise StackNotStarted(
                    Message(
                        "The {name} process did not answer within {seconds:.0f} s.",
                        name=name,
                        seconds=seconds,
                    ),
                    remedy=Message("See {log}.", log=log),
                )
            time.sleep(0.1)

    def _await(self, label_studio: "Future[None]", progress: Progress) -> None:
        if not label_studio.done():
            progress(0.0, Message("API and worker run; Label Studio is starting"))
        label_studio.result()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self._runs.mkdir(parents=True, exist_ok=True)
        with (self._runs / "stack.lock").open("w") as file:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise Conflict(
                    Message(
                        "Another command is starting or stopping the stack in {folder}.",
                        folder=self.data_dir,
                    ),
                    remedy=Message("Wait until it has ended, then try again."),
                ) from None
            yield


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=2.0).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
