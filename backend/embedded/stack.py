"""Starting and stopping the embedded stack; every call leaves it consistent when repeated."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from filelock import FileLock, Timeout
from pydantic import SecretStr

from backend.core.data_directory import ensure_data_directory
from backend.core.database import Database
from backend.core.exceptions import Conflict
from backend.core.settings import Settings, load_settings
from backend.embedded.exceptions import StackNotStarted
from backend.embedded.logins import ensure_admin
from backend.embedded.ports import HOST, check_ports
from backend.embedded.processes import DetachedProcess, tail
from backend.embedded.secrets import FILE_NAME, ensure_embedded_env, read_env, remember
from backend.embedded.start_record import StartRecord
from backend.embedded.states import RunningStack, ServiceStatus
from backend.jobs.presence import is_working
from backend.words import Message, Progress
from labeling.exceptions import OtherToken
from labeling.label_studio.direct import answers
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


class EmbeddedStack:
    """Label Studio, API and worker of one data directory."""

    def __init__(self, data_dir: Path, *, command: tuple[str, ...] = COMMAND) -> None:
        self.data_dir = data_dir.absolute()
        self._command = command
        self._runs = self.data_dir / "run"
        self._logs = self.data_dir / "logs"
        self._record = StartRecord(self._runs / "settings.json")

    def up(self, progress: Progress = lambda _fraction, _message: None) -> RunningStack:
        """All three answer, with the same settings; what already did is left alone.

        Settings that the environment gives are kept for the next time. Where they are not those of
        the processes that run, all of these are stopped and started anew. So they are where the API
        token was reset in Label Studio: the new one is fetched, unless the setting names another.

        Raises:
            ConfigurationError: the data directory cannot be written to.
            StackNotStarted: a port is taken, and nothing was changed; or the API or the worker died
                or did not answer; with its last words.
            LabelStudioNotStarted: the same of Label Studio.
            OtherToken: the environment or ``.env`` gives another token than Label Studio has; if it
                was running, nothing was changed.
            Conflict: another ``up`` or ``down`` is at work on this data directory.
        """
        try:
            return self._up(progress)
        except OtherToken as reset:
            kept = read_env(self.data_dir / FILE_NAME)["ASSAY_LABEL_STUDIO_TOKEN"]
            if self._settings().label_studio_token != SecretStr(kept):
                raise
            remember(self.data_dir, {"ASSAY_LABEL_STUDIO_TOKEN": reset.token})
            return self._up(progress)

    def _up(self, progress: Progress) -> RunningStack:
        with self._alone():
            values = ensure_embedded_env(self.data_dir)
            settings = self._settings()
            pids = [pid for name in STOP_SECONDS if (pid := self._process(name).pid) is not None]
            differences = self._record.differences(settings) if pids else ()
            label_studio = self._label_studio(settings, values)
            check_ports(settings, pids)
            if self._process("label-studio").is_alive and label_studio.is_up():
                label_studio.check_token()
            if differences:
                progress(0.0, "; ".join(differences))
                self._stop(progress)
            self._record.write(settings)
            with ThreadPoolExecutor(max_workers=1) as pool:
                start = pool.submit(self._ensure_label_studio, label_studio, progress)
                self._migrate()
                ensure_admin(settings, values)
                self._ensure_api(settings)
                self._ensure_worker(settings)
                self._await(start, progress)
            remember(self.data_dir, os.environ)
        progress(1.0, Message("everything answers"))
        return RunningStack(settings, differences)

    def down(self, progress: Progress = lambda _fraction, _message: None) -> list[str]:
        """Nothing of ours runs any more; the names of what did."""
        if not self._runs.exists():
            return []
        with self._alone():
            stopped = self._stop(progress)
        progress(1.0, Message("everything is stopped"))
        return stopped

    def _stop(self, progress: Progress) -> list[str]:
        stopped = []
        for number, (name, timeout) in enumerate(STOP_SECONDS.items()):
            progress(number / len(STOP_SECONDS), Message("stopping {name}", name=name))
            if self._process(name).stop(timeout):
                stopped.append(name)
        self._record.delete()
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
        api_url = settings.local_url
        health = {
            "label-studio": (settings.label_studio_url, answers(settings.label_studio_url)),
            "api": (api_url, answers(api_url)),
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
            for name, (url, is_healthy) in health.items()
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

    def _label_studio(self, settings: Settings, values: dict[str, str]) -> LabelStudioServer:
        address = urlsplit(settings.label_studio_url)
        token = settings.label_studio_token
        return LabelStudioServer(
            executable=settings.label_studio_bin,
            data_dir=self.data_dir / "label-studio",
            port=address.port or 80,
            host=address.hostname or HOST,
            email=values["ASSAY_LABEL_STUDIO_EMAIL"],
            password=values["ASSAY_LABEL_STUDIO_PASSWORD"],
            token=token.get_secret_value() if token else "",
        )

    def _ensure_label_studio(self, server: LabelStudioServer, progress: Progress) -> None:
        process = self._process("label-studio")
        if not self._becomes_healthy(process, server.is_up):
            process.adopt(server.start(progress))

    def _ensure_api(self, settings: Settings) -> None:
        process = self._process("api")
        if self._becomes_healthy(process, lambda: answers(settings.local_url)):
            return
        process.start([*self._command, "serve"], self._environment, self.log_file("api"))
        self._await_health("api", lambda: answers(settings.local_url), API_SECONDS)

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
        ensure_data_directory(self.data_dir)
        self._runs.mkdir(parents=True, exist_ok=True)
        try:
            held = FileLock(self._runs / "stack.lock", is_singleton=False).acquire(blocking=False)
        except Timeout:
            raise Conflict(
                Message(
                    "Another command is starting or stopping the stack in {folder}.",
                    folder=self.data_dir,
                ),
                remedy=Message("Wait until it has ended, then try again."),
            ) from None
        with held:
            yield
