from tests.backend.annotations.conftest import seeded

__all__ = ["seeded"]
