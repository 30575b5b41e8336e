"""What a saved language model has besides its arrays and its vocabulary, and the check of saving and loading."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self, get_args

import torch

from memn2n.errors import ConfigError
from memn2n.files.model_file import ArrayForm
from memn2n.lm.config import LMConfig, LMTraining
from memn2n.lm.networks.memn2n import current_names
from memn2n.lm.training.progress import LMEpoch
from memn2n.lm.vocabulary import Lines, LMVocabulary
from memn2n.settings import check_choice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from memn2n.files.model_file import Layout
    from memn2n.lm.networks import LanguageNetwork


@dataclass(frozen=True)
class LMRecord:
    """The settings of a language model; ``MemoryLM`` explains them."""

    network: LMConfig
    training: LMTraining
    history: tuple[LMEpoch, ...]
    lines: Lines

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "network": self.network.resolved(),
            "training": asdict(self.training),
            "history": [asdict(epoch) for epoch in self.history],
            "lines": self.lines,
        }

    @classmethod
    def read(
        cls, build: type[LanguageNetwork], values: dict[str, Any], vocabulary: LMVocabulary, layout: Layout
    ) -> Self:
        """Make the settings from ``to_dict``'s values, and check that vocabulary and arrays fit them.

        Args:
            build: the class of the network.
            values: the values.
            vocabulary: the words of the model.
            layout: the arrays of the model, which may have the names of earlier versions.

        Raises:
            ConfigError, KeyError, TypeError, AttributeError: if something does not fit.
        """
        record = cls(
            network=LMConfig.from_dict(values["network"], complete=True),
            training=LMTraining.from_dict(values["training"]),  # only a record, so settings may be missing
            history=tuple(LMEpoch(**epoch) for epoch in values["history"]),
            lines=values.get("lines", "sentences"),
        )
        if not isinstance(vocabulary, LMVocabulary):
            raise ConfigError(f"the vocabulary is of the class {type(vocabulary).__name__}, not LMVocabulary")
        check_choice("lines", record.lines, get_args(Lines))
        wanted, found = parameter_layout(build, record.network, len(vocabulary)), current_names(layout)
        if found.keys() != wanted.keys():
            raise ConfigError(f"the arrays are {', '.join(found)}, but these settings need {', '.join(wanted)}")
        for name, form in found.items():
            if form != wanted[name]:
                raise ConfigError(f"{name} has the shape {form.shape} and type {form.dtype}, but these settings need "
                                  f"{wanted[name].shape} and {wanted[name].dtype}")  # fmt: skip
        return record


def parameter_layout(build: type[LanguageNetwork], config: LMConfig, vocabulary: int) -> Layout:
    """Return the layout of a network's parameters, without making them; ``vocabulary`` is the number of words."""
    with torch.device("meta"):  # tensors of this device have a shape, and take no memory
        network = build(config, vocabulary)
    return {name: ArrayForm("float32", tuple(value.shape)) for name, value in network.state_dict().items()}


def tensor_layout(tensors: Mapping[str, Tensor]) -> Layout:
    """Return the layout of some tensors."""
    return {name: ArrayForm(str(value.dtype).removeprefix("torch."), tuple(value.shape))
            for name, value in tensors.items()}  # fmt: skip
