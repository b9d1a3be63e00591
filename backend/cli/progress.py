"""A progress bar as the ``progress(fraction, message)`` callback that long work takes."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from backend.cli.language import t
from backend.words import Worded

LINE_SECONDS = 5.0
"""Least time between two lines where there is no terminal. Chosen: a log stays short."""
SILENT_SECONDS = 60.0
"""Most time without a line there, as long as the work calls, though nothing changed. Chosen:
nobody takes it for dead."""


class ProgressBar:
    """One bar on the terminal while the block runs; elsewhere (a log, a pipe) plain lines.

    Both on standard error, so that what a command prints can be read by programs. Lines come at
    most every five seconds and when something changed; work that ends sooner prints none, or one
    if the bar is not transient.
    """

    def __init__(
        self,
        title: str = "",
        *,
        is_transient: bool = True,
        console: Console | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console or Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description:<44.44}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            transient=is_transient,
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._title = title
        self._is_transient = is_transient
        self._clock = clock
        self._started = self._printed = clock()
        self._line: tuple[str, int] | None = None
        self._task = self._bar.add_task(title or t("starting"), total=1.0)

    def __enter__(self) -> Self:
        self._started = self._printed = self._clock()
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._bar.update(self._task, completed=1.0)
            if self._bar.disable and (self._line is not None or not self._is_transient):
                self._print(self._title or t("done"), 100)
        self._bar.stop()

    def __call__(self, fraction: float, message: str | Worded = "") -> None:
        message = t(message)
        text = f"{self._title}: {message}" if self._title and message else self._title or message
        self._bar.update(self._task, completed=fraction, description=text)
        if not self._bar.disable:
            return
        line, silent = (text, int(100 * fraction)), self._clock() - self._printed
        if silent >= (LINE_SECONDS if line != self._line else SILENT_SECONDS):
            self._print(*line)

    def _print(self, text: str, percent: int) -> None:
        self._printed = self._clock()
        self._line = (text, percent)
        elapsed = self._printed - self._started
        self._console.print(
            f"{text} {percent} % ({elapsed:.0f} s)", markup=False, highlight=False, soft_wrap=True
        )
