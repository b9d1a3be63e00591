"""Errors and jobs in the reader's language."""

import re

from fastapi.testclient import TestClient

from backend.core.exceptions import NotFound
from backend.core.services import Services
from backend.jobs.storable import storable_message
from backend.models import Job
from backend.words import Message, translator
from tests.backend.conftest import ClientAs


def test_pages_say_them_in_chinese(browser_as: ClientAs) -> None:
    admin = browser_as("admin")
    refused = browser_as("viewer").get("/users?lang=zh")
    assert refused.status_code == 403
    assert "这需要管理员角色；viewer@example.org 的角色是查看者。" in refused.text
    page = admin.get("/users").text
    user = re.search(r"/users/(\d+)/role", page)
    token = page.split('name="csrf_token" value="')[1][:64]
    assert user
    answer = admin.post(
        f"/users/{user[1]}/role?lang=zh", data={"role": "lead", "csrf_token": token}
    )
    assert "是唯一能登录的管理员。 请先让另一位用户成为管理员。" in answer.text


def test_programs_are_answered_in_the_language_they_accept(client_as: ClientAs) -> None:
    client: TestClient = client_as("viewer")
    english = client.get("/api/v1/projects/7")
    assert english.json()["detail"] == "There is no project 7."
    assert english.headers["Content-Language"] == "en"
    chinese = client.get("/api/v1/projects/7", headers={"Accept-Language": "zh-CN,en;q=0.5"})
    problem = chinese.json()
    assert (problem["title"], problem["detail"]) == ("未找到", "没有项目 7。")
    assert problem["type"] == english.json()["type"] == "urn:assay:problem:not-found"
    assert chinese.headers["Content-Language"] == "zh-Hans"


def test_a_job_is_told_in_the_language_of_who_reads_it(
    services: Services, browser_as: ClientAs
) -> None:
    done = Message.ngettext(
        "{done} of {n} record graded", "{done} of {n} records graded", n=1, done=1
    )
    error = NotFound(Message("There is no job {job_id}.", job_id="x"), remedy="<b>Theirs.</b>")
    now = services.clock()
    with services.database.transaction() as session:
        common = {"args": {}, "enqueued_at": now}
        session.add(Job(id="a", name="training.retrain", status="running", message=done, **common))
        session.add(
            Job(
                id="b",
                name="training.retrain",
                status="failed",
                error=storable_message(error.text),
                **common,
            )
        )
        session.add(Job(id="c", name="x", message="plain words of an older version", **common))
    with services.database.reading() as session:
        kept = session.get_one(Job, "a").message
        assert isinstance(kept, Message)
        assert kept.as_json() == done.as_json()
        assert not isinstance(session.get_one(Job, "c").message, Message)
    viewer = browser_as("viewer")
    english = viewer.get("/jobs?lang=en").text
    assert "1 of 1 record graded" in english
    assert "There is no job x. &lt;b&gt;Theirs.&lt;/b&gt;" in english
    chinese = viewer.get("/jobs?lang=zh").text
    assert "已评级 1 / 1 条记录" in chinese
    assert "没有作业 x。&lt;b&gt;Theirs.&lt;/b&gt;" in chinese
    assert "plain words of an older version" in chinese


def test_names_stay_as_they_are() -> None:
    zh = translator("zh")
    only = Message("{email} is the only administrator who can log in.", email="{braces} %s")
    assert zh(only) == "{braces} %s 是唯一能登录的管理员。"
    for theirs in ("a {braces} of {0}", "", "Nothing of the kind."):
        assert zh(theirs) == theirs
