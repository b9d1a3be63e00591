"""What requests to the review desk say: project and filter of the address, forms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import Depends, Query, Request
from pydantic import ValidationError
from starlette.datastructures import FormData

from backend.core.dependencies import Reviewer, ServicesDep, SessionDep
from backend.core.exceptions import InvalidInput
from backend.core.request_body import RowNumber
from backend.models import Project
from backend.projects.service import ProjectsService
from backend.review.schemas import BulkRequest, CaseFilter, CaseState, DecisionRequest
from backend.review.triage import REASONS
from backend.words import Message

CORRECTED = "corrected:"


async def form_of(request: Request) -> FormData:
    """The form that was sent."""
    return await request.form()


FormDep = Annotated[FormData, Depends(form_of)]


def project_of(
    _reviewer: Reviewer, project_id: int, session: SessionDep, services: ServicesDep
) -> Project:
    """The project of the address; who may not review learns nothing of it."""
    return ProjectsService(session, services.clock).get(project_id)


ProjectDep = Annotated[Project, Depends(project_of)]


def case_filter(
    state: Annotated[
        CaseState | Literal[""] | None, Query(description="empty: all states")
    ] = "open",
    reason: Annotated[
        str | None, Query(description="code of a reason; `issue:` and `field:` mean any")
    ] = None,
    kind: Annotated[str | None, Query(description="kind of record")] = None,
    annotator: Annotated[
        RowNumber | Literal[""] | None, Query(description="answered by this annotator")
    ] = None,
    search: Annotated[str | None, Query(description="start of the external id")] = None,
) -> CaseFilter:
    """The filter of the address; a form sends what is not chosen as empty."""
    return CaseFilter(
        state=state or None,
        reason=reason or None,
        kind=kind or None,
        annotator=annotator or None,
        search=search or None,
    )


FilterDep = Annotated[CaseFilter, Depends(case_filter)]


def query_of(wanted: CaseFilter) -> str:
    """The filter as an address's query; ``state`` is always said."""
    values = {name: value for name, value in wanted.model_dump().items() if value is not None}
    return urlencode({"state": "", **values})


def group_counts(counts: Mapping[str, int]) -> dict[str, int]:
    """Counts by reason, those of issues and of fields together, in the order of the reasons."""
    found = {code: counts[code] for code in REASONS if code in counts}
    for group in ("issue:", "field:"):
        total = sum(count for code, count in counts.items() if code.startswith(group))
        if total:
            found[group] = total
    return found


def decision_request(form: FormData) -> DecisionRequest:
    """The form's decision.

    Raises:
        InvalidInput: a value that a decision cannot have.
    """
    faulty = [str(name) for name in form.getlist("faulty_fields")]
    corrected = {
        name.removeprefix(CORRECTED): str(value)
        for name, value in form.multi_items()
        if name.startswith(CORRECTED) and str(value).strip()
    }
    try:
        return DecisionRequest.model_validate(
            {
                "version": form.get("version"),
                "action": form.get("action"),
                "grade": form.get("grade") or None,
                "issues": [str(value) for value in form.getlist("issues")],
                "faulty_fields": [*faulty, *(name for name in corrected if name not in faulty)],
                "corrected_values": corrected,
                "assignee_id": form.get("assignee_id") or None,
                "rule": form.get("rule") or None,
                "reason": form.get("reason") or "",
            },
            strict=False,
        )
    except ValidationError as error:
        raise _refusal(error) from error


@dataclass(frozen=True)
class DecisionDraft:
    """What was chosen in a form that could not be stored, to be shown again."""

    grade: str | None
    issues: Sequence[str]
    faulty_fields: Sequence[str]
    corrected_values: Mapping[str, str]
    reason: str
    rule: str
    assignee_id: str

    @classmethod
    def of(cls, form: FormData) -> "DecisionDraft":
        """Everything that the form says, wrong values too."""

        def text(name: str) -> str:
            return str(form.get(name) or "")

        return cls(
            grade=text("grade") or None,
            issues=[str(value) for value in form.getlist("issues")],
            faulty_fields=[str(name) for name in form.getlist("faulty_fields")],
            corrected_values={
                name.removeprefix(CORRECTED): str(value)
                for name, value in form.multi_items()
                if name.startswith(CORRECTED)
            },
            reason=text("reason"),
            rule=text("rule"),
            assignee_id=text("assignee_id"),
        )


def bulk_request(form: FormData) -> BulkRequest:
    """The form's action on many cases.

    Raises:
        InvalidInput: a value that it cannot have.
    """
    versions = dict(str(pair).split(":", 1) for pair in form.getlist("case") if ":" in str(pair))
    names = ("state", "reason", "kind", "annotator", "search")
    try:
        return BulkRequest.model_validate(
            {
                "action": form.get("action"),
                "filter": {name: form.get(name) or None for name in names},
                "case_versions": versions or None,
                "reason": form.get("why") or "",  # `reason` is the filter's
            },
            strict=False,
        )
    except ValidationError as error:
        raise _refusal(error) from error


def _refusal(error: ValidationError) -> InvalidInput:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    return InvalidInput(
        Message(
            "{name} cannot be {input!r}: {msg}.", name=name, input=first["input"], msg=first["msg"]
        ),
        field=name,
        value=first["input"],
        remedy=Message("Reload the page and choose again."),
    )
