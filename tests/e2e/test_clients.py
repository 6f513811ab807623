"""Clients and suites of others as their users run them, each in an environment of its own."""
import json
import os
import subprocess
import sys

import pytest

import serving

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "clients"))
import environments  # noqa: E402

CODER = serving.CODER
CLIENTS = environments.HERE
FULL = bool(os.environ.get("BATON_TEST_FULL"))

# The model reads text alone.
NEEDS_IMAGES = {"image-input", "chat-image-input", "anth-image-input"}


def test_the_openai_sdk_2():
    """The suites of the SDK's version 3, with version 2."""
    python = environments.python("openai2") / "python"
    suites = [serving.ROOT / "tests/e2e" / f"test_{name}.py" for name in ("openai_sdk", "responses")]
    environments.run([python, "-m", "pytest", "-p", "no:cacheprovider", "-q", *suites], timeout=300)


def test_the_node_sdk(coder):
    node, packages = environments.node()
    environments.run([node, CLIENTS / "openai_node.mjs"], timeout=200, BATON_URL=coder.url,
                     BATON_MODEL=CODER, NODE_PACKAGES=str(packages))


def test_langchain(coder):
    python = environments.python("suites") / "python"
    environments.run([python, "-m", "pytest", "-p", "no:cacheprovider", "-q", "--noconftest",
                      CLIENTS / "langchain_suite.py"], timeout=300, BATON_URL=coder.url,
                     BATON_MODEL=CODER)


@pytest.mark.parametrize("format", ["openai-chat", "anthropic", "open-responses"])
def test_llm_comply(coder, format):
    comply = environments.python("suites") / "llm-comply"
    said = subprocess.run([comply, "run", "--format", format, "-u", coder.url + "/v1", "-k", "none",
                           "-m", CODER, "--json"], capture_output=True, text=True, timeout=200)
    results = json.loads(said.stdout)["results"]
    assert len(results) >= 9
    failed = {r["id"]: r["errors"] for r in results if r["status"] == "failed"}
    assert {name: errors for name, errors in failed.items() if name not in NEEDS_IMAGES} == {}


def test_schemathesis(start, tmp_path):
    """Whatever is sent, there is no 5xx and no answer that openapi.json does not declare."""
    st = environments.python("suites") / "st"
    server = start("--max-model-len", "512", "--override-generation-config", '{"max_new_tokens": 2}',
                   "--enable-tokenizer-info-endpoint", "--enable-scale-out", "--response-store",
                   "50").wait_ready()
    longer = ["--max-time", "600"] if FULL else ["--max-examples", "5", "--seed", "1"]
    environments.run([st, "--config-file", CLIENTS / "schemathesis.toml", "run", "--no-color", *longer,
                      "--url", server.url, server.url + "/openapi.json"], timeout=1200, folder=tmp_path)
