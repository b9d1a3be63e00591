"""The worker process: takes jobs, ticks schedules, reports itself, takes over from the dead."""

import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from types import FrameType

from backend.core.clock import Clock
from backend.core.database import Database
from backend.core.settings import Settings
from backend.jobs.engine import Engine
from backend.jobs.presence import Presence, default_worker_id
from backend.jobs.registry import Registry
from backend.jobs.schedules import PeriodicJob, Scheduler
from backend.jobs.ticker import Ticker

SCHEDULE_SECONDS = 2.0
"""Cron names minutes and the shortest period is five seconds; each look is three queries."""
GIL_SECONDS = 0.0005
"""After how long a thread that computes lets another one go on. Python's 5 ms, once a statement,
stretch a transaction of a dozen statements beside a training to a third of a second."""
GARBAGE_THRESHOLDS = (50_000, 20, 100)
"""Python's collector holds every thread for half a second where a refresh has a million objects
alive, and by default goes over them all again and again as they come; what it is for, circles, are
few here."""
PURGE_SECONDS = 300.0
"""Retentions are days: minutes change nothing for people, and a purge is two index scans."""
SAFE_POINT_SECONDS = 30.0
"""Training reaches one every few seconds; less than the 40 s after which ``assay stop`` kills."""

logger = logging.getLogger(__name__)


class WorkerProcess:
    """Everything a worker does between ``start`` and ``stop``."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        registry: Registry,
        clock: Clock,
        *,
        periodic: Sequence[PeriodicJob] = (),
        stop_event: threading.Event,
    ) -> None:
        worker_id = default_worker_id(settings)
        self._stop_event = stop_event
        self._presence = Presence(database, clock, settings, worker_id)
        self._engine = Engine(
            database,
            registry,
            clock,
            worker_id=worker_id,
            retention=timedelta(days=settings.jobs_retention_days),
        )
        scheduler = Scheduler(database, clock, periodic)
        self._heartbeat = Ticker("heartbeat", settings.heartbeat_seconds, self._beat)
        self._tickers = [
            Ticker("cron", SCHEDULE_SECONDS, scheduler.run_cron),
            # On its own: whether there is something to sync is asked of Label Studio.
            Ticker("periodic", SCHEDULE_SECONDS, scheduler.run_periodic),
            Ticker("purge", PURGE_SECONDS, self._engine.purge),
        ]
        if not self._presence.is_silent:
            self._tickers.append(Ticker("take-over", settings.heartbeat_seconds, self.take_over))

    def start(self) -> None:
        """Jobs run.

        Raises:
            WorkerConflict: another worker has our id, or runs on this SQLite store.
        """
        self._presence.join()
        if not self._presence.is_silent:
            self._heartbeat.start()
        self.take_over()
        self._engine.start()
        for ticker in self._tickers:
            ticker.start()

    def stop(self, timeout: float = SAFE_POINT_SECONDS) -> bool:
        """Nothing starts any more; False if a job did not reach a safe point in time."""
        for ticker in self._tickers:
            ticker.stop()
        finished = self._engine.stop(timeout)
        self._heartbeat.stop()
        if finished:
            self._presence.leave()
        return finished

    def take_over(self) -> None:
        """Requeue the jobs of dead workers, forget those workers; and jobs of forgotten ones."""
        for worker in self._presence.dead_workers():
            self._engine.take_over(worker.id)
            self._presence.forget(worker)
        self._engine.take_over_from_unknown()

    def _beat(self) -> None:
        if not self._presence.beat():
            logger.error("another process has taken this worker's id; stopping")
            self._stop_event.set()


def run_worker(
    database: Database,
    settings: Settings,
    registry: Registry,
    clock: Clock,
    *,
    periodic: Sequence[PeriodicJob] = (),
    stop_event: threading.Event | None = None,
    on_ready: Callable[[], None] = lambda: None,
) -> None:
    """Run jobs until SIGTERM, SIGINT or ``stop_event``; then let running jobs end safely.

    A job that reaches no safe point within ``SAFE_POINT_SECONDS`` ends with the process and
    is run again at the next start.

    Raises:
        WorkerConflict: another worker has our id, or runs on this SQLite store.
    """
    stop = stop_event or threading.Event()
    _stop_on_signals(stop)
    database.let_others_go_first()
    sys.setswitchinterval(GIL_SECONDS)
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    worker = WorkerProcess(database, settings, registry, clock, periodic=periodic, stop_event=stop)
    worker.start()
    logger.info("worker started")
    on_ready()
    while not stop.wait(60.0):
        pass  # a wait without end would keep signals from being handled on some systems
    logger.info("worker stopping")
    if not worker.stop():
        # The engine's threads would keep the process; what they run is durable.
        os._exit(1)
    logger.info("worker stopped")


def _stop_on_signals(stop: threading.Event) -> None:
    def handle(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, handle)
        signal.signal(signal.SIGINT, handle)
