"""A progress bar as the ``progress(fraction, message)`` callback that long work takes."""

from types import TracebackType
from typing import Self

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn


class ProgressBar:
    """One bar on the terminal while the block runs."""

    def __init__(self, title: str = "", *, is_transient: bool = True) -> None:
        self._bar = Progress(
            TextColumn("{task.description:<44.44}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            transient=is_transient,
        )
        self._title = title
        self._task = self._bar.add_task(title or "starting", total=1.0)

    def __enter__(self) -> Self:
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
        self._bar.stop()

    def __call__(self, fraction: float, message: str = "") -> None:
        text = f"{self._title}: {message}" if self._title and message else self._title or message
        self._bar.update(self._task, completed=fraction, description=text)
