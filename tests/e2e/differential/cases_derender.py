"""Requests that turn tokens back into OpenAI objects: (name, path, body). Part of cases.py."""
CHAT = "/v1/chat/completions/derender"
COMPLETION = "/v1/completions/derender"

FRANCE = [504, 3575, 282, 4649, 314]  # The capital of France is
WORLD = [10813, 242, 218, 26411, 17097, 247, 126, 16736, 122, 17]  # split characters: 😀 é 東京!
HELLO = {"messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 16, "temperature": 0}


def scored(token, logprob=-1.0, tops=((-1.0, None),)):
    return {"token_id": token, "logprob": logprob, "rank": 1,
            "top_logprobs": [{"token_id": token if other is None else other, "logprob": value, "rank": 1 + place}
                             for place, (value, other) in enumerate(tops)]}


def choice(ids=FRANCE, finish="stop", **fields):
    return {"index": 0, "token_ids": ids, "finish_reason": finish, **fields}


def reply(*choices, **fields):
    return {"request_id": "r1", "choices": list(choices or [choice()]), **fields}


def chunk(ids, **fields):
    """A chunk of a stream, as the state before it is the case's."""
    return {"stream": True, "generate_chunk": {"request_id": "r1", "choices": [{"index": 0, "token_ids": ids, **fields}]}}


def state(tokens=(), **fields):
    return {"prev_tokens": list(tokens), "prefix_offset": 0, "read_offset": len(tokens), "role_sent": True, **fields}


def both(name, body):
    """Of chats and of completions: what is one reply there is a list of one here."""
    yield f"derender chat, {name}", CHAT, body
    other = {("completion_request" if key == "chat_request" else key): value for key, value in body.items()}
    if "generate_response" in other:
        other["generate_responses"] = [other.pop("generate_response")]
        for field in ("prompt_tokens", "prompt_token_ids"):
            if field in other:
                other[field] = [other[field]]
    if isinstance(other.get("completion_request"), dict):
        request = {key: value for key, value in other["completion_request"].items() if key != "messages"}
        request.pop("top_logprobs", None)
        if request.get("logprobs") is True:
            request["logprobs"] = 1
        other["completion_request"] = {**request, "prompt": "x"}
    yield f"derender completion, {name}", COMPLETION, other


def wholes():
    yield from both("plain", {"generate_response": reply()})
    yield from both("with counts and a name", {"generate_response": reply(), "prompt_tokens": 5, "model": "smollm2"})
    yield from both("with the request", {"generate_response": reply(), "chat_request": HELLO})
    yield from both("another model", {"generate_response": reply(), "model": "nope"})
    yield from both("split characters", {"generate_response": reply(choice(WORLD))})
    yield from both("an id outside", {"generate_response": reply(choice([504, 999999, 3575]))})
    yield from both("special tokens", {"generate_response": reply(choice([1, 504, 2], "length"))})
    yield from both("special tokens shown", {"generate_response": reply(choice([1, 504, 2], "length")),
                                             "chat_request": {**HELLO, "skip_special_tokens": False}})
    yield from both("the prompt's ids", {"generate_response": reply(), "prompt_token_ids": [1, 2]})
    yield from both("the reply's own prompt", {"generate_response": reply(prompt_token_ids=[1, 2])})
    yield from both("no choices", {"generate_response": reply() | {"choices": []}})
    yield from both("two choices", {"generate_response": reply(choice(), {**choice([504]), "index": 1})})
    yield from both("three numbered otherwise", {"generate_response": reply({**choice(), "index": 2}, choice([504]))})
    yield from both("a stop reason", {"generate_response": reply(choice(stop_reason="is"))})
    yield from both("a stop token", {"generate_response": reply(choice(stop_reason=314))})
    yield from both("by repetition", {"generate_response": reply(choice(finish="repetition"))})
    yield from both("no finish reason", {"generate_response": reply({"index": 0, "token_ids": FRANCE})})
    yield from both("token ids asked for", {"generate_response": reply(),
                                            "chat_request": {**HELLO, "return_token_ids": True}})
    yield from both("logprobs", {"generate_response": reply(choice(logprobs={"content": [
        scored(504), scored(3575), scored(282), scored(4649, -0.5, [(-0.5, None), (-2.0, 260)]), scored(314)]}))})
    yield from both("logprobs of split characters", {"generate_response": reply(choice(
        WORLD, logprobs={"content": [scored(token) for token in WORLD]}))})
    yield from both("logprobs without content", {"generate_response": reply(choice(logprobs={"content": None}))})
    yield from both("logprobs with the request", {
        "generate_response": reply(choice([504], logprobs={"content": [scored(504)]})),
        "chat_request": {**HELLO, "logprobs": True, "top_logprobs": 1}})
    yield from both("logprobs by text", {"generate_response": reply(choice([504], logprobs={"content": [
        {"token": "token_id:504", "logprob": -1.0, "bytes": None, "top_logprobs": []}]}))})
    yield from both("a stop string", {"generate_response": reply(choice(stop_reason=" France")),
                                      "chat_request": {**HELLO, "stop": [" France"]}})
    yield from both("an echo", {"generate_response": reply(), "chat_request": {**HELLO, "echo": True}})
    yield "derender completion, two prompts", COMPLETION, {
        "generate_responses": [reply(), reply(choice([504]), request_id="r2")], "prompt_tokens": [3, 4]}
    yield "derender chat, scores of the prompt", CHAT, {"generate_response": reply(prompt_logprobs=[
        None, {"3575": {"logprob": -11.5, "rank": 2922, "decoded_token": " capital"},
               "29": {"logprob": -0.8, "rank": 1, "decoded_token": "-"}}])}


def refusals():
    yield from both("nothing", {})
    yield from both("no choices at all", {"generate_response": {"request_id": "r1"}})
    yield from both("no tokens", {"generate_response": reply(choice(None))})
    yield from both("an empty list of tokens", {"generate_response": reply(choice([]))})
    yield from both("a negative token", {"generate_response": reply(choice([-1]))})
    yield from both("too many tokens", {"generate_response": reply(choice([1] * 9000))})
    yield from both("too many prompt tokens", {"generate_response": reply(), "prompt_token_ids": [1] * 9000})
    yield from both("too many alternatives", {"generate_response": reply(choice([504], logprobs={"content": [
        scored(504, tops=[(-1.0, None)] * 21)]}))})
    yield from both("of text", {"generate_response": reply(output_mode="text")})
    yield from both("a request that is none", {"generate_response": reply(), "chat_request": 5})
    yield "derender completion, no replies", COMPLETION, {"generate_responses": []}
    yield "derender completion, too many counts", COMPLETION, {"generate_responses": [reply()], "prompt_tokens": [1, 2]}
    yield from both("two choices in a chunk", {"stream": True, "generate_chunk": reply(choice(), choice())})
    yield from both("a chunk without one", {"stream": True})
    for name, bad in {
        "too long": {"prev_tokens": ["x"] * 2000}, "of too much context": {"logprob_context_token_ids": [1] * 5},
        "of other lengths": {"output_token_ids": [1], "output_chunk_lens": [2]}, "of text": "x",
        "below zero": {"read_offset": -1}, "that no stream has": {"prev_tokens": ["x"], "prefix_offset": 5, "read_offset": 7},
    }.items():
        yield from both(f"a state {name}", {**chunk([504]), "stream_state": bad})


def chunks():
    yield from both("first chunk", {**chunk([504, 3575]), "stream_state": None})
    yield from both("next chunk", {**chunk([282]), "stream_state": state(["Ġcapital"])})
    yield from both("half a character", {**chunk([10813, 242]), "stream_state": state(["Ġcapital"])})
    yield from both("the last chunk", {**chunk([4649], finish_reason="stop"), "stream_state": state(["Ġof"])})
    yield from both("an end alone", {**chunk([], finish_reason="length"), "stream_state": state(["Ġof"])})
    yield from both("a chunk of no text", {**chunk([2]), "stream_state": state(["Ġof"])})
    yield from both("a chunk with scores", {**chunk([504], logprobs={"content": [scored(504)]})})
    yield from both("a chunk of usage", {"stream": True, "prompt_tokens": 4, "generate_chunk": {
        "request_id": "r1", "choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}}})
    yield from both("a chunk of nothing", {"stream": True, "generate_chunk": {"request_id": "r1", "choices": []}})
    yield from both("another choice", {"stream": True, "generate_chunk": {
        "request_id": "r1", "choices": [{"index": 3, "token_ids": [504]}]}})


def requests():
    yield from wholes()
    yield from refusals()
    yield from chunks()
