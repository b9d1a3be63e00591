from datetime import UTC, datetime

import pytest

from backend.core.services import Services
from tests.backend.overview.store import fill, fill_jobs

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@pytest.fixture
def project_id(services: Services) -> int:
    services.clock = lambda: NOW
    with services.database.transaction() as session:
        made = fill(session, NOW)
        fill_jobs(session, NOW, made)
        fill(session, NOW, "Customer reviews", 8)
    return made
