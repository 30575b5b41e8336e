"""Settings, as frozen dataclasses: one for the network, one for its training.

Where the paper and its official code differ, the defaults are the official code, which answers better;
``variant`` gives either. docs/qa.md lists the differences.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal, Self, get_args, get_origin, get_type_hints

from memn2n.errors import ConfigError

StoryFormat = Literal["babi", "jsonl"]
Encoding = Literal["bow", "pe", "pe-official"]
Temporal = Literal["none", "add", "word"]
Tying = Literal["adjacent", "layerwise"]
EmptySlots = Literal["keep", "mask"]
AnswerSoftmax = Literal["words", "all"]
LinearStart = Literal["none", "fixed", "validation"]
NoiseKind = Literal["none", "jitter", "empty"]
Sampling = Literal["permutation", "replacement"]
ValidationSplit = Literal["tail", "random"]
Clip = Literal["frobenius", "spectral"]
Optimizer = Literal["sgd", "adam"]
Select = Literal["train", "validation", "ensemble"]
Variant = Literal["official", "paper"]
LMVariant = Literal["modern", "paper", "seed"]
LMOptimizer = Literal["sgd", "adamw"]
LMClip = Literal["global", "tensor"]
Batching = Literal["blocks", "random"]
Anneal = Literal["validation", "cosine"]
Precision = Literal["auto", "fp32", "bf16"]
Backend = Literal["auto", "native", "torch"]


_LARGEST = 1e30  # well inside float32


class _Config:
    """What both settings share: types and choices are checked when they are made."""

    def __post_init__(self) -> None:
        hints = get_type_hints(type(self))
        for field in fields(self):  # type: ignore[arg-type]
            _check_type(field.name, getattr(self, field.name), hints[field.name])
        self._check()

    def _check(self) -> None:
        raise NotImplementedError

    @classmethod
    def from_dict(cls, values: dict[str, Any], *, complete: bool = False) -> Self:
        """Settings from parsed JSON or TOML.

        Args:
            values: setting -> value.
            complete: whether every setting must be there; otherwise the others are left at their defaults.

        Raises:
            ConfigError: for a key that does not exist, a missing one, or a value of the wrong type or range.
        """
        known = {field.name for field in fields(cls)}  # type: ignore[arg-type]
        for name in values:
            if name not in known:
                raise ConfigError(f"{name} is not a setting; there are: {', '.join(sorted(known))}")
        missing = sorted(known - values.keys())
        if complete and missing:
            raise ConfigError(f"{', '.join(missing)} is missing")
        return cls(**values)


def _check_type(name: str, value: object, hint: Any) -> None:
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise ConfigError(f"{name} is {value!r}: it must be one of {', '.join(get_args(hint))}")
        return
    kinds = get_args(hint) or (hint,)  # float | None
    if float in kinds and type(value) is int:
        return
    if type(value) not in kinds:
        names = " or ".join("nothing" if kind is type(None) else kind.__name__ for kind in kinds)
        raise ConfigError(f"{name} is {value!r}: it must be of type {names}")


def _check_range(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:  # also refuses nan
        raise ConfigError(f"{name} is {value}: it must be from {low} to {high}")


def _check_positive(name: str, value: float) -> None:
    if not 0 < value <= _LARGEST:
        raise ConfigError(f"{name} is {value}: it must be above 0, and at most {_LARGEST:g}")


@dataclass(frozen=True, kw_only=True)
class NetworkConfig(_Config):
    """The network of section 2 and 4.1 of the paper."""

    dim: int = 20
    """Size d of the embeddings and of the state: 20 for one task, 50 for all of bAbI jointly (paper)."""
    hops: int = 3
    """How many times K the memory is read."""
    encoding: Encoding = "pe-official"
    """How the words of a sentence become one vector. bow: their sum. pe: weighted by position, with the paper's
    weights and the sentence's own length. pe-official: the official code's weights, about twice as large, with the
    length of the longest sentence of the training data."""
    temporal: Temporal = "word"
    """How the order of sentences is known. add: T(i) is added to sentence i (paper). word: time is one more word at
    the sentence's end, weighted as such, and its embeddings are rows of the word matrices (official code); not
    with encoding pe, whose weights know no common last position. none: no order."""
    tying: Tying = "adjacent"
    """adjacent: A of a hop is C of the hop before it, B = A of the first, W = C of the last. layerwise: all hops share
    A and C, B and W are their own, and the state passes through a learned H (the RNN-like type)."""
    relu: bool = False
    """Whether the state passes through a ReLU after each hop (the paper's starred column)."""
    empty_slots: EmptySlots = "keep"
    """keep: the memory has as many slots as the longest training story, and an empty one scores 0 and keeps its share
    of the attention (official code). mask: attention is shared
    among the sentences alone."""
    answer_softmax: AnswerSoftmax = "all"
    """What competes to be the answer. words: the vocabulary's words. all: null and time words too (official code).
    Only words are ever given as answers."""
    memory_size: int = 50
    """How many sentences the memory holds at most; of a longer story the latest are kept."""

    def _check(self) -> None:
        _check_range("dim", self.dim, 1, 4096)
        _check_range("hops", self.hops, 1, 64)
        _check_range("memory_size", self.memory_size, 1, 10_000)
        if self.temporal == "word" and self.encoding == "pe":
            raise ConfigError('temporal "word" goes with encoding "bow" or "pe-official"; take temporal "add"')


@dataclass(frozen=True, kw_only=True)
class TrainingConfig(_Config):
    """The training of section 4.2 of the paper."""

    epochs: int = 100
    """Epochs after the linear start."""
    learning_rate: float | None = None
    """The first rate. Without one: 0.01, or 0.005 with a linear start (paper); 0.005 with Adam."""
    decay_every: int = 25
    """The rate is halved at each epoch that is a multiple of this one, the linear start not counted."""
    batch_size: int = 32
    """Questions in a batch; their costs are summed, not averaged, so the step grows with it."""
    clip_norm: float = 40.0
    """A matrix whose gradient has a larger norm than this has it scaled down to it, each matrix by itself."""
    optimizer: Optimizer = "sgd"
    """sgd: plain stochastic gradient descent (paper). adam: Adam, with its usual moments (0.9, 0.999)."""
    clip: Clip = "spectral"
    """The norm that is clipped: frobenius (paper), or spectral, the largest singular value (official code)."""
    linear_start: LinearStart = "fixed"
    """Training first without the softmax of the attention (section 4.1). fixed: for linear_start_epochs (official
    code). validation: until the validation loss stops falling, at most linear_start_epochs (paper). none: not."""
    linear_start_patience: int = 10
    """With linear_start validation: the validation loss has stopped falling when this many epochs in a row brought no
    new lowest one; the loss of a hundred questions is too noisy to stop at the first rise."""
    linear_start_epochs: int = 20
    """Length of the linear start: 20 for one task, 30 jointly (official code)."""
    noise: NoiseKind = "jitter"
    """Random noise in time (RN), which keeps T from learning by rote. jitter: the sentences take some of the next few
    time indices too, in order (official code). empty: empty sentences are put between the sentences (paper)."""
    noise_rate: float = 0.1
    """How much: up to this share of the story's length, rounded up, is added, any number from none to that equally
    likely."""
    unknown_rate: float = 0.0
    """Share of the words that are replaced by the unknown word in each batch, so that unknown words in a question
    asked later are something that the network has met."""
    sampling: Sampling = "replacement"
    """permutation: each question once an epoch. replacement: full batches drawn with replacement (official code)."""
    validation: float = 0.1
    """Share of the questions held out for validation, 0 for none; not used where validation data is given."""
    validation_split: ValidationSplit = "tail"
    """Which ones: the last ones of each task, or random ones (official code: tail for one task, random jointly)."""
    restarts: int = 3
    """How many networks are trained, each from its own random start (paper: 10)."""
    select: Select = "train"
    """Which one is kept: that of the lowest loss on the training data (paper), or on the validation data. ensemble:
    all of them are, and their probabilities are averaged."""
    init_std: float = 0.1
    """Standard deviation of the normal distribution that parameters start from."""
    seed: int = 0
    """The same seed, data and machine give the same model."""

    def _check(self) -> None:
        _check_range("epochs", self.epochs, 1, 1_000_000)
        _check_range("decay_every", self.decay_every, 1, 1_000_000)
        _check_range("batch_size", self.batch_size, 1, 1_000_000)
        _check_range("linear_start_patience", self.linear_start_patience, 1, 1_000_000)
        _check_range("linear_start_epochs", self.linear_start_epochs, 1, 1_000_000)
        _check_range("noise_rate", self.noise_rate, 0, 10)
        _check_range("unknown_rate", self.unknown_rate, 0, 0.9)
        _check_range("validation", self.validation, 0, 0.9)
        _check_range("restarts", self.restarts, 1, 10_000)
        _check_range("seed", self.seed, 0, 2**63 - 1)
        _check_positive("clip_norm", self.clip_norm)
        _check_positive("init_std", self.init_std)
        if self.learning_rate is not None:
            _check_positive("learning_rate", self.learning_rate)

    @property
    def first_rate(self) -> float:
        """The learning rate of the first epoch."""
        if self.learning_rate is not None:
            return self.learning_rate
        return 0.01 if self.linear_start == "none" and self.optimizer == "sgd" else 0.005

    def rate(self, epoch: int) -> float:
        """The learning rate of an epoch after the linear start, counted from 1."""
        return self.first_rate * 0.5 ** (epoch // self.decay_every)


def variant(name: Variant) -> tuple[NetworkConfig, TrainingConfig]:
    """The settings of the official Matlab code ("official", the defaults), or of the paper's text ("paper").

    Both of them trained 10 restarts for a table; here ``restarts`` is left at its default.
    """
    if name == "paper":
        return (
            NetworkConfig(encoding="pe", temporal="add", empty_slots="mask", answer_softmax="words"),
            TrainingConfig(clip="frobenius", linear_start="validation", linear_start_epochs=100, noise="empty",
                           sampling="permutation", validation_split="random"),
        )  # fmt: skip
    if name != "official":
        raise ConfigError(f"variant is {name!r}: it must be one of {', '.join(get_args(Variant))}")
    return NetworkConfig(), TrainingConfig()


@dataclass(frozen=True, kw_only=True)
class LMConfig(_Config):
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

    def _check(self) -> None:
        _check_range("dim", self.dim, 1, 65536)
        _check_range("hops", self.hops, 1, 64)
        _check_range("memory_size", self.memory_size, 1, 1_000_000)
        if not 0 <= self.linear <= self.dim:
            raise ConfigError(f"linear is {self.linear}: it must be from 0 to dim, {self.dim}")
        if not -_LARGEST <= self.query <= _LARGEST:
            raise ConfigError(f"query is {self.query}: it must be a number")


@dataclass(frozen=True, kw_only=True)
class LMTraining(_Config):
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

    def _check(self) -> None:
        _check_positive("learning_rate", self.learning_rate)
        _check_positive("clip_norm", self.clip_norm)
        _check_positive("init_std", self.init_std)
        _check_positive("lowest_rate", self.lowest_rate)
        _check_range("anneal_by", self.anneal_by, 1.000001, 1e6)
        _check_range("warmup", self.warmup, 0, 1)
        _check_range("epochs", self.epochs, 1, 1_000_000)
        _check_range("patience", self.patience, 1, 1_000_000)
        _check_range("batch_size", self.batch_size, 1, 10_000_000)
        _check_range("block", self.block, 1, 1_000_000)
        _check_range("embedding_dropout", self.embedding_dropout, 0, 0.99)
        _check_range("hop_dropout", self.hop_dropout, 0, 0.99)
        _check_range("state_dropout", self.state_dropout, 0, 0.99)
        _check_range("validation", self.validation, 0, 0.5)
        _check_range("weight_decay", self.weight_decay, 0, 1e6)
        _check_range("seed", self.seed, 0, 2**63 - 1)


def lm_variant(name: LMVariant) -> tuple[LMConfig, LMTraining]:
    """The settings chosen by validation ("modern", the defaults), the paper's, or the TensorFlow port's ("seed")."""
    if name == "modern":
        return LMConfig(), LMTraining()
    if name not in get_args(LMVariant):
        raise ConfigError(f"variant is {name!r}: it must be one of {', '.join(get_args(LMVariant))}")
    training = LMTraining(
        optimizer="sgd", learning_rate=0.01, anneal="validation", epochs=100, batch_size=128, block=8,
        embedding_dropout=0.0, hop_dropout=0.0, state_dropout=0.0, clip="global" if name == "paper" else "tensor",
        clip_norm=50.0, weight_decay=0.0,
    )  # fmt: skip
    return LMConfig(), training
