"""``embedded.env``: secrets and ports of the embedded stack, made once and kept."""

import os
import secrets
import socket
from pathlib import Path

from labeling.label_studio.server import free_port

FILE_NAME = "embedded.env"
HOST = "127.0.0.1"
API_PORT = 8000
"""uvicorn's default; the next free one where it is taken."""
LABEL_STUDIO_PORT = 8080
"""Label Studio's default; the next free one where it is taken."""
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
    if not path.exists():
        return {}
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {key: value for key, _, value in pairs}


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
        values["ASSAY_PORT"] = str(_choose_port(API_PORT))
    if "ASSAY_LABEL_STUDIO_URL" not in kept:
        values["ASSAY_LABEL_STUDIO_URL"] = f"http://{HOST}:{_choose_port(LABEL_STUDIO_PORT)}"
    return values


def _choose_port(preferred: int) -> int:
    return preferred if is_port_free(preferred) else free_port(HOST)


def is_port_free(port: int, host: str = HOST) -> bool:
    """True if nothing listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def _write(path: Path, values: dict[str, str]) -> None:
    """Replace the file in one step; it is never readable by others, not even for a moment."""
    lines = ["# Made by `assay up`; `assay reset` deletes it. Keep it secret."]
    lines += [f"{key}={value}" for key, value in values.items()]
    temporary = path.with_suffix(".tmp")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
