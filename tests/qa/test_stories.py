"""Examples, StorySet and fingerprints."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from memn2n.qa.fingerprints import fingerprint
from memn2n.qa.stories import UNKNOWN_ANSWER, Example, StorySet
from memn2n.qa.vocabulary import Vocabulary

SENTENCES = st.sampled_from(["a b", "b c d", "e", "a b c d e"])
EXAMPLES = st.lists(
    st.builds(
        Example,
        story=st.lists(SENTENCES, min_size=1, max_size=4).map(tuple),
        question=SENTENCES,
        answer=st.sampled_from(["a", "zz"]),
        support=st.just((0,)),
        task=st.sampled_from(["1", "2"]),
    )
)


@given(EXAMPLES)
def test_flat_arrays_contain_every_example(examples: list[Example]) -> None:
    vocabulary = Vocabulary.build(["a b c d e"], [])
    stories = StorySet.encode(iter(examples), vocabulary)

    def text(sentence: int) -> str:
        words = stories.words[stories.sentence_start[sentence] : stories.sentence_start[sentence + 1]]
        return " ".join(vocabulary.word(i) for i in words)

    assert len(stories) == len(examples)
    for i, example in enumerate(examples):
        sentences = stories.story[stories.story_start[i] : stories.story_start[i + 1]]
        assert tuple(map(text, sentences)) == example.story
        assert text(stories.question[i]) == example.question
        assert stories.tasks[stories.task[i]] == example.task
        assert stories.answer[i] == (vocabulary.answer_id("a") if example.answer == "a" else UNKNOWN_ANSWER)
        assert list(stories.support[stories.support_start[i] : stories.support_start[i + 1]]) == [0]


def test_distinct_sentences_are_stored_once() -> None:
    examples = [Example(("a b", "c"), "a b", "c"), Example(("c", "c"), "d", "c")]
    stories = StorySet.encode(examples, Vocabulary.build("abcd", []))
    assert len(stories.sentence_start) - 1 == 3
    assert stories.words.dtype == np.int32
    assert stories.longest_story == 2
    assert stories.longest_sentence == 2


def test_encoding_no_examples() -> None:
    stories = StorySet.encode([], Vocabulary(()))
    assert (len(stories), stories.longest_story, stories.longest_sentence) == (0, 0, 0)


def test_fingerprints_depend_on_story_and_question_only() -> None:
    example = Example(("a", "b"), "c", "d")
    assert fingerprint(example) == fingerprint(Example(("a", "b"), "c", "e", (1,)))
    assert fingerprint(example) == fingerprint(Example((" A.", "b"), "C?", "d"))
    assert fingerprint(example) != fingerprint(Example(("b", "a"), "c", "d"))
    assert fingerprint(example) != fingerprint(Example(("a", "b"), "d", "d"))
