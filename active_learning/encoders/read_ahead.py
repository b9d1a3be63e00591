"""Making the next items in a thread while the caller works on this one."""

from collections.abc import Generator, Iterator
from contextlib import suppress
from queue import Full, Queue
from threading import Event, Thread
from typing import TypeVar

Item = TypeVar("Item")


def read_ahead(items: Iterator[Item], count: int) -> Generator[Item, None, None]:
    """The same items, up to ``count`` of them made ahead in a thread that ends with the caller.

    Raises:
        Exception: whatever making them raised.
    """
    waiting: Queue[Item | BaseException | None] = Queue(count)
    is_over = Event()

    def put(item: Item | BaseException | None) -> None:
        while not is_over.is_set():
            with suppress(Full):
                waiting.put(item, timeout=0.1)
                return

    def read() -> None:
        try:
            for item in items:
                put(item)
                if is_over.is_set():
                    return
            put(None)
        except BaseException as error:
            put(error)

    thread = Thread(target=read, name="tokens", daemon=True)
    thread.start()
    try:
        while (item := waiting.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        is_over.set()
        thread.join()
