"""Requests to Label Studio, and its refusals and silences as facts."""

from collections.abc import Mapping
from typing import Any

import httpx

from labeling.exceptions import LabelStudioRefused, LabelStudioUnavailable

SHORT = 300


class Transport:
    """One user's connection to Label Studio; safe to share between threads."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        timeout: float = 300.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self.token = token
        self._http = httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Token {token}"},
            timeout=httpx.Timeout(timeout, connect=10.0),
            transport=transport,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _get_json(self, path: str, params: Mapping[str, Any]) -> Any:
        return self._send("GET", path, params=dict(params)).json()

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, path, **options)
        except httpx.HTTPError as error:
            raise LabelStudioUnavailable(unreachable(self.url, error)) from error
        if answer.status_code >= 500:
            raise LabelStudioUnavailable(
                f"Label Studio answered {answer.status_code} to {method} {path}: {_short(answer)}"
            )
        if answer.status_code >= 400:
            raise refusal(answer.status_code, f"{method} {path}: {_short(answer)}")
        return answer


def unreachable(url: str, error: httpx.HTTPError) -> str:
    """The sentence that says that nobody answered."""
    return f"Label Studio at {url} gave no answer ({type(error).__name__}: {error})."


def refusal(status: int, text: str) -> LabelStudioRefused:
    """The refusal, its text cut short: unknown addresses answer with a whole page."""
    remedy = " Check ASSAY_LABEL_STUDIO_TOKEN." if status == 401 else ""
    return LabelStudioRefused(f"Label Studio refused with {status}: {text[:SHORT]}{remedy}", status)


def _short(answer: httpx.Response) -> str:
    if "html" in answer.headers.get("content-type", ""):
        return "(a web page)"
    return answer.text[:SHORT]
