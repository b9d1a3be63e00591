"""Register model versions, decide the champion, roll back."""

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session

from backend.audit.service import AuditTrail
from backend.core.clock import Clock
from backend.core.exceptions import Conflict, InvalidInput, NotFound
from backend.models import ModelVersion, Promotion
from backend.notices.outbox import Outbox
from backend.registry import repository
from backend.words import Message, Worded

LEAST_REASON = 3
"""Characters. Chosen: the shortest word that says something."""
ENCODER_PURGED = "encoder_purged_at"
"""The metric of a model version whose fine-tuned encoder was deleted to save space."""


class RegistryService:
    """The registry within one transaction; every decision is a new row."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock
        self._audit = AuditTrail(session, clock)

    def register(
        self,
        project_id: int,
        *,
        fingerprint: str,
        artifact: str,
        encoder: str,
        encoder_folder: str | None = None,
        training_labels: int,
        audit_labels: int,
        metrics: dict[str, Any],
    ) -> ModelVersion:
        """A new model version, child of the champion of the moment."""
        champion = self.champion(project_id)
        version = ModelVersion(
            project_id=project_id,
            number=repository.next_number(self._session, project_id),
            parent_id=champion.id if champion else None,
            fingerprint=fingerprint,
            artifact=artifact,
            encoder=encoder,
            encoder_folder=encoder_folder,
            training_labels=training_labels,
            audit_labels=audit_labels,
            metrics=metrics,
            created_at=self._clock(),
        )
        repository.add(self._session, version)
        return version

    def decide(
        self,
        challenger: ModelVersion,
        *,
        promote: bool,
        reason: Worded,
        evidence: dict[str, Any],
        decided_by: str,
    ) -> Promotion:
        """The challenger is champion, or the champion stays; either way a row says why.

        Raises:
            Conflict: the challenger shall not be promoted, yet there is no champion to keep.
        """
        champion = self.champion(challenger.project_id)
        if not promote and champion is None:
            raise Conflict(
                Message("There is no champion to keep; the first model version is promoted.")
            )
        winner = challenger if promote or champion is None else champion
        promotion = Promotion(
            project_id=challenger.project_id,
            kind="promoted" if promote else "kept",
            model_version_id=winner.id,
            challenger_id=challenger.id,
            previous_id=champion.id if champion else None,
            reason=Message.of(reason),
            evidence=evidence,
            decided_by=decided_by,
            created_at=self._clock(),
        )
        repository.add(self._session, promotion)
        self._audit.append(
            decided_by,
            f"model.{promotion.kind}",
            f"project:{challenger.project_id}",
            {"version": winner.number, "challenger": challenger.number, "reason": str(reason)},
        )
        Outbox(self._session, self._clock).tell_gate_decided(promotion, challenger, winner)
        return promotion

    def rollback(self, project_id: int, number: int, *, reason: str, actor: str) -> Promotion:
        """Model version ``number`` is champion again.

        Raises:
            NotFound: the project has no such version.
            Conflict: it is the champion already, or its encoder was deleted.
            InvalidInput: nobody could learn from the reason why.
        """
        if len(reason.strip()) < LEAST_REASON:
            raise InvalidInput(
                Message("The reason {reason!r} says nothing.", reason=reason),
                field="reason",
                value=reason,
                remedy=Message(
                    "Say in {least} characters or more why; it is kept for ever.",
                    least=LEAST_REASON,
                ),
            )
        version = self.get(project_id, number)
        champion = self.champion(project_id)
        if champion is not None and champion.id == version.id:
            raise Conflict(
                Message("Model version {number} is the champion already.", number=number),
                field="number",
                value=number,
            )
        if ENCODER_PURGED in version.metrics:
            raise Conflict(
                Message(
                    "The fine-tuned encoder of model version {number} was deleted to save space.",
                    number=number,
                ),
                field="number",
                value=number,
                remedy=Message(
                    "Roll back to a version that was champion once; their encoders are kept."
                ),
            )
        promotion = Promotion(
            project_id=project_id,
            kind="rolled_back",
            model_version_id=version.id,
            previous_id=champion.id if champion else None,
            reason=Message(reason),
            decided_by=actor,
            created_at=self._clock(),
        )
        repository.add(self._session, promotion)
        self._audit.append(
            actor,
            "model.rolled_back",
            f"project:{project_id}",
            {"to": number, "from": champion.number if champion else None, "reason": reason},
        )
        return promotion

    def get(self, project_id: int, number: int) -> ModelVersion:
        """The project's model version of that number.

        Raises:
            NotFound: there is none; the message lists those that exist.
        """
        version = repository.find_by_number(self._session, project_id, number)
        if version is None:
            numbers = ", ".join(str(v.number) for v in self.list_versions(project_id)) or "none"
            raise NotFound(
                Message(
                    "Project {project_id} has no model version {number}.",
                    project_id=project_id,
                    number=number,
                ),
                field="number",
                value=number,
                remedy=Message("Its versions are: {numbers}.", numbers=numbers),
            )
        return version

    def find_by_fingerprint(self, project_id: int, fingerprint: str) -> ModelVersion | None:
        """The model version trained on exactly that snapshot, if any."""
        return repository.find_by_fingerprint(self._session, project_id, fingerprint)

    def champion(self, project_id: int) -> ModelVersion | None:
        """The model version that answers now; none before the first promotion."""
        return repository.champion(self._session, project_id)

    def assessed_version(self, project_id: int) -> ModelVersion | None:
        """The version whose findings about labels are shown everywhere; none before the first."""
        return repository.assessed_version(self._session, project_id)

    def list_versions(self, project_id: int) -> Sequence[ModelVersion]:
        """The project's model versions, oldest first."""
        return repository.list_versions(self._session, project_id)

    def list_promotions(self, project_id: int) -> Sequence[Promotion]:
        """Every decision about the champion, oldest first."""
        return repository.list_promotions(self._session, project_id)
