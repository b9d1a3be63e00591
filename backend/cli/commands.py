"""Every command of the line: where it is, and what the list of commands says of it.

The imports stand inside functions, so that ``--help`` and a command load only what they need; a
module that is missing is an error of the type check and of the first call, never a gap.
"""

from collections.abc import Callable
from typing import Any, NamedTuple


class Entry(NamedTuple):
    """A command: ``command()`` imports it, ``help`` is its line in the list."""

    command: Callable[[], Any]
    help: str


def _demo() -> Any:
    from backend.cli.demo import demo

    return demo


def _up() -> Any:
    from backend.cli.stack import up

    return up


def _stop() -> Any:
    from backend.cli.stack import stop

    return stop


def _reset() -> Any:
    from backend.cli.stack import reset

    return reset


def _logs() -> Any:
    from backend.cli.stack import logs

    return logs


def _status() -> Any:
    from backend.cli.status import status

    return status


def _verify() -> Any:
    from backend.cli.verify import verify

    return verify


def _import() -> Any:
    from backend.cli.imports import import_records

    return import_records


def _datasets() -> Any:
    from backend.cli.datasets import datasets_app

    return datasets_app


def _projects() -> Any:
    from backend.cli.projects import projects_app

    return projects_app


def _push() -> Any:
    from backend.cli.labeling import push

    return push


def _sync() -> Any:
    from backend.cli.labeling import sync

    return sync


def _models() -> Any:
    from backend.cli.models import models_app

    return models_app


def _review() -> Any:
    from backend.cli.review import review_app

    return review_app


def _acceptance() -> Any:
    from backend.cli.acceptance import acceptance_app

    return acceptance_app


def _cells() -> Any:
    from backend.cli.cells import cells

    return cells


def _labels() -> Any:
    from backend.cli.findings import labels_app

    return labels_app


def _agreement() -> Any:
    from backend.cli.agreement import agreement

    return agreement


def _annotators() -> Any:
    from backend.cli.agreement import annotators_app

    return annotators_app


def _export() -> Any:
    from backend.cli.exchange import export_labels

    return export_labels


def _import_labels() -> Any:
    from backend.cli.exchange import import_labels

    return import_labels


def _guidelines() -> Any:
    from backend.cli.guidelines import guidelines_app

    return guidelines_app


def _jobs() -> Any:
    from backend.cli.jobs import jobs_app

    return jobs_app


def _simulate() -> Any:
    from backend.cli.simulate import simulate

    return simulate


def _users() -> Any:
    from backend.cli.access import users_app

    return users_app


def _keys() -> Any:
    from backend.cli.access import keys_app

    return keys_app


def _serve() -> Any:
    from backend.cli.server import serve

    return serve


def _worker() -> Any:
    from backend.cli.server import worker

    return worker


def _migrate() -> Any:
    from backend.cli.server import migrate

    return migrate


COMMANDS = {
    "demo": Entry(_demo, "Turn the whole loop on demo data."),
    "up": Entry(_up, "Start Label Studio, the API and the worker. Safe to repeat."),
    "stop": Entry(_stop, "Stop what `assay up` started; nothing is lost."),
    "reset": Entry(_reset, "Delete the data directory."),
    "logs": Entry(_logs, "Show the logs of the embedded stack."),
    "status": Entry(_status, "Show records, rounds, champion, jobs and sync lag."),
    "verify": Entry(_verify, "Compare Label Studio with the store."),
    "import": Entry(_import, "Import records into a dataset."),
    "datasets": Entry(_datasets, "Datasets and their records."),
    "projects": Entry(_projects, "Labelling projects: a dataset, a label schema, a policy."),
    "push": Entry(
        _push, "Push every batch that Label Studio does not hold in full. Safe to repeat."
    ),
    "sync": Entry(_sync, "Make the store equal to Label Studio, now. Safe to repeat."),
    "models": Entry(_models, "Model versions and the champion."),
    "review": Entry(_review, "Records that need a decision."),
    "acceptance": Entry(
        _acceptance, "Machine labels: the champion's own answers, accepted under a promise."
    ),
    "cells": Entry(_cells, "Rank the fields that are probably wrong, with evidence."),
    "labels": Entry(
        _labels,
        "Labels to look at again: suspected errors, value, who deserves one more annotator.",
    ),
    "agreement": Entry(_agreement, "Show how far people agree, question by question."),
    "annotators": Entry(
        _annotators, "Annotators: accuracy, speed, changes and suspicious patterns."
    ),
    "export": Entry(_export, "Export labels with their lineage."),
    "import-labels": Entry(
        _import_labels, "Import the labels of another Label Studio project from its JSON export."
    ),
    "guidelines": Entry(
        _guidelines, "Labelling guidelines: versions, and which one annotators are shown."
    ),
    "jobs": Entry(_jobs, "Background work."),
    "simulate": Entry(
        _simulate, "Simulate labelling on a labelled file, to choose a query strategy."
    ),
    "users": Entry(_users, "Users of the pages."),
    "keys": Entry(_keys, "API keys for programs."),
    "serve": Entry(_serve, "Run the API and the pages."),
    "worker": Entry(_worker, "Run background jobs and schedules."),
    "migrate": Entry(_migrate, "Bring the store's tables up to date; safe to repeat."),
}
