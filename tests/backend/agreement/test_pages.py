"""The leads' pages, the same over JSON and on the command line; nobody else sees them."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from backend.agreement import pages
from backend.cli import app as cli
from backend.core.exceptions import Conflict, NotFound
from backend.models import Annotator
from backend.web.job_names import JOB_NAMES
from backend.words.catalogue import catalogue
from tests.backend.agreement.conftest import Measured, filled
from tests.backend.conftest import ClientAs


def test_they_are_for_leads(measured: Measured, client_as: ClientAs, browser_as: ClientAs) -> None:
    place = f"/projects/{measured.project_id}"
    reviewer, engineer = browser_as("reviewer"), client_as("engineer")
    for path in ("agreement", "annotators", "annotators/1", "measuring"):
        assert reviewer.get(f"{place}/{path}").status_code == 403
    for path in ("agreement", "annotators", "annotators/1"):
        assert engineer.get(f"/api/v1{place}/{path}").status_code == 403
    assert engineer.post(f"/api/v1{place}/agreement").status_code == 403
    assert client_as("service").get(f"/api/v1{place}/agreement").status_code == 403
    page = reviewer.get(place).text
    assert f'href="{place}/review"' in page
    assert f'href="{place}/agreement"' not in page
    assert f'href="{place}/review"' not in browser_as("viewer").get(place).text


def test_the_project_links_to_its_rooms(measured: Measured, browser_as: ClientAs) -> None:
    filled(measured.desk)
    measured.desk.refresh()
    place = f"/projects/{measured.project_id}"
    page = browser_as("lead").get(place).text
    for room in ("review", "agreement", "annotators", "labels", "guideline", "exports"):
        assert f'href="{place}/{room}"' in page
    count = sum(case.state == "open" for case in measured.desk.cases().values())
    assert count
    assert f'Review desk <span class="muted">{count}</span>' in page


def test_a_page_asks_for_what_was_not_measured(measured: Measured, browser_as: ClientAs) -> None:
    lead = browser_as("lead")
    place = f"/projects/{measured.project_id}"
    empty = lead.get(f"{place}/agreement").text
    assert "Nobody has answered yet." in empty
    assert "hx-post" not in empty
    filled(measured.desk)
    asking = lead.get(f"{place}/agreement").text
    assert 'hx-trigger="submit, load"' in asking
    token = asking.split('name="csrf_token" value="')[1].split('"')[0]
    answer = lead.post(f"{place}/measuring", data={"csrf_token": token})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{place}/agreement")
    waiting = lead.get(f"{place}/measuring", headers={"HX-Request": "true"})
    assert "every 1s" in waiting.text
    assert "HX-Refresh" not in waiting.headers
    measured.run()
    done = lead.get(f"{place}/measuring", headers={"HX-Request": "true"})
    assert done.headers["HX-Refresh"] == "true"
    page = lead.get(f"{place}/agreement").text
    assert "hx-post" not in page
    assert "Krippendorff" in page
    assert "Ana Duarte · 陈思" in page
    assert 'class="pairs"' in page
    chosen = lead.get(f"{place}/agreement", params={"question": "issue:duplicate", "lang": "zh"})
    assert "详细内容: 重复" in chosen.text
    assert lead.get(f"{place}/agreement", params={"question": "nonsense"}).status_code == 200
    # Old numbers stay on the page; the next ones are asked for after a while, or by hand.
    measured.desk.answer(1, None, "poor")
    measured.desk.clock.now -= timedelta(minutes=1)
    assert 'hx-trigger="submit"' in lead.get(f"{place}/agreement").text
    measured.desk.clock.now += timedelta(minutes=5)
    later = lead.get(f"{place}/annotators", params={"lang": "en"}).text
    assert "have changed since these numbers" in later
    assert 'hx-trigger="submit, load"' in later


def test_annotators_and_one_of_them(measured: Measured, browser_as: ClientAs) -> None:
    people = filled(measured.desk)
    measured.desk.answer(1, None, "poor")
    measured.decide(3, "good")
    measured.measure()
    lead = browser_as("lead")
    place = f"/projects/{measured.project_id}/annotators"
    listed = lead.get(place).text
    assert "Not known in Label Studio" in listed
    assert "陈思" in listed
    one = lead.get(f"{place}/{people[2]}").text
    assert '<table class="confusion"' in one
    assert "0 / 1" in one
    assert "没有记录" not in one
    gone = lead.get(f"{place}/0", params={"lang": "zh"}).text
    assert "无法区分他们" in gone
    assert lead.get(f"{place}/999").status_code == 404


def test_one_annotator_only(measured: Measured, browser_as: ClientAs) -> None:
    (ana,) = measured.desk.people("Ana")
    for task in range(1, 4):
        measured.desk.answer(task, ana, "good")
    measured.measure()
    lead = browser_as("lead")
    place = f"/projects/{measured.project_id}"
    assert "there is nobody to compare with" in lead.get(f"{place}/annotators").text
    page = lead.get(f"{place}/agreement").text
    assert "Only one annotator has labelled" in page
    assert "nan" not in page


def test_json_says_the_same(measured: Measured, client_as: ClientAs) -> None:
    lead = client_as("lead")
    base = f"/api/v1/projects/{measured.project_id}"
    assert lead.get(f"{base}/agreement").json()["questions"] == []
    people = filled(measured.desk)
    assert lead.post(f"{base}/agreement").json()["job_id"]
    assert lead.get(f"{base}/agreement").json()["job_id"]
    measured.run()
    assert lead.post(f"{base}/agreement").json() == {"job_id": None}
    found = lead.get(f"{base}/agreement").json()
    assert found["is_current"]
    assert found["annotators"][str(people[0])] == "Ana Duarte"
    assert found["questions"][0]["alpha"]["items"] == 12
    listed = lead.get(f"{base}/annotators").json()["items"]
    assert {each["name"] for each in listed} == {"Ana Duarte", "Bo Lindqvist", "陈思"}
    one = lead.get(f"{base}/annotators/{people[1]}").json()
    assert one == next(each for each in listed if each["annotator_id"] == people[1])
    assert lead.get(f"{base}/annotators/999").status_code == 404
    assert lead.get("/api/v1/projects/99/agreement").status_code == 404


@pytest.fixture
def run(measured: Measured, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    monkeypatch.setattr("backend.bootstrap.open_services", lambda: measured.desk.services)
    monkeypatch.setenv("COLUMNS", "200")

    def invoke(*arguments: str) -> str:
        result = CliRunner().invoke(cli, arguments)
        if isinstance(result.exception, Exception):
            raise result.exception
        return result.output

    return invoke


def test_the_command_line_measures_by_itself(measured: Measured, run: Callable[..., str]) -> None:
    assert "no labels yet" in run("agreement", "Shop")
    people = filled(measured.desk)
    text = run("agreement", "Shop")
    assert "issue: duplicate" in text
    assert "36 answers to 12 records." in text
    assert '"is_current": true' in run("agreement", "Shop", "--json")
    assert "陈思" in run("annotators", "list", "Shop")
    shown = run("annotators", "show", "Shop", str(people[2]))
    assert "same as the others: 67 % [35, 90] (n = 12)" in shown
    assert '"name": "Bo Lindqvist"' in run("annotators", "show", "Shop", str(people[1]), "--json")


def test_an_annotator_is_found_by_id_e_mail_and_name(
    measured: Measured, run: Callable[..., str]
) -> None:
    people = filled(measured.desk)
    with measured.desk.services.database.transaction() as session:
        ana, bo, chen = (session.get_one(Annotator, each) for each in people)
        ana.email, bo.email, chen.name = "Ana@example.org", "bo@example.org", "Bo Lindqvist"
    for text in ("ana@example.org", "ana duarte", str(people[0])):
        assert "Ana Duarte: " in run("annotators", "show", "Shop", text)
    with pytest.raises(Conflict, match="2 annotators are called 'bo lindqvist'") as two:
        run("annotators", "show", "Shop", "bo lindqvist")
    assert f"{people[1]} (bo@example.org)" in str(two.value)
    with pytest.raises(NotFound, match="no work of annotator 'Eve'") as nobody:
        run("annotators", "show", "Shop", "Eve")
    assert f"{people[0]} Ana Duarte" in str(nobody.value)
    with pytest.raises(NotFound, match="'99'"):
        run("annotators", "show", "Shop", "99")


def test_captions_are_chinese_too() -> None:
    words = {*pages.PATTERNS.values(), *pages.QUESTION_GROUPS.values()}
    words.add(JOB_NAMES["agreement.measure"])
    assert [text for text in words if text not in catalogue("zh")] == []
