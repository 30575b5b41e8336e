"""Batches of encoded stories."""

import numpy as np

from memn2n.qa.batch import EMPTY_SENTENCE, Layout, Longs, batches, make_batch
from memn2n.qa.stories import UNKNOWN_ANSWER, Example, StorySet
from memn2n.qa.vocabulary import NULL, Vocabulary

EXAMPLES = [
    Example(("a b c.", "d.", "a b c."), "a?", "b"),
    Example(("e.",), "b c?", "nobody knows"),
    Example(("d.", "e.", "a.", "b."), "c?", "d"),
]
VOCABULARY = Vocabulary.build(["a b c d e"], [])
STORIES = StorySet.encode(EXAMPLES, VOCABULARY)
ALL = np.arange(3)


def words(row: Longs) -> str:
    return " ".join(VOCABULARY.word(int(i)) for i in row if i != NULL)


def test_memories_run_from_the_latest_sentence_to_the_oldest() -> None:
    batch = make_batch(STORIES, ALL, 3)
    memories = [[words(batch.sentences[i]) for i in row] for row in batch.memory]
    assert memories == [["a b c", "d", "a b c"], ["e", "", ""], ["b", "a", "e"]]
    assert batch.filled.tolist() == [3, 1, 3]
    assert batch.time.tolist() == [[0, 1, 2], [0, 0, 0], [0, 1, 2]]
    assert [words(row) for row in batch.question] == ["a", "b c", "c"]
    assert batch.answer.tolist() == [VOCABULARY.answer_id("b"), UNKNOWN_ANSWER, VOCABULARY.answer_id("d")]


def test_each_distinct_sentence_is_there_once() -> None:
    batch = make_batch(STORIES, ALL, 50)
    texts = [words(row) for row in batch.sentences]
    assert texts[0] == ""
    assert sorted(texts[1:]) == ["a", "a b c", "b", "d", "e"]


def test_noise_acts_on_memories_sentences_and_questions() -> None:
    class Fixed:
        def memory(self, layout: Layout) -> Layout:
            sentence = np.where(np.arange(layout.sentence.shape[1]) == 0, EMPTY_SENTENCE, layout.sentence)
            return layout._replace(sentence=sentence, time=layout.time + 5)

        def words(self, words: Longs) -> Longs:
            (c, e) = VOCABULARY.encode("c e")
            return np.where(words == c, e, words)

    batch = make_batch(STORIES, ALL[:1], 50, Fixed())
    assert [words(batch.sentences[i]) for i in batch.memory[0]] == ["", "d", "a b e"]
    assert batch.time.tolist() == [[5, 6, 7]]
    assert words(make_batch(STORIES, ALL[1:2], 50, Fixed()).question[0]) == "b e"


def test_a_very_long_sentence_makes_batches_small() -> None:
    long = StorySet.encode([*EXAMPLES, Example(("a " * 30_000,), "a?", "b")], VOCABULARY)
    assert [chosen.tolist() for chosen, _ in batches(long, np.arange(4), 50)] == [[0], [1], [2], [3]]
    assert [chosen.tolist() for chosen, _ in batches(STORIES, ALL, 50)] == [[0, 1, 2]]
