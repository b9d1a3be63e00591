"""Errors of services on Chinese pages: the frequent ones are Chinese, with their names."""

import ast
import re
from collections.abc import Iterator

from backend.core.services import Services
from backend.web.error_words import ERRORS, REMEDIES, error_message
from backend.web.rendering import HERE
from backend.words import translator
from backend.words.catalogue import catalogue
from tests.backend.conftest import ClientAs

PLACE = re.compile(r"\{\w+\}")
BY_HAND = {
    "A user cannot have the role {}.": "A {} cannot have the role {}.",
    "Case {} is not as you read it: {} has since chosen '{}'.": "{} has since chosen '{}'",
    "Case {} is not as you read it: new answers or findings have come in.": (
        "new answers or findings have come in"
    ),
}
"""Put together of several texts of the code."""


def _texts() -> Iterator[str]:
    """Every text of the code, what is filled in as {}."""
    for path in HERE.parent.rglob("*.py"):
        if path.name == "error_words.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                yield "".join(
                    str(part.value) if isinstance(part, ast.Constant) else "{}"
                    for part in node.values
                )
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def test_every_template_is_chinese_and_is_said_somewhere() -> None:
    assert [text for text in (*ERRORS, *REMEDIES) if text not in catalogue("zh")] == []
    said = set(_texts())
    for template in (*ERRORS, *REMEDIES):
        bare = PLACE.sub("{}", template)
        assert BY_HAND.get(bare, bare) in said, template


def test_names_stay_and_roles_are_translated() -> None:
    zh, en = translator("zh"), translator("en")
    only = "ana@example.org is the only administrator who can log in."
    assert error_message(only, zh) == "ana@example.org 是唯一能登录的管理员。"
    assert error_message(only, en) == only
    assert error_message("There is no user 7.", zh) == "没有用户 7。"
    assert error_message("There is no project 12.", zh) == "没有项目 12。"
    refused = error_message("This needs the role lead; bo@example.org is viewer.", zh)
    assert "bo@example.org" in refused
    assert zh("lead") in refused
    assert "viewer" not in refused
    for unknown in ("a {braces} of {0}", "", "Nothing of the kind."):
        assert error_message(unknown, zh) == unknown


def test_pages_say_them_in_chinese(services: Services, browser_as: ClientAs) -> None:
    admin = browser_as("admin")
    refused = browser_as("viewer").get("/users?lang=zh")
    assert refused.status_code == 403
    assert "这需要角色" in refused.text
    page = admin.get("/users").text
    user = re.search(r"/users/(\d+)/role", page)
    token = page.split('name="csrf_token" value="')[1][:64]
    assert user
    answer = admin.post(
        f"/users/{user[1]}/role?lang=zh", data={"role": "lead", "csrf_token": token}
    )
    assert "是唯一能登录的管理员。请先让另一位用户成为管理员。" in answer.text.replace("。 ", "。")
