from tests.backend.review.conftest import database, desk, new_desk, seeded, services

__all__ = ["database", "desk", "new_desk", "seeded", "services"]
