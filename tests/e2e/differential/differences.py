"""Where Baton answers otherwise than a reference server, on purpose, and why.

Each row: a pattern that matches whole case names, the aspects (compare.py) that differ, the reason.
"""
import re

# On the OpenAI routes Baton speaks vLLM's dialect whoever asks: of llama-server's answers there only
# these aspects are compared.
LLAMA_ASPECTS = {"status", "text", "finish"}

ROWS = [
    # Errors and paths.
    (r"GET /nothing|GET /v1/nothing|GET completions|POST models|PUT /v1/completions", "keys",
     "unknown paths and methods get the same error object as all other errors"),
    (r"FOO .*", "status", "a method that is not known is 405, on an unknown path 404; vLLM's HTTP "
     "engine drops the connection's request as invalid"),
    (r"(HEAD|OPTIONS) .*", "status", "a path that serves GET answers HEAD, and OPTIONS tells methods"),
    (r"body: (cut JSON|trailing comma|two documents|a comment|a tab in a text)", "error.param",
     "our JSON parser does not say at which byte a body breaks"),
    (r"body: (no UTF-8|very deep)", "keys",
     "the usual error object; vLLM has another shape for what its parser gives up on"),
    (r"body: (half a surrogate pair|not a number)", "error.type error.param",
     "what is no JSON, or no text of Unicode, is refused as such"),
    (r".*stream_options=5", "error.type error.param",
     "what is no object is refused as such, before what it would mean"),
    (r"chat chat_template=.*|chat chat_template_kwargs=.*chat_template.*|tokenize a chat with a template",
     "error.param", "the error names the field"),
    (r"chat messages (4|5|7|8|9|22|23|27): .*", "error.param",
     "the path of the body, without the names of vLLM's classes"),
    (r"chat messages (10|21|32): .*", "error.type error.param",
     "a part of an unknown type or without text breaks the schema, and the error names its place"),
    (r"(chat top_logprobs 21|completion logprobs 21) in a stream", "status",
     "an error before the first token is an HTTP error, also of a stream"),
    (r"completion as long as the model", "error.param",
     "the prompt is what does not fit, not a length that nobody asked for"),
    (r"GET /health", "type keys", "a body for llama.cpp's clients; vLLM's look at the status alone"),
    # What is taken here and refused there.
    (r"(chat|completion|generate) two, greedy", "status", "OpenAI allows n > 1 with temperature 0"),
    (r"(chat|completion) extra_body=.*", "text", "a literal extra_body counts as the body"),
    (r'completion prompt=(\["a", 1\]|\[\[1\], "a"\])', "status",
     "prompts may mix text and tokens, as llama.cpp's"),
    (r"chat messages 13: .*", "status", "content may hold plain texts beside parts"),
    (r"chat messages 15: .*", "status", "content may be null for every role"),
    (r"chat messages 24: .*", "status", "a call without arguments has none: {}"),
    (r"chat messages 28: .*", "status", "a part may have any of the names for text, in every role"),
    (r"completion n=null|(chat|completion) min_tokens=null", "status",
     "null means that nothing is said, in every field"),
    (r"(chat|completion) response_format=.*\"name\": \"a\".*", "status",
     "a format without a schema is any object, and true is a schema"),
    (r"chat two constraints", "status", "response_format goes before structured_outputs"),
    (r"(chat|completion) vllm_xargs=.*", "status", "what changes nothing here is not looked into"),
    (r"(chat|completion) structured_outputs=(?!\{\"(regex|choice)\": (\"\"|\[\"a)).*", "error.param",
     "the field at fault is named"),
    (r"generate sampling structured_outputs=(\{\}|.*regex.*)|abort (none|no JSON)", "error.param",
     "the field at fault is named"),
    # What a request renders to.
    (r"render (chat|completion) (choice|json object)", "keys",
     "vLLM's own bookkeeping of its grammar backend has no counterpart"),
    (r"render ((chat|completion) sixteen tokens|completion no length)", "keys",
     "16 tokens are asked for in words; vLLM leaves them out, and then generates without a bound"),
    (r"render responses (plain|instructions|stream|identity)", "keys", "vLLM adds arguments of which there are none"),
    (r"render messages no length", "error.type", "a field of a message is missing as one of a chat is"),
    (r"render messages no length", "error.param", "the field is named as Anthropic does"),
    # What is refused here and taken there.
    (r"(chat|completion) structured_outputs=\{\"regex\": \"\".*", "status",
     "a constraint that only nothing can meet is a mistake"),
    (r"(chat|completion) repetition_penalty=5000", "status",
     "beyond 1000 a penalised logit is not finite any more"),
    # What is shown.
    (r"completion stream of (an|only an) echo( and logprobs)?", "events",
     "the prompt's ids are shown to those who ask for them, not with every echo"),
    (r"chat (goes on with the last message, )?echo", "keys",
     "an echo alone brings no log-probabilities of the prompt"),
    (r"(llama )?detokenize (ids|special ids|nothing|half a character)|llama detokenize", "keys",
     "the text stands under the names of both servers"),
    (r"detokenize an id outside", "status", "an id that no token has is an error, not nothing"),
    (r"tokenizer_info", "keys", "the model's own configuration; vLLM adds what its Python class knows"),
    (r"completion two thirds of a character", "events",
     "no chunk comes without text; what is left of a character at the end is one U+FFFD, not nothing"),
    (r"completion room for two", "text",
     "behind 8190 equal tokens vLLM's bfloat16 decides otherwise than float32"),
    (r'.*bad_words=\[""\]', "error.param", "the field at fault is named"),
    (r"llama apply-template without messages", "error.keys error.type error.param",
     "one dialect of errors, vLLM's"),
    (r"native stream to a stop", "keys", "llama-server adds times to the piece before the end"),
    (r'native stop=\[""\]', "text finish keys", "an empty stop string does not end every text at once"),
    (r'native prompt=(""|\[\[\]\]|\[""\])', "status", "there is nothing to continue"),
    (r"native n_probs=129", "status", "workers give 128"),
    (r"native (lora=\[\{.*|adaptive_target=.*|grammar_lazy=.*)", "status",
     "what would change the text and is not served is refused by name"),
    (r"native a line that is not indented", "finish",
     "the token that is out of place is the last; llama-server looks one token later"),
    (r"llama completion, stop", "finish", "stop_reason names the stop string, as in vLLM"),
    # Tokens made into objects.
    (r"derender completion, token ids asked for", "keys", "who asks for token ids sees them"),
    (r"derender (chat|completion), logprobs of split characters", "logprobs",
     "a token's text is what it adds: vLLM shows a character behind a space with its last token, space and all"),
    (r"derender chat, logprobs of split characters", "keys", "a token's bytes are its own"),
    (r"derender (chat|completion), logprobs without content", "keys", "nothing scored is nothing shown"),
    (r"derender (chat|completion), logprobs by text", "status", "a token may be named as the chat's shape does"),
    (r"derender (chat|completion), a stop string", "text",
     "the text ends where that of the direct answer does; vLLM shows the tokens behind it"),
    (r"derender (chat|completion), a state that no stream has", "status", "vLLM goes on, and loses text"),
    (r"derender (chat|completion), (a negative token|a chunk without one|a state (?!that).*)|"
     r"derender chat, (nothing|no choices at all|of text|a request that is none)", "error.param",
     "what is wrong with the form that was sent, and where; vLLM also lists its other form, by its classes' names"),
]


def of(name):
    """The aspects that may and must differ in a case, with their reasons."""
    found = {}
    for pattern, aspects, reason in ROWS:
        if re.fullmatch(pattern, name, re.DOTALL):
            found.update(dict.fromkeys(aspects.split(), reason))
    return found
