"""A thread that does one thing again and again and survives its failures."""

import logging
import threading
from collections.abc import Callable

logger = logging.getLogger(__name__)


class Ticker:
    """Calls ``action`` every ``seconds`` until stopped; a failure is logged, then tried again."""

    def __init__(self, name: str, seconds: float, action: Callable[[], object]) -> None:
        self._seconds = seconds
        self._action = action
        self._failures = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """The first call comes at once."""
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """No call begins any more; a running one gets ``timeout`` seconds to end."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._action()
                self._failures = 0
            except Exception as error:
                self._failures += 1
                if self._failures == 1:
                    logger.exception("%s failed; trying again", self._thread.name)
                else:
                    logger.warning(
                        "%s failed %d times: %s", self._thread.name, self._failures, error
                    )
            # A failing action slows down to one call in 5 s.
            pause = (
                self._seconds
                if not self._failures
                else max(self._seconds, min(0.5 * self._failures, 5.0))
            )
            self._stopped.wait(pause)
