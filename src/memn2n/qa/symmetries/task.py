"""The search for the exchangeable words of one task."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, combinations, pairwise
from typing import TYPE_CHECKING

from memn2n.qa.symmetries.classes import parts_of_answer
from memn2n.qa.symmetries.evidence import SKILLED, Evidence, of_networks, of_patterns
from memn2n.qa.symmetries.networks import HeldOut, joined_trials, story_of_each
from memn2n.qa.symmetries.patterns import Agreement, Patterns, Question, continues
from memn2n.qa.symmetries.proposals import linked, propose
from memn2n.qa.symmetries.swaps import Judged, Pairs, search_swaps
from memn2n.qa.symmetries.units import columns_of, find_units
from memn2n.qa.vocabulary import answer_symbol, tokenize

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from memn2n.qa.stories import Example
    from memn2n.qa.symmetries.evidence import Verdict
    from memn2n.qa.symmetries.networks import Trial
    from memn2n.qa.symmetries.proposals import Pair, Words

_ANSWER = "\0answer"
_FOLDS = 4
_FEWEST_EXAMPLES = 40  # of a task, to train networks on

_SURE = 0.85
"""Words of a class have at least this similarity in the end."""
_ALIKE_ELSEWHERE = 0.5
"""Words that are alike in another task need only this similarity."""
_ALIKE_IN_SWAP = 0.3
"""Words of a pair that is swapped together with other pairs need only this similarity."""
_LIKE = 0.9
"""A task that has this share of another task's words is like it."""


@dataclass(eq=False)
class Task:
    """One task: its words, what was found about pairs of them, and the networks that answer its questions."""

    label: str
    examples: list[Example]
    lowercase: bool
    seed: int
    evidence: list[Evidence] = field(default_factory=list)
    verdicts: dict[Pair, Evidence] = field(default_factory=dict)
    weakly_refused: set[Pair] = field(default_factory=set)
    swaps: list[Pairs] = field(default_factory=list)

    def __post_init__(self) -> None:
        tokens: dict[str, Words] = {}

        def words(text: str) -> Words:
            if text not in tokens:
                tokens[text] = tuple(tokenize(text, self.lowercase))
            return tokens[text]

        self.questions: list[Question] = []
        sentences: Counter[Words] = Counter()
        story: tuple[Words, ...] = ()
        for one in self.examples:
            answer = tuple(parts_of_answer(answer_symbol(one.answer, self.lowercase))[::2])
            before, story = story, tuple(map(words, one.story))
            if one.values:
                story = tuple(key + words(value) for key, value in zip(story, one.values, strict=True))
            question = Question(story, words(one.question), answer)
            self.questions.append(question)
            sentences.update(story[len(before) :] if continues(before, story) else story)
            sentences[(*question.question, _ANSWER, *answer)] += 1
        self.story_words = {word for one in self.questions for sentence in one.story for word in sentence}
        every = self.story_words.union(*(one.answer for one in self.questions))
        _, self.similar = propose(sentences, every)
        self.units = find_units(sentences, every)
        for pair, value in self.units.similar_words.items():
            self.similar[pair] = max(value, self.similar.get(pair, 0.0))
        groups = linked(sorted(self.story_words), self.similar, _SURE)
        self.names = self._names()
        self.proposed: set[Pair] = {pair for group in groups for pair in combinations(group, 2)}
        self.proposed.update(*self.names.values())
        self.tested: list[Pair] = []
        self.candidates: set[Pair] = set()
        self.networks: HeldOut | None = None
        enough = len(self.examples) >= _FEWEST_EXAMPLES and story_of_each(self.examples)[-1] + 1 >= _FOLDS
        if enough and len({one.answer for one in self.examples}) > 1:
            self.networks = HeldOut(self.examples, _FOLDS, self.seed, self.lowercase)

    @property
    def skill(self) -> float:
        """The networks' skill; see ``HeldOut.skill``. 0 without networks."""
        return self.networks.skill if self.networks else 0.0

    @property
    def classes(self) -> list[Words]:
        """Groups of candidates of which all pairs are allowed."""
        return self._groups(pair for pair in sorted(self.candidates) if self.verdict(pair) == "allowed")

    @property
    def groups(self) -> list[Words]:
        """Groups of candidates of which no pair is refused, the largest first."""
        groups = self._groups(pair for pair in sorted(self.candidates) if self.verdict(pair) != "refused")
        return sorted(groups, key=len, reverse=True)

    def verdict(self, pair: Pair) -> str:
        """What was decided about a pair."""
        return self.verdicts[pair].verdict if pair in self.verdicts else "undecided"

    def is_in_class(self, pair: Pair) -> bool:
        """Whether both words are in one class."""
        return any(set(pair) <= set(words) for words in self.classes)

    def propose_too(self, pairs: Iterable[Pair]) -> None:
        """Also test the pairs of other tasks, as evidence for these."""
        self.tested = sorted(pair for pair in pairs if self.story_words.issuperset(pair))
        alike = {pair for pair in self.tested if self.similar.get(pair, 0) >= _ALIKE_ELSEWHERE}
        self.candidates = self.proposed | alike

    def judge(self, pair: Pair, evidence: Evidence) -> None:
        """Add evidence. A refusal stays, except that skilled networks overrule weak ones, which answer by rote."""
        self.evidence.append(evidence)
        skilled = evidence.test == "network" and self.skill >= SKILLED
        stays = self.verdict(pair) == "refused" and not (pair in self.weakly_refused and skilled)
        if not stays and (evidence.verdict != "undecided" or pair not in self.verdicts):
            self.verdicts[pair] = evidence
            if evidence.test == "network" and evidence.verdict == "refused" and not skilled:
                self.weakly_refused.add(pair)
            else:
                self.weakly_refused.discard(pair)

    def ask_networks(self, pairs: Iterable[Pair], least_skill: float) -> None:
        """Judge pairs by networks. Below ``least_skill`` they can only refuse."""
        if not self.networks or not self.networks.networks:
            return
        trials = {(a, b): self.networks.trial({a: b, b: a}) for a, b in pairs}
        for (a, b), trial in trials.items():
            self.judge((a, b), self._of_networks((a, b), trial, least_skill))
        for group in self._groups(pair for pair in self.candidates if self.verdict(pair) != "refused"):
            pairs = [pair for pair in combinations(group, 2) if pair in trials]
            if len(pairs) > 1 and any(self.verdict(pair) == "undecided" for pair in pairs):
                together = joined_trials([trials[pair] for pair in pairs])
                for pair in pairs:
                    found = self._of_networks(pair, together, least_skill)
                    if found.verdict == "allowed" and self.verdict(pair) == "undecided":
                        self.judge(pair, found._replace(reason=f"{found.reason}, for all pairs of {', '.join(group)}"))

    def _of_networks(self, pair: Pair, trial: Trial, least_skill: float) -> Evidence:
        found = of_networks(self.label, pair[:1], pair[1:], trial, self.skill)
        if found.verdict == "allowed" and self.skill < least_skill:
            return found._replace(verdict="undecided", reason=f"the networks' skill is only {self.skill:.2f}")
        return found

    def ask_others(self, others: Sequence[Task]) -> None:
        """Judge the undecided candidates by the networks of other tasks."""
        for pair in sorted(self.candidates):
            if self.verdict(pair) != "undecided":
                continue
            found = {other: other.verdicts[pair].verdict for other in others
                     if pair in other.verdicts and other.verdicts[pair].test == "network"}  # fmt: skip
            refusing = [other.label for other, verdict in found.items() if verdict == "refused" and self.is_like(other)]
            allowing = [other.label for other, verdict in found.items() if verdict == "allowed"]
            if refusing or allowing:
                verdict: Verdict = "refused" if refusing else "allowed"
                reason = f"{verdict} in {', '.join(refusing or allowing)}"
                a, b = pair
                self.judge(pair, Evidence(self.label, (a,), (b,), "other tasks", verdict, None, None, 0, reason))

    def is_like(self, other: Task) -> bool:
        """Whether this task has the words of another one, so that what is refused there is not due to other words."""
        return len(other.story_words & self.story_words) >= _LIKE * len(other.story_words)

    def ask_patterns_about_units(self) -> None:
        """Allow the words of names, such as "pink rectangle", if the names as wholes can be exchanged.

        Then a name only says which thing it is, and new names that are made of the same words do so, too.
        """
        for names, pairs in self.names.items():
            if any(self.verdict(pair) == "refused" for pair in pairs):
                continue
            tests = []
            for a, b in pairwise(names):  # all others are their products
                known = [*self.classes, tuple(name for name in names if name not in {a, b})]
                tests.append(Patterns(self._unit_questions, known).agreement({a: b, b: a}))
            agreement = Agreement(sum(one.right for one in tests), sum(one.wrong for one in tests))
            for pair in pairs:
                found = of_patterns(self.label, pair[:1], pair[1:], agreement)
                if found.verdict == "allowed":
                    self.judge(pair, found._replace(reason=f"{found.reason}, for the names {', '.join(names)}"))

    def _names(self) -> dict[Words, list[Pair]]:
        """Names that are alike, such as "pink rectangle" and "red square" -> the pairs of words at the same place."""
        similar = self.units.similar
        found: dict[Words, list[Pair]] = {}
        for names in linked(sorted({unit for pair in similar for unit in pair}), similar, _SURE):
            columns = columns_of(names)
            others = {word for unit in self.units.all if unit not in names for word in unit.split()}
            if columns and others.isdisjoint(chain.from_iterable(columns)):
                found[names] = [pair for column in columns for pair in combinations(column, 2)]
        return found

    @cached_property
    def _unit_questions(self) -> list[Question]:
        """The questions with each unit as one word."""
        joined = self.units.joined
        found = []
        for one in self.questions:
            asked = joined[(*one.question, _ANSWER, *one.answer)]
            end = asked.index(_ANSWER)
            found.append(Question(tuple(joined[words] for words in one.story), asked[:end], asked[end + 1 :]))
        return found

    def ask_patterns(self) -> None:
        """Judge the candidates by the consistency of the examples; also refuse what networks allowed by a shortcut.

        A pair is refused with the other candidate groups as classes, which can only hide contradictions. It is allowed
        with the classes found so far, alone or together with the other pairs of a group that stay undecided; then the
        other members of the group are a class, too.
        """
        made: dict[tuple[Words, ...], Patterns] = {}

        def test(pair: Pair, classes: Iterable[Words]) -> Evidence:
            known = tuple(tuple(word for word in words if word not in pair) for words in classes)
            if known not in made:
                made[known] = Patterns(self.questions, known)
            a, b = pair
            return of_patterns(self.label, (a,), (b,), made[known].agreement({a: b, b: a}))

        groups = self._groups(pair for pair in self.candidates if self.verdict(pair) != "refused")
        for pair in [pair for words in groups for pair in combinations(words, 2)]:
            found = test(pair, [words for words in groups if set(words).isdisjoint(pair)])
            if found.verdict == "refused":
                self.judge(pair, found)
        pooled: list[Words] = []
        while True:
            for pair in self._undecided():
                found = test(pair, self.classes)
                if found.verdict != "undecided":
                    self.judge(pair, found)
            left = [words for words in self._groups(self._undecided()) if words not in pooled]
            if not left:
                break
            group = max(left, key=len)
            pooled.append(group)
            tests = [test(pair, [*self.classes, group]) for pair in pairwise(group)]  # all others are their products
            wrong = sum(round((one.after or 0) * one.questions) for one in tests)
            agreement = Agreement(sum(one.questions for one in tests) - wrong, wrong)
            for pair in combinations(group, 2):
                together = of_patterns(self.label, pair[:1], pair[1:], agreement)
                self.judge(pair, together._replace(reason=f"{together.reason}, for all pairs of {', '.join(group)}"))

    def _groups(self, pairs: Iterable[Pair]) -> list[Words]:
        """The words of some pairs, in groups of which all pairs are given."""
        similar = {pair: self.similar.get(pair, 0.0) for pair in pairs}
        return linked(sorted({word for pair in similar for word in pair}), similar, 0.0)

    def _undecided(self) -> list[Pair]:
        return [pair for pair in sorted(self.candidates) if self.verdict(pair) == "undecided"]

    def find_swaps(self) -> None:
        """Search swaps of several pairs among the words that are in no class of three or more."""
        large = [words for words in self.classes if len(words) > 2]
        taken = {word for words in large for word in words}
        pairs = [pair for pair, value in sorted(self.similar.items(), key=lambda item: (-item[1], item[0]))
                 if value >= _ALIKE_IN_SWAP and taken.isdisjoint(pair) and self.verdict(pair) != "allowed"]  # fmt: skip
        seeds = [pair for pair in pairs if self.story_words.issuperset(pair)]
        if not seeds:
            return
        patterns = Patterns(self.questions, large)
        tests: dict[Pairs, list[Evidence]] = {}

        def judge(swap: Pairs) -> Judged:
            names = {old: new for a, b in swap for old, new in ((a, b), (b, a))}
            first, second = tuple(a for a, _ in swap), tuple(b for _, b in swap)
            found = of_patterns(self.label, first, second, patterns.agreement(names))
            score = 1 - (found.after or 0.0) if found.questions else 0.0
            tests[swap] = [found]
            if self.networks and self.skill >= SKILLED and (found.verdict == "allowed" or not found.questions):
                trial = self.networks.trial(names)
                tests[swap].append(of_networks(self.label, first, second, trial, self.skill))
                score = 1 - (tests[swap][-1].after or 0.0) if not found.questions else score
            return Judged(score, tests[swap][-1].verdict == "allowed")

        self.swaps = [swap for swap in search_swaps(seeds, pairs, judge) if len(swap) > 1]
        for swap in dict.fromkeys([*((seed,) for seed in seeds if seed not in self.verdicts), *self.swaps]):
            self.evidence.extend(tests.get(swap, []))
