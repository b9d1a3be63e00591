"""``embedded.env``: secrets and ports of the embedded stack, made once and kept."""

import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from backend.core.settings import ENV_PREFIX, Settings
from backend.embedded.ports import HOST, choose_port

FILE_NAME = "embedded.env"
API_PORT = 8000
"""uvicorn's default; the next free one where it is taken."""
LABEL_STUDIO_PORT = 8080
"""Label Studio's default; the next free one where it is taken."""
OF_A_COMMAND = {"data_dir", "language"}
"""Settings of one command alone: where the file itself is, and in which language to speak."""
ADMIN_EMAIL = "admin@example.com"


def ensure_embedded_env(data_dir: Path) -> dict[str, str]:
    """The file's values, readable by its owner only; what was missing is made, nothing changes.

    Keys are the settings' environment names, the logins of Label Studio's administrator and
    of the pages' (``…_EMAIL``, ``…_PASSWORD``), and the demo annotators' password.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    path = data_dir / FILE_NAME
    values = read_env(path)
    made = {key: value for key, value in _new_values(values).items() if key not in values}
    if made:
        values |= made
        _write(path, values)
    return values


def read_env(path: Path) -> dict[str, str]:
    """The ``KEY=value`` lines of the file; empty if there is none."""
    return {key: value or "" for key, value in dotenv_values(path, interpolate=False).items()}


def remember(data_dir: Path, environment: Mapping[str, str]) -> None:
    """Settings that the environment gives stand in the file: without it, they are as with it."""
    path = data_dir / FILE_NAME
    values = read_env(path)
    given = {name: environment[name] for name in _names() if environment.get(name)}
    if given.items() - values.items():
        _write(path, values | given)


def _names() -> list[str]:
    """Environment names of all settings that processes share."""
    return [ENV_PREFIX + name.upper() for name in Settings.model_fields if name not in OF_A_COMMAND]


def _new_values(kept: dict[str, str]) -> dict[str, str]:
    values = {
        "ASSAY_HOST": HOST,
        "ASSAY_SESSION_SECRET": secrets.token_hex(32),
        "ASSAY_WEBHOOK_SECRET": secrets.token_hex(32),
        "ASSAY_LABEL_STUDIO_TOKEN": secrets.token_hex(20),
        "ASSAY_LABEL_STUDIO_EMAIL": ADMIN_EMAIL,
        "ASSAY_LABEL_STUDIO_PASSWORD": secrets.token_urlsafe(12),
        "ASSAY_ADMIN_EMAIL": ADMIN_EMAIL,
        "ASSAY_ADMIN_PASSWORD": secrets.token_urlsafe(12),
        "ASSAY_DEMO_ANNOTATOR_PASSWORD": secrets.token_urlsafe(12),
    }
    if "ASSAY_PORT" not in kept:
        values["ASSAY_PORT"] = str(choose_port(API_PORT))
    if "ASSAY_LABEL_STUDIO_URL" not in kept:
        values["ASSAY_LABEL_STUDIO_URL"] = f"http://{HOST}:{choose_port(LABEL_STUDIO_PORT)}"
    return values


def _write(path: Path, values: dict[str, str]) -> None:
    lines = ["# Made by `assay up`; `assay reset` deletes it. Keep it secret."]
    lines += [f"{key}={_quote(value)}" for key, value in values.items()]
    write_private(path, "\n".join(lines) + "\n")


def _quote(value: str) -> str:
    if re.fullmatch(r"[\w.:/@+-]*", value, re.ASCII):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def write_private(path: Path, text: str) -> None:
    """The file holds the text, at once; nobody else could read it at any moment."""
    temporary = path.with_suffix(".tmp")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
