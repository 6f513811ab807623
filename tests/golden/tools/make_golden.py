"""Asks vLLM's own parsers, offline, what the replies of cases.json are: writes vllm.json.

Needs vllm 0.32 (CPU) in the Python that runs it. No server and no model: parsers get a tokenizer
whose vocabulary has all bytes and the markers of all families as special tokens."""
import asyncio  # noqa: F401  (vllm's imports want it first)
import json
import logging
import os
import pathlib
import sys

os.environ.setdefault("VLLM_LOGGING_LEVEL", "CRITICAL")
here = pathlib.Path(__file__).parent
logging.disable(logging.CRITICAL)

from tokenizers import Tokenizer, decoders, models, pre_tokenizers  # noqa: E402
from transformers import PreTrainedTokenizerFast  # noqa: E402
from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionRequest  # noqa: E402
from vllm.parser.parser_manager import ParserManager  # noqa: E402

MARKERS = """<tool_call> </tool_call> <think> </think> <|python_tag|> [TOOL_CALLS] [ARGS] [CALL_ID]
[THINK] [/THINK] <|tool_call|> <|python_start|> <|python_end|> <arg_key> </arg_key> <arg_value>
</arg_value> <｜tool▁calls▁begin｜> <｜tool▁calls▁end｜> <｜tool▁call▁begin｜> <｜tool▁call▁end｜>
<｜tool▁sep｜> <|tool_calls_section_begin|> <|tool_calls_section_end|> <|tool_call_begin|>
<|tool_call_end|> <|tool_call_argument_begin|> <|im_start|> <|im_end|>""".split()


def tokenizer(markers):
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tok = Tokenizer(models.BPE({c: i for i, c in enumerate(alphabet)}, []))
    tok.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tok.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=tok)
    fast.add_special_tokens({"additional_special_tokens": markers})
    return fast


TOOLS = json.loads((here / "tools.json").read_text())
NEW = tokenizer(MARKERS)
OLD = tokenizer([m for m in MARKERS if m != "[ARGS]"])


def calls_of(calls):
    out = []
    for call in calls or []:
        try:
            arguments = json.loads(call.arguments)
        except (TypeError, ValueError):
            arguments = call.arguments
        out.append({"name": call.name, "arguments": arguments})
    return out


def ask(case):
    tok = OLD if case.get("tokens") == "old" else NEW
    cls = ParserManager.get_parser(tool_parser_name=case["tool"], enable_auto_tools=case["tool"] is not None,
                                   reasoning_parser_name=case["reasoning"], tokenizer=tok)
    request = ChatCompletionRequest(model="m", messages=[{"role": "user", "content": "x"}],
                                    tools=TOOLS if case["tool"] else None,
                                    tool_choice="auto" if case["tool"] else "none")
    kwargs = {"enable_thinking": False} if case.get("start") == "outside" else {}
    parser = cls(tok, request.tools, chat_template_kwargs=kwargs)
    ids = tok.encode(case["text"], add_special_tokens=False)
    reasoning, content, calls = parser.parse(case["text"], request, enable_auto_tools=True,
                                             model_output_token_ids=ids)
    return {"reasoning": reasoning or "", "content": content or "", "calls": calls_of(calls)}


golden = {}
for case in json.loads((here / "cases.json").read_text()):
    if (case["tool"] or case["reasoning"]).startswith("openai"):
        continue
    try:
        golden[case["name"]] = ask(case)
    except Exception as error:  # vLLM's own faults are part of the record
        golden[case["name"]] = {"error": f"{type(error).__name__}: {error}"}
(here / "vllm.json").write_text(json.dumps(golden, ensure_ascii=False, indent=1) + "\n")
print(len(golden), "answers,", sum("error" in g for g in golden.values()), "errors", file=sys.stderr)
