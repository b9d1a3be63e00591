"""The lock of a store's only worker: one holder, found by anybody, free when it dies."""

import subprocess
import sys
from pathlib import Path

import pytest

from backend.jobs.exceptions import WorkerConflict
from backend.jobs.worker_lock import WorkerLock, holder_of

HOLDING = """
import sys, time
from pathlib import Path
from backend.jobs.worker_lock import WorkerLock
lock = WorkerLock(Path(sys.argv[1]))
lock.acquire()
print("up", flush=True)
time.sleep(60)
"""


def test_a_lock_is_held_by_one_and_dies_with_its_process(tmp_path: Path) -> None:
    path = tmp_path / "store.worker.lock"
    assert holder_of(path) is None
    command = [sys.executable, "-c", HOLDING, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        assert holder_of(path) == process.pid
        assert holder_of(path) == process.pid, "looking takes nothing away"
        with pytest.raises(WorkerConflict, match=f"process {process.pid}") as error:
            WorkerLock(path).acquire()
        assert error.value.value == str(process.pid)
        process.kill()
    assert holder_of(path) is None

    lock = WorkerLock(path)
    lock.acquire()
    held = holder_of(path)
    lock.release()
    assert held != process.pid
    assert held is not None
    assert holder_of(path) is None


def test_who_only_looks_is_not_taken_for_a_worker_of_former_times(tmp_path: Path) -> None:
    path = tmp_path / "store.worker.lock"
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    looking = WorkerLock(path)
    looking.acquire()
    path.write_text(str(gone.pid))
    assert holder_of(path) is None
    looking.release()
