"""The signals that ask a program to end: Ctrl-C (SIGINT), SIGTERM, and SIGHUP, which a closed terminal sends.

A library leaves signals to the program, where Python turns Ctrl-C into KeyboardInterrupt. The command line handles all
three alike, by ``CommandSignals``. A training reacts to both by ``interrupt_sets``.
"""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNALS = [signal.Signals[name] for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]

_STATUS = 128  # exit status of a process that a signal ended: this, plus the signal's number
_SHOW_CURSOR = b"\x1b[?25h\n"  # progress bars hide it


class CommandSignals:
    """The signal handler of a command: the first signal interrupts it, and a second one ends the process at once.

    An interrupt raises KeyboardInterrupt, or within ``interrupt_sets`` sets the event.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._terminals: list[int] = []

    @property
    def status(self) -> int:
        """The exit status of the interrupted command."""
        return _STATUS + (self.received or signal.SIGINT)

    @contextmanager
    def handled(self) -> Iterator[None]:
        """Handle the signals within the context. A signal that the process was started to ignore stays ignored."""
        self.received = None
        self._terminals = [descriptor for descriptor in range(3) if os.isatty(descriptor)]
        with _handlers({number: self for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN}):
            yield

    def __call__(self, number: int, _frame: object, stop: threading.Event | None = None) -> None:
        """Act on a signal."""
        if self.received is not None:
            if os.isatty(2):
                os.write(2, _SHOW_CURSOR)
            os._exit(_STATUS + number)
        self.received = number
        self._leave_closed_terminals()
        if stop is None:
            raise KeyboardInterrupt
        stop.set()

    def _leave_closed_terminals(self) -> None:
        """Send further output to the null device where the terminal is closed, so that no write fails."""
        for descriptor in self._terminals:
            if not os.isatty(descriptor):
                null = os.open(os.devnull, os.O_RDWR)
                os.dup2(null, descriptor)
                os.close(null)


@contextmanager
def interrupt_sets(stop: threading.Event) -> Iterator[None]:
    """Let an interrupt set an event instead of raising KeyboardInterrupt.

    Nothing changes outside the main thread, or for a signal that the program handles itself.
    """
    handlers: dict[int, Any] = {}
    for number in SIGNALS:
        handler = signal.getsignal(number)
        if handler is signal.default_int_handler:
            handlers[number] = lambda *_: stop.set()
        elif isinstance(handler, CommandSignals):
            handlers[number] = partial(handler, stop=stop)
    with _handlers(handlers):
        yield


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let interrupts that arrive within the context take effect at its end, such as after a model is saved."""
    held: list[int] = []

    def hold(number: int, _frame: object) -> None:
        held.append(number)

    with _handlers({number: hold for number in SIGNALS if callable(signal.getsignal(number))}):
        yield
    for number in held:
        signal.raise_signal(number)


@contextmanager
def _handlers(handlers: dict[int, Any]) -> Iterator[None]:
    """Set signal handlers within the context; only the main thread can."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            with suppress(TypeError):  # None: a handler that was not set from Python
                signal.signal(number, handler)
