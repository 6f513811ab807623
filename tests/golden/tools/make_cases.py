"""Writes cases.json: what models of each family write, well and badly. Run, then make_golden.py.

A case: name, tool parser, reasoning parser, text of the reply; `expect` and `why` where Baton
differs from vLLM on purpose."""
import json
import pathlib

CASES = []


def case(name, tool, text, reasoning=None, expect=None, why=None, **more):
    entry = {"name": name, "tool": tool, "reasoning": reasoning, "text": text, **more}
    if expect is not None:
        entry |= {"expect": expect, "why": why}
    CASES.append(entry)


def result(content="", calls=(), reasoning="", whole=True):
    return {"reasoning": reasoning, "content": content, "whole": whole,
            "calls": [{"name": n, "arguments": a} for n, a in calls]}


WEATHER = '{"name": "get_weather", "arguments": {"city": "Oslo", "days": 3}}'
OSLO = {"city": "Oslo", "days": 3}
NESTED = ('{"name": "search", "arguments": {"query": "a \\"b\\" {c} </tool> \\u00e9 é 雪", '
          '"filters": {"x": {"y": [1, 2, {"z": null}]}}, "limit": 1.5e3, "exact": true}}')

# Hermes, Qwen
case("hermes-none", "hermes", "It is sunny in Oslo.")
case("hermes-one", "hermes", f"<tool_call>\n{WEATHER}\n</tool_call>")
case("hermes-text-before", "hermes", f"Let me look.\n<tool_call>\n{WEATHER}\n</tool_call>")
case("hermes-two", "hermes", f'<tool_call>\n{WEATHER}\n</tool_call>\n<tool_call>\n{{"name": "now", "arguments": {{}}}}\n</tool_call>')
case("hermes-unclosed", "hermes", f"<tool_call>\n{WEATHER}")
case("hermes-compact", "hermes", '<tool_call>{"name":"get_weather","arguments":{"city":"Oslo","days":3}}</tool_call>')
case("hermes-nested", "hermes", f"<tool_call>\n{NESTED}\n</tool_call>")
case("hermes-arguments-first", "hermes", '<tool_call>\n{"arguments": {"city": "Oslo"}, "name": "get_weather"}\n</tool_call>')
case("hermes-false-start", "hermes", "The <tool is no marker, <tool_ neither, nor < or <<tool_cal.")
case("hermes-quoted-marker", "hermes", "The marker <tool_call> begins a call.")
case("hermes-broken", "hermes", '<tool_call>\n{"name": "get_weather", oops\n</tool_call>')
case("hermes-no-arguments", "hermes", '<tool_call>\n{"name": "now"}\n</tool_call>',
     expect=result(calls=[("now", {})]), why="a call without arguments has the arguments {}")
case("hermes-null-arguments", "hermes", '<tool_call>\n{"name": "now", "arguments": null}\n</tool_call>',
     expect=result(calls=[("now", {})]), why="arguments are an object: vLLM sends null")
case("hermes-text-arguments", "hermes", '<tool_call>\n{"name": "get_weather", "arguments": "{\\"city\\": \\"Oslo\\"}"}\n</tool_call>',
     expect=result(calls=[("get_weather", {"city": "Oslo"})]), why="arguments are an object: vLLM sends text")
case("hermes-raw-newline", "hermes", '<tool_call>\n{"name": "write_file", "arguments": {"path": "a", "content": "x\ny\t"}}\n</tool_call>',
     expect=result(calls=[("write_file", {"path": "a", "content": "x\ny\t"})]),
     why="a raw line break inside a string is escaped: vLLM gives the call up")
case("hermes-text-after", "hermes", f"<tool_call>\n{WEATHER}\n</tool_call>\nThat is all.",
     expect=result("\nThat is all.", [("get_weather", OSLO)]), why="no text is lost")
case("hermes-extra-brace", "hermes", f"<tool_call>\n{WEATHER}}}\n</tool_call>",
     expect=result("}", [("get_weather", OSLO)]), why="a brace too many does not cost the call")
case("hermes-broken-late", "hermes", '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Oslo", days: 3}}\n</tool_call>',
     expect=result("days: 3}}", [("get_weather", {"city": "Oslo"})], whole=False),
     why="a call that was announced is not taken back, keeps what was valid, and does not finish as tool_calls")
case("hermes-more-keys", "hermes", '<tool_call>\n{"id": "x1", "name": "get_weather", "arguments": {"city": "Oslo", "days": 3}, "score": 1, "why": {"a": []}}\n</tool_call>')
case("hermes-id-last", "hermes", '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Oslo", "days": 3}, "id": "call_1"}\n</tool_call>')
for name, written, meant in [
        ("quote-escape", '{"city": "O\\\'slo"}', {"city": "O'slo"}), ("escape", '{"city": "\\d\\u12"}', {"city": "\\d\\u12"}),
        ("single-quotes", "{'city': 'O\"slo', 'days': 3}", {"city": 'O"slo', "days": 3}),
        ("last-comma", '{"city": "Oslo", }', {"city": "Oslo"}), ("words", '{"city": None, "days": NaN}', {"city": None, "days": None})]:
    case(f"hermes-lenient-{name}", "hermes", f'<tool_call>\n{{"name": "get_weather", "arguments": {written}}}\n</tool_call>',
         expect=result(calls=[("get_weather", meant)]), why="what means one thing only is read as that: vLLM gives the call up, or sends NaN")
case("qwen3-coder-marker-in-value", "qwen3_coder", "<tool_call>\n<function=write_file>\n<parameter=path>\na\n</parameter>\n<parameter=content>\nuse <tool_call> and </tool_call>\n</parameter>\n</function>\n</tool_call>")
case("qwen3-coder-number-with-comma", "qwen3_coder", "<tool_call>\n<function=get_weather>\n<parameter=city>\nOslo\n</parameter>\n<parameter=days>\n1,000\n</parameter>\n</function>\n</tool_call>")
case("qwen3-coder-number-zeros", "qwen3_coder", "<tool_call>\n<function=get_weather>\n<parameter=days>\n007\n</parameter>\n</function>\n</tool_call>")
case("qwen3-coder-other-type", "qwen3_coder", "<tool_call>\n<function=search>\n<parameter=limit>\n[1, {\"a\": null}]\n</parameter>\n<parameter=exact>\n-3.5\n</parameter>\n</function>\n</tool_call>")
case("kimi-no-arguments", "kimi_k2", "<|tool_calls_section_begin|><|tool_call_begin|>functions.now:0<|tool_call_argument_begin|><|tool_call_end|><|tool_calls_section_end|>", ids=["functions.now:0"])
case("deepseek-v3-no-arguments", "deepseek_v3", "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_weather\n```json\n\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
     expect=result(calls=[("get_weather", {})]), why="a call without arguments has the arguments {}")
case("pythonic-positional", "pythonic", '[get_weather("Oslo")]')
case("pythonic-unknown-word", "pythonic", '[get_weather(city="A", days=oops)]',
     expect=result(")]", [("get_weather", {"city": "A"})], whole=False), why="a call that was announced keeps what was valid")
for language in ("", "JSON", "tool_call"):
    case(f"hermes-fence-{language or 'plain'}", "hermes", f"```{language}\n{WEATHER}\n```",
         expect=result(calls=[("get_weather", OSLO)]), why="a reply that is nothing but a call's JSON is a call")
case("hermes-fence-code", "hermes", "```python\n{1: 2}\n```")
case("hermes-brace-missing", "hermes", '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Oslo", "days": 3}\n</tool_call>',
     expect=result(calls=[("get_weather", OSLO)]), why="only the bracket around a whole call is missing")
case("hermes-unclosed-string", "hermes", '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Os}\n</tool_call>',
     expect=result(calls=[("get_weather", {"city": "Os}\n</tool_call>"})], whole=False), why="arguments are valid JSON also of a broken call")
case("hermes-two-one-broken", "hermes", f'<tool_call>\n{WEATHER}\n</tool_call>\n<tool_call>\nno json\n</tool_call>',
     expect=result("\n<tool_call>\nno json", [("get_weather", OSLO)]),
     why="a whole call is a call, whatever follows")
case("hermes-bare", "hermes", '{"name": "get_weather", "arguments": {"city": "Oslo", "days": 3}}',
     expect=result(calls=[("get_weather", OSLO)]), why="a reply that is nothing but a call's JSON is a call")
case("hermes-fenced", "hermes", f"```json\n{WEATHER}\n```",
     expect=result(calls=[("get_weather", OSLO)]), why="a reply that is nothing but a call's JSON is a call")
case("hermes-other-tags", "hermes", f"<tools>\n{WEATHER}\n</tools>",
     expect=result(calls=[("get_weather", OSLO)]), why="a reply that is nothing but a call's JSON is a call")
case("hermes-bare-undeclared", "hermes", '{"name": "Alice", "arguments": {"age": 3}}')
case("hermes-bare-unfit", "hermes", '{"name": "get_weather", "arguments": {"days": "three"}}')
case("hermes-bare-and-words", "hermes", WEATHER + " I hope that helps.")
case("hermes-json-answer", "hermes", '{"temperature": 3, "city": "Oslo"}')
case("hermes-fenced-code", "hermes", "```python\nprint({})\n```")
case("hermes-wrapped", "hermes", '{"type": "function", "function": {"name": "get_weather", "parameters": {"city": "Oslo"}}}',
     expect=result(calls=[("get_weather", {"city": "Oslo"})]), why="a reply that is nothing but a call's JSON is a call")

# Llama
case("llama-one", "llama3_json", '{"name": "get_weather", "parameters": {"city": "Oslo", "days": 3}}')
case("llama-tag", "llama3_json", '<|python_tag|>{"name": "get_weather", "parameters": {"city": "Oslo", "days": 3}}')
case("llama-arguments", "llama3_json", WEATHER)
case("llama-two", "llama3_json", '{"name": "get_weather", "parameters": {"city": "Oslo"}}; {"name": "now", "parameters": {}}')
case("llama-text", "llama3_json", "I cannot do that.")
case("llama-json-text", "llama3_json", '{"answer": 42}')
case("llama-code", "llama3_json", "int main() { return 0; }")
case("llama-text-before", "llama3_json", 'Here: {"name": "get_weather", "parameters": {"city": "Oslo"}}',
     expect=result("Here:", [("get_weather", {"city": "Oslo"})]), why="no text is lost")
case("llama-undeclared", "llama3_json", '{"name": "Alice", "parameters": {"age": 3}}',
     expect=result('{"name": "Alice", "parameters": {"age": 3}}'),
     why="JSON without a marker is a call only of a declared tool")
case("llama-python-tag-undeclared", "llama3_json", '<|python_tag|>{"name": "brave", "parameters": {"q": "x"}}')

# Pythonic
case("pythonic-one", "pythonic", '[get_weather(city="Oslo", days=3)]')
case("pythonic-two", "pythonic", '[get_weather(city="Oslo"), now()]')
case("pythonic-values", "pythonic", "[search(query='it\\'s \"x\"', filters={'a': [1, -2.5, None], 'b': (True, False)}, limit=1e3, exact=True, tags=[])]")
case("pythonic-text", "pythonic", "[1] is a footnote.")
case("pythonic-plain", "pythonic", "Hello.")
case("pythonic-spaces", "pythonic", '[get_weather(\n  city = "Oslo",\n  days = 3,\n)]',
     expect=result(calls=[("get_weather", OSLO)]), why="white space between tokens is Python's")
case("pythonic-undeclared", "pythonic", "[foo(a=1)]",
     expect=result("[foo(a=1)]"), why="a list without a marker is calls only of declared tools")
case("pythonic-triple", "pythonic", '[get_weather(city="""Os"lo\n""", days=3), search(query=r\'a\\d\' "b", limit=-5)]')
case("pythonic-sets", "pythonic", "[search(query='x', tags={'a', 'b'}, filters={1: (2,), None: {3}}, limit=(0x1F))]")
case("pythonic-comments", "pythonic", "[get_weather(city='Oslo', # the capital\n  days=1_0 \\\n)]")
case("pythonic-bytes", "pythonic", "[get_weather(city=b'Oslo')]")
case("llama4-tags", "llama4_pythonic", '<|python_start|>[get_weather(city="Oslo", days=3)]<|python_end|>')
case("llama4-bare", "llama4_pythonic", '[get_weather(city="Oslo")]')

# Mistral
case("mistral-old", "mistral", f"[TOOL_CALLS][{WEATHER}]", tokens="old")
case("mistral-old-two", "mistral", f'[TOOL_CALLS] [{WEATHER}, {{"name": "now", "arguments": {{}}}}]', tokens="old")
case("mistral-old-text", "mistral", f"Sure.[TOOL_CALLS][{WEATHER}]", tokens="old")
case("mistral-new", "mistral", '[TOOL_CALLS]get_weather[ARGS]{"city": "Oslo", "days": 3}')
case("mistral-new-two", "mistral", '[TOOL_CALLS]get_weather[ARGS]{"city": "Oslo"}[TOOL_CALLS]now[ARGS]{}')
case("mistral-new-brace", "mistral", '[TOOL_CALLS]get_weather{"city": "Oslo", "days": 3}')
case("mistral-plain", "mistral", "Hello [TOOL] and [x].")
case("mistral-think", "mistral", '[THINK]They want weather.[/THINK][TOOL_CALLS]get_weather[ARGS]{"city": "Oslo"}', "mistral")
case("mistral-think-text", "mistral", "[THINK]Hm.[/THINK]Hello.", "mistral")
case("mistral-no-think", "mistral", "Hello.", "mistral")

# DeepSeek
B, E = "<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"
b, e, s = "<｜tool▁call▁begin｜>", "<｜tool▁call▁end｜>", "<｜tool▁sep｜>"
V3 = 'function' + s + 'get_weather\n```json\n{"city": "Oslo", "days": 3}\n```'
case("deepseek-v3-one", "deepseek_v3", f"{B}{b}{V3}{e}{E}")
case("deepseek-v3-text", "deepseek_v3", f"Wait.{B}{b}{V3}{e}{E}")
case("deepseek-v3-two", "deepseek_v3", f"{B}{b}{V3}{e}\n{b}function{s}now\n```json\n{{}}\n```{e}{E}")
case("deepseek-v3-none", "deepseek_v3", "Nothing to call.")
case("deepseek-v31-one", "deepseek_v31", f'{B}{b}get_weather{s}{{"city": "Oslo", "days": 3}}{e}{E}')
case("deepseek-v31-two", "deepseek_v31", f'Now.{B}{b}get_weather{s}{{"city": "Oslo"}}{e}{b}now{s}{{}}{e}{E}')
case("deepseek-v31-none", "deepseek_v31", "Nothing <｜to call.")
case("deepseek-r1-think", None, "I think.\n</think>\n\nHello.", "deepseek_r1")
case("deepseek-r1-think-open", None, "<think>\nI think.\n</think>\nHello.", "deepseek_r1")
case("deepseek-r1-only", None, "I think and think", "deepseek_r1")
case("deepseek-r1-tools", "deepseek_v3", f"Tools.</think>{B}{b}{V3}{e}{E}", "deepseek_r1")

# Qwen3
Q = "<tool_call>\n<function=get_weather>\n<parameter=city>\nOslo\n</parameter>\n<parameter=days>\n3\n</parameter>\n</function>\n</tool_call>"
case("qwen3-coder-one", "qwen3_coder", Q)
case("qwen3-coder-text", "qwen3_coder", f"I look.\n\n{Q}")
case("qwen3-coder-two", "qwen3_coder", f"{Q}\n<tool_call>\n<function=now>\n</function>\n</tool_call>")
case("qwen3-coder-no-outer", "qwen3_coder", "<function=get_weather>\n<parameter=city>\nOslo\n</parameter>\n</function>\n</tool_call>")
case("qwen3-coder-types", "qwen3_coder",
     '<tool_call>\n<function=search>\n<parameter=query>\n12\n</parameter>\n<parameter=limit>\n1.5\n</parameter>\n'
     '<parameter=exact>\ntrue\n</parameter>\n<parameter=tags>\n["a", "b"]\n</parameter>\n<parameter=filters>\n{"x": {"y": 1}}\n</parameter>\n</function>\n</tool_call>')
case("qwen3-coder-lines", "qwen3_coder",
     '<tool_call>\n<function=write_file>\n<parameter=path>\na.py\n</parameter>\n<parameter=content>\nif a < b:\n\tprint("x\\n")\n\n</parameter>\n</function>\n</tool_call>')
case("qwen3-coder-none", "qwen3_coder", "a < b, <functional> and <tool_box>")
case("qwen3-coder-missing-close", "qwen3_coder",
     "<tool_call>\n<function=get_weather>\n<parameter=city>\nOslo\n<parameter=days>\n3\n</parameter>\n</function>\n</tool_call>")
case("qwen3-think-tool", "hermes", f"<think>\nWeather.\n</think>\n\n<tool_call>\n{WEATHER}\n</tool_call>", "qwen3")
case("qwen3-think", None, "<think>\nHm.\n</think>\n\nHello.", "qwen3")
case("qwen3-think-no-open", None, "Hm.\n</think>\n\nHello.", "qwen3")
case("qwen3-think-cut", None, "<think>\nHm and hm", "qwen3")
case("qwen3-implicit", "qwen3_coder", f"Hm.\n{Q}", "qwen3")

# GLM
case("glm-one", "glm45", "<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Oslo</arg_value>\n<arg_key>days</arg_key>\n<arg_value>3</arg_value>\n</tool_call>", "glm45", start="outside")
case("glm-compact", "glm45", "<tool_call>get_weather<arg_key>city</arg_key><arg_value>Oslo</arg_value></tool_call>", "glm45", start="outside")
case("glm-empty", "glm45", "<tool_call>now</tool_call>", "glm45", start="outside")
case("glm-two", "glm45", "Sure.<tool_call>now</tool_call><tool_call>get_weather<arg_key>city</arg_key><arg_value>Oslo</arg_value></tool_call>", "glm45", start="outside")
case("glm-think", "glm45", "<think>Hm.</think>\nHello.", "glm45")
case("glm-think-call", "glm45", "Hm.</think><tool_call>now</tool_call>", "glm45")

# Kimi
kb, ke, ka = "<|tool_call_begin|>", "<|tool_call_end|>", "<|tool_call_argument_begin|>"
case("kimi-one", "kimi_k2", f'Let me.<|tool_calls_section_begin|>{kb}functions.get_weather:0{ka}{{"city": "Oslo", "days": 3}}{ke}<|tool_calls_section_end|>', ids=["functions.get_weather:0"])
case("kimi-two", "kimi_k2", f'<|tool_calls_section_begin|>{kb}functions.get_weather:0 {ka} {{"city": "Oslo"}} {ke}{kb}functions.now:1{ka}{{}}{ke}<|tool_calls_section_end|>', ids=["functions.get_weather:0", "functions.now:1"])
case("kimi-none", "kimi_k2", "Nothing.")

# Granite
case("granite-token", "granite", f"<|tool_call|>[{WEATHER}]")
case("granite-text", "granite", f'<tool_call> [{WEATHER}, {{"name": "now", "arguments": {{}}}}]')
case("granite-before", "granite", f"Sure. <|tool_call|> [{WEATHER}]")
case("granite-none", "granite", "No.")
case("granite-thought", None, "Here is my thought process: hm, hm. Here is my response: Hello.", "granite")
case("granite-thought-s", None, "Here's my thought process: hm. Here's my response: Hello.", "granite")
case("granite-no-thought", None, "Here is my advice: go.", "granite")

# Phi 4
case("phi4-one", "phi4_mini_json", f"functools[{WEATHER}]")
case("phi4-two", "phi4_mini_json", f'functools[{WEATHER}, {{"name": "now", "arguments": {{}}}}]')
case("phi4-nested-list", "phi4_mini_json", 'functools[{"name": "search", "arguments": {"query": "x", "tags": ["a", "b"]}}]',
     expect=result(calls=[("search", {"query": "x", "tags": ["a", "b"]})]), why="a list inside arguments does not end the calls")
case("phi4-none", "phi4_mini_json", "import functools\nfunctools.reduce(f, [])")

# gpt-oss: expected by hand from the harmony format; vLLM reads it from token ids of its own encoding.
H = "<|channel|>analysis<|message|>They want weather.<|end|><|start|>assistant"
case("harmony-final", "openai", H + "<|channel|>final<|message|>Hello.", "openai_gptoss",
     expect=result("Hello.", reasoning="They want weather."), why="by hand")
case("harmony-call", "openai", H + '<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>{"city": "Oslo", "days": 3}', "openai_gptoss",
     expect=result(calls=[("get_weather", OSLO)], reasoning="They want weather."), why="by hand")
case("harmony-recipient-first", "openai", '<|start|>assistant to=functions.now<|channel|>commentary<|message|>', "openai_gptoss",
     expect=result(calls=[("now", {})]), why="by hand")
case("harmony-preamble", "openai", '<|channel|>commentary<|message|>I look.<|end|><|start|>assistant<|channel|>commentary to=functions.now<|message|>{}<|call|>', "openai_gptoss",
     expect=result("I look.", [("now", {})]), why="by hand")
case("harmony-brace-too-many", "openai", '<|channel|>commentary to=functions.get_weather<|message|>{"city": "Oslo"}}<|call|>', "openai_gptoss",
     expect=result("}", [("get_weather", {"city": "Oslo"})]), why="a brace too many does not cost the call")
case("harmony-broken", "openai", '<|channel|>commentary to=functions.get_weather<|message|>{"city": oops}<|call|>', "openai_gptoss",
     expect=result("oops}", [("get_weather", {"city": None})], whole=False), why="a call that was announced keeps what was valid")
case("harmony-no-object", "openai", '<|channel|>commentary to=functions.get_weather<|message|>Oslo<|call|>', "openai_gptoss",
     expect=result("Oslo", [("get_weather", {})], whole=False), why="arguments are an object")
case("harmony-plain", "openai", "Hello < there.", "openai_gptoss", expect=result("Hello < there."), why="by hand")

pathlib.Path(__file__).with_name("cases.json").write_text(
    json.dumps(CASES, ensure_ascii=False, indent=1) + "\n")
print(len(CASES), "cases")
