"""Settings of question answering: of the network, and of its training.

Where the paper and its official code differ, the defaults are those of the official code. ``memn2n.qa.recipes`` has the
settings of either, and better ones. docs/settings.md lists all settings and the differences.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi
from typing import Annotated, Literal, NamedTuple

from memn2n.errors import ConfigError, Setting
from memn2n.qa.vocabulary import SPECIAL
from memn2n.settings import POSITIVE, Range, Settings

StoryFormat = Literal["babi", "jsonl"]
Encoding = Literal["bow", "pe", "pe-official"]
Temporal = Literal["none", "add", "word"]
Tying = Literal["adjacent", "layerwise"]
StateMatrix = Literal["auto", "none", "random", "identity"]
EmptySlots = Literal["keep", "mask"]
AnswerSoftmax = Literal["words", "all"]
LinearStart = Literal["none", "fixed", "validation"]
NoiseKind = Literal["none", "jitter", "empty"]
Sampling = Literal["permutation", "replacement", "hard"]
ValidationSplit = Literal["auto", "tail", "random"]
Clip = Literal["frobenius", "spectral"]
Decay = Literal["halving", "cosine"]
Optimizer = Literal["sgd", "adam"]
Select = Literal["train", "validation", "ensemble", "good"]
Variant = Literal["quick", "best", "official", "paper"]
Backend = Literal["auto", "native", "torch"]


_SIZES = Range(1, 10**8)


@dataclass(frozen=True)
class DataShape(Settings):
    """The sizes that a network takes from its training data."""

    vocabulary: Annotated[int, _SIZES]
    """Number of word ids, null and unknown included."""
    longest_sentence: Annotated[int, _SIZES]
    """Number of words of the longest sentence; J of encoding pe-official."""
    slots: Annotated[int, _SIZES]
    """Number of memory slots, which is also the number of times: the sentences of the longest story, at most
    ``memory_size``. In a longer story, the oldest sentences share the last time."""
    candidates: Annotated[int, Range(0, 10**8)] = 0
    """Number of candidate answers; 0 if the answers are the words of the vocabulary."""

    @property
    def answers(self) -> slice:
        """The columns of a network's logits that are answers; column i is the answer of id i."""
        return slice(0, self.candidates) if self.candidates else slice(SPECIAL, self.vocabulary)


@dataclass(frozen=True)
class Start:
    """The shape of a parameter, and the distribution of its first values.

    Args:
        shape: the shape of the array.
        mean: mean of the normal distribution of its first values.
        identity: whether the identity matrix is added to the first values.
        words: whether row i belongs to word i. Then row ``NULL`` is always zero, and row ``UNKNOWN`` starts at zero,
            so that an unknown word adds nothing until its embedding is trained.
    """

    shape: tuple[int, ...]
    mean: float = 0.0
    words: bool = False
    identity: bool = False


@dataclass(frozen=True, kw_only=True)
class FamilyConfig(Settings):
    """Base class of the settings of a family of networks."""

    memory_size: Annotated[int, Range(1, 10_000)] = 50
    """Number of sentences that the memory holds at most. Only the last ``memory_size`` sentences of a longer story are
    used."""

    def parameters(self, shape: DataShape) -> dict[str, Start]:
        """The name, shape and start of each parameter, for data of these sizes."""
        raise NotImplementedError(f"{type(self).__name__} must define parameters(shape)")


class HopTables(NamedTuple):
    """The positions of a network's embedding matrices among its tables."""

    number: int
    A: tuple[int, ...]  # of each hop
    C: tuple[int, ...]  # of each hop
    B: int
    W: int  # of W transposed

    @property
    def memory(self) -> list[int]:
        """The tables that encode memories."""
        return sorted({*self.A, *self.C})


@dataclass(frozen=True, kw_only=True)
class NetworkConfig(FamilyConfig):
    """Settings of the family "memn2n": the network of sections 2 and 4.1 of the paper, and its gated form."""

    dim: Annotated[int, Range(1, 4096)] = 20
    """Size d of embeddings and state. The paper has 20 for one task, and 50 for all tasks of bAbI jointly."""
    hops: Annotated[int, Range(1, 64)] = 3
    """Number K of hops: how often the network reads its memory."""
    encoding: Encoding = "pe-official"
    """How the words of a sentence become one vector. With d = dim, k a component of the embedding (from 1), and j the
    position of a word (from 1): bow: the sum of the word embeddings. pe: a sum with position weights (1 - j/J) -
    (k/d)(1 - 2j/J), where J is the length of the sentence (paper). pe-official: a sum with position weights 1 + 4 (k -
    (d+1)/2)(j - (J+1)/2) / (d J), where J is the length of the longest sentence of the training data (official
    code)."""
    temporal: Temporal = "word"
    """How the order of the sentences is encoded. none: not at all. add: the vector T(i) is added to sentence i (paper).
    word: a word for the time stands at the end of the sentence; it has the weight of the last position, and its
    embeddings are rows of the word matrices (official code). word does not work with ``encoding`` pe, which has no last
    position common to all sentences."""
    tying: Tying = "adjacent"
    """Which matrices the hops share. adjacent: A of a hop is C of the hop before it; B is A of the first hop, and W is
    C of the last. layerwise: all hops share A and C; B and W are matrices of their own, and the state is multiplied by
    a learned matrix H between hops (RNN-like)."""
    state_matrix: StateMatrix = "auto"
    """Which matrix H multiplies the state between hops. auto: random with layer-wise tying, none with adjacent tying
    (paper). none: the state stays what it is. random: H starts with random values. identity: it starts with random
    values around the identity matrix."""
    relu: bool = False
    """Apply a ReLU to the state after each hop. The starred column of the paper's table has one."""
    linear: Annotated[float, Range(0, 1)] = 0.0
    """Share of the components of the state that pass through no ReLU. It needs ``relu``. In the paper's language model,
    half of the components stay linear."""
    gate: bool = False
    """Give each hop a gate between what it reads and its state (Liu and Perez 2016). With the gate T = sigmoid(G u +
    b), the next state is o T + u (1 - T) instead of o + u, for each component. Each hop has a matrix G and a vector b
    of its own."""
    empty_slots: EmptySlots = "keep"
    """Whether empty memory slots take part in the attention. keep: yes; the memory has as many slots as the longest
    training story, and each empty slot has a score of 0 (official code). mask: no; the sentences share all the
    attention."""
    answer_softmax: AnswerSoftmax = "all"
    """Which rows the softmax over the answers covers. words: the words of the vocabulary (paper). all: also null and
    the words for the time, which are never returned as answers (official code)."""

    @property
    def tables(self) -> HopTables:
        """Which embedding matrix each hop uses."""
        K = self.hops
        if self.tying == "adjacent":
            return HopTables(number=K + 1, A=tuple(range(K)), C=tuple(range(1, K + 1)), B=0, W=K)
        return HopTables(number=4, A=(0,) * K, C=(1,) * K, B=2, W=3)

    def parameters(self, shape: DataShape) -> dict[str, Start]:
        """The name, shape and start of each parameter.

        ``tables.i`` are the embedding matrices, (rows, d): a row for each word, and with ``temporal`` word one more for
        each time. With adjacent tying there are K + 1 of them: table k is both C^k and A^{k+1}, so that B is table 0
        and W^T is table K. With layer-wise tying there are four, A, C, B and W. ``H`` (d, d) is there by
        ``state_matrix``. ``times.i`` is T of
        table i, (slots, d), for each table that encodes memories. ``gates.k`` (d, d) and ``gate_biases.k`` (d) are G
        and b of hop k, from 0; b starts around 0.5, so that more is read than kept.
        """
        d, tables = self.dim, self.tables
        rows = shape.vocabulary + (shape.slots if self.temporal == "word" else 0)
        starts = {f"tables.{i}": Start((rows, d), words=True) for i in range(tables.number)}
        if self.temporal == "add":
            starts |= {f"times.{i}": Start((shape.slots, d)) for i in tables.memory}
        if self.has_state_matrix:
            starts["H"] = Start((d, d), identity=self.state_matrix == "identity")
        if self.gate:
            starts |= {f"gates.{k}": Start((d, d)) for k in range(self.hops)}
            starts |= {f"gate_biases.{k}": Start((d,), mean=0.5) for k in range(self.hops)}
        return starts

    @property
    def has_state_matrix(self) -> bool:
        """Whether a matrix H multiplies the state between hops."""
        return self.tying == "layerwise" if self.state_matrix == "auto" else self.state_matrix != "none"

    @property
    def linear_components(self) -> int:
        """Number of components of the state that pass through no ReLU; the first ones of the vector."""
        return round(self.linear * self.dim) if self.relu else self.dim

    def check(self) -> None:
        """Raise ConfigError if two settings contradict each other."""
        if self.linear and not self.relu:
            raise ConfigError(Setting("linear"), f" is {self.linear}, but there is no ReLU; set ", Setting("relu"))
        if self.temporal == "word" and self.encoding == "pe":
            temporal, encoding = Setting("temporal"), Setting("encoding")
            raise ConfigError(temporal, ' "word" does not work with ', encoding, ' "pe"; take ', temporal, ' "add"')


@dataclass(frozen=True, kw_only=True)
class TrainingConfig(Settings):
    """Settings of the training of section 4.2 of the paper."""

    epochs: Annotated[int, Range(1, 1_000_000)] = 100
    """Number of epochs after the linear start."""
    optimizer: Optimizer = "sgd"
    """How the gradient changes the parameters. sgd: plain stochastic gradient descent (paper). adam: Adam, with moments
    0.9 and 0.999."""
    learning_rate: Annotated[float | None, POSITIVE] = None
    """Learning rate of the first epoch; by default 0.005, or 0.01 for sgd without a linear start. The paper has the
    same two rates."""
    stop_loss: Annotated[float, Range(0, 100)] = 0.0
    """Loss in nats that ends a training, after an epoch whose training and validation loss are both below it. 0 for
    none."""
    decay: Decay = "halving"
    """How the learning rate falls over the epochs after the linear start. halving: it is halved every ``decay_every``
    epochs (paper). cosine: like half a period of a cosine, from the first rate towards 0."""
    decay_every: Annotated[int, Range(1, 1_000_000)] = 25
    """With ``decay`` halving, number of epochs between two halvings of the rate. The epochs of the linear start
    do not count."""
    batch_size: Annotated[int, Range(1, 1_000_000)] = 32
    """Number of questions in a batch. The losses of a batch are summed, not averaged, so a larger batch makes a larger
    step."""
    clip: Clip = "spectral"
    """Which norm of a matrix's gradient is limited. frobenius: the root of the sum of squares (paper). spectral: the
    largest singular value, which is what ``norm`` of a matrix is in Matlab (official code)."""
    clip_norm: Annotated[float, POSITIVE] = 40.0
    """Largest norm of a matrix's gradient. A larger gradient is scaled down to it, for each matrix separately."""
    linear_start: LinearStart = "fixed"
    """Whether training starts without the softmax of the attention (LS, section 4.1). none: it does not. fixed: for
    ``linear_start_epochs`` (official code). validation: until the validation loss stops falling, and at most for
    ``linear_start_epochs`` (paper)."""
    linear_start_epochs: Annotated[int, Range(1, 1_000_000)] = 20
    """Number of epochs of the linear start, at most. The official code has 20 for one task, and 30 for joint
    training."""
    linear_start_patience: Annotated[int, Range(1, 1_000_000)] = 10
    """With ``linear_start`` validation, epochs without a new lowest validation loss that end the linear start. The loss
    of a hundred questions is too noisy to stop at its first rise."""
    noise: NoiseKind = "jitter"
    """Random noise in time (RN), a regularizer of the temporal encoding. For a story of n sentences, b is drawn from 0
    to ``noise_rate`` times n, rounded up. none: no noise. jitter: the sentences have n of the first n + b times, in
    order (official code). empty: b empty sentences are put between the sentences (paper)."""
    noise_rate: Annotated[float, Range(0, 10)] = 0.1
    """Largest amount of random noise, as a share of the length of the story. The paper says "10%" and no more."""
    supervise_attention: Annotated[float, Range(0, 1000)] = 0.0
    """Weight of the supervision of the attention by the supporting facts; 0 for none. The loss gets, for each
    supporting fact in the memory, minus this weight times log r, where r is the probability that at least one hop picks
    the fact. The weight falls linearly to 0 over the epochs, and the linear start has no supervision."""
    unknown_rate: Annotated[float, Range(0, 0.9)] = 0.0
    """Share of the words that each batch replaces by the unknown word. It trains the embedding of words that only occur
    after training."""
    sampling: Sampling = "replacement"
    """How the questions of an epoch are drawn. permutation: each question once (paper). replacement: as many full
    batches as fit, drawn with replacement (official code). hard: like replacement, but first the task of each question
    is drawn. Tasks with a training loss above 0.1 nats are equally probable; others are less so in proportion to their
    loss, down to a tenth."""
    hard_first: Annotated[float, Range(0, 0.9)] = 0.0
    """Share of the epochs, from the first one on, that have only questions of hard tasks. If it is above 0, those of
    the linear start do too. Hard are the tasks whose training loss, after a pilot training on all tasks for a tenth of
    ``epochs``, is above half of the entropy of their answers and above 0.1 nats; then the network starts anew. It needs
    ``sampling`` hard."""
    validation: Annotated[float, Range(0, 0.9)] = 0.1
    """Share of the questions that is held out for validation; 0 for none. It is not used if validation data is
    given."""
    validation_split: ValidationSplit = "auto"
    """Which questions are held out for validation. auto: tail for bAbI's files and simulated stories; for other data,
    which may be sorted, random ones of each task, and no question whose answer or task would have no other question.
    tail: the last ones of each task (official code for one task). random: random ones of all tasks together (official
    code for joint training)."""
    restarts: Annotated[int, Range(1, 10_000)] = 3
    """Number of networks that are trained, each from another random start. The paper has 10."""
    select: Select = "train"
    """Which of the trained networks is kept. train: the one with the lowest loss on the training data (paper).
    validation: the one with the lowest loss on the validation data. ensemble: all of them, and their probabilities are
    averaged. good: like ensemble, but only those whose loss is at most twice the lowest one, plus 0.01
    nats: on the validation data or, without any, on the training data."""
    init_std: Annotated[float, POSITIVE] = 0.1
    """Standard deviation of the normal distribution of the initial parameters."""
    seed: Annotated[int, Range(0, 2**63 - 1)] = 0
    """Seed of the random numbers. The same seed, data and machine give the same model."""

    def check(self) -> None:
        """Raise ConfigError if two settings contradict each other."""
        if self.hard_first and self.sampling != "hard":
            raise ConfigError(Setting("hard_first"), f" is {self.hard_first}, but ", Setting("sampling"),
                              f" is {self.sampling}: it needs hard")  # fmt: skip

    @property
    def hard_epochs(self) -> int:
        """Number of epochs, after the linear start, that have only questions of hard tasks."""
        return round(self.hard_first * self.epochs)

    @property
    def pilot_epochs(self) -> int:
        """Number of epochs of the pilot training."""
        return max(self.epochs // 10, 1) if self.hard_first else 0

    @property
    def first_rate(self) -> float:
        """The learning rate of the first epoch."""
        if self.learning_rate is not None:
            return self.learning_rate
        return 0.01 if self.linear_start == "none" and self.optimizer == "sgd" else 0.005

    def rate(self, epoch: int) -> float:
        """The learning rate of an epoch after the linear start, counted from 1."""
        if self.decay == "cosine":
            return self.first_rate * (1 + cos(pi * (epoch - 1) / self.epochs)) / 2
        return self.first_rate * 0.5 ** (epoch // self.decay_every)

    def supervision(self, epoch: int) -> float:
        """The weight of the attention supervision in an epoch after the linear start, counted from 1."""
        return self.supervise_attention * (1 - (epoch - 1) / self.epochs)
