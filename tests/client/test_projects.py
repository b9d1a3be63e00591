"""Projects, batches, labels."""

import asyncio
from pathlib import Path

import pandas as pd
import pytest

from assay_client import Assay, InvalidInput, JobStillRunning, NotAllowed, Problem
from backend.core.clock import utc_now
from backend.core.services import Services
from backend.models import Job
from tests.backend.overview.store import fill
from tests.client.conftest import AwaitingAs, KeyOf


@pytest.fixture
def project_id(services: Services) -> int:
    """Four rounds, 68 answers."""
    with services.database.transaction() as session:
        return fill(session, utc_now())


def test_a_project_is_made_changed_and_found(assay: Assay) -> None:
    assay.datasets.create("shop", fields=["title"])
    made = assay.projects.create("Shop catalogue", "shop", policy={"batch_size": 7})
    assert made.policy["batch_size"] == 7
    changed = assay.projects.change_policy("Shop catalogue", batch_size=9, audit_share=0.5)
    assert (changed.policy["batch_size"], changed.policy["audit_share"]) == (9, 0.5)
    assert assay.projects.list() == [changed] == [assay.projects.get(made)]
    with pytest.raises(InvalidInput, match="batch_size") as wrong:
        assay.projects.change_policy(made, batch_size=0)
    assert (wrong.value.status, wrong.value.value) == (422, 0)
    assert wrong.value.remedy


def test_status_and_batches_of_a_loop_that_turned(assay: Assay, project_id: int) -> None:
    status = assay.projects.status(project_id)
    assert (status.name, status.round, status.batch_labelled) == ("Shop catalogue", 4, 8)
    batches = assay.batches.list("Shop catalogue")
    assert [batch.round for batch in batches] == [1, 2, 3, 4]
    assert batches == status.rounds
    assert any(version.is_champion for version in status.versions)


def test_the_next_batch_is_a_job(assay: Assay, project_id: int) -> None:
    job = assay.batches.request(project_id)
    assert (job.name, job.project_id) == ("training.next_batch", project_id)
    assert [each.id for each in assay.jobs.list(project=project_id, name=job.name)] == [job.id]
    assert assay.jobs.cancel(job).status == "cancelled"
    assert assay.jobs.retry(job).id == assay.jobs.get(job).retried_as


def test_labels_as_a_frame_and_as_a_file(assay: Assay, project_id: int, tmp_path: Path) -> None:
    frame = assay.labels.get(project_id, "annotations").to_pandas()
    assert len(frame) == 68 - 1  # the deleted one is not there
    assert frame["title"].str.startswith("Kettle").all()
    assert frame["annotator"].str.startswith("annotator-").all()
    assert isinstance(frame["revised_at"].dtype, pd.DatetimeTZDtype)
    path = assay.labels.download(project_id, tmp_path / "labels.csv", "annotations", format="csv")
    assert len(pd.read_csv(path)) == len(frame)


def test_names_of_people_need_a_lead(assay: Assay, project_id: int, tmp_path: Path) -> None:
    with pytest.raises(NotAllowed, match="lead"):
        assay.labels.get(project_id, "annotations", pseudonyms=False)
    with pytest.raises(NotAllowed):
        assay.labels.download(project_id, tmp_path / "labels", pseudonyms=False)
    assert list(tmp_path.glob("labels*")) == []


def test_a_wait_ends_in_time(address: str, key_of: KeyOf, services: Services) -> None:
    with services.database.transaction() as session:
        session.add(Job(id="j-1", name="labeling.sync", args={}, enqueued_at=utc_now()))
    with Assay(address, key_of("viewer")) as viewer:
        with pytest.raises(JobStillRunning, match=r"queued after 0\.05 seconds") as caught:
            viewer.jobs.wait("j-1", timeout=0.05)
        assert caught.value.job.is_open


def test_the_same_is_awaited(awaiting_as: AwaitingAs, project_id: int) -> None:
    async def scenario() -> None:
        async with awaiting_as("engineer") as assay:
            status, labels = await asyncio.gather(
                assay.projects.status("Shop catalogue"), assay.labels.get(project_id, "annotations")
            )
            assert status.round == 4
            assert len(labels) == 67
            with pytest.raises(Problem, match="batch_size"):
                await assay.projects.change_policy(project_id, batch_size=0)

    asyncio.run(scenario())
