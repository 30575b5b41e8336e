"""Files that are written whole or not at all."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from memn2n.files.whole_file import make_folder, whole_file, whole_files, whole_folder, write_whole
from tests.files.killed import killed_at

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


def test_what_a_killed_program_left_is_removed_by_the_next_write(tmp_path: Path) -> None:
    others = ["a.txt.mine.partial", "b.txt.0123456789ab.partial"]
    for name in (LEFT, *others):
        (tmp_path / name).write_bytes(b"half")
    (tmp_path / "a.txt.ba9876543210.partial" / "data").mkdir(parents=True)
    write_whole(tmp_path / "a.txt", b"1")
    assert names(tmp_path) == sorted(["a.txt", *others])


def test_what_a_living_program_writes_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with whole_file(path) as slow:
        slow.write(b"slow")
        write_whole(path, b"quick")
        assert path.read_bytes() == b"quick"
    assert path.read_bytes() == b"slow"
    with whole_folder(tmp_path / "folder") as folder:
        with pytest.raises(ValueError, match="stop"), whole_folder(tmp_path / "folder"):
            raise ValueError("stop")
        (folder / "b.txt").write_bytes(b"whole")
    assert (tmp_path / "folder" / "b.txt").read_bytes() == b"whole"
    assert names(tmp_path) == ["a.txt", "folder"]


def test_many_writers_of_one_file_do_not_remove_what_another_one_writes(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"

    def write(number: int) -> None:
        for _ in range(20):
            write_whole(path, bytes([number]) * 1000)

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(write, number) for number in range(4)]:
            done.result()
    assert len(set(path.read_bytes())) == 1
    assert names(tmp_path) == ["a.txt"]


def test_a_folder_gets_its_name_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    with whole_folder(path) as folder:
        (folder / "inside").mkdir()
        (folder / "inside" / "a.txt").write_bytes(b"1")
        (folder / "link").symlink_to("nothing")
        assert not path.exists()
    assert (path / "inside" / "a.txt").read_bytes() == b"1"
    with pytest.raises(OSError, match="not empty"), whole_folder(path):
        pass
    with pytest.raises(KeyboardInterrupt), whole_folder(tmp_path / "other"):
        raise KeyboardInterrupt
    assert names(tmp_path) == ["folder"]


def test_files_and_their_folder_are_flushed_to_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[str] = []

    def fsync(descriptor: int) -> None:
        flushed.append(Path(f"/proc/self/fd/{descriptor}").resolve().name)

    monkeypatch.setattr(os, "fsync", fsync)
    make_folder(tmp_path / "b" / "c")
    assert flushed == [tmp_path.name, "b"]
    flushed.clear()
    write_whole(tmp_path / "b" / "c" / "a.txt", b"1")
    assert [name.partition(".")[0] for name in flushed] == ["a", "c"]
    flushed.clear()
    with whole_folder(tmp_path / "folder") as folder:
        (folder / "a.txt").write_bytes(b"1")
    assert [flushed[0], flushed[-1]] == ["a.txt", tmp_path.name]


def test_a_kill_at_any_moment_leaves_the_old_content_or_the_new(tmp_path: Path) -> None:
    path, found = tmp_path / "a.txt", []
    for moment in range(1, 30):
        path.write_bytes(b"old")
        killed = killed_at(moment, tmp_path, lambda: write_whole(path, b"new" * 100_000))
        found.append(path.read_bytes()[:3])
        write_whole(path, b"later")
        assert names(tmp_path) == ["a.txt"]
        if not killed:
            break
    assert not killed
    assert found[:2] == [b"old", b"old"]
    assert found[-2:] == [b"new", b"new"]


def test_a_kill_at_any_moment_leaves_no_old_file_beside_a_new_one(tmp_path: Path) -> None:
    first, second = tmp_path / "a.txt", tmp_path / "b.txt"

    def write(content: bytes) -> None:
        with whole_files(first, second) as streams:
            for stream in streams:
                stream.write(content)

    found = set()
    for moment in range(1, 30):
        write(b"old")
        killed = killed_at(moment, tmp_path, lambda: write(b"new"))
        found.add((first.read_bytes(), second.read_bytes() if second.exists() else None))
        write(b"later")
        assert names(tmp_path) == ["a.txt", "b.txt"]
        if not killed:
            break
    assert not killed
    assert found == {(b"old", b"old"), (b"old", None), (b"new", None), (b"new", b"new")}
