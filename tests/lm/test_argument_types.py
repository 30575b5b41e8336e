"""Arguments of a wrong type are refused in one line that names them, by each method of MemoryLM."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from memn2n import InputError, MemoryLM
from memn2n.machine import check_device, choose_precision


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda lm: lm.evaluate("the cat"), "'the cat' is not a text: it must be of type Corpus"),
        (lambda lm: list(lm.score(None)), "None is not a text: it must be of type Corpus"),
        (
            lambda lm: lm.perplexity(lm.read(b"the cat sees"), precision="fp16"),
            "precision is 'fp16': it must be one of",
        ),
        (lambda lm: lm.next_words(5), "5 is not a text: give a string"),
        (lambda lm: lm.next_words("the", top=2.5), "top is 2.5: it must be of type int"),
        (lambda lm: lm.generate(None), "None is not a text: give a string"),
        (lambda lm: lm.generate("the", "5"), "words is '5': it must be of type int"),
        (lambda lm: lm.generate("the", top_k="5"), "top_k is '5': it must be of type int"),
        (lambda lm: lm.generate("the", temperature="cold"), "temperature is 'cold': it must be of type Real"),
        (lambda lm: lm.generate("the", seed=1.5), "seed is 1.5: it must be of type int"),
    ],
)
def test_memory_lm(lm: MemoryLM, call: Callable[[Any], object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        call(lm)


def test_devices_and_formats() -> None:
    with pytest.raises(InputError, match="precision is 'double': it must be one of auto, fp32, bf16"):
        choose_precision("double", check_device("cpu"))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="device is "):
        check_device(10**25)  # type: ignore[arg-type]
