"""Where to go once everything runs, and what to log in with."""

from pathlib import Path

from rich.console import Console

from backend.cli.language import t
from backend.core.settings import Settings


def print_addresses(console: Console, settings: Settings) -> None:
    """Every address, one a line."""
    print_line(console, t("Labelling page"), settings.annotator_url)
    print_line(console, t("Web pages"), f"{settings.local_url}/")
    print_line(console, t("API"), f"{settings.local_url}/docs")


def print_logins(console: Console, data_dir: Path) -> None:
    """Who may log in where, and with what."""
    from backend.embedded.logins import logins

    for place, (email, password) in logins(data_dir).items():
        print_line(console, t("Login {place}", place=place), f"{email}  {password}")


def print_line(console: Console, name: str, value: object) -> None:
    """One name and its value; never broken in two, so that it can be copied."""
    console.print(f"{name:<20} {value}", soft_wrap=True, markup=False, highlight=False)


def print_differences(console: Console, differences: tuple[str, ...]) -> None:
    """Why what ran was stopped and started anew, if it was."""
    if differences:
        console.print(
            t(
                "Everything was started anew, with other settings: {differences}.",
                differences="; ".join(differences),
            ),
            soft_wrap=True,
            markup=False,
            highlight=False,
        )
