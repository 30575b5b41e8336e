"""Kill a program at one of the moments in which it changes a folder."""

import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

EVENTS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree", "fcntl.flock"}
KILLED = 9


def killed_at(moment: int, folder: Path, action: Callable[[], object]) -> bool:
    """Run an action in a child process, killed before its ``moment``-th change to the folder; whether it was killed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of a fork while there are threads, which the child ends
        child = os.fork()
    if child == 0:
        count = 0

        def hook(event: str, args: tuple[object, ...]) -> None:
            nonlocal count
            if event in EVENTS and (event == "fcntl.flock" or str(folder) in str(args[0])):
                count += 1
                if count == moment:
                    os._exit(KILLED)

        sys.addaudithook(hook)
        try:
            action()
        except BaseException:
            os._exit(1)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in {0, KILLED}
    return status == KILLED
