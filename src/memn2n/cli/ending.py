"""How a command ends: its exit status, and its last line on standard error.

0: success. 1: a failure, such as a full disk. 2: bad input. 128 plus its number: a signal ended the command.
"""

from __future__ import annotations

import os
import sys

from memn2n.cli.options import option_name
from memn2n.errors import InputError, MemN2NError, is_failure
from memn2n.interrupts import CommandSignals
from memn2n.terminal import printable

command_signals = CommandSignals()
_LONGEST_WORD = 500  # characters; paths are shorter


class StoppedError(Exception):
    """A signal stopped the command; the message says what was saved, and begins with a space or a semicolon."""


def print_error(message: str) -> None:
    """Print a message in one line on standard error, without control characters; very long words are cut."""
    words = (word if len(word) <= _LONGEST_WORD else f"{word[:_LONGEST_WORD]}..." for word in message.split())
    print(f"memn2n: {printable(' '.join(words))}", file=sys.stderr)


def end_interrupted(message: str = "") -> int:
    """Print that a signal interrupted the command; return the exit status."""
    print_error(f"interrupted{message}")
    return command_signals.status


def end_with_error(error: MemN2NError | OSError) -> int:
    """Print an error, with the options of the settings that it names; return the exit status."""
    if isinstance(error, MemN2NError):
        message, status = error.spelled(option_name), error.exit_status
    elif isinstance(error.filename, (str, bytes)):
        message = f"{os.fsdecode(error.filename)}: {error.strerror}"
        status = MemN2NError.exit_status if is_failure(error) else InputError.exit_status
    else:
        message, status = f"input or output failed: {error.strerror or error}", MemN2NError.exit_status
    print_error(message)
    return status


def flush_output() -> None:
    """Write what is left of standard output; raise OSError if that fails, now and not when Python ends."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except OSError:
        drop_output()
        raise


def drop_output() -> None:
    """Send standard output to the null device, after a write to it failed: Python would try again at its end."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)
