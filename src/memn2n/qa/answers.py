"""The result of a question (Answer) and of a test set (Evaluation)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from memn2n.attention_view import NOTEBOOK_ROWS, AttentionView, Row
from memn2n.html_table import html_table
from memn2n.qa.stories import UNKNOWN_ANSWER
from memn2n.terminal import listed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    import numpy.typing as npt

    from memn2n.qa.predict import Prediction
    from memn2n.qa.stories import Example, StorySet

    Bools = npt.NDArray[np.bool_]

FAILED_ABOVE = 0.05
"""A task counts as failed if its error is above this share (section 4.2 of the paper)."""


HEADS = ("task", "questions", "error", "attention recall", "also in training", "error on the others")
"""The columns of ``Evaluation.table``."""


@dataclass(frozen=True, eq=False)
class Answer:
    """An answer, and the attention that led to it.

    Args:
        story: the sentences of the story, oldest first.
        question: the question.
        text: the most probable answer.
        probability: its probability, 0 to 1.
        top: the most probable answers with their probabilities, best first.
        attention: (hops, sentences of the story) float32, each hop's weight on each sentence, 0 for a dropped one. A
            row sums to 1 minus the attention on empty memory slots.
        dropped: positions of the sentences that did not fit into the memory; these are the oldest ones.
        unknown_words: words of the story and question that the vocabulary does not have, each once, and that could not
            be placed.
        placed: the other words that the vocabulary does not have, each with the known word that it stood as.
    """

    story: tuple[str, ...]
    question: str
    text: str
    probability: float
    top: tuple[tuple[str, float], ...]
    attention: npt.NDArray[np.float32]
    dropped: tuple[int, ...] = ()
    unknown_words: tuple[str, ...] = ()
    placed: tuple[tuple[str, str], ...] = ()

    @property
    def placings(self) -> str:
        """The placed words and the known words that they stood as, for the reader; empty if there are none."""
        return listed([f"{word} as {known}" for word, known in self.placed])

    @property
    def remarks(self) -> list[str]:
        """Notes for the reader: one line each if sentences were dropped, and if there are unknown or placed words."""
        lines = []
        if self.dropped:
            kept = len(self.story) - len(self.dropped)
            lines.append(f"the memory holds {kept} sentences; older ones ({len(self.dropped)}) were not read")
        if self.unknown_words:
            lines.append(f"never seen in training: {listed(self.unknown_words)}")
        if self.placed:
            lines.append(f"never seen in training, read like a known word: {self.placings}")
        return lines

    def attention_view(self, support: Collection[int] = ()) -> AttentionView:
        """The question, the ranked answers, and the story with its attention, for a table, figure or HTML.

        Args:
            support: positions of the supporting facts in the story, from 0; they are marked with a star.
        """
        dropped = {*self.dropped}
        rows = [Row(sentence, None if position in dropped else self.attention[:, position], position in support)
                for position, sentence in enumerate(self.story)]  # fmt: skip
        remarks = [*self.remarks, *(["* supporting fact"] if support else [])]
        return AttentionView(self.question, rows, len(self.attention), self.top, remarks)

    def _repr_html_(self) -> str:
        """The answer and its attention, as a notebook shows it."""
        return self.attention_view().to_html(NOTEBOOK_ROWS)

    def to_dict(self) -> dict[str, Any]:
        """The answer as JSON values, without the story and question; numbers are rounded to 6 digits."""
        return {
            "prediction": self.text,
            "probability": round(self.probability, 6),
            "top": [[text, round(probability, 6)] for text, probability in self.top],
            "attention": self.attention.astype(float).round(6).tolist(),
            "dropped": list(self.dropped),
            "unknown_words": list(self.unknown_words),
            "placed": [list(pair) for pair in self.placed],
        }


@dataclass(frozen=True)
class TaskScore:
    """The results on one task, as numbers of questions.

    Args:
        task: the task's label.
        questions: all questions.
        wrong: questions that got a wrong answer.
        unanswerable: questions whose answer is not in the vocabulary; they count as wrong too.
        annotated: questions with annotated supporting facts.
        recalled: annotated questions where at least one hop has its largest weight on a supporting fact.
        seen: questions that are also in the training data, with the same story.
        seen_wrong: seen questions that got a wrong answer.
    """

    task: str
    questions: int
    wrong: int
    unanswerable: int
    annotated: int
    recalled: int
    seen: int
    seen_wrong: int

    @property
    def error(self) -> float:
        """Share of wrong answers, 0 to 1."""
        return self.wrong / self.questions

    @property
    def failed(self) -> bool:
        """Whether the error is above 5%."""
        return self.error > FAILED_ABOVE

    @property
    def attention_recall(self) -> float | None:
        """``recalled`` as a share of ``annotated``; None if no question is annotated."""
        return self.recalled / self.annotated if self.annotated else None

    @property
    def unseen_error(self) -> float | None:
        """Error on the questions that are not in the training data; None if all of them are."""
        unseen = self.questions - self.seen
        return (self.wrong - self.seen_wrong) / unseen if unseen else None


@dataclass(frozen=True, repr=False)
class Evaluation:
    """The results on a test set.

    Args:
        tasks: the results on each task, in the order of the data.
        unknown_answers: right answers that are not in the vocabulary, each once.
    """

    tasks: tuple[TaskScore, ...]
    unknown_answers: tuple[str, ...]

    @classmethod
    def of(
        cls, examples: Sequence[Example], stories: StorySet, predictions: Iterable[Prediction], seen: Bools
    ) -> Evaluation:
        """Compare predictions with the right answers; ``seen`` marks the questions that are in the training data."""
        wrong = np.zeros(len(stories), bool)
        recalled = np.zeros(len(stories), bool)
        for chosen, probabilities, attention in predictions:
            wrong[chosen] = probabilities.argmax(1) + stories.first_answer != stories.answer[chosen]
            last = np.diff(stories.story_start)[chosen] - 1
            largest = last - attention.argmax(2)  # (hop, batch) positions in the story
            for row, i in enumerate(chosen):
                support = stories.support[stories.support_start[i] : stories.support_start[i + 1]]
                recalled[i] = np.isin(largest[:, row], support).any()
        annotated = np.diff(stories.support_start) > 0
        unanswerable = stories.answer == UNKNOWN_ANSWER

        def count(task: int, *conditions: Bools) -> int:
            return int(np.logical_and.reduce([stories.task == task, *conditions]).sum())

        tasks = tuple(
            TaskScore(
                task=label, questions=count(task), wrong=count(task, wrong), unanswerable=count(task, unanswerable),
                annotated=count(task, annotated), recalled=count(task, recalled), seen=count(task, seen),
                seen_wrong=count(task, seen, wrong),
            )
            for task, label in enumerate(stories.tasks)
        )  # fmt: skip
        unknown_answers = dict.fromkeys(examples[i].answer for i in np.flatnonzero(unanswerable).tolist())
        return cls(tasks, tuple(unknown_answers))

    @property
    def error(self) -> float:
        """Mean of the tasks' errors, 0 to 1."""
        return sum(task.error for task in self.tasks) / len(self.tasks)

    @property
    def failed(self) -> tuple[str, ...]:
        """Labels of the tasks with an error above 5%."""
        return tuple(task.task for task in self.tasks if task.failed)

    @property
    def attention_recall(self) -> float | None:
        """Mean attention recall of the tasks that have annotated questions; None if there is none."""
        recalls = [task.attention_recall for task in self.tasks if task.attention_recall is not None]
        return sum(recalls) / len(recalls) if recalls else None

    def table(self) -> list[tuple[str, ...]]:
        """The results as texts: a row for each task, and one for the mean of several tasks, with columns ``HEADS``."""
        rows: list[tuple[str, ...]] = []
        for task in self.tasks:
            failed = " failed" if task.failed else ""
            rows.append((task.task or "all", str(task.questions), f"{task.error:.1%}{failed}",
                         _share(task.attention_recall), str(task.seen), _share(task.unseen_error)))  # fmt: skip
        if len(self.tasks) > 1:
            rows.append(("mean", "", f"{self.error:.1%}", _share(self.attention_recall), "", ""))
        return rows

    @property
    def remarks(self) -> list[str]:
        """Notes for the reader: how many of several tasks failed, and how many questions have an unknown answer."""
        lines = []
        if len(self.tasks) > 1:
            lines.append(f"{len(self.failed)} of {len(self.tasks)} tasks failed (error above {FAILED_ABOVE:.0%})")
        if self.unknown_answers:
            n = sum(task.unanswerable for task in self.tasks)
            lines.append(f"questions whose answer the model does not know, which count as wrong: {n} "
                         f"({listed(self.unknown_answers)})")  # fmt: skip
        return lines

    def __repr__(self) -> str:
        """The mean error, and the number of tasks and questions."""
        questions = sum(task.questions for task in self.tasks)
        failed = f", {len(self.failed)} failed" if self.failed else ""
        tasks = f"{len(self.tasks)} tasks{failed}, {questions}" if len(self.tasks) > 1 else questions
        return f"<Evaluation: error {self.error:.1%}, {tasks} questions>"

    def _repr_html_(self) -> str:
        """The table of the tasks, as a notebook shows it."""
        return html_table("Evaluation", HEADS, self.table(), self.remarks)

    def to_dict(self) -> dict[str, Any]:
        """The results as JSON values: shares and numbers of questions."""
        return {
            "error": self.error,
            "failed": list(self.failed),
            "attention_recall": self.attention_recall,
            "unknown_answers": list(self.unknown_answers),
            "tasks": [
                {name: getattr(task, name) for name in (
                    "task", "questions", "wrong", "error", "failed", "attention_recall", "annotated", "recalled",
                    "unanswerable", "seen", "seen_wrong", "unseen_error")}
                for task in self.tasks
            ],
        }  # fmt: skip


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"
