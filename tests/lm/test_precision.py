import pytest
import torch

from memn2n.machine import choose_precision, multiplies_bfloat16

CPU = torch.device("cpu")


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_what_is_asked_for_is_taken(device: str) -> None:
    assert choose_precision("fp32", torch.device(device)) is torch.float32
    assert choose_precision("bf16", torch.device(device)) is torch.bfloat16


@pytest.mark.parametrize("test", ["_is_avx512_bf16_supported", "_is_amx_tile_supported"])
def test_auto_asks_the_processor(monkeypatch: pytest.MonkeyPatch, test: str) -> None:
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.setattr(torch.cpu, name, lambda: False, raising=False)
    assert choose_precision("auto", CPU) is torch.float32
    monkeypatch.setattr(torch.cpu, test, lambda: True)
    assert choose_precision("auto", CPU) is torch.bfloat16
    assert choose_precision("auto", torch.device("meta")) is torch.float32


def test_a_pytorch_without_these_tests_multiplies_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.delattr(torch.cpu, name, raising=False)
    assert not multiplies_bfloat16(CPU)
