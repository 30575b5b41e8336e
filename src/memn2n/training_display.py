"""Whether a training in a program shows its progress."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from memn2n.machine import in_notebook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

E = TypeVar("E")


@contextmanager
def shown(
    progress: bool | None,
    display: Callable[[], AbstractContextManager[Callable[[E], None]]],
    on_event: Callable[[E], None] | None,
) -> Iterator[Callable[[E], None]]:
    """Yield the listener of a training: one that calls ``on_event``, after it has shown each event.

    Args:
        progress: whether to show the events; by default in notebooks only.
        display: makes what shows them.
        on_event: called with each event.
    """
    if not (in_notebook() if progress is None else progress):
        yield on_event or (lambda _event: None)
        return
    with display() as show:

        def listener(event: E) -> None:
            show(event)
            if on_event is not None:
                on_event(event)

        yield listener
