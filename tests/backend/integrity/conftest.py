from tests.backend.training.conftest import new_loop

__all__ = ["new_loop"]
