"""Files that are written whole or not at all."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from memn2n.files.whole_file import whole_file, write_whole

LEFT = "a.txt.0123456789ab.partial"  # the name of a temporary file for a.txt


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_when_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    with whole_file(path) as stream:
        stream.write(b"new")
        stream.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    write_whole(str(path), b"newer")
    assert path.read_bytes() == b"newer"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("kind", [ValueError, OSError, KeyboardInterrupt])
def test_an_exception_leaves_the_old_file(tmp_path: Path, kind: type[BaseException]) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")

    def write() -> None:
        with whole_file(path) as stream:
            stream.write(b"new")
            raise kind

    with pytest.raises(kind):
        write()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a.txt"]


def test_files_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "none" / "a.txt", b"")
    with pytest.raises(IsADirectoryError):
        write_whole(tmp_path, b"")
    assert names(tmp_path) == []


def test_a_symbolic_link_stays_and_its_target_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    real, link = tmp_path / "folder" / "real", tmp_path / "link"
    real.write_bytes(b"old")
    link.symlink_to(real)
    write_whole(link, b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert names(tmp_path / "folder") == ["real"]


def test_pipes_and_devices_are_written_directly(tmp_path: Path) -> None:
    write_whole(os.devnull, b"gone")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write_whole(pipe, b"through the pipe")
    reader.join()
    assert read == [b"through the pipe"]
    assert names(tmp_path) == ["pipe"]


def test_what_a_killed_program_left_is_removed_later(tmp_path: Path) -> None:
    (tmp_path / LEFT).write_bytes(b"half")
    others = ["a.txt.mine.partial", "b.txt.0123456789ab.partial"]
    for name in others:
        (tmp_path / name).write_bytes(b"mine")
        os.utime(tmp_path / name, (0, 0))
    write_whole(tmp_path / "a.txt", b"1")
    assert names(tmp_path) == sorted(["a.txt", LEFT, *others]), "another program may still be writing it"
    hours_ago = time.time() - 7200
    os.utime(tmp_path / LEFT, (hours_ago, hours_ago))
    write_whole(tmp_path / "a.txt", b"2")
    assert names(tmp_path) == sorted(["a.txt", *others])
    (tmp_path / LEFT).write_bytes(b"half")
    write_whole(tmp_path / "a.txt", b"3", stale_seconds=0)
    assert names(tmp_path) == sorted(["a.txt", *others])


KILLED = """
import os, sys
from pathlib import Path
from memn2n.files.whole_file import write_whole
folder, moment, count = Path(sys.argv[1]), int(sys.argv[2]), 0

def hook(event, args):
    global count
    if event in ("open", "os.rename", "os.remove") and str(folder) in str(args[0]):
        count += 1
        if count == moment:
            os._exit(9)

sys.addaudithook(hook)
write_whole(folder / "a.txt", b"new" * 100_000)
"""


def test_a_kill_at_any_moment_leaves_the_old_content_or_the_new(tmp_path: Path) -> None:
    path, found = tmp_path / "a.txt", []
    for moment in range(1, 20):
        path.write_bytes(b"old")
        status = subprocess.run([sys.executable, "-c", KILLED, tmp_path, str(moment)], check=False).returncode
        found.append((status, path.read_bytes()))
        if status == 0:
            break
        write_whole(path, b"later", stale_seconds=0)
        assert names(tmp_path) == ["a.txt"]
    new = b"new" * 100_000
    assert found[:2] == [(9, b"old"), (9, b"old")]
    assert found[-2:] == [(9, new), (0, new)]
