"""The real bAbI v1.2 files: reading all of them, and training on one task."""

import hashlib
from pathlib import Path

import pytest

from memn2n import Example, StoryQA, TrainingConfig, read_babi
from memn2n.qa.fingerprints import fingerprint
from memn2n.qa.stories import StorySet, vocabulary_of


@pytest.fixture(scope="module")
def en(real_data: Path) -> tuple[list[Example], list[Example]]:
    return read_babi(real_data / "babi" / "en")


def test_all_tasks_are_read(en: tuple[list[Example], list[Example]]) -> None:
    for part in en:
        assert len(part) == 20 * 1000
        assert {example.task for example in part} == {str(task) for task in range(1, 21)}
        for example in part:
            assert all(0 <= position < len(example.story) for position in example.support)
            assert example.support


def test_known_facts_about_the_files(en: tuple[list[Example], list[Example]]) -> None:
    train, test = en
    vocabulary = vocabulary_of(train)
    assert 170 <= len(vocabulary) <= 230
    assert StorySet.encode((*train, *test), vocabulary).longest_story == 228
    of_task_3 = [example for example in (*train, *test) if example.task == "3"]
    assert sum(len(example.story) > 50 for example in of_task_3) / len(of_task_3) == pytest.approx(0.38, abs=0.01)
    seen = {task: {fingerprint(e) for e in train if e.task == task} for task in ("4", "17", "20")}
    copies = {task: sum(fingerprint(e) in seen[task] for e in test if e.task == task) for task in seen}
    assert copies == {"4": 134, "17": 16, "20": 119}


def test_the_vocabularies_of_the_tasks_do_not_change(en: tuple[list[Example], list[Example]]) -> None:
    digest = hashlib.sha256()
    for task in range(1, 21):
        words = vocabulary_of([example for example in en[0] if example.task == str(task)]).words
        digest.update("\n".join(words).encode() + b"\0")
    assert digest.hexdigest() == "df33499509c5aead62b99553e2579ae445ad51082a3af983ef07e1702735ee6f"


def test_the_short_files_are_the_beginning_of_the_long_ones(real_data: Path) -> None:
    for task in (1, 19):
        short = read_babi(real_data / "babi" / "en", task).train
        long = read_babi(real_data / "babi" / "en-10k", task).train
        assert len(long) == 10_000
        assert long[:1000] == short


def test_task_15_is_learned(real_data: Path) -> None:
    train, test = read_babi(real_data / "babi" / "en", task=15)
    qa = StoryQA.fit(train, training=TrainingConfig(restarts=1))
    evaluation = qa.evaluate(test)
    assert evaluation.error <= 0.01
    assert evaluation.attention_recall is not None
    assert evaluation.attention_recall > 0.95
