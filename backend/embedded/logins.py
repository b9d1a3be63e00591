"""Who may log in to the embedded stack, and with what."""

from pathlib import Path

from backend.access.service import AccessService
from backend.core.clock import utc_now
from backend.core.database import Database
from backend.core.settings import Settings
from backend.embedded.secrets import ensure_embedded_env


def logins(data_dir: Path) -> dict[str, tuple[str, str]]:
    """Where one logs in to (e-mail address, password): Label Studio and the pages."""
    values = ensure_embedded_env(data_dir)
    return {
        "Label Studio": (
            values["ASSAY_LABEL_STUDIO_EMAIL"],
            values["ASSAY_LABEL_STUDIO_PASSWORD"],
        ),
        "web pages": (values["ASSAY_ADMIN_EMAIL"], values["ASSAY_ADMIN_PASSWORD"]),
    }


def annotator_password(data_dir: Path) -> str:
    """The password that the demo's simulated annotators sign up with."""
    return ensure_embedded_env(data_dir)["ASSAY_DEMO_ANNOTATOR_PASSWORD"]


def ensure_admin(settings: Settings, values: dict[str, str]) -> None:
    """Somebody may log in to the pages; users that exist stay as they are."""
    database = Database(settings.store_url)
    try:
        with database.transaction() as session:
            access = AccessService(session, utc_now)
            if not access.has_users():
                access.create_user(
                    values["ASSAY_ADMIN_EMAIL"],
                    "admin",
                    values["ASSAY_ADMIN_PASSWORD"],
                    actor="assay up",
                )
    finally:
        database.dispose()
