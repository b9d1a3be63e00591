"""A disk that fills up while training: the job waits, says where, and goes on by itself."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import select

from backend.core.services import Services
from backend.models import Job, ModelVersion
from backend.projects.schemas import LoopPolicy
from labeling.label_studio.client import LabelStudioClient
from tests.e2e.stack import Stack, seed_project
from tests.e2e.test_kill_points import assert_nothing_lost_nothing_twice, label, pushed_batch

pytestmark = [pytest.mark.e2e, pytest.mark.label_studio]

TINY = "size=8k"
LARGE = "size=64m"


@pytest.fixture
def tiny_disk(stack: Stack) -> Iterator[Path]:
    """The models directory on a file system of its own, too small for a model version."""
    directory = stack.data_dir / "models"
    directory.mkdir(parents=True)
    mounted = mount("-t", "tmpfs", "-o", TINY, "assay-test", str(directory))
    if mounted.returncode != 0:
        pytest.skip(f"a file system cannot be mounted here: {mounted.stderr.strip()}")
    yield directory
    stack.stop()
    subprocess.run(["umount", str(directory)], check=True)


def mount(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)


def told_errors(stack: Stack) -> str:
    """What `assay status` says of failed attempts; one that runs again has no error."""
    told = json.loads(stack.run("status", "--json").stdout)
    return "\n".join(job["error"] or "" for job in told["jobs"])


def waiting_training(services: Services) -> Job | None:
    with services.database.reading() as session:
        return session.exec(
            select(Job).where(Job.name == "training.retrain", Job.status == "waiting")
        ).first()


def test_training_waits_for_space_and_recovers_by_itself(
    stack: Stack, tiny_disk: Path, label_studio_client: LabelStudioClient
) -> None:
    services = stack.services()
    policy = LoopPolicy(batch_size=16, audit_share=0.25, annotators_per_record=2)
    project, truths = seed_project(services, records=60, policy=policy, name="full disk")
    stack.start("serve")
    stack.start("worker")
    stack.until(pushed_batch(services, 1), "batch 1 is pushed")
    label(services, project.id, 1, truths)

    job = stack.until(lambda: waiting_training(services), "the training waits for space")
    assert job.error is not None
    assert "StorageFull" in job.error
    assert str(tiny_disk) in job.error
    assert "Free some space" in job.error
    stack.until(lambda: "Free some space" in told_errors(stack), "the status tells the remedy")
    assert list(tiny_disk.rglob("*.safetensors")) == []  # nothing half-written
    with services.database.reading() as session:
        assert session.exec(select(ModelVersion)).all() == []

    assert mount("-o", f"remount,{LARGE}", str(tiny_disk)).returncode == 0
    stack.until(pushed_batch(services, 2), "the loop goes on by itself")
    assert_nothing_lost_nothing_twice(stack, services, label_studio_client, rounds=2)
