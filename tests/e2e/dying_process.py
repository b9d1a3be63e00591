"""Makes this process kill itself with -9 at a named point of the product's code.

A point is ``MODULE:ATTRIBUTE[:METHOD]@before|after[#N]``: the function is replaced in its
module, and its N-th call (the first by default) ends the process.
"""

import importlib
import os
import signal
from collections.abc import Callable
from typing import Any


def arm(point: str) -> None:
    _, _, moment = point.partition("@")
    moment, _, number = moment.partition("#")
    holder, name = locate(point)
    setattr(holder, name, dying(getattr(holder, name), moment, int(number or 1)))


def locate(point: str) -> tuple[Any, str]:
    """The module or class that holds the function of ``point``, and the function's name.

    Raises:
        AttributeError: there is no such function.
    """
    module, *path, name = point.partition("@")[0].split(":")
    holder: Any = importlib.import_module(module)
    for part in path:
        holder = getattr(holder, part)
    getattr(holder, name)
    return holder, name


def dying(function: Callable[..., Any], moment: str, number: int) -> Callable[..., Any]:
    calls = 0

    def run(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*args, **kwargs)
        if calls == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return run
