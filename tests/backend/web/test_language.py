import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from backend.bootstrap import build_registry
from backend.core.services import Services
from backend.web.job_names import JOB_NAMES
from backend.web.rendering import HERE
from backend.words import translator
from tests.backend.conftest import ClientAs


def test_every_kind_of_job_has_a_name_in_words(services: Services) -> None:
    assert build_registry(services).names == JOB_NAMES.keys()


def test_no_template_shows_english_outside_the_catalogue() -> None:
    for template in Path(HERE / "templates").rglob("*.html"):
        if template.name == "docs.html":
            continue
        text = re.sub(
            r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<pre>.*?</pre>|<code.*?</code>",
            "",
            template.read_text(encoding="utf-8"),
            flags=re.DOTALL,
        )
        words = re.findall(r">\s*([A-Z]?[a-z]{3,}[^<]*)<", text)
        assert not [w for w in words if w.strip() not in {"Assay", "Assay</a>"}], template


@pytest.mark.parametrize(
    ("accepted", "title"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "登录"),
        ("en;q=0.2, zh;q=0.9", "登录"),
        ("en-GB,en;q=0.9", "Log in"),
        ("fr", "Log in"),
        ("zh;q=x", "Log in"),
        ("", "Log in"),
    ],
)
def test_the_browsers_language_decides(client: TestClient, accepted: str, title: str) -> None:
    page = client.get("/login", headers={"Accept-Language": accepted}).text
    assert f"<h1>{title}</h1>" in page


def test_a_choice_is_remembered(client: TestClient) -> None:
    assert "<h1>登录</h1>" in client.get("/login?lang=zh").text
    assert "<h1>登录</h1>" in client.get("/login", headers={"Accept-Language": "en"}).text
    assert "<h1>Log in</h1>" in client.get("/login?lang=en").text
    assert "<h1>Log in</h1>" in client.get("/login?lang=xx").text


def test_the_switch_keeps_the_address(browser_as: ClientAs) -> None:
    page = browser_as("viewer").get("/jobs?notice=cancelling").text
    assert 'href="/jobs?notice=cancelling&amp;lang=zh"' in page
    assert 'lang="zh-Hans"' in browser_as("lead").get("/jobs?lang=zh").text


def test_words_without_a_translation_stay() -> None:
    assert translator("zh")("quality.assess") == "quality.assess"
    assert translator("zh")("Round {round}: {done} of {all} labelled", round=2, done=1, all=9)
