"""Texts that no store can keep are replaced where they come in."""

import pytest

from labeling.label_studio.payloads import read_json
from labeling.label_studio.webhooks import parse_event, redact


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (rb'{"a\u0000": ["x\ud800y", 1, null]}', {"a\ufffd": ["x\ufffdy", 1, None]}),
        (rb'["\ud83d\ude00 \u7f3a"]', ["\U0001f600 \u7f3a"]),
        (rb'["\\u0000 is how it is written"]', ["\\u0000 is how it is written"]),
        ('"\u4e2d\U0001f600"'.encode(), "\u4e2d\U0001f600"),
    ],
)
def test_what_cannot_be_kept_is_replaced_and_nothing_else(sent: bytes, read: object) -> None:
    assert read_json(sent) == read


def test_a_webhook_with_half_a_character_can_be_stored() -> None:
    body = rb'{"action": "A\ud800\u0000", "project": {"id": 1, "token": "t"}}'
    assert parse_event(body).action == "A\ufffd\ufffd"
    assert "\x00" not in redact(body)
    redact(body).encode()
