"""Every recorded answer of vLLM 0.32 and llama-server against Baton's answer to the same request.

What differs must stand in differences.py, with its reason; what stands there must differ.
"""
import json
import pathlib
import sys

import pytest

import serving

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))

import cases  # noqa: E402
import compare  # noqa: E402
import differences  # noqa: E402
import record  # noqa: E402


def recorded():
    lines = [line for name in ("vllm.jsonl", "derender.jsonl", "llama.jsonl")
             for line in (HERE / name).read_text().splitlines()]
    return {entry["name"]: entry for entry in map(json.loads, lines)}


RECORDED = recorded()


@pytest.fixture(scope="module")
def reference_like():
    """A server with the names and the length of the recorded ones, and their exact weights."""
    running = serving.Server("--served-model-name", cases.MODEL, "--max-model-len", "8192",
                             "--quantization", "none",
                             "--enable-tokenizer-info-endpoint", "--enable-scale-out").wait_ready()
    yield running
    running.stop()


def test_every_case_was_recorded():
    assert {case.name for case in cases.CASES} == set(RECORDED)
    assert len(RECORDED) >= 150


@pytest.mark.parametrize("case", cases.CASES, ids=lambda case: case.name)
def test_agrees_but_for_what_is_deliberate(reference_like, case):
    answer = record.ask(reference_like.url, case)
    found = compare.differences(RECORDED[case.name], *answer)
    if case.server == "llama" and case.path.startswith("/v1/"):
        found = [item for item in found if item[0] in differences.LLAMA_ASPECTS]
    deliberate = differences.of(case.name)
    unexplained = [item for item in found if item[0] not in deliberate]
    assert not unexplained, json.dumps(unexplained, indent=1)[:3000]
    stale = deliberate.keys() - {item[0] for item in found}
    assert not stale, f"no longer differs: {stale}"
