"""Requests to Label Studio, and its refusals and silences as facts."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import httpx

from labeling.exceptions import LabelStudioRefused, LabelStudioUnavailable
from labeling.label_studio.direct import open_client
from labeling.label_studio.payloads import read_json
from labeling.words import Words, sentences

SHORT = 300
"""Characters of an answer in a message. Chosen: it stays readable."""


class Transport:
    """One user's connection to Label Studio; safe to share between threads."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        timeout: float = 300.0,
        proxy: str | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self.token = token
        self._timeout = timeout
        self._http = open_client(
            self.url,
            proxy=proxy,
            headers={"Authorization": f"Token {token}"},
            timeout=httpx.Timeout(timeout, connect=10.0),
            transport=transport,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _get_json(self, path: str, params: Mapping[str, Any] = MappingProxyType({})) -> Any:
        return self._send_json("GET", path, params=dict(params))

    def _send_json(self, method: str, path: str, **options: Any) -> Any:
        answer = self._send(method, path, **options)
        try:
            return read_json(answer.content)
        except ValueError as error:
            raise failure(answer.status_code, f"{method} {path}", answer.text) from error

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        with silence_as_unavailable(self.url):
            answer = self._http.request(method, path, **options)
        if answer.status_code >= 300:
            raise failure(answer.status_code, f"{method} {path}", _content(answer))
        return answer


@contextmanager
def silence_as_unavailable(url: str) -> Iterator[None]:
    """Inside, a request that nobody answers raises LabelStudioUnavailable."""
    try:
        yield
    except httpx.HTTPError as error:
        raise LabelStudioUnavailable(
            Words(
                "Label Studio at {url} gave no answer ({kind}: {error}).",
                url=url,
                kind=type(error).__name__,
                error=error,
            )
        ) from error


def failure(
    status: int | None, request: str, content: object
) -> LabelStudioUnavailable | LabelStudioRefused:
    """What an unwanted answer means: a 3xx or 4xx is a refusal, anything else passes.

    A success whose content cannot be read comes from something else at that address.
    """
    reason = _reason(content)
    if status is None or status >= 500:
        return LabelStudioUnavailable(
            Words(
                "Label Studio answered {status} to {request}: {reason}",
                status=status,
                request=request,
                reason=reason,
            ),
            status,
        )
    if status < 300:
        return LabelStudioUnavailable(
            Words(
                "{request} was answered, but not as Label Studio does: {reason}. Check "
                "ASSAY_LABEL_STUDIO_URL.",
                request=request,
                reason=reason,
            )
        )
    told = Words(
        "Label Studio refused with {status}: {request}: {reason}",
        status=status,
        request=request,
        reason=reason,
    )
    if status == 401:
        remedy = Words(
            "ASSAY_LABEL_STUDIO_TOKEN is not its administrator's token (any more): set it to the "
            "one on the page Account & Settings of Label Studio and start again."
        )
        told = sentences([told, remedy])
    elif status < 400:
        told = sentences([told, Words("It redirects. Check ASSAY_LABEL_STUDIO_URL.")])
    return LabelStudioRefused(told, status)


def _content(answer: httpx.Response) -> object:
    try:
        return answer.json()
    except ValueError:
        return answer.text


def _reason(content: object) -> Words | str:
    """Label Studio's own words, cut short; its pages of 170 KB say nothing."""
    if isinstance(content, Mapping) and "detail" in content:
        errors = content.get("validation_errors")
        details = f": {json.dumps(errors, ensure_ascii=False)}" if errors else ""
        return f"{content['detail']}{details}"[:SHORT]
    text = str(content).strip()
    return Words("(a web page)") if text.startswith("<") else text[:SHORT]
