"""The command line: one module per noun, over the same services as API and pages."""

import re
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

import typer
from typer.core import TyperGroup

from active_learning.exceptions import ActiveLearningError
from backend.core.exceptions import AppError
from labeling.exceptions import LabelingError


class Entry(NamedTuple):
    """Where a command is; its module is imported when the command runs, not for ``--help``."""

    module: str
    attribute: str
    help: str


COMMANDS = {
    "demo": Entry("backend.cli.demo", "demo", "Turn the whole loop on demo data."),
    "up": Entry(
        "backend.cli.stack", "up", "Start Label Studio, the API and the worker. Safe to repeat."
    ),
    "stop": Entry("backend.cli.stack", "stop", "Stop what `assay up` started; nothing is lost."),
    "reset": Entry("backend.cli.stack", "reset", "Delete the data directory."),
    "logs": Entry("backend.cli.stack", "logs", "Show the logs of the embedded stack."),
    "status": Entry(
        "backend.cli.status", "status", "Show records, rounds, champion, jobs and sync lag."
    ),
    "verify": Entry("backend.cli.verify", "verify", "Compare Label Studio with the store."),
    "import": Entry("backend.cli.imports", "import_records", "Import records into a dataset."),
    "datasets": Entry("backend.cli.datasets", "datasets_app", "Datasets and their records."),
    "projects": Entry(
        "backend.cli.projects",
        "projects_app",
        "Labelling projects: a dataset, a label schema, a policy.",
    ),
    "push": Entry(
        "backend.cli.labeling",
        "push",
        "Push every batch that Label Studio does not hold in full. Safe to repeat.",
    ),
    "sync": Entry(
        "backend.cli.labeling",
        "sync",
        "Make the store equal to Label Studio, now. Safe to repeat.",
    ),
    "models": Entry("backend.cli.models", "models_app", "Model versions and the champion."),
    "review": Entry(
        "backend.cli.review",
        "review_app",
        "Records that need a decision.",
    ),
    "acceptance": Entry(
        "backend.cli.acceptance",
        "acceptance_app",
        "Machine labels: the champion's own answers, accepted under a promise.",
    ),
    "cells": Entry(
        "backend.cli.cells", "cells", "Rank the fields that are probably wrong, with evidence."
    ),
    "labels": Entry(
        "backend.cli.findings",
        "labels_app",
        "Labels to look at again: suspected errors, value, who deserves one more annotator.",
    ),
    "agreement": Entry(
        "backend.cli.agreement", "agreement", "Show how far people agree, question by question."
    ),
    "annotators": Entry(
        "backend.cli.agreement",
        "annotators_app",
        "Annotators: accuracy, speed, changes and suspicious patterns.",
    ),
    "export": Entry("backend.cli.exchange", "export_labels", "Export labels with their lineage."),
    "import-labels": Entry(
        "backend.cli.exchange",
        "import_labels",
        "Import the labels of another Label Studio project from its JSON export.",
    ),
    "guidelines": Entry(
        "backend.cli.guidelines",
        "guidelines_app",
        "Labelling guidelines: versions, and which one annotators are shown.",
    ),
    "jobs": Entry("backend.cli.jobs", "jobs_app", "Background work."),
    "simulate": Entry(
        "backend.cli.simulate",
        "simulate",
        "Simulate labelling on a labelled file, to choose a query strategy.",
    ),
    "users": Entry("backend.cli.access", "users_app", "Users of the pages."),
    "keys": Entry("backend.cli.access", "keys_app", "API keys for programs."),
    "serve": Entry("backend.cli.server", "serve", "Run the API and the pages."),
    "worker": Entry("backend.cli.server", "worker", "Run background jobs and schedules."),
    "migrate": Entry(
        "backend.cli.server", "migrate", "Bring the store's tables up to date; safe to repeat."
    ),
}


class LateGroup(TyperGroup):
    """Loads a command's module when the command is called."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, command, rest = super().resolve_command(ctx, args)
        if name is None or command is None:
            return name, command, rest
        return name, load(name), rest


def load(name: str) -> Any:
    """The command or group called ``name``, ready to run."""
    entry = COMMANDS[name]
    found = getattr(import_module(entry.module), entry.attribute)
    holder = typer.Typer(add_completion=False)
    holder.callback()(lambda: None)
    if isinstance(found, typer.Typer):
        holder.add_typer(found, name=name)
    else:
        holder.command(name)(found)
    group = typer.main.get_command(holder)
    assert isinstance(group, TyperGroup)
    return group.commands[name]


class AssayCli(typer.Typer):
    """Turns the application's errors into one line on stderr and exit code 1."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().__call__(*args, **kwargs)
        except (AppError, LabelingError, ActiveLearningError) as error:
            line = " ".join(str(error).split())
            print(f"{_title(error)}: {line}", file=sys.stderr)  # noqa: T201 - the only last word
            raise SystemExit(1) from None


def _title(error: Exception) -> str:
    """``LabelSchemaInvalid`` of the libraries reads "Label schema invalid"."""
    if isinstance(error, AppError):
        return error.title
    words = re.findall("[A-Z][a-z]*", type(error).__name__)
    return " ".join(words).capitalize().replace("Label studio", "Label Studio")


app = AssayCli(
    name="assay",
    cls=LateGroup,
    help="Human-in-the-loop labelling and active learning for e-commerce data quality.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)

for _name, _entry in COMMANDS.items():
    if find_spec(_entry.module):
        app.command(_name, help=_entry.help)(lambda: None)
