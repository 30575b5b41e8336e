# Types of the C++ extension; see memn2n.qa.engine and engine/module.cpp.

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

_Floats: TypeAlias = npt.NDArray[np.float32]
_Ints: TypeAlias = npt.NDArray[np.int32]
_Layout: TypeAlias = tuple[_Ints, _Ints, _Ints, _Ints]  # start, sentence, time, fact

MOST_HOPS: int
LARGEST_DIM: int

def instruction_sets() -> list[str]: ...

class Stories:
    def __init__(
        self,
        words: _Ints,
        sentence_start: _Ints,
        story: _Ints,
        story_start: _Ints,
        question: _Ints,
        answer: _Ints,
        support: _Ints | None = None,
        support_start: _Ints | None = None,
    ) -> None: ...

class Network:
    def __init__(
        self,
        tables: Sequence[npt.NDArray[Any]],
        times: Sequence[npt.NDArray[Any]],
        H: npt.NDArray[Any] | None,
        *,
        gates: Sequence[npt.NDArray[Any]] = [],
        gate_biases: Sequence[npt.NDArray[Any]] = [],
        hops: int,
        encoding: str,
        temporal: str,
        tying: str,
        linear: int,
        keep_empty: bool,
        all_rows: bool,
        memory_size: int,
        vocabulary: int,
        longest_sentence: int,
        slots: int,
        instruction_set: str = "",
    ) -> None: ...
    @property
    def instruction_set(self) -> str: ...
    def score(self, stories: Stories, examples: npt.NDArray[np.int64], linear: bool) -> tuple[float, int]: ...
    def predict(self, stories: Stories, examples: npt.NDArray[np.int64]) -> tuple[_Floats, _Floats]: ...
    def gradients(
        self,
        stories: Stories,
        examples: npt.NDArray[np.int64],
        linear: bool,
        layout: _Layout | None = None,
        supervision: float = 0.0,
    ) -> tuple[float, list[_Floats]]: ...

class Trainer:
    def __init__(
        self,
        network: Network,
        stories: Stories,
        examples: npt.NDArray[np.int64],
        *,
        batch_size: int,
        clip_norm: float,
        clip: str,
        optimizer: str,
        noise: str,
        noise_rate: float,
        unknown_rate: float,
        sampling: str,
        seed: int,
        groups: npt.NDArray[np.int32] | None = None,
    ) -> None: ...
    def batches(self) -> int: ...
    def epoch(
        self,
        rate: float,
        linear: bool,
        supervision: float = 0.0,
        renamings: npt.NDArray[np.int32] | None = None,
        order: npt.NDArray[np.int64] | None = None,
    ) -> tuple[float, int, int]: ...
    def step(
        self,
        examples: npt.NDArray[np.int64],
        rate: float,
        linear: bool,
        supervision: float = 0.0,
        renamings: npt.NDArray[np.int32] | None = None,
    ) -> tuple[float, int]: ...
    def draw(self, examples: npt.NDArray[np.int64]) -> tuple[list[int], list[int], list[int], list[int]]: ...
