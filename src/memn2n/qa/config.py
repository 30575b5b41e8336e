"""The settings of question answering: of the network, and of its training.

Where the paper and its official code differ, the defaults are the official code, which answers better;
``variant`` gives either. docs/qa.md lists the differences.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from memn2n.errors import ConfigError, Setting
from memn2n.settings import Settings, check_positive, check_range

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
Backend = Literal["auto", "native", "torch"]


@dataclass(frozen=True, kw_only=True)
class NetworkConfig(Settings):
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

    def check(self) -> None:
        """Raise ConfigError if a value is out of range, or two settings contradict each other."""
        check_range("dim", self.dim, 1, 4096)
        check_range("hops", self.hops, 1, 64)
        check_range("memory_size", self.memory_size, 1, 10_000)
        if self.temporal == "word" and self.encoding == "pe":
            raise ConfigError(
                Setting("temporal"),
                ' "word" goes with ',
                Setting("encoding"),
                ' "bow" or "pe-official"; take ',
                Setting("temporal"),
                ' "add"',
            )


@dataclass(frozen=True, kw_only=True)
class TrainingConfig(Settings):
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

    def check(self) -> None:
        """Raise ConfigError if a value is out of range, or two settings contradict each other."""
        check_range("epochs", self.epochs, 1, 1_000_000)
        check_range("decay_every", self.decay_every, 1, 1_000_000)
        check_range("batch_size", self.batch_size, 1, 1_000_000)
        check_range("linear_start_patience", self.linear_start_patience, 1, 1_000_000)
        check_range("linear_start_epochs", self.linear_start_epochs, 1, 1_000_000)
        check_range("noise_rate", self.noise_rate, 0, 10)
        check_range("unknown_rate", self.unknown_rate, 0, 0.9)
        check_range("validation", self.validation, 0, 0.9)
        check_range("restarts", self.restarts, 1, 10_000)
        check_range("seed", self.seed, 0, 2**63 - 1)
        check_positive("clip_norm", self.clip_norm)
        check_positive("init_std", self.init_std)
        if self.learning_rate is not None:
            check_positive("learning_rate", self.learning_rate)

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
        raise ConfigError(Setting("variant"), f" is {name!r}: it must be one of {', '.join(get_args(Variant))}")
    return NetworkConfig(), TrainingConfig()
