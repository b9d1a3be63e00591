"""One demo: the steps a team would take, in order, each safe to repeat.

Without a truth in the source nobody is simulated: it ends with the first batch.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from backend.core.exceptions import AppError
from backend.core.services import Services
from backend.demo.annotators import PROFILES
from backend.demo.simulation import hire_annotators, label_batch
from backend.demo.source import DemoSource
from backend.ingestion.schemas import ImportRequest
from backend.ingestion.service import import_source
from backend.jobs.queue import list_recent
from backend.loop import repository as loop_repository
from backend.loop.service import LoopService
from backend.models import Batch, Project
from backend.projects.schemas import LoopPolicy, ProjectCreate
from backend.projects.service import ProjectsService
from backend.registry.service import RegistryService
from backend.selection import repository as selection_repository
from backend.training.service import TrainingService
from backend.web.job_names import JOB_NAMES
from backend.words import N_, Message, Progress, Translate
from labeling.label_studio.addresses import queue_address

AUDIT_SHARE = 0.3
POLL_SECONDS = 0.3
STEP_SECONDS = 900.0
ACTOR = "demo"

Found = TypeVar("Found")


class DemoStalled(AppError):
    """A step of the demo did not end in time, or its job failed."""

    title = N_("Demo stalled")


class DemoRun:
    """Import, label, learn; against a running stack."""

    def __init__(
        self, services: Services, source: DemoSource, *, annotator_password: str, seed: int
    ) -> None:
        self.annotator_password = annotator_password
        self._services = services
        self._source = source
        self._seed = seed
        self._project: Project | None = None

    def import_records(self, progress: Progress) -> None:
        """The source's records are in the store; those that are stay as they are."""
        request = ImportRequest(
            dataset=self._source.dataset,
            path=self._source.file,
            encoding=self._source.encoding,
            id_column=self._source.id_column,
            kind=self._source.kind,
            kind_column=self._source.kind_column,
        )
        import_source(self._services.database, request, self._services.clock, progress=progress)

    def create_project(self, *, batch_size: int) -> None:
        """The demo's project exists and its first batch is on its way."""
        services = self._services
        policy = LoopPolicy(batch_size=batch_size, seed=self._seed)
        if self._source.truth is not None:
            simulated = {"audit_share": AUDIT_SHARE, "annotators_per_record": len(PROFILES)}
            policy = policy.model_copy(update=simulated)
        with services.database.transaction() as session:
            service = ProjectsService(session, services.clock)
            found = next((p for p in service.list() if p.name == self._source.project), None)
            if found is None:
                request = ProjectCreate(
                    name=self._source.project,
                    dataset=self._source.dataset,
                    label_schema=self._source.schema.model_dump(mode="json"),
                    policy=policy,
                )
                found = service.create(request, actor=ACTOR)
                TrainingService(session, services.clock).request_batch(found, actor=ACTOR)
        self._project = found

    @property
    def project(self) -> Project:
        """The demo's project, as the store has it now."""
        assert self._project is not None
        with self._services.database.reading() as session:
            return ProjectsService(session, self._services.clock).get(self._project.id)

    def turn(self, number: int, progress: Progress) -> bool:
        """Round ``number`` is labelled and learnt from; False if the pool was empty before."""
        truth = self._source.truth
        assert truth is not None, "nobody is simulated"
        batch = self.await_batch(number, lambda share, text: progress(0.2 * share, text))
        if batch is None:
            return False
        label_batch(
            self._services,
            self.project,
            batch.id,
            hire_annotators(self._services, self.annotator_password),
            truth.of,
            seed=self._seed,
            progress=lambda share, text: progress(0.2 + 0.6 * share, text),
        )
        self._await_training(number, lambda share, text: progress(0.8 + 0.2 * share, text))
        return True

    def await_batch(self, number: int, progress: Progress) -> Batch | None:
        """The batch of that round once Label Studio holds it; None if the pool is empty."""

        def find() -> Batch | None:
            with self._services.database.reading() as session:
                batch = selection_repository.find_batch(session, self.project.id, number)
            return batch if batch and batch.pushed_at else None

        def is_over() -> bool:
            with self._services.database.reading() as session:
                # The last batch empties the pool before Label Studio holds it.
                is_chosen = selection_repository.find_batch(session, self.project.id, number)
                return not is_chosen and selection_repository.is_pool_empty(session, self.project)

        return self._await(f"choosing and pushing batch {number}", find, progress, is_over)

    def _await_training(self, number: int, progress: Progress) -> None:
        def is_learnt() -> bool | None:
            with self._services.database.reading() as session:
                state = LoopService(session, self._services.clock).progress(self.project)
                version = loop_repository.latest_model_version(session, self.project.id)
                next_batch = selection_repository.find_batch(session, self.project.id, number + 1)
            learnt = version is not None and version.metrics["complete_tasks"] >= state.complete
            return True if (learnt and state.open == 0) or next_batch else None

        self._await(f"learning from round {number}", is_learnt, progress, lambda: False)

    def _await(
        self,
        what: str,
        find: Callable[[], Found | None],
        progress: Progress,
        is_over: Callable[[], bool],
    ) -> Found | None:
        started = time.monotonic()
        while (elapsed := time.monotonic() - started) < STEP_SECONDS:
            if (found := find()) is not None:
                progress(1.0, what)
                return found
            if is_over():
                return None
            share, message = self._running_job()
            progress(share, message or what)
            time.sleep(POLL_SECONDS)
        raise DemoStalled(
            Message("No end after {elapsed:.0f} s of {what}.", elapsed=elapsed, what=what),
            remedy=Message("See: assay status; assay logs."),
        )

    def _running_job(self) -> tuple[float, str]:
        with self._services.database.reading() as session:
            jobs = list_recent(session, project_id=self.project.id, limit=5)
        for job in jobs:
            if job.status == "failed":
                raise DemoStalled(
                    Message(
                        "{job} failed: {error}",
                        job=Message.of(JOB_NAMES.get(job.name, job.name)),
                        error=job.error,
                    ),
                    remedy=Message("See: assay logs."),
                )
            if job.status in {"running", "waiting"}:
                return job.progress, job.message or Message.of(JOB_NAMES.get(job.name, job.name))
        return 0.0, ""

    def rounds(self) -> list[tuple[str, str, str, str, str]]:
        """One row a model version: round, labels, accuracy, macro-F1, agreement."""
        with self._services.database.reading() as session:
            registry = RegistryService(session, self._services.clock)
            versions = registry.list_versions(self.project.id)
        return [
            (
                str(version.metrics.get("round", "")),
                str(version.metrics["labels"]),
                _interval(version.metrics.get("audit_accuracy")),
                _interval(version.metrics.get("audit_macro_f1")),
                _alpha(version.metrics["agreement"]),
            )
            for version in versions
        ]

    def draw_learning_curve(self, path: Path, t: Translate) -> Path:
        """The accuracy on the audit sample over the labels, as a picture in the words of ``t``."""
        from backend.demo.picture import draw_learning_curve

        with self._services.database.reading() as session:
            registry = RegistryService(session, self._services.clock)
            versions = registry.list_versions(self.project.id)
        return draw_learning_curve([version.metrics for version in versions], path, t)

    def labelling_url(self) -> str:
        """Where a person goes on labelling."""
        label_studio_id = self.project.label_studio_project_id
        assert label_studio_id is not None
        return queue_address(self._services.settings.annotator_url, label_studio_id)

    def invitation_url(self) -> str:
        """Where people sign up to Label Studio."""
        client = self._services.label_studio
        base = self._services.settings.annotator_url
        return f"{base}/user/signup/?token={client.invitation()}"

    def project_url(self) -> str:
        """The project's page."""
        return f"{self._services.settings.local_url}/projects/{self.project.id}"

    def review_url(self) -> str:
        """Where a lead decides what the annotators disagree about."""
        return f"{self.project_url()}/review"

    def annotator_emails(self) -> list[str]:
        """Who the simulated annotators are."""
        return [profile.email for profile in PROFILES]


def _interval(estimate: dict[str, float] | None) -> str:
    if not estimate:
        return "—"
    return "{value:.3f} [{low:.3f}, {high:.3f}]".format(**estimate)


def _alpha(agreement: dict[str, Any]) -> str:
    if agreement.get("alpha") is None:
        return "—"
    return "{alpha:.2f} [{low:.2f}, {high:.2f}]".format(**agreement)
