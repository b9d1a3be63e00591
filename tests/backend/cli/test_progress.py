"""A bar on a terminal, lines at a bearable rate everywhere else."""

import io

import pytest
from rich.console import Console

from backend.cli.progress import ProgressBar


class Work:
    """A bar whose work takes no time but says so."""

    def __init__(self, *, is_transient: bool = True, is_terminal: bool = False) -> None:
        self.now = 0.0
        self.written = io.StringIO()
        console = Console(file=self.written, force_terminal=is_terminal, width=120)
        self.bar = ProgressBar(
            "Import", is_transient=is_transient, console=console, clock=lambda: self.now
        )

    def lines(self) -> list[str]:
        return self.written.getvalue().splitlines()


def test_without_a_terminal_lines_come_at_most_every_five_seconds() -> None:
    work = Work()
    with work.bar as bar:
        for step in range(1, 301):  # 30 seconds
            work.now = step / 10
            bar(step / 300, f"{step} rows")
        assert work.lines()[0] == "Import: 50 rows 16 % (5 s)"
        assert len(work.lines()) == 6
    assert work.lines()[-1] == "Import 100 % (30 s)"


def test_the_same_again_is_said_once_a_minute() -> None:
    work = Work()
    with work.bar as bar:
        for second in range(1, 131):
            work.now = second
            bar(0.2, "waiting")
        assert [line.rpartition("(")[2] for line in work.lines()] == ["5 s)", "65 s)", "125 s)"]


@pytest.mark.parametrize(("is_transient", "lines"), [(True, 0), (False, 1)])
def test_quick_work_says_nothing_or_that_it_is_done(is_transient: bool, lines: int) -> None:
    work = Work(is_transient=is_transient)
    with work.bar as bar:
        bar(0.5, "half")
    assert len(work.lines()) == lines


def test_work_that_fails_is_not_called_done() -> None:
    work = Work(is_transient=False)
    bar = work.bar.__enter__()
    bar(0.5, "half")
    bar.__exit__(RuntimeError, RuntimeError(), None)
    assert work.lines() == []


def test_a_terminal_shows_a_bar() -> None:
    work = Work(is_terminal=True, is_transient=False)
    with work.bar as bar:
        bar(0.5, "[half]")
    shown = work.written.getvalue()
    assert "Import: [half]" in shown
    assert "100%" in shown
    assert "━" in shown


def test_lines_leave_standard_output_alone(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressBar("Import", is_transient=False):
        pass
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "Import 100 % (0 s)\n"
