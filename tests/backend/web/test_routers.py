"""A router that is written is mounted: its module cannot be forgotten in silence."""

import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute, Route

import backend

ROOT = Path(backend.__file__).parent
MODULES = sorted(
    ".".join(path.relative_to(ROOT.parent).with_suffix("").parts)
    for path in ROOT.rglob("*.py")
    if "= APIRouter(" in path.read_text(encoding="utf-8") and path.name != "dependencies.py"
)


def test_the_modules_with_routers_are_found() -> None:
    names = {name.rpartition(".")[2] for name in MODULES}
    assert {"router", "pages", "app", "own_work_pages"} <= names
    assert {f"backend.{path.parent.name}.router" for path in ROOT.glob("*/router.py")} <= {*MODULES}


@pytest.mark.parametrize("module", MODULES)
def test_every_router_is_mounted(module: str, app: FastAPI) -> None:
    mounted = _endpoints(app.routes)
    found = importlib.import_module(module)
    routers = {name: each for name, each in vars(found).items() if isinstance(each, APIRouter)}
    assert routers
    for name, router in routers.items():
        own = _endpoints(router.routes)
        assert own, f"{module}.{name}"
        assert own - mounted == set(), f"{module}.{name}"


def _endpoints(routes: Sequence[BaseRoute]) -> set[Callable[..., Any]]:
    found = [context.route for context in iter_route_contexts(routes)]
    return {route.endpoint for route in found if isinstance(route, Route)}
