"""Processes that outlive the command that started them, found again by a record on disk.

The record holds the process id and the time the process started: an id that the system has
given to somebody else meanwhile is never signalled.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
STATE_FIELD = 0
"""Of /proc/PID/stat behind the name in parentheses: field 3 (proc_pid_stat(5))."""
START_FIELD = 19
"""Field 22, the start time, in the same count."""


def start_time(pid: int) -> str | None:
    """When the living process started, in the system's own terms; None if it is gone."""
    if PROC.is_dir():
        try:
            stat = (PROC / str(pid) / "stat").read_text(encoding="ascii", errors="replace")
        except OSError:
            return None
        fields = stat.rpartition(")")[2].split()
        return None if fields[STATE_FIELD] == "Z" else f"{_boot_id()}:{fields[START_FIELD]}"
    shown = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return None if not shown or shown.startswith("Z") else shown.split(maxsplit=1)[1]


def _boot_id() -> str:
    try:
        return (PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


@dataclass(frozen=True)
class DetachedProcess:
    """The process that ``record`` names, if it still runs."""

    record: Path

    @property
    def pid(self) -> int | None:
        """Its id while it lives, else None."""
        try:
            written = json.loads(self.record.read_text(encoding="ascii"))
            pid, started = int(written["pid"]), written["started"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return pid if start_time(pid) == started else None

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
        if pid is None:
            self.record.unlink(missing_ok=True)
            return False
        _signal(pid, signal.SIGTERM)
        deadline = time.monotonic() + timeout
        while self.is_alive and time.monotonic() < deadline:
            time.sleep(0.05)
        while self.is_alive:
            _signal(pid, signal.SIGKILL)
            time.sleep(0.05)
        self.record.unlink(missing_ok=True)
        return True

    @property
    def is_alive(self) -> bool:
        """True while it runs."""
        return self.pid is not None


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def tail(path: Path, lines: int = 5) -> str:
    """The last lines of a log."""
    if not path.exists():
        return ""
    return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
