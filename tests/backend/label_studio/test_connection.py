"""A labelling screen that people edited in the real Label Studio: a push waits and says why."""

from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlmodel import select

from backend.core.clock import utc_now
from backend.core.services import Services
from backend.core.settings import Settings
from backend.label_studio.connection import LabelStudioScreenChanged, connect
from backend.label_studio.push import push_batches
from backend.models import Batch, Prediction, Project, Task
from labeling.label_studio.client import LabelStudioClient
from tests.backend.annotations.conftest import NOW, TASKS, Seeded
from tests.fixtures.model_version import model_version

pytestmark = [pytest.mark.label_studio]


@pytest.fixture
def services(seeded: Seeded, label_studio_client: LabelStudioClient, tmp_path: Path) -> Services:
    """Of the project before its first push, with a suggestion for every task."""
    with seeded.database.transaction() as session:
        project = session.get(Project, seeded.project_id)
        assert project is not None
        project.label_studio_project_id = None
        project.created_at = utc_now()  # its mark: the server holds other tests' projects, too
        session.exec(select(Batch)).one().pushed_at = None
        version = model_version(seeded.project_id)
        session.add(version)
        session.flush()
        for task in session.exec(select(Task)).all():
            task.label_studio_task_id, task.is_audit = None, False
            suggestion = Prediction(
                task_id=task.id,
                model_version_id=version.id,
                grade="fair",
                score=0.8,
                grade_probabilities={"fair": 0.8},
                issue_probabilities={},
                field_probabilities={},
                created_at=NOW,
            )
            session.add(suggestion)
    settings = Settings(
        data_dir=tmp_path, webhook_secret=SecretStr("a webhook secret of the tests")
    )
    made = Services(settings=settings, database=seeded.database)
    made.__dict__["label_studio"] = label_studio_client
    made.clock = lambda: NOW
    return made


def test_a_push_waits_until_the_screen_asks_what_the_schema_asks(
    seeded: Seeded, services: Services
) -> None:
    label_studio = services.label_studio
    project_id = connect(services, seeded.project_id)
    screen = str(label_studio.get_project(project_id)["label_config"])
    edited = screen.replace('<Choice value="fair"', '<Choice value="okay"')
    assert edited != screen
    label_studio.update_project(project_id, {"label_config": edited})
    with pytest.raises(LabelStudioScreenChanged, match="lacks 'fair' and offers 'okay'") as told:
        push_batches(services, seeded.project_id)
    assert "add to 'grade' 'fair'" in str(told.value.remedy)
    assert label_studio.count_tasks(project_id) == 0
    label_studio.update_project(project_id, {"label_config": screen})
    assert push_batches(services, seeded.project_id) == TASKS
    assert label_studio.count_tasks(project_id) == TASKS
