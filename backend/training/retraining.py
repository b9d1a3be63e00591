"""One retraining: learn from all labels, compare with the champion, decide, continue."""

from typing import Any

from backend.agreement.service import WorkReports
from backend.core.services import Services
from backend.features.model_version import load_model_version
from backend.features.snapshot import TrainingSnapshot, take_snapshot
from backend.features.store import FeatureStore, learning_facts
from backend.jobs.context import JobContext
from backend.loop.service import LoopService
from backend.machine_labels.service import request_acceptance
from backend.model_reports.service import request_measuring
from backend.projects.service import ProjectsService, policy_of
from backend.registry.service import RegistryService
from backend.scoring.freshness import is_refresh_due
from backend.scoring.service import Verdicts
from backend.suspected_labels.service import request_assessment
from backend.training.challenger import ChallengerTraining, plan_on
from backend.training.encoder_change import request_encoder_change
from backend.training.fine_tuning_request import request_fine_tuning
from backend.words import Message

MINIMUM_LABELS = 8
"""Chosen: two for each of the four folds in which probabilities are calibrated."""
LEARNT_ALREADY = Message("These labels were learnt already.")
COLD_EVERY = 5
"""Chosen: what warm starts carry along is gone after five versions at the latest."""


def retrain(
    services: Services,
    features: FeatureStore,
    context: JobContext,
    project_id: int,
    *,
    is_weighted: bool | None = None,
) -> dict[str, Any]:
    """The labels of now have a model version and a decision about it; the loop goes on.

    Running it again on the same labels changes nothing. The champion changes only through
    the gate, which compares both on the audit sample. ``is_weighted``: each label counts by
    its data value; None leaves that to the policy.
    """
    with services.database.reading() as session:
        project = ProjectsService(session, services.clock).get(project_id)
    snapshot = take_snapshot(services, project)
    with services.database.reading() as session:
        registry = RegistryService(session, services.clock)
        champion = registry.champion(project_id)
        number = len(registry.list_versions(project_id)) + 1
    trained = load_model_version(services, features, champion)
    plan = plan_on(
        features,
        # The champion's encoder, also where the settings name another by now: challengers on that
        # are made behind the loop, which need not wait until all records are embedded anew.
        features.own if trained is None else trained.choice,
        is_cold=number % COLD_EVERY == 0 or trained is None,
        is_weighted=policy_of(project).label_weights == "value"
        if is_weighted is None
        else is_weighted,
        replaces=champion.number if champion and trained is None else None,
    )
    with services.database.reading() as session:
        registry = RegistryService(session, services.clock)
        fingerprint = plan.fingerprint(snapshot)
        is_known = registry.find_by_fingerprint(project_id, fingerprint) is not None
    reason = reason_not_to_train(snapshot)
    if reason is None and not is_known:
        with learning_facts(services.settings.models_dir):
            result = ChallengerTraining(
                services, features, context, project, snapshot, champion
            ).run(plan)
    else:
        why = reason or LEARNT_ALREADY
        result = {"trained": False, "why": why.as_json()}
    with services.database.reading() as session:
        steps = LoopService(session, services.clock).steps_due(project, is_retrained=True)
    is_behind = is_refresh_due(services, project_id)
    with services.database.transaction() as session:
        # Before the next batch: checks of machine labels belong to the acceptance that stands.
        request_acceptance(session, project, services.clock())
        LoopService(session, services.clock).queue_step(project, steps)
        version = RegistryService(session, services.clock).find_by_fingerprint(
            project_id, fingerprint
        )
        if version is not None:
            request_measuring(session, project_id, version.id, services.clock())
            request_assessment(session, project_id, version.id, services.clock())
        if is_behind:
            Verdicts(session, services).request(project)
        taught = len(snapshot.training)
        request_encoder_change(session, services.clock, project, trained, features.own, taught)
        request_fine_tuning(session, services.clock, project, taught)
        WorkReports(session, services.clock).request(project)
    return result


def reason_not_to_train(snapshot: TrainingSnapshot) -> Message | None:
    """Why these labels teach nothing yet; None if they do."""
    if len(snapshot.training) < MINIMUM_LABELS:
        return Message.ngettext(
            "{n} label so far, without those that measure accuracy; {minimum} are needed.",
            "{n} labels so far, without those that measure accuracy; {minimum} are needed.",
            n=len(snapshot.training),
            minimum=MINIMUM_LABELS,
        )
    if len({label.grade for label in snapshot.training}) < 2:
        return Message("All labels are of one grade; there is nothing to tell apart yet.")
    return None
