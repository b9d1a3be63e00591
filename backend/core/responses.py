"""For ``responses=`` of a route: what else it answers with."""

from collections.abc import Iterable
from typing import Any

from backend.core.problems import HTTP_TITLES, MEDIA_TYPE, Problem, type_of


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that an operation answers with, with examples."""
    return {
        status: {
            "model": Problem,
            "description": HTTP_TITLES[status],
            "content": {MEDIA_TYPE: {"example": _example(status)}},
        }
        for status in statuses
    }


def file_responses(media_types: Iterable[str]) -> dict[int | str, dict[str, Any]]:
    """A file of one of these media types."""
    bare = {media_type.partition(";")[0] for media_type in media_types}
    return {200: {"description": "The file", "content": {each: {} for each in sorted(bare)}}}


def _example(status: int) -> dict[str, Any]:
    title = HTTP_TITLES[status]
    detail, remedy = _EXAMPLES.get(status, (title + ".", None))
    problem = Problem(
        type=type_of(title),
        title=title,
        status=status,
        detail=detail,
        remedy=remedy,
        request_id="5f0c6a1d2b3e4f50",
    )
    return problem.model_dump(mode="json", exclude_none=True)


_EXAMPLES: dict[int, tuple[str, str | None]] = {
    401: ("Credentials are missing.", "Log in at /login or send an API key."),
    403: ("This needs the role lead; ana@example.org is viewer.", "Ask an administrator."),
    404: ("There is no project 12.", "List the projects with GET /api/v1/projects."),
    409: ("A project named 'reviews' exists.", "Choose another name."),
    422: ("batch_size: Input should be greater than 0", "Correct the named field."),
    503: ("Label Studio does not answer.", "The work is kept and tried again."),
    507: ("There is no space left in the models directory.", "Free some space."),
}
