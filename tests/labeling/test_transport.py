"""What an answer means: the faults that a healthy server cannot show."""

import httpx
import pytest

from labeling.exceptions import LabelingError, LabelStudioRefused, LabelStudioUnavailable
from labeling.label_schema import LabelSchema
from labeling.label_studio.account import ensure_annotator, login
from labeling.label_studio.client import LabelStudioClient
from labeling.label_studio.label_config import build_label_config

PAGE = "<html>" + "x" * 170_000
URL = "http://127.0.0.1:9"  # the discard port: nobody listens


def answering(status: int, content: str = PAGE) -> LabelStudioClient:
    answer = httpx.MockTransport(lambda _request: httpx.Response(status, text=content))
    return LabelStudioClient(URL, "f" * 40, transport=answer)


def make_project(client: LabelStudioClient) -> object:
    config = build_label_config(LabelSchema.default(["title"]))
    return client.create_project(title="title", description="", label_config=config)


@pytest.mark.parametrize("call", [LabelStudioClient.users, make_project])
@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        (500, LabelStudioUnavailable, "500"),
        (503, LabelStudioUnavailable, "503"),
        (200, LabelStudioUnavailable, "ASSAY_LABEL_STUDIO_URL"),
        (401, LabelStudioRefused, "ASSAY_LABEL_STUDIO_TOKEN"),
        (404, LabelStudioRefused, "404"),
    ],
)
def test_the_status_decides_and_the_page_stays_out(
    call: object, status: int, kind: type[LabelingError], said: str
) -> None:
    assert callable(call)
    with pytest.raises(kind, match=said) as caught:
        call(answering(status))
    assert len(str(caught.value)) < 400
    assert "xxx" not in str(caught.value)


def test_a_redirect_is_no_success() -> None:
    with pytest.raises(LabelStudioRefused, match=r"redirects.*ASSAY_LABEL_STUDIO_URL"):
        answering(302).delete_task(1)


def test_the_reason_is_label_studios_own() -> None:
    content = '{"id": "u", "detail": "Validation error", "validation_errors": {"title": ["短"]}}'
    with pytest.raises(LabelStudioRefused, match=r'Validation error: \{"title": \["短"\]\}'):
        answering(400, content).users()


def test_accounts_of_a_server_that_is_away() -> None:
    with pytest.raises(LabelStudioUnavailable, match="no answer"):
        login(URL, "ada@example.com", "password")
    with pytest.raises(LabelStudioUnavailable, match="no answer"):
        ensure_annotator(URL, "f" * 40, "ada@example.com", "password")
