"""Numbers of a training for TensorBoard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from memn2n.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class TensorBoard:
    """Writes numbers to an event file. It is a context manager, which closes the file at its end.

    Args:
        folder: where the event file goes.
        done: number of steps that are already done. TensorBoard discards later steps that the folder has.

    Raises:
        ConfigError: if TensorBoard is not installed.
    """

    def __init__(self, folder: Path, done: int = 0) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise ConfigError("--tensorboard needs TensorBoard, which is not installed here: "
                              "pip install 'memn2n[tensorboard]'") from None  # fmt: skip
        self._writer: Any = SummaryWriter(str(folder), purge_step=done + 1)

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Write the values of a step."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()
