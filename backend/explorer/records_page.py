"""What the page of a project's records shows: one function for every way that leads to it."""

from typing import Any

from fastapi import Request
from fastapi.responses import Response
from sqlmodel import Session

from backend.core.exceptions import AppError, Conflict, InvalidInput
from backend.core.language import language_of
from backend.core.security import Principal
from backend.core.services import Services
from backend.explorer.address import Address
from backend.explorer.choices import ChoiceWords, chips_of, choice_lists, facets_without
from backend.explorer.distribution import distribution
from backend.explorer.page_words import (
    FORMATS,
    OPERATOR_NAMES,
    SORT_NAMES,
    SOURCE_LOOKS,
)
from backend.explorer.record_words import SOURCE_NAMES
from backend.explorer.saved_views import SavedViews
from backend.explorer.sending import Sent
from backend.models import Project
from backend.projects.service import label_schema_of
from backend.records.service import RecordsService
from backend.scoring.service import Verdicts
from backend.selection.chosen import MOST_CHOSEN
from backend.web.rendering import render
from backend.words import Message, translator

PAGE = 50
"""Records a page. Chosen: what is looked through and ticked in one sitting."""
SHOWN_FIELDS = 6
"""Of a row; the record's own page shows all. Chosen: three lines on a desk's screen."""
LONGEST = 90
"""Characters of a value in a row."""


def records_page(
    request: Request,
    session: Session,
    services: Services,
    project: Project,
    address: Address,
    principal: Principal,
    *,
    notice: Message | None = None,
    sent: Sent | None = None,
    error: AppError | None = None,
    typed_view: str = "",
) -> Response:
    """The page with the records of ``address``, or with what is missing for it.

    Args:
        request: is answered.
        session: reads.
        services: with the folder of the verdicts.
        project: whose records.
        address: which of them.
        principal: who looks.
        notice: what was done.
        sent: what was sent on, which may be taken back.
        error: what was refused; the page keeps what was typed.
        typed_view: name of a view that was refused.
    """
    schema = label_schema_of(project)
    titles, translate = schema.titles(language_of(request)), translator(language_of(request))
    words = ChoiceWords(titles, translate)
    fields = RecordsService(session, services.clock).get_dataset(project.dataset_id).fields
    verdicts = Verdicts(session, services)
    state = verdicts.state(project)
    context: dict[str, Any] = {
        "project": project,
        "titles": titles,
        "schema_fields": list(schema.fields)[:SHOWN_FIELDS],
        "longest": LONGEST,
        "fields": fields,
        "state": state,
        "is_ready": state.model_version is not None,
        "address": address,
        "query": address.query,
        "sort": address.typed_value("sort") or address.order.sort,
        "sorts": _sorts(address, fields, translate),
        "operators": OPERATOR_NAMES,
        "formats": FORMATS,
        "sources": SOURCE_NAMES,
        "source_looks": SOURCE_LOOKS,
        "chips": chips_of(address, words),
        "views": SavedViews(session, services.clock, principal).list_all(project),
        "typed_view": typed_view,
        "notice": notice,
        "sent": sent,
        "most": MOST_CHOSEN,
        "limit": PAGE,
        "page": None,
        "lists": [],
        "distributions": [],
    }
    refused: AppError | None = error or address.error
    if context["is_ready"] and address.error is None:
        try:
            context |= _rows_and_counts(verdicts, project, address, words)
        except (Conflict, InvalidInput) as wrong:  # what nothing can match, or not yet
            refused = refused or wrong
    context["error"] = refused
    return render(request, "explorer/records.html", context, error=refused)


def _rows_and_counts(
    verdicts: Verdicts, project: Project, address: Address, words: ChoiceWords
) -> dict[str, Any]:
    page = verdicts.page(project, address.wanted, address.order, offset=address.offset, limit=PAGE)
    facets = verdicts.facets(project, address.wanted)
    pictures = []
    for name in ("risk", "confidence"):
        bounds = (f"{name}_from", f"{name}_to")
        counted = facets_without(verdicts, project, address, facets, *bounds)
        bars = counted.risk if name == "risk" else counted.confidence
        pictures.append(distribution(name, bars, address))
    return {
        "page": page,
        "lists": choice_lists(verdicts, project, address, facets, words),
        "distributions": pictures,
    }


def _sorts(address: Address, fields: list[str], translate: Any) -> list[tuple[str, str]]:
    """Values and captions of the menu; also a sort of the address that is none of them."""
    found = [(name, translate(caption)) for name, caption in SORT_NAMES.items()]
    for field in fields:
        found += [
            (f"field:{field}", translate(Message("{field}, largest first", field=field))),
            (f"-field:{field}", translate(Message("{field}, smallest first", field=field))),
        ]
    if address.order.sort not in dict(found):
        found.append((address.order.sort, address.order.sort))
    return found
