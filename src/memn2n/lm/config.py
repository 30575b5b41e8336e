"""The settings of the language model: of the network, and of its training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from memn2n.errors import ConfigError, Setting
from memn2n.machine import Precision  # noqa: TC001 - the dataclass reads its types
from memn2n.settings import LARGEST, Settings, check_positive, check_range

LMVariant = Literal["modern", "paper", "seed"]
LMOptimizer = Literal["sgd", "adamw"]
LMClip = Literal["global", "tensor"]
Batching = Literal["blocks", "random"]
Anneal = Literal["validation", "cosine"]


@dataclass(frozen=True, kw_only=True)
class LMConfig(Settings):
    """The language model of section 5 of the paper."""

    dim: int = 150
    """Size d of the embeddings and of the state."""
    linear: int = 75
    """How many of the state's components stay linear; the others pass through a ReLU after each hop (paper: half)."""
    hops: int = 6
    """How many times K the memory is read."""
    memory_size: int = 100
    """How many previous words N the memory holds."""
    query: float = 0.1
    """Every component of the constant first state."""
    tied: bool = False
    """Whether the output matrix W is B, as it is with adjacent tying, or one of its own (paper)."""

    def check(self) -> None:
        """Raise ConfigError if a value is out of range, or two settings contradict each other."""
        check_range("dim", self.dim, 1, 65536)
        check_range("hops", self.hops, 1, 64)
        check_range("memory_size", self.memory_size, 1, 1_000_000)
        if not 0 <= self.linear <= self.dim:
            raise ConfigError(
                Setting("linear"), f" is {self.linear}: it must be from 0 to ", Setting("dim"), f", {self.dim}"
            )
        if not -LARGEST <= self.query <= LARGEST:
            raise ConfigError(Setting("query"), f" is {self.query}: it must be a number")


@dataclass(frozen=True, kw_only=True)
class LMTraining(Settings):
    """How the language model is trained; the defaults were chosen by validation on Penn Treebank."""

    optimizer: LMOptimizer = "adamw"
    """sgd: plain stochastic gradient descent, the batch's cost summed (paper). adamw: Adam with decoupled weight
    decay, the cost averaged."""
    learning_rate: float = 0.003
    """The highest rate."""
    anneal: Anneal = "cosine"
    """validation: the rate is divided by ``anneal_by`` after an epoch that did not lower the validation loss, and
    training ends once it is below ``lowest_rate`` (paper). cosine: it rises over the ``warmup`` and falls to 0 at the
    end."""
    anneal_by: float = 1.5
    """What anneal validation divides by."""
    lowest_rate: float = 1e-5
    """With anneal validation, the rate below which training ends."""
    warmup: float = 0.05
    """With anneal cosine, the share of the training in which the rate rises."""
    epochs: int = 12
    """At most so many passes over the text."""
    patience: int = 3
    """Training ends after so many epochs in a row without a new lowest validation loss; not with anneal validation,
    which ends by its rate."""
    batch_size: int = 1024
    """Words in a batch."""
    batching: Batching = "blocks"
    """blocks: the text in blocks of ``block`` words, each once an epoch, in random order. random: words drawn anywhere
    with replacement, each with a window of its own (official code); several times slower."""
    block: int = 32
    """Consecutive words that slide through the memory together. Long blocks are faster; short ones have less to do with
    each other, and so teach more."""
    embedding_dropout: float = 0.25
    """Share of the components of embedded words that are set to 0 while training."""
    hop_dropout: float = 0.0
    """The same for the state after each hop but the last."""
    state_dropout: float = 0.3
    """The same for the state after the last hop, from which the word is predicted."""
    weight_decay: float = 0.1
    """With adamw: the share of each parameter, times the rate, that every step takes off."""
    clip: LMClip = "global"
    """The norm that is clipped: global, that of the whole gradient (paper), or of each tensor by itself (the TensorFlow
    port)."""
    clip_norm: float = 1.0
    """A gradient of a larger norm is scaled down to it."""
    validation: float = 0.05
    """Share of the training text, at its end, that is held out for validation where no validation text is given; 0 for
    none: then the training loss says which network is the best."""
    init_std: float = 0.05
    """Standard deviation of the normal distribution that parameters start from."""
    precision: Precision = "auto"
    """Of the products; parameters are kept in float32. auto: bfloat16 where the processor or GPU multiplies it in
    hardware, else float32."""
    seed: int = 0
    """The same seed, data, machine and number of threads give the same model."""

    def check(self) -> None:
        """Raise ConfigError if a value is out of range, or two settings contradict each other."""
        check_positive("learning_rate", self.learning_rate)
        check_positive("clip_norm", self.clip_norm)
        check_positive("init_std", self.init_std)
        check_positive("lowest_rate", self.lowest_rate)
        check_range("anneal_by", self.anneal_by, 1.000001, 1e6)
        check_range("warmup", self.warmup, 0, 1)
        check_range("epochs", self.epochs, 1, 1_000_000)
        check_range("patience", self.patience, 1, 1_000_000)
        check_range("batch_size", self.batch_size, 1, 10_000_000)
        check_range("block", self.block, 1, 1_000_000)
        check_range("embedding_dropout", self.embedding_dropout, 0, 0.99)
        check_range("hop_dropout", self.hop_dropout, 0, 0.99)
        check_range("state_dropout", self.state_dropout, 0, 0.99)
        check_range("validation", self.validation, 0, 0.5)
        check_range("weight_decay", self.weight_decay, 0, 1e6)
        check_range("seed", self.seed, 0, 2**63 - 1)


def lm_variant(name: LMVariant) -> tuple[LMConfig, LMTraining]:
    """The settings chosen by validation ("modern", the defaults), the paper's, or the TensorFlow port's ("seed")."""
    if name == "modern":
        return LMConfig(), LMTraining()
    if name not in get_args(LMVariant):
        raise ConfigError(Setting("variant"), f" is {name!r}: it must be one of {', '.join(get_args(LMVariant))}")
    training = LMTraining(
        optimizer="sgd", learning_rate=0.01, anneal="validation", epochs=100, batch_size=128, block=8,
        embedding_dropout=0.0, hop_dropout=0.0, state_dropout=0.0, clip="global" if name == "paper" else "tensor",
        clip_norm=50.0, weight_decay=0.0,
    )  # fmt: skip
    return LMConfig(), training
