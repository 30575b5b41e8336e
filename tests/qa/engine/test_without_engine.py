"""The package without the engine, or with a broken one: PyTorch is used, and a message says why."""

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import memn2n

# Removes the finder of an editable install, which would find that installation before the copy.
SCRIPT = """
import sys
sys.meta_path[:] = [finder for finder in sys.meta_path if "Redirecting" not in type(finder).__name__]
sys.path.insert(0, sys.argv[1])
import memn2n
from memn2n.qa import engine
from memn2n.qa.config import DataShape
from memn2n.qa.training.problem import choose_backend
assert memn2n.__file__.startswith(sys.argv[1]), memn2n.__file__
print(engine.unavailable())
print(engine.instruction_sets(), choose_backend("auto", "cpu", memn2n.NetworkConfig(), DataShape(9, 5, 5)))
train, test = memn2n.simulate(task=1, n_train=60, n_test=20, seed=0)
quick = memn2n.TrainingConfig(restarts=1, epochs=2, linear_start_epochs=1)
qa = memn2n.StoryQA.fit(train, training=quick)
assert 0 <= qa.evaluate(test).error <= 1
try:
    memn2n.StoryQA.fit(train, training=quick, backend="native")
except memn2n.errors.ConfigError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("extension", "reason"), [(None, "it was not built"), (b"\x7fELF half of it", "it cannot be loaded (")]
)
def test_pytorch_is_used_instead(extension: bytes | None, reason: str, tmp_path: Path) -> None:
    package = tmp_path / "memn2n"
    shutil.copytree(Path(memn2n.__file__).parent, package, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    if extension is not None:  # a build or an installation that was killed
        (package / "qa" / "engine" / f"_native{sysconfig.get_config_var('EXT_SUFFIX')}").write_bytes(extension)
    ran = subprocess.run([sys.executable, "-c", SCRIPT, str(tmp_path)], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    why, sets, refusal = ran.stdout.splitlines()
    assert why.startswith(reason)
    assert sets == "[] torch"
    assert refusal.startswith(f'backend is "native", but the engine cannot be used: {reason}')
