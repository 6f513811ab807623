#!/usr/bin/env python3
"""Renders every chat template of the test data with real Jinja2, for tests/unit/frontend/chat.

Needs: pip install jinja2. Run after the templates or the contexts changed:
    python3 tests/golden/chat/make_golden.py [TEMPLATES_FOLDER]     # writes renders.tsv, contexts.json
    python3 tests/golden/chat/make_golden.py --snippets             # writes snippets.json
    python3 tests/golden/chat/make_golden.py --formats              # writes formats.tsv; needs vllm

The environment is that of transformers (immutable sandbox, trimmed blocks, loop controls, the
generation tag, its tojson, raise_exception, strftime_now at a fixed time). Templates stay outside
the repository; a line of renders.tsv has template, context, outcome (`ok` and the FNV-1a hash
of the text, or `error` and the class of the exception) and the length in bytes.
"""
import copy
import datetime
import json
import pathlib
import sys

import jinja2
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

HERE = pathlib.Path(__file__).resolve().parent
NOW = datetime.datetime(2026, 3, 5, 9, 7, 3)  # UTC; the test runs with TZ=UTC
MARK = "CONTINUE_FINAL_MESSAGE_TAG "

TOOLS = [
    {"type": "function", "function": {
        "name": "get_weather",
        "description": "Weather of a place, today's \"real\" one <&>.",
        "parameters": {"type": "object", "properties": {
            "city": {"type": "string", "description": "Name of the city"},
            "unit": {"type": "string", "enum": ["celsius", "fahrenheit"], "default": "celsius"},
            "days": {"type": ["integer", "null"], "minimum": 1, "maximum": 10},
            "places": {"type": "array", "items": {"type": "object", "properties": {
                "lat": {"type": "number"}, "lon": {"type": "number"}}, "required": ["lat"]}},
        }, "required": ["city"]},
        "return": {"type": "object", "description": "The weather"}}},
    {"type": "function", "function": {
        "name": "now", "description": "The time", "parameters": {"type": "object", "properties": {}}}},
]
CALL = {"id": "call12345", "type": "function", "function": {
    "name": "get_weather", "arguments": {"city": "Z\u00fcrich", "days": 2, "x": [1, 2.5, None, True]}}}
STRING_CALL = {"id": "call12345", "type": "function", "function": {
    "name": "get_weather", "arguments": "{\"city\": \"Z\u00fcrich\", \"days\": 2}"}}
SYSTEM = {"role": "system", "content": "You are  helpful.\n"}
USER = {"role": "user", "content": "What's the weather in Z\u00fcrich? \U0001F600 \u00df "}
ANSWER = {"role": "assistant", "content": "Sunny.\n\nVery 'nice' & \"warm\" <b>."}
AGAIN = {"role": "user", "content": "And tomorrow?"}
RESULT = {"role": "tool", "name": "get_weather", "tool_call_id": "call12345",
          "content": "{\"t\": 21.5}"}
THINK = {"role": "assistant", "content": "<think>\nHm.\n</think>\n\nIt rains.",
         "reasoning_content": "Hm.", "reasoning": "Hm."}


def text_parts(*texts):
    return [{"type": "text", "text": t} for t in texts]


def calling(*calls, content=""):
    return {"role": "assistant", "content": content, "tool_calls": list(calls)}


DOCUMENTS = [{"title": "Weather", "text": "It rains.", "doc_id": 1},
             {"title": "More", "text": "It pours.", "doc_id": 2}]
SECOND = copy.deepcopy(CALL)
SECOND["id"] = "call67890"
SECOND["function"] = {"name": "now", "arguments": {}}

CONTEXTS = {
    "plain": {"messages": [USER]},
    "turns": {"messages": [SYSTEM, USER, ANSWER, AGAIN]},
    "no_prompt": {"messages": [USER, ANSWER], "add_generation_prompt": False},
    "tools": {"messages": [SYSTEM, USER], "tools": TOOLS},
    "tool_round": {"messages": [SYSTEM, USER, calling(CALL), RESULT], "tools": TOOLS},
    "tool_strings": {"messages": [USER, calling(STRING_CALL, content=None), RESULT, ANSWER, AGAIN],
                     "tools": TOOLS},
    "tool_parallel": {"messages": [USER, calling(CALL, SECOND, content="Let me see."), RESULT,
                                   {"role": "tool", "name": "now", "tool_call_id": "call67890",
                                    "content": "noon"}, ANSWER, AGAIN], "tools": TOOLS},
    "reasoning": {"messages": [USER, THINK, AGAIN], "kwargs": {"enable_thinking": True}},
    "no_thinking": {"messages": [USER, THINK, AGAIN],
                    "kwargs": {"enable_thinking": False, "thinking": False,
                               "reasoning_effort": "low", "date_string": "01 Jan 2026"}},
    "parts": {"messages": [{"role": "system", "content": text_parts("Be brief.")},
                           {"role": "user", "content": [{"type": "image"}] + text_parts("a", "b ")},
                           {"role": "assistant", "content": text_parts("c")},
                           {"role": "user", "content": text_parts("d") +
                            [{"type": "image_url", "image_url": {"url": "x"}}]}]},
    "documents": {"messages": [SYSTEM, USER], "documents": DOCUMENTS},
    "continue": {"messages": [USER, {"role": "assistant", "content": "It is "}],
                 "continue_final_message": True, "add_generation_prompt": False},
    "odd_roles": {"messages": [{"role": "developer", "content": "Dev."}, ANSWER, USER, USER,
                               {"role": "ipython", "content": "1"}]},
    "empty": {"messages": []},
    "null_content": {"messages": [SYSTEM, {"role": "user", "content": None}]},
    "builtin_tools": {"messages": [SYSTEM, USER, calling(CALL), RESULT], "tools": TOOLS,
                      "kwargs": {"builtin_tools": ["brave_search", "code_interpreter"],
                                 "tools_in_user_message": False, "add_tool_call_prompt": True,
                                 "reasoning_effort": "high", "xml_tools": [{"a": 1}],
                                 "strip_reasoning": True, "preserve_thinking": True}},
}
SPECIAL = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}


class Generation(Extension):
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_body"), [], [], body).set_lineno(line)

    def _body(self, caller):
        return caller()


def environment():
    env = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True,
                                        extensions=[Generation, loopcontrols])

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators,
                          sort_keys=sort_keys)

    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = NOW.strftime
    return env


def render(template, source, context):
    context = copy.deepcopy(context)
    messages = context["messages"]
    continued = context.get("continue_final_message", False)
    if continued:
        final = messages[-1]["content"]
        messages[-1]["content"] = final + MARK
    text = template.render(
        **SPECIAL, **context.get("kwargs", {}), messages=messages, tools=context.get("tools"),
        documents=context.get("documents"),
        add_generation_prompt=context.get("add_generation_prompt", True))
    if continued:
        if final.strip() not in text or MARK.strip() not in text:
            raise ValueError("the final message does not appear")
        at = text.rindex(MARK.strip())
        kept = text[at:at + len(MARK)] == MARK
        text = text[:at] if kept else text[:at].rstrip()
    return text


def fnv1a(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def outcome(function):
    try:
        text = function().encode()
        return "ok", fnv1a(text), len(text)
    except Exception as error:  # every class of failure is part of the expectation
        return "error", type(error).__name__, 0


def renders(folder):
    env = environment()
    lines = []
    for path in sorted(folder.rglob("*.jinja")):
        name = path.relative_to(folder).as_posix()
        source = path.read_bytes().decode()
        for label, context in CONTEXTS.items():
            result = outcome(lambda: render(env.from_string(source), source, context))
            lines.append("\t".join([name, label, result[0], result[1], str(result[2])]))
    (HERE / "renders.tsv").write_text("\n".join(lines) + "\n")
    document = {"special_tokens": SPECIAL, "now": int(NOW.replace(
        tzinfo=datetime.timezone.utc).timestamp()), "contexts": CONTEXTS}
    (HERE / "contexts.json").write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    print(f"{len(lines)} renders")


def snippets():
    """Adds the answer of Jinja2 to each small template of snippets.json."""
    path = HERE / "snippets.json"
    cases = json.loads(path.read_text())
    env = environment()
    for case in cases:
        case.pop("output", None)
        case.pop("error", None)
        try:
            case["output"] = env.from_string(case["template"]).render(**case.get("variables", {}))
        except Exception as error:
            case["error"] = type(error).__name__
    path.write_text("[\n" + ",\n".join(json.dumps(c, ensure_ascii=False) for c in cases) + "\n]\n")
    print(f"{len(cases)} snippets")


def formats(folder):
    """The shape of content that vLLM finds each template to want."""
    from vllm.renderers.hf import _detect_content_format
    lines = []
    for path in sorted(folder.rglob("*.jinja")):
        found = _detect_content_format(path.read_bytes().decode(), default="string")
        lines.append(f"{path.relative_to(folder).as_posix()}\t{found}")
    (HERE / "formats.tsv").write_text("\n".join(lines) + "\n")
    print(f"{len(lines)} formats")


DEFAULT_FOLDER = HERE / "../../../../shared/templates"

if __name__ == "__main__":
    if sys.argv[1:] == ["--snippets"]:
        snippets()
    elif sys.argv[1:] == ["--formats"]:
        formats(DEFAULT_FOLDER)
    else:
        renders(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else DEFAULT_FOLDER))
