"""Processes that outlive the command that started them, found again by a record on disk.

The record holds the process id and when the process started, in seconds since the system did, which
no setting of the clock changes: an id that the system has given to somebody else meanwhile is never
signalled.
"""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from labeling.label_studio.server import stop_process

CLOCK_SECONDS = 1.5
"""The kernel tells its start in whole seconds, which may tick between two looks."""


def start_time(pid: int) -> float | None:
    """Seconds from the system's start to the living process's; None if it is gone."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return process.create_time() - psutil.boot_time()
    except psutil.NoSuchProcess:
        return None


@dataclass(frozen=True)
class DetachedProcess:
    """The process that ``record`` names, if it still runs."""

    record: Path

    @property
    def pid(self) -> int | None:
        """Its id while it lives, else None."""
        try:
            written = json.loads(self.record.read_text(encoding="ascii"))
            pid, started = int(written["pid"]), float(written["started"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        now = start_time(pid)
        return pid if now is not None and abs(now - started) <= CLOCK_SECONDS else None

    def adopt(self, pid: int) -> None:
        """From now on the record names ``pid``."""
        self.record.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.record.with_suffix(".tmp")
        temporary.write_text(json.dumps({"pid": pid, "started": start_time(pid)}))
        temporary.replace(self.record)

    def start(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> int:
        """The command runs in a session of its own, its output goes to ``log``; its id."""
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            process = subprocess.Popen(
                command,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.adopt(process.pid)
        # It is found again by its record; this command may end first.
        process.returncode = 0
        return process.pid

    def stop(self, timeout: float) -> bool:
        """It is gone: SIGTERM, and SIGKILL after ``timeout`` seconds; False if it was before."""
        pid = self.pid
        if pid is not None:
            stop_process(pid, timeout)
        self.record.unlink(missing_ok=True)
        return pid is not None

    @property
    def is_alive(self) -> bool:
        """True while it runs."""
        return self.pid is not None


def tail(path: Path, lines: int = 5) -> str:
    """The last lines of a log."""
    if not path.exists():
        return ""
    return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
