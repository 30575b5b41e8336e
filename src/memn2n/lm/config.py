"""Settings of the language model: of the network, and of its training. docs/settings.md lists them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal, get_args

from memn2n.errors import ConfigError, Setting
from memn2n.machine import Precision  # noqa: TC001 - the dataclass reads its types
from memn2n.settings import POSITIVE, Range, Settings, check_choice

KIND = "lm"
"""The kind of model in a model folder."""

LMVariant = Literal["modern", "paper", "tensorflow"]
LMOptimizer = Literal["sgd", "adamw"]
LMClip = Literal["global", "tensor"]
Batching = Literal["blocks", "random"]
Anneal = Literal["validation", "cosine"]


@dataclass(frozen=True, kw_only=True)
class LMConfig(Settings):
    """Settings of the language model of section 5 of the paper."""

    dim: Annotated[int, Range(1, 65536)] = 150
    """Size d of embeddings and state."""
    linear: int | None = None
    """Number of components of the state that stay linear; by default half of ``dim``, as in the paper. The other
    components pass through a ReLU after each hop."""
    hops: Annotated[int, Range(1, 64)] = 6
    """Number K of hops: how often the network reads its memory."""
    memory_size: Annotated[int, Range(1, 1_000_000)] = 100
    """Number N of previous words that the memory holds."""
    query: Annotated[float, Range(-1000, 1000)] = 0.1
    """Value of every component of the constant first state."""
    tied: bool = False
    """Use the embedding C as the output matrix W, as adjacent tying does. Otherwise W is a matrix of its own
    (paper)."""

    def check(self) -> None:
        """Raise ConfigError if two settings contradict each other."""
        if not 0 <= self.linear_components <= self.dim:
            raise ConfigError(
                Setting("linear"), f" is {self.linear}: it must be from 0 to ", Setting("dim"), f", {self.dim}"
            )

    @property
    def linear_components(self) -> int:
        """Number of components of the state that stay linear; the first ones of the vector."""
        return self.dim // 2 if self.linear is None else self.linear

    def resolved(self) -> dict[str, Any]:
        """The settings as JSON values, to be saved and compared: ``linear`` is a number even if it was not given."""
        return asdict(self) | {"linear": self.linear_components}


@dataclass(frozen=True, kw_only=True)
class LMTraining(Settings):
    """Settings of the language model's training. The defaults were chosen by validation on Penn Treebank."""

    optimizer: LMOptimizer = "adamw"
    """How the gradient changes the parameters. sgd: plain stochastic gradient descent; the losses of a batch are summed
    (paper). adamw: Adam with decoupled weight decay; the losses of a batch are averaged."""
    learning_rate: Annotated[float, POSITIVE] = 0.003
    """Highest learning rate."""
    anneal: Anneal = "cosine"
    """How the learning rate falls. validation: it is divided by ``anneal_by`` after each epoch whose validation loss is
    more than 0.9999 times that of the epoch before, and training ends when the rate is below ``lowest_rate`` (paper).
    cosine: it rises during ``warmup``, and falls to 0 along a cosine until the last epoch."""
    anneal_by: Annotated[float, Range(1.000001, 1e6)] = 1.5
    """With ``anneal`` validation, the divisor of the learning rate."""
    lowest_rate: Annotated[float, POSITIVE] = 1e-5
    """With ``anneal`` validation, the learning rate below which training ends."""
    warmup: Annotated[float, Range(0, 1)] = 0.05
    """With ``anneal`` cosine, the share of the training in which the learning rate rises."""
    epochs: Annotated[int, Range(1, 1_000_000)] = 12
    """Number of passes over the text, at most."""
    patience: Annotated[int, Range(1, 1_000_000)] = 3
    """With ``anneal`` cosine, epochs without a new lowest validation loss that end the training. With ``anneal``
    validation, the learning rate ends it."""
    batch_size: Annotated[int, Range(1, 10_000_000)] = 1024
    """Number of words in a batch."""
    batching: Batching = "blocks"
    """How the words of a batch are chosen. blocks: the text is cut into blocks of ``block`` words at a random offset,
    and each block is used once an epoch, in random order. random: each word is drawn anywhere in the text, with
    replacement, and has a memory of its own (official code); this is several times slower."""
    block: Annotated[int, Range(1, 1_000_000)] = 32
    """With ``batching`` blocks, number of consecutive words that share most of their memory. Long blocks are faster.
    Short blocks are less correlated, and a batch of them teaches more."""
    embedding_dropout: Annotated[float, Range(0, 0.99)] = 0.25
    """Share of the components of the embedded words that are set to 0 in training."""
    hop_dropout: Annotated[float, Range(0, 0.99)] = 0.0
    """Share of the components of the state that are set to 0 in training, after each hop except the last."""
    state_dropout: Annotated[float, Range(0, 0.99)] = 0.3
    """Share of the components of the last state that are set to 0 in training. The next word is predicted from this
    state."""
    weight_decay: Annotated[float, Range(0, 1e6)] = 0.1
    """With ``optimizer`` adamw, how much a step shrinks the parameters. A step subtracts the learning rate times this
    share of each parameter."""
    clip: LMClip = "global"
    """Which norm of the gradient is limited. global: the norm of the whole gradient (paper). tensor: the norm of each
    tensor's gradient separately (TensorFlow port)."""
    clip_norm: Annotated[float, POSITIVE] = 1.0
    """Largest norm of the gradient. A larger gradient is scaled down to it."""
    validation: Annotated[float, Range(0, 0.5)] = 0.05
    """Share of the training text that is held out for validation, at its end; 0 for none. It is not used if a
    validation text is given. Without any validation, the training loss decides which network is the best."""
    init_std: Annotated[float, POSITIVE] = 0.05
    """Standard deviation of the normal distribution of the initial parameters."""
    precision: Precision = "auto"
    """Number format of the matrix products in training. auto: bf16 if the processor or GPU multiplies bfloat16 in
    hardware, otherwise fp32. fp32: float32. bf16: bfloat16. The parameters are float32 in any case."""
    seed: Annotated[int, Range(0, 2**63 - 1)] = 0
    """Seed of the random numbers. The same seed, data, machine and number of threads give the same model."""


def lm_variant(name: LMVariant) -> tuple[LMConfig, LMTraining]:
    """Settings chosen by validation ("modern", the defaults), the paper's, or the TensorFlow port's ("tensorflow").

    Raises:
        ConfigError: for another name.
    """
    check_choice("variant", name, get_args(LMVariant))
    if name == "modern":
        return LMConfig(), LMTraining()
    training = LMTraining(
        optimizer="sgd", learning_rate=0.01, anneal="validation", epochs=100, batch_size=128, block=8,
        embedding_dropout=0.0, hop_dropout=0.0, state_dropout=0.0, clip="global" if name == "paper" else "tensor",
        clip_norm=50.0, weight_decay=0.0,
    )  # fmt: skip
    return LMConfig(), training
