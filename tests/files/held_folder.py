"""A folder to which somebody else writes."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from memn2n.files.folder_lock import locked


@contextmanager
def held(folder: Path, *, beside: bool = False) -> Iterator[None]:
    """Let another thread hold the lock of a folder within the context."""
    lock = locked(folder, beside=beside)
    with ThreadPoolExecutor(1) as other:
        other.submit(lock.__enter__).result()
        try:
            yield
        finally:
            other.submit(lock.__exit__, None, None, None).result()
