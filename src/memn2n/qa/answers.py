"""What a question gets: an Answer; what a test set gets: an Evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from memn2n.attention_view import NOTEBOOK_ROWS, AttentionView, Row

if TYPE_CHECKING:
    from collections.abc import Collection

    import numpy as np
    import numpy.typing as npt

FAILED_ABOVE = 0.05
"""A task is failed when its error is above this share (the paper's count of failed tasks)."""


@dataclass(frozen=True, eq=False)
class Answer:
    """An answer, and why it was given.

    Args:
        story: the sentences that were given.
        question: the question.
        text: the answer.
        probability: how sure the network is of it, 0 to 1.
        top: the most probable answers with their probabilities, best first.
        attention: (hops, sentences of the story) float32, each hop's weight on each sentence; 0 for a dropped one. A
            row sums to 1 less what empty slots keep.
        dropped: positions of the sentences that the memory had no room for; always the oldest ones.
        unknown_words: words of the story and question never seen in training, each once.
    """

    story: tuple[str, ...]
    question: str
    text: str
    probability: float
    top: tuple[tuple[str, float], ...]
    attention: npt.NDArray[np.float32]
    dropped: tuple[int, ...] = ()
    unknown_words: tuple[str, ...] = ()

    @property
    def remarks(self) -> list[str]:
        """What a reader of the answer should know: a line on sentences that were not read, one on unknown words."""
        lines = []
        if self.dropped:
            kept = len(self.story) - len(self.dropped)
            lines.append(f"the memory holds {kept} sentences; older ones ({len(self.dropped)}) were not read")
        if self.unknown_words:
            lines.append(f"never seen in training: {', '.join(self.unknown_words)}")
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
        """JSON values, without the story and question; attention rounded to 6 digits."""
        return {
            "prediction": self.text,
            "probability": round(self.probability, 6),
            "top": [[text, round(probability, 6)] for text, probability in self.top],
            "attention": self.attention.astype(float).round(6).tolist(),
            "dropped": list(self.dropped),
            "unknown_words": list(self.unknown_words),
        }


@dataclass(frozen=True)
class TaskScore:
    """Results on one task, as counts of questions.

    Args:
        task: its label.
        questions: how many were asked.
        wrong: wrong answers.
        unanswerable: questions whose answer the model does not know; they are among the wrong ones.
        annotated: questions with annotated supporting facts.
        recalled: those of them where some hop puts its largest weight on a supporting fact.
        seen: questions that stand in the training data too, with the same story.
        seen_wrong: wrong answers among them.
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
        """Share of the annotated questions where some hop looks at a supporting fact most; None without any."""
        return self.recalled / self.annotated if self.annotated else None

    @property
    def unseen_error(self) -> float | None:
        """Error on the questions that do not stand in the training data; None if all of them do."""
        unseen = self.questions - self.seen
        return (self.wrong - self.seen_wrong) / unseen if unseen else None


@dataclass(frozen=True)
class Evaluation:
    """Results on a test set.

    Args:
        tasks: a score for each task, in the order of the data.
        unknown_answers: right answers that the model cannot give, each once.
    """

    tasks: tuple[TaskScore, ...]
    unknown_answers: tuple[str, ...]

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
        """Mean of the tasks' attention recall, where annotated."""
        recalls = [task.attention_recall for task in self.tasks if task.attention_recall is not None]
        return sum(recalls) / len(recalls) if recalls else None

    def to_dict(self) -> dict[str, Any]:
        """JSON values: shares, and the counts that they come from."""
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
