"""Many simulated runs: in parallel, each finished one kept, a repeat does only what is missing."""

import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import asdict
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from active_learning.classifiers.record_features import FeatureLayout
from active_learning.simulation.experiment import (
    Chooser,
    LabelledData,
    Plan,
    chooser,
    full_score,
    run_curve,
)
from active_learning.types import Progress, Reason, ShouldStop, check_stop, never, silent

FULL = "all-labels"
REVISION = 3
"""Raised whenever a run of the same inputs would give other numbers."""
STALE_SECONDS = 600.0
"""Age beyond which a half-written file has no writer any more. Chosen: a file is written in far
less."""

MakeChooser = Callable[[str, Plan], Chooser]
"""From a strategy's name to its chooser; a function of a module, so that processes find it."""


def own_chooser(strategy: str, plan: Plan) -> Chooser:
    """A strategy of this library."""
    return chooser(strategy, plan.audit_share)


def run_grid(
    data: LabelledData,
    plan: Plan,
    strategies: Sequence[str],
    seeds: Sequence[int],
    folder: Path,
    *,
    make: MakeChooser = own_chooser,
    jobs: int = 1,
    progress: Progress = silent,
    should_stop: ShouldStop = never,
) -> list[dict[str, Any]]:
    """One result for each (strategy, seed), and for each seed the score of all labels.

    Every finished run is one JSON file below ``folder``/KEY, where KEY names data and plan; it
    appears whole or not at all. Runs whose file exists are not run again.

    Raises:
        Cancelled: ``should_stop`` answered True; finished runs are kept.
    """
    home = folder / key_of(data, plan)
    home.mkdir(parents=True, exist_ok=True)
    _sweep(home)
    wanted = [(name, seed) for seed in seeds for name in (FULL, *strategies)]
    missing = [run for run in wanted if read_run(home, *run) is None]
    done = len(wanted) - len(missing)
    progress(
        done / max(len(wanted), 1),
        Reason.ngettext(
            "{done} of {n} run was there", "{done} of {n} runs were there", n=len(wanted), done=done
        ),
    )
    if missing and jobs == 1:
        with threadpool_limits(1):
            for name, seed in missing:
                check_stop(should_stop, "simulating")
                _run(home, data, plan, name, seed, make)
                done += 1
                progress(done / len(wanted), Reason("{name}, seed {seed}", name=name, seed=seed))
    elif missing:
        stored = home / "data.npz"
        _write(stored, _archive_of(data))
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(jobs, context, _open, (str(stored),)) as pool:
            waiting = {
                pool.submit(_run_stored, home, plan, name, seed, make): (name, seed)
                for name, seed in missing
            }
            try:
                for finished in as_completed(waiting):
                    finished.result()
                    done += 1
                    name, seed = waiting[finished]
                    progress(
                        done / len(wanted), Reason("{name}, seed {seed}", name=name, seed=seed)
                    )
                    check_stop(should_stop, "simulating")
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        stored.unlink(missing_ok=True)
    found = [read_run(home, *run) for run in wanted]
    return [run for run in found if run is not None]


def _sweep(home: Path) -> None:
    """What a killed run left half-written is gone; younger parts may be another process's."""
    now = time.time()
    for part in home.glob("*.part"):
        with suppress(FileNotFoundError):
            if now - part.stat().st_mtime > STALE_SECONDS:
                part.unlink()


def key_of(data: LabelledData, plan: Plan) -> str:
    """Names the inputs: equal data and plan, equal key."""
    digest = blake2b(digest_size=8)
    described = [REVISION, plan.as_dict(), asdict(data.layout), data.labels.tolist()]
    digest.update(json.dumps(described, sort_keys=True).encode())
    digest.update(np.ascontiguousarray(data.features).tobytes())
    return digest.hexdigest()


def read_run(home: Path, strategy: str, seed: int) -> dict[str, Any] | None:
    """A finished run, None where there is none that can be read."""
    try:
        run: dict[str, Any] = json.loads(_file(home, strategy, seed).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return run


def _file(home: Path, strategy: str, seed: int) -> Path:
    return home / f"{strategy.replace('/', '-')}.{seed}.json"


def _run(
    home: Path, data: LabelledData, plan: Plan, strategy: str, seed: int, make: MakeChooser
) -> None:
    run: dict[str, Any] = {"strategy": strategy, "seed": seed}
    if strategy == FULL:
        run["score"] = full_score(data, plan, seed)
    else:
        run["points"] = run_curve(data, plan, seed, make(strategy, plan))
    content = json.dumps(run).encode()
    _write(_file(home, strategy, seed), lambda path: path.write_bytes(content))


_opened: LabelledData | None = None


def _open(path: str) -> None:
    global _opened  # noqa: PLW0603 - what a worker process holds for all its runs
    threadpool_limits(1)
    with np.load(path, allow_pickle=False) as stored:
        layout = json.loads(str(stored["layout"]))
        layout["fields"] = tuple(layout["fields"])
        _opened = LabelledData(stored["features"], FeatureLayout(**layout), stored["labels"])


def _run_stored(home: Path, plan: Plan, strategy: str, seed: int, make: MakeChooser) -> None:
    assert _opened is not None
    _run(home, _opened, plan, strategy, seed, make)


def _archive_of(data: LabelledData) -> Callable[[Path], Any]:
    def write(path: Path) -> None:
        with path.open("wb") as file:
            np.savez(
                file,
                features=data.features,
                labels=data.labels,
                layout=np.array(json.dumps(asdict(data.layout))),
            )

    return write


def _write(path: Path, write: Callable[[Path], Any]) -> None:
    """The file is whole and on disk, or as it was."""
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    os.close(handle)
    part = Path(name)
    try:
        write(part)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
