from tests.backend.training.conftest import loop, new_loop

__all__ = ["loop", "new_loop"]
