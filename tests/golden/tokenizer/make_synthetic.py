#!/usr/bin/env python3
"""Asks Hugging Face's tokenizers about small made-up tokenizers, one per option that real ones rarely use.

    make_synthetic.py > synthetic.json

Each entry holds its tokenizer.json, without vocabulary and merges where they are the common ones at the
top. The strings are random words over an alphabet in which added tokens, blanks and characters that
normalize are common.
"""
import json
import random

from tokenizers import Tokenizer

BYTES = [b for b in range(256) if 0x21 <= b <= 0x7E or 0xA1 <= b <= 0xAC or 0xAE <= b]
LETTERS = {b: chr(b) for b in BYTES}
LETTERS.update({b: chr(256 + i) for i, b in enumerate(b for b in range(256) if b not in BYTES)})
MERGES = ["h e", "l l", "he ll", "hell o", "Ġ w", "o r", "Ġw or", "Ġwor l", "Ġworl d", "1 2", "12 3", "Ã ©",
          "a a", "aa a", "aa aa", "b a", "ba b", "e l", "l o", "Ġ Ġ", "ĠĠ ĠĠ", "Ċ Ċ", "n 't", "' s", "' t"]
ALPHABET = ["hello", " world", "h", "e", "l", "o", " ", " ", "\t", "\n", "\u3000", "\u00a0", "1", "2", "3", "12",
            "²", "Ⅷ", "é", "e\u0301", "가", "\u1100\u1161", "\u0301", "日本", ",", ".", "'s", "'t", "_", "-", "a",
            "a", "b", "ß", "ﬁ", "😀", "<t>", "<tt>", "<t", "t>", "[X]", "[x]", "café", "cafe\u0301", "ab", "aba",
            "<s>", "</s>", "<pad>", "🙂", "\u200d", "x", "Å", "\u212b", "A\u030a"]
GPT2 = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
NO_REGEX = dict(GPT2, use_regex=False)


def added(content, index, **flags):
    token = {"id": index, "content": content, "single_word": False, "lstrip": False, "rstrip": False,
             "normalized": False, "special": False}
    token.update(flags)
    return token


def split(pattern, behavior, invert=False):
    return {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert}


def sequence(*parts):
    return {"type": "Sequence", "pretokenizers": list(parts)}


def tokenizer_json(pre_tokenizer=GPT2, normalizer=None, post_processor=None, tokens=(), drop="", **model):
    letters = [LETTERS[b] for b in range(256) if LETTERS[b] not in drop]
    vocab = {letter: i for i, letter in enumerate(letters)}
    merges = [merge for merge in MERGES if not set(drop) & set(merge.replace(" ", ""))]
    for merge in merges:
        for part in [*merge.split(" "), merge.replace(" ", "")]:
            vocab.setdefault(part, len(vocab))
    if "unk_token" in model:
        vocab[model["unk_token"]] = len(vocab)
    base = len(vocab)
    return {"version": "1.0", "truncation": None, "padding": None,
            "added_tokens": [added(content, base + i, **flags) for i, (content, flags) in enumerate(tokens)],
            "normalizer": normalizer, "pre_tokenizer": pre_tokenizer, "post_processor": post_processor,
            "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True},
            "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                      "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False,
                      "ignore_merges": False, "vocab": vocab, "merges": merges, **model}}


def template(before, after, ids):
    part = lambda name: {"SpecialToken": {"id": name, "type_id": 0}}
    return {"type": "TemplateProcessing",
            "single": [*map(part, before), {"Sequence": {"id": "A", "type_id": 0}}, *map(part, after)],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {name: {"id": name, "ids": [i], "tokens": [name]} for name, i in ids.items()}}


def entries():
    yield "plain", tokenizer_json()
    yield "no expression", tokenizer_json(NO_REGEX)
    yield "ignore_merges", tokenizer_json(ignore_merges=True)
    yield "bytes without token", tokenizer_json(drop="hÃ2")
    yield "unk", tokenizer_json(drop="hÃ2", unk_token="<unk>")
    yield "fused unk", tokenizer_json(drop="hÃã2ģĤ", unk_token="<unk>", fuse_unk=True)
    yield "digits alone", tokenizer_json(sequence({"type": "Digits", "individual_digits": True}, GPT2))
    yield "digits in runs", tokenizer_json(sequence({"type": "Digits", "individual_digits": False}, GPT2))
    for behavior in ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]:
        for invert in [False, True]:
            name = f"{behavior}{' inverted' if invert else ''}"
            yield f"string {name}", tokenizer_json(
                sequence(split({"String": "l"}, behavior, invert), NO_REGEX))
            yield f"expression {name}", tokenizer_json(
                sequence(split({"Regex": "[\\p{N}a-b]"}, behavior, invert), NO_REGEX))
    for regex in ["\\s?\\p{L}+", " ?[\\p{P}\\p{S}]+", "\\p{N}{1,3}", "[0-9][0-9]", "[\r\n]", "\\s+$", "[一-龥]+",
                  "\\p{N}{2}", "\\s"]:
        yield f"run {regex!r}", tokenizer_json(sequence(split({"Regex": regex}, "Isolated"), NO_REGEX))
    for flags in [{}, {"lstrip": True}, {"rstrip": True}, {"lstrip": True, "rstrip": True},
                  {"single_word": True}, {"single_word": True, "lstrip": True}, {"normalized": True},
                  {"special": True}, {"special": True, "rstrip": True}]:
        tokens = [("<t>", flags), ("<tt>", {}), ("[X]", flags), ("aba", flags), ("ab", {}), ("café", flags),
                  (" ", {"normalized": False}) if flags.get("rstrip") else ("_-", flags)]
        yield f"added {flags}", tokenizer_json(tokens=tokens)
        yield f"added NFC {flags}", tokenizer_json(normalizer={"type": "NFC"}, tokens=tokens)
    yield "NFC twice", tokenizer_json(
        normalizer={"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "NFC"}]})
    special = {"special": True}
    document = tokenizer_json(tokens=[("<s>", special), ("</s>", special), ("<pad>", special)])
    ids = {token["content"]: token["id"] for token in document["added_tokens"]}
    inner, outer = template(["<s>"], ["</s>"], ids), template(["<pad>", "<s>"], ["<pad>"], ids)
    yield "template", dict(document, post_processor=inner)
    yield "template sequence", dict(document, post_processor={
        "type": "Sequence", "processors": [dict(GPT2, trim_offsets=False), outer]})


def main():
    generator = random.Random(20260602)
    base = tokenizer_json()["model"]
    result = []
    for name, document in entries():
        tokenizer = Tokenizer.from_str(json.dumps(document))
        cases = []
        for _ in range(40):
            text = "".join(generator.choice(ALPHABET) for _ in range(generator.randint(1, 12)))
            tokenizer.encode_special_tokens = False
            ids = tokenizer.encode(text).ids
            case = {"text": text, "ids": ids, "kept": tokenizer.decode(ids, skip_special_tokens=False),
                    "skipped": tokenizer.decode(ids)}
            tokenizer.encode_special_tokens = True
            plain = tokenizer.encode(text, add_special_tokens=False).ids
            if plain != ids:
                case["plain"] = plain
            for key in ["kept", "skipped"]:
                if case[key] == text:
                    del case[key]
            cases.append(case)
        # The common vocabulary and merges are written once.
        model = {key: value for key, value in document["model"].items()
                 if key not in ("vocab", "merges") or value != base[key]}
        result.append({"name": name, "tokenizer": dict(document, model=model), "cases": cases})
    print(json.dumps({"vocab": base["vocab"], "merges": base["merges"], "tokenizers": result},
                     separators=(",", ":")).replace('{"name"', '\n{"name"'))


if __name__ == "__main__":
    main()
