#!/usr/bin/env python3
"""Asks the libraries that own the other kinds of tokenizer files: sentencepiece, tiktoken, mistral-common; and, for
parts of tokenizer.json, Hugging Face's tokenizers, and regex for grapheme clusters.

    make_libraries.py

Writes libraries.json beside it, and the small files that they were asked about: sentence_piece_*.model, small.tiktoken,
tekken.json.
"""
import base64
import io
import json
import pathlib
import random
import sys
import tempfile
import unicodedata

import regex
import sentencepiece
import tiktoken
from mistral_common.tokens.tokenizers.tekken import Tekkenizer
from tokenizers import Tokenizer

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent / "differential" / "tokenizer"))
import compare  # noqa: E402

WORDS = """the quick brown fox jumps over lazy dogs and naïve café owners who can't won't don't résumé Zürich straße
Привет мир как дела 世界 日本語 東京 こんにちは 한국어 안녕하세요 หนังสือ हिन्दी नमस्ते مرحبا 123 4567 3.14 ﬁne ﬀ ½ Ａ１ ㍿ e\u0301 👍🏽 👨‍👩‍👧
tokenization tokenizer tokens merges merging merged low lower lowest new newer newest wide wider widest""".split()
SPACES = [" ", " ", " ", " ", "  ", "   ", "\n", "\t", "\u3000", "\u00a0", " \n", ", ", ". ", "! ", "—", "-", "\u200b"]
CL100K = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|"
          r"\s+(?!\S)|\s+")
TEKKEN = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}"
          r"\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
KNOWN = [chr(code) for code in range(0x20, 0x20000) if unicodedata.category(chr(code)) not in ("Cn", "Cs", "Co")]


def texts(generator, count):
    result = ["", " ", "  a", "a ", "a  b", "\n", "世界", " 世界 ", "'s", "Don'T", "x" * 40, "１２３ ﬁ½"]
    while len(result) < count:
        parts = []
        for _ in range(generator.randint(1, 7)):
            parts.append(generator.choice(WORDS) if generator.random() < 0.8 else
                         "".join(generator.choice(KNOWN) for _ in range(generator.randint(1, 3))))
            parts.append(generator.choice(SPACES))
        result.append("".join(parts))
    return result


def corpus(generator):
    return [" ".join(generator.choices(WORDS, k=12)) for _ in range(1500)]


def sentence_piece(generator, name, **options):
    data = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(corpus(generator)), model_writer=data, hard_vocab_limit=False, minloglevel=2, num_threads=1,
        unk_surface="<unk>",  # as Hugging Face writes it
        **options)
    (HERE / f"{name}.model").write_bytes(data.getvalue())
    model = sentencepiece.SentencePieceProcessor(model_proto=data.getvalue())
    cases = []
    for text in texts(generator, 150):
        ids = model.encode(text)
        cases.append({"text": text, "ids": ids, "decoded": model.decode(ids)})
    return {"file": f"{name}.model", "cases": cases}


def byte_ranks(generator):
    """Ranks of byte strings, learned from the words the simple way."""
    pieces = [list(bytes([byte]) for byte in (" " + word).encode()) for word in WORDS * 3]
    ranks = [bytes([byte]) for byte in range(256)]
    while len(ranks) < 700:
        counts = {}
        for piece in pieces:
            for pair in zip(piece, piece[1:]):
                counts[pair] = counts.get(pair, 0) + 1
        if not counts:
            break
        best = max(counts, key=lambda pair: (counts[pair], pair))
        product = best[0] + best[1]
        if product not in ranks:
            ranks.append(product)
        for piece in pieces:
            i = 0
            while i + 1 < len(piece):
                if (piece[i], piece[i + 1]) == best:
                    piece[i:i + 2] = [product]
                i += 1
    return ranks


def by_tiktoken(generator, ranks):
    lines = [f"{base64.b64encode(token).decode()} {rank}\n" for rank, token in enumerate(ranks)]
    (HERE / "small.tiktoken").write_text("".join(lines))
    encoding = tiktoken.Encoding("small", pat_str=CL100K, mergeable_ranks={token: i for i, token in enumerate(ranks)},
                                 special_tokens={})
    cases = []
    for text in texts(generator, 150):
        ids = encoding.encode_ordinary(text)
        cases.append({"text": text, "ids": ids, "decoded": encoding.decode(ids)})
    return {"file": "small.tiktoken", "cases": cases}


def by_tekken(generator, ranks):
    specials = ["<unk>", "<s>", "</s>", "[INST]", "[/INST]"]
    count = 10
    document = {
        "config": {"pattern": TEKKEN, "num_vocab_tokens": len(ranks), "default_vocab_size": len(ranks) - 20 + count,
                   "default_num_special_tokens": count, "version": "v3"},
        "vocab": [{"rank": i, "token_bytes": base64.b64encode(token).decode(), "token_str": None}
                  for i, token in enumerate(ranks)],
        "special_tokens": [{"rank": i, "token_str": text, "is_control": True} for i, text in enumerate(specials)]}
    path = HERE / "tekken.json"
    path.write_text(json.dumps(document) + "\n")
    model = Tekkenizer.from_file(str(path))
    cases = []
    for text in texts(generator, 150):
        ids = model.encode(text, bos=True, eos=False)
        cases.append({"text": text, "ids": ids, "decoded": model.decode(ids[1:])})
    return {"file": "tekken.json", "cases": cases}


def by_hugging_face(generator, name, document):
    model = Tokenizer.from_str(json.dumps(document))
    cases = []
    for text in texts(generator, 120):
        try:
            ids = model.encode(text).ids
        except BaseException:  # a panic of the library
            print(f"{name}: no answer about {text!r}", file=sys.stderr)
            continue
        cases.append({"text": text, "ids": ids, "decoded": model.decode(ids, skip_special_tokens=False)})
    return {"name": name, "tokenizer": document, "cases": cases}


def unigram(generator, byte_fallback):
    pieces = [("<unk>", 0.0), ("▁", -3.0)] + [(f"<0x{byte:02X}>", 0.0) for byte in range(256) if byte_fallback]
    seen = {piece for piece, _ in pieces}
    for word in WORDS:
        for begin in range(len(word)):
            for end in range(begin + 1, min(len(word), begin + 5) + 1):
                for piece in (word[begin:end], "▁" + word[begin:end] if begin == 0 else ""):
                    if piece and piece not in seen and generator.random() < 0.4:
                        seen.add(piece)
                        pieces.append((piece, -generator.randint(4, 60) / 4))
    return {"type": "Unigram", "unk_id": 0, "byte_fallback": byte_fallback, "vocab": [list(piece) for piece in pieces]}


def documents(generator):
    metaspace = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
    charsmap = {"type": "Precompiled", "precompiled_charsmap": compare.CHARSMAP}
    base = {"version": "1.0", "added_tokens": [], "post_processor": None, "decoder": metaspace}
    for byte_fallback in [False, True]:
        decoder = metaspace if not byte_fallback else {"type": "Sequence", "decoders": [
            {"type": "ByteFallback"}, metaspace]}
        yield f"unigram, byte_fallback {byte_fallback}", {
            **base, "normalizer": None, "pre_tokenizer": metaspace, "decoder": decoder,
            "model": unigram(generator, byte_fallback)}
    model = {"type": "BPE", "merges": [], "unk_token": "?", "vocab": {"?": 0, **{
        char: i + 1 for i, char in enumerate(sorted(set("".join(WORDS) + "Eekworld JfiA'صلى▁ ")))}}}
    yield "charsmap", {**base, "normalizer": charsmap, "pre_tokenizer": None, "decoder": {"type": "Fuse"},
                       "model": model}
    # Only what comes from the first character is marked: which that is, normalizers tell.
    first = {**metaspace, "prepend_scheme": "first"}
    cut = {"type": "Sequence", "pretokenizers": [{"type": "FixedLength", "length": 1}, first]}
    for normalizer in [charsmap, {"type": "NFKD"}, {"type": "NFC"}, {"type": "Prepend", "prepend": "ab"},
                       {"type": "Replace", "pattern": {"Regex": "^|^."}, "content": "ab"},
                       {"type": "Strip", "strip_left": True, "strip_right": True}]:
        yield "front after " + normalizer["type"], {
            **base, "normalizer": normalizer, "pre_tokenizer": cut, "decoder": {"type": "Fuse"}, "model": model}
    # Normalization leaves nothing of this token; it is one all the same, and is found between all characters.
    merging = {**model, "merges": [["l", "o"], ["lo", "w"], ["e", "r"]]}
    merging["vocab"] = {**model["vocab"], **{token: len(model["vocab"]) + i for i, token in enumerate(["lo", "low", "er"])}}
    yield "an added token that normalizes to nothing", {
        **base, "added_tokens": [{"id": len(merging["vocab"]), "content": "\u200b", "normalized": True, "special": False,
                                  "single_word": False, "lstrip": False, "rstrip": False}],
        "normalizer": charsmap, "pre_tokenizer": None, "decoder": None, "model": merging,
        "post_processor": {"type": "BertProcessing", "sep": ["\u200b", len(merging["vocab"])],
                           "cls": ["\u200b", len(merging["vocab"])]}}


def graphemes(generator):
    """Texts and the lengths in bytes of their clusters. A virama stands after consonants only: elsewhere regex joins
    too much."""
    classes = [KNOWN, list("ab \r\n\t"), list("\u0300\u0301\u200d\u200c\ufe0f\u0903\u0e33"), list("가각각ᄁ"),
               ["क्षि", "न", "स्ते", "क्त", "ষ্ট", "रि"], list("👩👨👧👍🏽🏿❤©"), list("🇯🇵🇫🇷"), list("\u0600\u06dd\u0d4e\u110bd"), list("བྱက")]
    cases = []
    for _ in range(500):
        text = "".join(generator.choice(generator.choice(classes)) for _ in range(generator.randint(1, 9)))
        cases.append([text, [len(cluster.encode()) for cluster in regex.findall(r"\X", text)]])
    return cases


def main():
    generator = random.Random(4)
    ranks = byte_ranks(generator)
    result = {
        "sentencepiece": [
            sentence_piece(generator, "sentence_piece_unigram", model_type="unigram", vocab_size=400,
                           normalization_rule_name="nmt_nfkc"),
            sentence_piece(generator, "sentence_piece_bpe", model_type="bpe", vocab_size=700, byte_fallback=True,
                           normalization_rule_name="identity", remove_extra_whitespaces=False, split_digits=True,
                           user_defined_symbols=["<tool>", "é"]),
        ],
        "tiktoken": by_tiktoken(generator, ranks),
        "tekken": by_tekken(generator, ranks),
        "hugging_face": [by_hugging_face(generator, *document) for document in documents(generator)],
        "graphemes": graphemes(generator),
    }
    lines = json.dumps(result, ensure_ascii=False, separators=(",", ":"))
    (HERE / "libraries.json").write_text(lines + "\n")


if __name__ == "__main__":
    main()
