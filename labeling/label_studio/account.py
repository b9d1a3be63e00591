"""Accounts, unattended: the admin's token, and annotators who can really log in.

Users made through the API can never log in, so annotators come through the sign-up form
with the organisation's invitation, as a person would.
"""

import re
from contextlib import closing
from dataclasses import dataclass

import httpx

from labeling.exceptions import LabelStudioRefused, LabelStudioUnavailable
from labeling.label_studio.client import LabelStudioClient
from labeling.label_studio.direct import open_client
from labeling.label_studio.transport import failure, silence_as_unavailable
from labeling.words import Words

_CSRF = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
TIMEOUT_SECONDS = 60.0
"""Chosen: a server that has just started answers its first requests slowly."""


@dataclass(frozen=True)
class Account:
    """Someone who can log in and use the API."""

    user_id: int
    email: str
    token: str


def ensure_token(url: str, email: str, password: str, token: str) -> str:
    """An API token that works for the admin: ``token`` itself, or the one it has already.

    Label Studio takes the token from its environment only when the user is first created,
    and may have token authentication off for an older organisation; both are repaired.

    Raises:
        LabelStudioRefused: e-mail address or password is wrong.
    """
    with silence_as_unavailable(url), open_client(url, timeout=TIMEOUT_SECONDS) as http:
        answer = http.get("/api/current-user/whoami", headers={"Authorization": f"Token {token}"})
        if answer.status_code == 200:
            return token
    with silence_as_unavailable(url), closing(login(url, email, password)) as session:
        held = str(session.get("/api/current-user/token").json()["token"])
        answer = session.post(
            "/api/jwt/settings",
            json={"api_tokens_enabled": True, "legacy_api_tokens_enabled": True},
            headers=_csrf_headers(session),
        )
        if answer.status_code != 200:
            raise failure(answer.status_code, "POST /api/jwt/settings", answer.text)
        return held


def login(url: str, email: str, password: str) -> httpx.Client:
    """A client with the session of that user; close it after use.

    Raises:
        LabelStudioRefused: e-mail address or password is wrong.
        LabelStudioUnavailable: nobody answers.
    """
    form = {"email": email, "password": password, "persist_session": "on"}
    session, status = _submit(url, "/user/login/", form)
    if status != 302:
        session.close()
        raise LabelStudioRefused(
            Words(
                "Label Studio refused the login of {email}: wrong e-mail address or password.",
                email=email,
            ),
            status,
        )
    return session


def ensure_annotator(url: str, admin_token: str, email: str, password: str) -> Account:
    """The account of an annotator; signed up through the invitation if it does not exist.

    Raises:
        LabelStudioRefused: it exists with another password, or sign-up was refused.
        LabelStudioUnavailable: nobody answers.
    """
    try:
        session = login(url, email, password)
    except LabelStudioRefused:
        session = _sign_up(url, admin_token, email, password)
    with silence_as_unavailable(url), closing(session):
        user = session.get("/api/current-user/whoami").json()
        token = session.get("/api/current-user/token").json()["token"]
        return Account(user_id=int(user["id"]), email=email, token=str(token))


def _sign_up(url: str, admin_token: str, email: str, password: str) -> httpx.Client:
    with closing(LabelStudioClient(url, admin_token, timeout=TIMEOUT_SECONDS)) as admin:
        path = f"/user/signup/?token={admin.invitation()}"
    form = {"email": email, "password": password, "allow_newsletters": "false"}
    session, status = _submit(url, path, form)
    if status != 302:
        session.close()
        raise LabelStudioRefused(
            Words(
                "Label Studio refused to sign up {email}: the address may exist with another "
                "password, or the password is shorter than 8 characters.",
                email=email,
            ),
            status,
        )
    return session


def _submit(url: str, path: str, form: dict[str, str]) -> tuple[httpx.Client, int]:
    """The form of that page, filled in and sent by a person without session: its status."""
    session = open_client(url, timeout=TIMEOUT_SECONDS)
    try:
        with silence_as_unavailable(url):
            token = _form_token(session.get(path))
            answer = session.post(
                path,
                data={"csrfmiddlewaretoken": token, **form},
                headers={"Referer": f"{url}{path}"},
            )
        if answer.status_code >= 500:
            raise failure(answer.status_code, f"POST {path.partition('?')[0]}", answer.text)
    except BaseException:
        session.close()
        raise
    return session, answer.status_code


def _form_token(page: httpx.Response) -> str:
    match = _CSRF.search(page.text)
    if match is None:
        raise LabelStudioUnavailable(
            Words(
                "Label Studio's page {path} has no form (status {status}).",
                path=page.url.path,
                status=page.status_code,
            )
        )
    return match.group(1)


def _csrf_headers(session: httpx.Client) -> dict[str, str]:
    return {"X-CSRFToken": session.cookies.get("csrftoken") or "", "Referer": str(session.base_url)}
