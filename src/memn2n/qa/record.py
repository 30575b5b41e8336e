"""What a saved model has besides its arrays and its vocabulary, and the check that saving and loading share."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from memn2n.errors import ConfigError, ModelError, Setting
from memn2n.files.model_file import ArrayForm
from memn2n.qa.candidates import Candidates
from memn2n.qa.config import DataShape, TrainingConfig
from memn2n.qa.networks import family_name, family_named
from memn2n.qa.parameters import check_layout
from memn2n.qa.symmetries.classes import Symmetries
from memn2n.qa.symmetries.unseen import UnseenWords
from memn2n.qa.training.problem import Restart
from memn2n.qa.vocabulary import Vocabulary

if TYPE_CHECKING:
    from memn2n.files.model_file import Layout
    from memn2n.qa.config import FamilyConfig

FINGERPRINTS = "train_fingerprints"
"""Name of the array of ``StoryQA.fingerprints``. The other arrays are those of the networks: ``0.NAME``, ``1.NAME``."""


@dataclass(frozen=True)
class QARecord:
    """The settings of a StoryQA.

    Args:
        config: the settings of its networks.
        shape: the sizes of its networks.
        networks: number of its networks.
        candidates: as in StoryQA.
        symmetries: as in StoryQA; none in a model of an older version.
        training: as in StoryQA.
        restarts: as in StoryQA.
        unseen: as in StoryQA.
    """

    config: FamilyConfig
    shape: DataShape
    networks: int
    candidates: Candidates | None
    symmetries: Symmetries
    training: TrainingConfig
    restarts: tuple[Restart, ...]
    unseen: UnseenWords | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "family": family_name(self.config),
            "network": dataclasses.asdict(self.config),
            "shape": dataclasses.asdict(self.shape),
            "training": dataclasses.asdict(self.training),
            "restarts": [dataclasses.asdict(restart) for restart in self.restarts],
            "networks": self.networks,
            "candidates": self.candidates and dataclasses.asdict(self.candidates),
            "symmetries": self.symmetries.to_dict(),
            "unseen_words": self.unseen and self.unseen.to_dict(),
        }

    @classmethod
    def read(cls, values: dict[str, Any], vocabulary: Vocabulary, layout: Layout) -> Self:
        """Make the settings from ``to_dict``'s values, and check that vocabulary, candidates and arrays fit them.

        Raises:
            ModelError: if the family of the network is not registered.
            InputError, KeyError, TypeError, AttributeError: if something does not fit.
        """
        try:
            family = family_named(values.get("family", "memn2n"))  # without a family: written by an older version
        except ConfigError as error:
            raise ModelError(str(error)) from None
        given = values.get("candidates")
        record = cls(
            config=family.config.from_dict(values["network"]),
            shape=DataShape.from_dict(values["shape"]),
            networks=values["networks"],
            candidates=None if given is None else Candidates(tuple(given["texts"]), given["lowercase"]),
            symmetries=Symmetries.from_dict(values.get("symmetries", {})),
            training=TrainingConfig.from_dict(values["training"]),
            restarts=tuple(Restart.from_dict(restart) for restart in values["restarts"]),
        )
        if values.get("unseen_words") is not None:
            unseen = UnseenWords.from_dict(values["unseen_words"], record.symmetries)
            record = dataclasses.replace(record, unseen=unseen)
        check_sizes(record.config, record.shape, vocabulary, record.candidates)
        if type(record.networks) is not int or record.networks < 1:
            raise TypeError("there is no network")
        arrays = dict(layout)
        fingerprints = arrays.pop(FINGERPRINTS, ArrayForm("int64", (0,)))
        if fingerprints.dtype != "int64" or len(fingerprints.shape) != 1:
            raise TypeError(f"{FINGERPRINTS} has the shape {fingerprints.shape} and type {fingerprints.dtype}")
        for i in range(record.networks):
            prefix = f"{i}."
            own = [name for name in arrays if name.startswith(prefix)]
            check_layout(record.config, record.shape, {name.removeprefix(prefix): arrays.pop(name) for name in own})
        if arrays:
            raise ConfigError(f"there is no network for {', '.join(arrays)}")
        return record


def check_sizes(
    config: FamilyConfig, shape: DataShape, vocabulary: Vocabulary, candidates: Candidates | None
) -> None:  # fmt: skip
    """Raise ConfigError if a network does not fit its settings, the vocabulary or the candidates."""
    if not isinstance(vocabulary, Vocabulary):
        raise ConfigError(f"the vocabulary is of the class {type(vocabulary).__name__}, not Vocabulary")
    if shape.vocabulary != len(vocabulary):
        raise ConfigError(f"the network is for a vocabulary of {shape.vocabulary} ids, not of {len(vocabulary)}")
    if shape.candidates != (0 if candidates is None else len(candidates.texts)):
        raise ConfigError(f"the network is for {shape.candidates} candidates")
    if shape.slots > config.memory_size:
        raise ConfigError(Setting("slots"), f" is {shape.slots}, above ", Setting("memory_size"))
