"""The last steps of a challenger made behind the loop: vectors of all records, heads, gate."""

from typing import Any

from backend.core.services import Services
from backend.features.encoder_choice import EncoderChoice
from backend.features.snapshot import take_snapshot
from backend.features.store import FeatureStore
from backend.jobs.context import JobContext
from backend.loop.service import LoopService
from backend.machine_labels.service import request_acceptance
from backend.model_reports.service import request_measuring
from backend.models import Project
from backend.projects.service import label_schema_of
from backend.registry.service import RegistryService
from backend.suspected_labels.service import request_assessment
from backend.training.challenger import ChallengerTraining, plan_on


def embed_all(
    features: FeatureStore,
    context: JobContext,
    project: Project,
    choice: EncoderChoice,
    begin: float,
    end: float,
) -> None:
    """Every current record's embedding by that encoder is cached on disk.

    A promotion then turns the features over without a pause. ``begin`` and ``end``: of the job's
    progress.
    """
    features.embed_all(
        project.dataset_id,
        label_schema_of(project).fields,
        choice,
        lambda share, message: context.progress(begin + (end - begin) * share, message),
        context.should_stop,
    )


def challenge(
    services: Services,
    features: FeatureStore,
    context: JobContext,
    project: Project,
    choice: EncoderChoice,
    metrics: dict[str, Any],
) -> dict[str, Any]:
    """Heads on that encoder have learnt the labels of now, and the gate has decided about them.

    The loop goes on with whichever is champion then. To be called with the project's training
    lease. ``metrics`` are kept with the model version.
    """
    snapshot = take_snapshot(services, project)
    plan = plan_on(features, choice, is_cold=True, metrics=metrics)
    fingerprint = plan.fingerprint(snapshot)
    with services.database.reading() as session:
        registry = RegistryService(session, services.clock)
        champion = registry.champion(project.id)
        is_known = registry.find_by_fingerprint(project.id, fingerprint) is not None
    if is_known:
        result = not_trained("these labels were learnt already")
    else:
        training = ChallengerTraining(services, features, context, project, snapshot, champion)
        result = training.run(plan)
    go_on(services, project, fingerprint)
    return result


def go_on(services: Services, project: Project, fingerprint: str) -> None:
    """What follows a decision about the challenger of that fingerprint is on its way."""
    with services.database.reading() as session:
        steps = LoopService(session, services.clock).steps_due(project, is_retrained=True)
    with services.database.transaction() as session:
        # Before the next batch: checks of machine labels belong to the acceptance that stands.
        request_acceptance(session, project, services.clock())
        LoopService(session, services.clock).queue_step(project, steps)
        registry = RegistryService(session, services.clock)
        version = registry.find_by_fingerprint(project.id, fingerprint)
        if version is not None:
            request_measuring(session, project.id, version.id, services.clock())
            request_assessment(session, project.id, version.id, services.clock())


def not_trained(why: str) -> dict[str, Any]:
    """The result of a job that found nothing to train."""
    return {"trained": False, "why": why}
