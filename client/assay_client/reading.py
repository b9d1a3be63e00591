"""Answers as objects."""

from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from assay_client.exceptions import Unreachable

T = TypeVar("T")
ModelT = TypeVar("ModelT", bound=BaseModel)


def read(kind: type[ModelT], response: httpx.Response) -> ModelT:
    """The answer's body as ``kind``.

    Raises:
        Unreachable: it is something else, as where the URL is not that of an Assay server.
    """
    return _checked(TypeAdapter(kind), response)


def read_list(kind: type[ModelT], response: httpx.Response) -> list[ModelT]:
    """The answer's body as a list of ``kind``.

    Raises:
        Unreachable: it is something else.
    """
    return _checked(TypeAdapter(list[kind]), response)  # type: ignore[valid-type]


def read_object(response: httpx.Response) -> dict[str, Any]:
    """The answer's body as a dictionary.

    Raises:
        Unreachable: it is something else.
    """
    return _checked(TypeAdapter(dict[str, Any]), response)


def _checked(adapter: TypeAdapter[T], response: httpx.Response) -> T:
    try:
        return adapter.validate_json(response.content)
    except ValidationError as error:
        raise Unreachable(
            f"The answer of {response.request.url} is not what an Assay server says there; "
            f"is it the right URL, and the server not older than this client? {error}"
        ) from error
