"""Own records are left to people, behind a dead proxy too; simulated answers are marked."""

import csv
from pathlib import Path

import httpx
import pytest

from backend.annotations.simulated import has_simulated_answers
from backend.core.services import Services
from backend.demo.run import DemoRun
from backend.demo.source import own_file
from labeling.label_studio.account import ensure_annotator
from labeling.label_studio.annotations import Answer, build_result
from labeling.label_studio.client import LabelStudioClient
from labeling.label_studio.server import free_port
from tests.e2e.stack import Stack
from tests.fixtures.label_studio import PASSWORD

pytestmark = [pytest.mark.e2e, pytest.mark.label_studio]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "我的 records.csv"
    rows = [{"sku": f"s{n}", "title": f"kettle {n}", "price": str(n)} for n in range(20)]
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, ["sku", "title", "price"])
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture
def proxied_stack(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Stack:
    for name in ("http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"socks5://127.0.0.1:{free_port()}")
    stack.start("serve")
    stack.start("worker")
    return stack


def demo(services: Services, file: Path, *, is_simulated: bool, batch_size: int = 8) -> DemoRun:
    source = own_file(file, None, None, is_simulated=is_simulated)
    run = DemoRun(services, source, annotator_password=PASSWORD, seed=1)
    run.import_records(lambda _share, _text: None)
    run.create_project(batch_size=batch_size)
    return run


def marked(services: Services, run: DemoRun) -> bool:
    with services.database.reading() as session:
        return has_simulated_answers(session, run.project.id)


def test_own_records_wait_for_people_and_simulated_answers_are_marked(
    proxied_stack: Stack, file: Path
) -> None:
    stack, services = proxied_stack, proxied_stack.services()
    run = demo(services, file, is_simulated=False, batch_size=60)
    assert run.await_batch(1, lambda _share, _text: None) is not None
    project = run.project
    assert (project.name, project.policy["annotators_per_record"]) == ("我的 records", 1)
    assert project.label_studio_project_id is not None
    pushed = services.label_studio.task_ids(project.label_studio_project_id)
    assert len(pushed) == 20, "the pool is empty, and its last batch is waited for"
    tasks = services.label_studio.tasks_with_annotations(project.label_studio_project_id, pushed)
    assert [task["annotations"] for task in tasks] == [[]] * 20
    invited = httpx.get(run.invitation_url(), trust_env=False)
    assert 'name="csrfmiddlewaretoken"' in invited.text, "a form to sign up with"

    person = ensure_annotator(
        stack.label_studio.url, stack.label_studio.token, "person@example.com", PASSWORD
    )
    schema = own_file(file, None, None, is_simulated=False).schema
    answer = Answer(grade=schema.grades[0])
    fields = {"title": "kettle", "price": "1"}
    LabelStudioClient(stack.label_studio.url, person.token).create_annotation(
        pushed[0], {"result": build_result(answer, fields, schema)}
    )
    stack.until(lambda: stack.run("status", "--json").stdout.count('"current": 1'), "it is known")
    assert not marked(services, run)

    simulated = demo(services, file, is_simulated=True)
    assert simulated.project.id != project.id
    assert simulated.turn(1, lambda _share, _text: None)
    assert marked(services, simulated)
    assert not marked(services, run)
