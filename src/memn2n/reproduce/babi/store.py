"""Finished restarts on disk: one safetensors file each, written as soon as the restart ends.

A kill loses only the restarts that were running. Each file has a digest of its recipe, data, seed and backend, so that
a call never takes the restart of another training for its own.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
import safetensors
import safetensors.numpy

from memn2n.errors import ModelError
from memn2n.files.whole_file import make_folder, write_whole
from memn2n.qa.parameters import Parameters
from memn2n.qa.training.problem import Restart, TrainedNetwork

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy.typing as npt

    from memn2n.qa.training.problem import Problem

_FORMAT = "memn2n-restart"


class RestartStore:
    """The finished restarts of one problem.

    Args:
        folder: the folder of their files; the first ``write`` makes it.
        problem: the data and settings of the training.
        data: digest of the training data.
    """

    def __init__(self, folder: Path, problem: Problem, data: str) -> None:
        self.folder = folder
        self.problem = problem
        self.digest = _digest_of(problem, data)

    def finished(self, numbers: range) -> dict[int, Restart]:
        """Read and check the stored restarts among these numbers.

        Raises:
            ModelError: if a file is damaged, or of another problem.
        """
        return {number: self.read(number).restart for number in numbers if os.path.lexists(self._path(number))}

    def write(self, trained: TrainedNetwork) -> None:
        """Write a restart to its file, whole or not at all. A diverged restart has no parameters in its file."""
        restart, network = trained
        tensors = {} if restart.train is None else network.arrays  # the parameters of a diverged restart are lost
        record = json.dumps(asdict(restart))
        about = {"format": _FORMAT, "digest": self.digest, "restart": record, "sha256": _sha256(record, tensors)}
        make_folder(self.folder)
        write_whole(self._path(restart.restart), safetensors.numpy.save(tensors, about))

    def read(self, number: int) -> TrainedNetwork:
        """Read a restart with its network. If the restart diverged, the network is untrained.

        Raises:
            ModelError: if the file is missing, damaged, or of another problem.
        """
        path = self._path(number)
        tensors: dict[str, npt.NDArray[np.float32]] = {}
        try:
            with safetensors.safe_open(path, framework="numpy") as file:
                about = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
        except OSError as error:
            raise ModelError(f"{path} cannot be read ({error.strerror or error}); {_REMEDY}") from None
        except (safetensors.SafetensorError, ValueError, TypeError) as error:
            raise ModelError(f"{path} is no safetensors file ({error}); {_REMEDY}") from None
        if about.get("format") != _FORMAT:
            raise ModelError(f"{path} is not a restart of memn2n reproduce; {_REMEDY}, or take another --out")
        if about.get("digest") != self.digest:
            raise ModelError(f"{self.folder} holds restarts of another recipe, data, seed or backend; "
                             "take another --out, or remove that folder")  # fmt: skip
        problem = self.problem
        try:
            restart = Restart.from_dict(json.loads(about["restart"]))
            if about["sha256"] != _sha256(about["restart"], tensors) or restart.restart != number:
                raise ValueError
            if restart.train is None:
                network = Parameters.draw(problem.network, problem.shape, np.random.default_rng(0))
            else:
                network = Parameters.of(problem.network, problem.shape, tensors)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ModelError(f"{path} is damaged; {_REMEDY}") from None
        return TrainedNetwork(restart, network)

    def _path(self, number: int) -> Path:
        return self.folder / f"restart-{number}.safetensors"


_REMEDY = "remove it, and the same command trains that restart again"


def _digest_of(problem: Problem, data: str) -> str:
    training = {key: value for key, value in asdict(problem.training).items() if key not in {"restarts", "select"}}
    settings = {"network": asdict(problem.network), "training": training, "backend": problem.backend, "data": data}
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


def _sha256(record: str, tensors: Mapping[str, npt.NDArray[np.float32]]) -> str:
    digest = hashlib.sha256(record.encode())
    for name in sorted(tensors):
        digest.update(f"{name} {tensors[name].shape} ".encode())
        digest.update(np.ascontiguousarray(tensors[name]).tobytes())
    return digest.hexdigest()
