"""The lock of a folder: one writer at a time, and nothing left behind."""

import errno
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from memn2n.errors import DataWarning, InputError
from memn2n.files import folder_lock
from memn2n.files.folder_lock import locked

NAME = ".memn2n.lock"
HOLDER = """
import sys, time
from pathlib import Path
from memn2n.files.folder_lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path) -> "subprocess.Popen[str]":
    process = subprocess.Popen([sys.executable, "-c", HOLDER, tmp_path], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def in_another_thread(folder: Path, **options: bool) -> None:
    """Take the lock in another thread, and raise its error here."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: locked(folder, **options).__enter__()).result()


def end(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.communicate()


def test_a_second_process_is_refused_until_the_first_is_killed(holder: "subprocess.Popen[str]", tmp_path: Path) -> None:
    try:
        with pytest.raises(InputError, match=f"in use: process {holder.pid} writes to it; wait until that") as error:
            locked(tmp_path).__enter__()
        assert str(tmp_path) in str(error.value)
        assert "\n" not in str(error.value)
    finally:
        end(holder)
    assert (tmp_path / NAME).exists(), "the killed process could not remove the file"
    with locked(tmp_path):
        assert (tmp_path / NAME).read_text() == f"{os.getpid()}\n"
    assert not list(tmp_path.iterdir())


def test_the_second_one_waits(holder: "subprocess.Popen[str]", tmp_path: Path) -> None:
    threading.Timer(0.2, end, [holder]).start()
    begin = time.monotonic()
    with locked(tmp_path, wait=20):
        assert 0.1 < time.monotonic() - begin < 10


def test_a_thread_may_take_its_lock_again_and_another_one_may_not(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path, target_is_directory=True)
    with locked(tmp_path):
        with locked(link):
            pass
        with pytest.raises(InputError, match="in use: another thread of this process writes to it"):
            in_another_thread(tmp_path)
    link.unlink()
    assert not list(tmp_path.iterdir())


def _outlive(ready: "multiprocessing.synchronize.Event", folder: Path) -> None:
    with locked(folder / "child"):
        ready.set()
        time.sleep(60)


def test_a_forked_child_does_not_keep_the_lock_of_its_parent(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    with locked(tmp_path):
        child = context.Process(target=_outlive, args=(ready, tmp_path))
        child.start()
        assert ready.wait(20)
        with pytest.raises(InputError, match="another thread of this process"):
            in_another_thread(tmp_path)
    try:
        with locked(tmp_path):
            pass
    finally:
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        child.join()


def _count(folder: Path, rounds: int) -> None:
    for _ in range(rounds):
        with locked(folder, wait=60):
            path = folder / "count"
            path.write_text(str(int(path.read_text()) + 1))


def test_many_writers_never_write_at_the_same_time(tmp_path: Path) -> None:
    """Each holder removes the lock file, while others have it open."""
    (tmp_path / "count").write_text("0")
    folder_lock_seconds = folder_lock._SECONDS_BETWEEN_TRIES
    folder_lock._SECONDS_BETWEEN_TRIES = 0.0
    try:
        context = multiprocessing.get_context("fork")
        writers = [context.Process(target=_count, args=(tmp_path, 100)) for _ in range(4)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
    finally:
        folder_lock._SECONDS_BETWEEN_TRIES = folder_lock_seconds
    assert [writer.exitcode for writer in writers] == [0] * 4
    assert (tmp_path / "count").read_text() == "400"
    assert [path.name for path in tmp_path.iterdir()] == ["count"]


def test_a_lock_beside_a_folder_that_does_not_exist_yet(tmp_path: Path) -> None:
    with locked(tmp_path / "new" / "folder", beside=True):
        assert [path.name for path in (tmp_path / "new").iterdir()] == [f".folder{NAME}"]
        with pytest.raises(InputError, match="another thread"):
            in_another_thread(tmp_path / "new" / "folder", beside=True)
    assert not list(tmp_path.iterdir())


def test_a_link_in_the_place_of_the_lock_file_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("mine")
    (tmp_path / NAME).symlink_to(tmp_path / "letter")
    with pytest.raises(OSError, match="symbolic links"):
        locked(tmp_path).__enter__()
    assert (tmp_path / "letter").read_text() == "mine"


def test_a_file_system_without_locks_is_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fcntl = pytest.importorskip("fcntl")

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.warns(DataWarning, match="let only one process write to this folder"), locked(tmp_path):
        pass
    assert not list(tmp_path.iterdir())
