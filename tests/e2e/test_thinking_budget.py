"""thinking_token_budget: the end of the reasoning is forced once it has had its tokens. SmolLM2 does
not reason, but it goes on with a prompt that does; its marks are several tokens each."""
import pytest

from serving import Server, post

# As vLLM 0.32 answers with --reasoning-config for the same marks.
OPENED = "<think>\nLet me see. The sum of 2 and 2"
TOKENS_INSIDE = 13  # of OPENED, behind the mark


@pytest.fixture(scope="module")
def reasoning():
    running = Server("--reasoning-parser", "qwen3", "--quantization", "none").wait_ready()
    yield running
    running.stop()


def complete(server, prompt, **fields):
    status, answer = post(server, "/v1/completions",
                          {"prompt": prompt, "max_tokens": 16, "temperature": 0,
                           "return_token_ids": True, **fields})
    assert status == 200, answer
    return answer["choices"]


def test_a_budget_that_is_spent_ends_the_reasoning(reasoning):
    for budget in (0, 3, TOKENS_INSIDE):
        choice, = complete(reasoning, OPENED, thinking_token_budget=budget)
        assert choice["text"].startswith("</think>\nThe sum of 2 and "), (budget, choice)


def test_what_is_left_of_it_is_used(reasoning):
    free, = complete(reasoning, OPENED)
    choice, = complete(reasoning, OPENED, thinking_token_budget=TOKENS_INSIDE + 4)
    end = choice["token_ids"][4:7]
    assert choice["token_ids"][:4] == free["token_ids"][:4]
    assert "</think>" in choice["text"] and len(end) == 3
    for without in ({}, {"thinking_token_budget": -1}, {"thinking_token_budget": 1000}):
        assert complete(reasoning, OPENED, **without)[0]["token_ids"] == free["token_ids"]


def test_outside_of_reasoning_nothing_happens(reasoning):
    for prompt in ("The sum", "<think>a</think>The sum"):
        free, = complete(reasoning, prompt)
        assert complete(reasoning, prompt, thinking_token_budget=0)[0]["text"] == free["text"]


def test_every_choice_has_its_own(reasoning):
    choices = complete(reasoning, OPENED, n=3, temperature=1.0, seed=5, max_tokens=20,
                       thinking_token_budget=TOKENS_INSIDE + 3)
    ends = {tuple(choice["token_ids"][3:6]) for choice in choices}
    assert len(choices) == 3 and len(ends) == 1
    assert len({tuple(choice["token_ids"][:3]) for choice in choices}) > 1


def test_a_constraint_begins_behind_the_forced_end(reasoning):
    status, answer = post(reasoning, "/v1/chat/completions", {
        "messages": [{"role": "user", "content": "Is water wet?"}], "max_tokens": 60,
        "temperature": 0, "thinking_token_budget": 5,
        "structured_outputs": {"choice": ["yes", "no"]}})
    assert status == 200, answer
    message = answer["choices"][0]["message"]
    assert message["reasoning"] and message["content"].strip() in ("yes", "no")
    assert answer["usage"]["completion_tokens_details"]["reasoning_tokens"] <= 8


def test_anthropics_thinking_is_a_budget_that_any_model_takes(reasoning, server):
    def ask(where, tokens):
        return post(where, "/v1/messages", {
            "model": "smollm2-135m", "max_tokens": 2, "messages": [{"role": "user", "content": "Hi"}],
            "thinking": {"type": "enabled", "budget_tokens": tokens}})

    for where in (reasoning, server):
        status, answer = ask(where, 1024)
        assert status == 200, answer
    status, answer = ask(server, 1023)
    assert status == 400 and "budget_tokens" in answer["error"]["message"]


@pytest.mark.parametrize("value", [True, 2.0, 1.5, -2, "5", []])
def test_counts_only(server, value):
    for path, prompt in (("/v1/completions", {"prompt": "x"}),
                         ("/v1/chat/completions", {"messages": [{"role": "user", "content": "x"}]})):
        status, answer = post(server, path, {**prompt, "thinking_token_budget": value})
        assert status == 400 and answer["error"]["param"] == "thinking_token_budget", answer


def test_a_model_that_does_not_reason_has_none(server):
    status, answer = post(server, "/v1/completions", {"prompt": "x", "thinking_token_budget": 5})
    assert status == 400 and answer["error"]["param"] is None, answer
    assert "thinking_token_budget is set but" in answer["error"]["message"]
    assert post(server, "/v1/completions", {"prompt": "x", "max_tokens": 1,
                                            "thinking_token_budget": -1})[0] == 200
