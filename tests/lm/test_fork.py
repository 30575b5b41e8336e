"""Language models in a process that was forked from one that had computed with PyTorch's threads."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

CODE = """
import multiprocessing, warnings
import torch
from memn2n import Corpus, LMConfig, LMTraining, MemoryLM

warnings.simplefilter("ignore", DeprecationWarning)  # of Python 3.12 and later: the parent has threads
torch.set_num_threads(2)
text = Corpus(b" ".join(b"w%d" % (i % 37) for i in range(1500)), "text", "words")

def fit():
    return MemoryLM.fit(text, network=LMConfig(dim=32, hops=2, memory_size=20), training=LMTraining(epochs=1))

def perplexity(_):
    return model.perplexity(text), fit().perplexity(text), torch.get_num_threads()

model = fit()
torch.randn(500, 500) @ torch.randn(500, 500)  # the fork happens after PyTorch's threads ran
expected = model.perplexity(text)
with multiprocessing.get_context("fork").Pool(2) as pool:
    for old, new, threads in pool.map(perplexity, range(2)):
        assert abs(old - expected) < 1e-3 and new > 1 and threads == 1, (old, expected, new, threads)
    pool.close()
    pool.join()
assert torch.get_num_threads() == 2
print("done")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_evaluates_and_trains() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "done\n", done.stderr
