"""What of two answers must agree: a recorded one of a reference, and Baton's.

differences(recorded, status, content_type, text) lists what does not, as (aspect, reference's,
ours). Aspects: status, type, error.type, error.param, error.code, error.keys, keys, finish, usage,
text, events; of rendered requests tokens and sampling; of tokens made into objects logprobs. Texts
of messages, ids, times, fingerprints and carried states are nobody's concern.
"""
import json

FREE = {"id", "created", "system_fingerprint", "model", "root", "owned_by", "version"}
NUMBER = (int, float)


# vLLM says null where OpenAI's schema has an object or a list, or no null: typed clients cannot read
# that. Baton says what OpenAI says, or leaves the member out where that is allowed.
NULL_IN_VLLM = {"annotations": [], "function_call": None, "service_tier": "default",
                "prompt_tokens_details": None, "completion_tokens_details": None}


def shape(value, path=""):
    """The keys and kinds of a JSON value; lists by their first element."""
    if isinstance(value, dict):
        # Token texts are keys in completions' logprobs.
        if path.endswith("top_logprobs") or path.endswith("prompt_logprobs"):
            return "map"
        return {key: "*" if key in FREE else shape(item, key) for key, item in value.items()
                if key not in NULL_IN_VLLM or item not in (None, NULL_IN_VLLM[key])}
    if isinstance(value, list):
        return [shape(value[0], path)] if value else []
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, NUMBER):
        return "number"
    return "text"


def parse(text):
    try:
        return json.loads(text)
    except ValueError:
        return None


def events(text):
    """The events of a stream: JSON documents, and other data as it is."""
    found = []
    for event in text.split("\n\n"):
        data = "\n".join(line[5:].strip() for line in event.split("\n") if line.startswith("data:"))
        if data:
            found.append(data if data == "[DONE]" else json.loads(data))
    return found


def choice_text(choice):
    if "text" in choice:
        return choice["text"]
    if "message" not in choice and "delta" not in choice:  # tokens alone
        return "".join(f"{token} " for token in choice["token_ids"])
    message = choice.get("message") or choice.get("delta") or {}
    return message.get("content") or ""


def collect(stream):
    """A stream's texts, finish reasons and last usage, by choice."""
    texts, reasons, usage = {}, {}, None
    for event in stream:
        if event == "[DONE]" or "choices" not in event:
            continue
        usage = event.get("usage") or usage
        for choice in event["choices"]:
            index = choice["index"]
            texts[index] = texts.get(index, "") + choice_text(choice)
            if choice.get("finish_reason"):
                reasons[index] = [choice["finish_reason"], choice.get("stop_reason")]
    return texts, reasons, usage


def whole(document):
    texts = {c["index"]: choice_text(c) for c in document["choices"]}
    reasons = {c["index"]: [c.get("finish_reason"), c.get("stop_reason")] for c in document["choices"]}
    return texts, reasons, document.get("usage")


def order(stream):
    """The kinds of a stream's events in order, each run of equal ones once; of one choice."""
    kinds = []
    for event in stream:
        if event != "[DONE]" and any(c.get("index") for c in event.get("choices", [])):
            continue
        kind = event if event == "[DONE]" else json.dumps(shape(event), sort_keys=True)
        if not kinds or kinds[-1] != kind:
            kinds.append(kind)
    return kinds


def is_greedy(recorded):
    return "sure" in recorded


def compare_texts(recorded, theirs, ours, found):
    """Up to where the reference itself was sure; beyond it lengths and ends are free, too."""
    texts, reasons, usage = theirs
    own_texts, own_reasons, own_usage = ours
    agree = is_greedy(recorded) and texts == own_texts
    for index, sure in enumerate(recorded.get("sure", [])):
        begin = texts.get(index, "").find(sure)  # behind an echo
        expected = texts.get(index, "")[:begin + len(sure)] if begin >= 0 else ""
        if not own_texts.get(index, "").startswith(expected):
            found.append(("text", expected, own_texts.get(index, "")))
    if sorted(reasons) != sorted(own_reasons):
        found.append(("finish", reasons, own_reasons))
    if (usage is None) != (own_usage is None):
        found.append(("usage", usage, own_usage))
    if agree and reasons != own_reasons:
        found.append(("finish", reasons, own_reasons))
    if usage and own_usage:
        names = ("prompt_tokens", "completion_tokens", "total_tokens") if agree else ("prompt_tokens",)
        if any(usage.get(name) != own_usage.get(name) for name in names):
            found.append(("usage", usage, own_usage))


def compare_errors(theirs, ours, found):
    if not isinstance(theirs, dict) or not isinstance(ours, dict):
        if shape(theirs) != shape(ours):
            found.append(("error.keys", theirs, ours))
        return
    if sorted(theirs) != sorted(ours):
        found.append(("error.keys", sorted(theirs), sorted(ours)))
    for field in ("type", "param", "code"):
        if theirs.get(field) != ours.get(field):
            found.append(("error." + field, theirs.get(field), ours.get(field)))


# What only llama.cpp has among its settings, and what says how it was built.
LLAMA_ALONE = {"adaptive_target", "adaptive_decay", "grammar_lazy", "grammar_triggers", "preserved_tokens",
               "chat_format", "reasoning_format", "reasoning_in_content", "generation_prompt",
               "speculative.types", "backend_sampling"}


def native_shape(value):
    if isinstance(value, dict):
        return {key: native_shape(item) for key, item in value.items() if key not in LLAMA_ALONE}
    if isinstance(value, list):
        return [native_shape(value[0])] if value else []
    return shape(value)


def compare_native(theirs, ours, found):
    """Answers, or pieces, of llama.cpp's completion route: a text, and why it ended."""
    for aspect, names in (("text", ("content", "tokens")),
                          ("finish", ("stop_type", "stopping_word", "tokens_predicted", "truncated")),
                          ("usage", ("tokens_evaluated",))):
        values = [[answer.get(name) for name in names] for answer in theirs]
        own = [[answer.get(name) for name in names] for answer in ours]
        if values != own:
            found.append((aspect, values, own))
    if [native_shape(answer) for answer in theirs] != [native_shape(answer) for answer in ours]:
        found.append(("keys", native_shape(theirs[-1]), native_shape(ours[-1]) if ours else None))


def compare_rendered(theirs, ours, found):
    """Requests of tokens that a request was rendered to: the prompts, and how tokens are drawn."""
    if [request["token_ids"] for request in theirs] != [request["token_ids"] for request in ours]:
        found.append(("tokens", theirs, ours))
        return
    for request, own in zip(theirs, ours):
        sampling = {**request["sampling_params"], "offsets": request["token_offsets"]}
        own_sampling = {**own["sampling_params"], "offsets": own["token_offsets"]}
        if any(own_sampling.get(name) != value for name, value in sampling.items()
               if not isinstance(value, dict) or name == "logit_bias"):
            found.append(("sampling", sampling, own_sampling))
    if shape(theirs) != shape(ours):
        found.append(("keys", shape(theirs), shape(ours)))


def is_rendered(document):
    request = document[0] if isinstance(document, list) and document else document
    return isinstance(request, dict) and "sampling_params" in request


def without_nulls(value):
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def shown_scores(answer):
    """The tokens that have log-probabilities, and these, by choice."""
    found = []
    for choice in answer["choices"]:
        logprobs = choice.get("logprobs") or {}
        entries = logprobs.get("content") or []
        found.append([(entry["token"], entry["logprob"]) for entry in entries] or
                     list(zip(logprobs.get("tokens") or [], logprobs.get("token_logprobs") or [])))
    return found


def chunk_of(answer):
    """A chunk looks as those of a stream, which leaves nulls out; an empty text is as good as none."""
    chunk = without_nulls(answer["chunk"])
    chunk.pop("system_fingerprint", None)
    for choice in chunk["choices"]:
        if choice.get("delta", {}).get("content") == "":
            del choice["delta"]["content"]
    return chunk


def compare_derendered(theirs, ours, found):
    """Objects made of given tokens: nothing is left to chance."""
    if "chunk" in theirs and "chunk" in ours:
        theirs, ours = chunk_of(theirs), chunk_of(ours)
    for theirs_of, ours_of, aspect in zip(whole(theirs), whole(ours), ("text", "finish", "usage")):
        if aspect == "usage":
            theirs_of, ours_of = without_nulls(theirs_of), without_nulls(ours_of)
        if theirs_of != ours_of:
            found.append((aspect, theirs_of, ours_of))
    if shown_scores(theirs) != shown_scores(ours):
        found.append(("logprobs", shown_scores(theirs), shown_scores(ours)))
    if shape(theirs) != shape(ours):
        found.append(("keys", shape(theirs), shape(ours)))


def is_native(document):
    answer = document[0] if isinstance(document, list) and document else document
    return isinstance(answer, dict) and "content" in answer


def as_list(document):
    return document if isinstance(document, list) else [document]


def differences(recorded, status, content_type, text):
    found = []
    if status != recorded["status"]:
        return [("status", recorded["status"], status)]
    if content_type.split(";")[0] != recorded["type"].split(";")[0]:
        found.append(("type", recorded["type"], content_type))
    theirs, ours = parse(recorded["text"]), parse(text)
    if "event-stream" in recorded["type"]:
        theirs, ours = events(recorded["text"]), events(text)
        if is_native(theirs):
            compare_native(theirs, ours, found)
            return found
        compare_texts(recorded, collect(theirs), collect(ours), found)
        if order(theirs) != order(ours):
            found.append(("events", order(theirs), order(ours)))
    elif isinstance(theirs, dict) and "error" in theirs and isinstance(ours, dict):
        compare_errors(theirs["error"], ours.get("error"), found)
    elif recorded["name"].startswith("native ") and is_native(theirs):
        if isinstance(theirs, list) != isinstance(ours, list):
            found.append(("keys", "a list" if isinstance(theirs, list) else "one", shape(ours)))
        compare_native(as_list(theirs), as_list(ours), found)
    elif recorded["name"].startswith("derender "):
        compare_derendered(theirs, ours, found)
    elif is_rendered(theirs) and is_rendered(ours):
        compare_rendered(as_list(theirs), as_list(ours), found)
    elif isinstance(theirs, dict) and "choices" in theirs:
        compare_texts(recorded, whole(theirs), whole(ours), found)
        if shape(theirs) != shape(ours):
            found.append(("keys", shape(theirs), shape(ours)))
    elif theirs is not None or ours is not None:
        if shape(theirs) != shape(ours):
            found.append(("keys", shape(theirs), shape(ours)))
    return found
