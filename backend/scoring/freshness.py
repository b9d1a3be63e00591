"""Whether the verdicts that are read are those of now."""

from datetime import datetime

from sqlmodel import Session

from active_learning.verdicts.verdict_files import VerdictFiles
from backend.core.services import Services
from backend.models import Project
from backend.records.repository import generation, newest_record
from backend.registry.service import RegistryService
from backend.scoring.schemas import VerdictState
from backend.scoring.verdict_folder import VerdictFolder


def state_of(
    session: Session, services: Services, project: Project, verdicts: VerdictFiles | None
) -> VerdictState:
    """Whose verdicts these are, and whether they are by the champion and of the records of now."""
    champion = RegistryService(session, services.clock).champion(project.id)
    number = champion.number if champion else None
    if verdicts is None:
        return VerdictState(model_version=None, is_current=False, champion=number)
    facts = verdicts.facts
    # Two of the three: counting a million records takes longer than the page that asks.
    now = (generation(session, project.dataset_id), newest_record(session, project.dataset_id))
    is_of_now = (facts.state[0], facts.state[-1]) == now
    return VerdictState(
        model_version=facts.model_version,
        records=facts.records,
        made_at=datetime.fromisoformat(facts.made_at),
        is_current=is_of_now and facts.model_version == number,
        champion=number,
    )


def is_refresh_due(services: Services, project_id: int | None) -> bool:
    """True if there is a champion, and the verdicts that are read are not of now."""
    if project_id is None:
        return False
    folder = VerdictFolder(services.settings.verdicts_dir, project_id)
    with services.database.reading() as session:
        project = session.get_one(Project, project_id)
        state = state_of(session, services, project, folder.current())
    return state.champion is not None and not state.is_current
