#!/usr/bin/env python3
"""Compares our tokenizer with Hugging Face's over many random strings: ids and both decodings.

    compare.py matrix [--strings 1000000] [--seed N]      random tokenizer.json files of every component
    compare.py FILE... [--strings 100000]                 real vocabularies, tokenizer.json each

Needs tokenizers==0.23.3 and build/release/bin/tokenizer_answers (--answers PATH for another). Prints one line per
hundred files, every difference, and the totals; exits with 1 when there is a difference.
"""
import argparse
import json
import os
import random
import struct
import subprocess
import sys
import tempfile
import unicodedata

from tokenizers import Tokenizer

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BLOCKS = [(0x20, 95), (0xA0, 96), (0x100, 256), (0x300, 112), (0x370, 144), (0x400, 256), (0x590, 112),
          (0x600, 256), (0x900, 128), (0xE00, 128), (0x1100, 256), (0x1E00, 256), (0x2000, 112), (0x2070, 160),
          (0x2100, 256), (0x2460, 160), (0x2600, 256), (0x3040, 192), (0x4E00, 20902), (0xAC00, 11172),
          (0xFB00, 80), (0xFF00, 240), (0x10400, 80), (0x1D400, 1024), (0x1F1E6, 26), (0x1F300, 768),
          (0x1F900, 256), (0x20000, 42720), (0x2B740, 600), (0xE0000, 128), (0x0, 32), (0x7F, 33), (0x660, 10)]
# What Debian's expression engine has classes for; the reference knows two versions of Unicode more.
KNOWN = {code for code in range(0x110000) if unicodedata.category(chr(code)) not in ("Cn", "Cs")}
WORDS = """the of and hello Hello WORLD straße naïve café Zürich Łódź Ελληνικός ΣΊΣΥΦΟΣ Привет мир İstanbul
ſ K ﬁ ﬀ ½ ① ㍿ Ⅻ ﷺ 世界 日本語 カタカナ ひらがな ー 한국어 ไทย हिन्दी क्षि नमस्ते مرحبا שלום 🇯🇵🇫🇷 👩‍👩‍👧‍👦 👍🏽 e\u0301 a\u0315\u0300
don't I'm we'll can't it's <s> </s> [UNK] <unk> [CLS] ##ing ▁the ▁ ▁▁ <0x41> <0xE4> Ġ Ċ </w> <pad> | 3.14 1234567 x²
do not n't abc aab bab ababab lol llama""".split()
SPACES = [" ", "  ", "   ", "\t", "\n", "\r\n", "\n\n", "\u00a0", "\u0085", "\u2003", "\u2028", "\u3000", "\u200b",
          "\u200d", "\ufeff", "\u00ad", "\0", "\ufffd", "\x1f", "\u180e"]
MARKS = list(".,;:!?'\"`~@#$%^&*()-_=+[]{}<>/\\|…—“”’«»¿§¶•×€™、。「」，！")


# Panics of the library: in WordPiece, of two post-processors that trim offsets, of added tokens that overlap.
LIBRARY_FAULTS = ["char boundary", "index out of bounds", "AddedVocabulary bad split"]


class Strings:
    def __init__(self, generator, extra, known_only):
        self.generator, self.extra, self.known_only = generator, extra, known_only

    def code(self):
        if self.generator.random() < 0.1:
            code = self.generator.randrange(0x110000)
        else:
            first, size = self.generator.choice(BLOCKS)
            code = first + self.generator.randrange(size)
        if 0xD800 <= code < 0xE000 or (self.known_only and code not in KNOWN):
            return "~"
        return chr(code)

    def fragment(self):
        g = self.generator
        kind = g.randrange(12)
        if kind < 3:
            return g.choice(["", " "]) + g.choice(WORDS)
        if kind < 5 and self.extra:
            return g.choice(self.extra)
        if kind == 5:
            return "".join(g.choice(SPACES) for _ in range(g.randint(1, 3)))
        if kind == 6:
            return "".join(g.choice(MARKS) for _ in range(g.randint(1, 4)))
        if kind == 7:
            return "".join(g.choice("0123456789") for _ in range(g.randint(1, 5)))
        if kind == 8:
            return self.code() * g.randint(1, 12)
        if kind == 9:
            return "".join(self.code() for _ in range(g.randint(1, 5)))
        return "".join(g.choice("abcdel ") for _ in range(g.randint(1, 8)))

    def text(self):
        return "".join(self.fragment() for _ in range(self.generator.randint(0, 8)))


def answers(program, path, texts, *mode):
    """What our program says, one (ids or None, kept, skipped) per text; a string when it refuses the file."""
    request = b"".join(struct.pack("<I", len(data)) + data for data in
                       (text if isinstance(text, bytes) else text.encode() for text in texts))
    run = subprocess.run([program, path, *mode], input=request, capture_output=True)
    if run.returncode != 0:
        return run.stderr.decode(errors="replace").strip()
    out, at, result = run.stdout, 0, []
    for _ in texts:
        (count,) = struct.unpack_from("<I", out, at)
        at += 4
        ids = None
        if count != 0xFFFFFFFF:
            ids = list(struct.unpack_from(f"<{count}I", out, at))
            at += 4 * count
        decoded = []
        for _ in range(2):
            (size,) = struct.unpack_from("<I", out, at)
            decoded.append(out[at + 4:at + 4 + size].decode())
            at += 4 + size
        result.append((ids, *decoded))
    return result


def reference(tokenizer, text):
    try:
        ids = tokenizer.encode(text).ids
    except BaseException as error:  # a panic of the library is one too
        return None, str(error), ""
    return ids, *decoded(tokenizer, ids)


def decoded(tokenizer, ids):
    result = []
    for skip in [False, True]:
        try:
            result.append(tokenizer.decode(ids, skip_special_tokens=skip))
        except BaseException:
            result.append(None)
    return result


class Comparison:
    def __init__(self, program):
        self.program, self.refused = program, {}
        self.files = self.strings = self.differences = self.failures = self.tokens = self.decoded = 0

    def run(self, name, path, tokenizer, texts):
        ours = answers(self.program, path, texts)
        before, shown = self.differences, 0
        self.files += 1
        if isinstance(ours, str):
            self.refused[ours[:160]] = self.refused.get(ours[:160], 0) + 1
            return
        for text, mine in zip(texts, ours):
            theirs = reference(tokenizer, text)
            if theirs[0] is None and any(fault in theirs[1] for fault in LIBRARY_FAULTS):
                continue
            self.strings += 1
            self.failures += theirs[0] is None
            self.tokens += len(theirs[0] or [])
            same = mine[0] == theirs[0] and (mine[0] is None or all(
                b is None or a == b for a, b in zip(mine[1:], theirs[1:])))
            if same:
                continue
            self.differences += 1
            shown += 1
            if shown <= 2 and before < 40:
                print(f"DIFFERENCE in {name}: {text!r}\n  ours   {mine}\n  theirs {theirs}", flush=True)

    def run_ids(self, name, path, tokenizer, lists):
        """Decodes lists of ids that no text need give."""
        ours = answers(self.program, path, [struct.pack(f"<{len(ids)}I", *ids) for ids in lists], "ids")
        if isinstance(ours, str):
            self.refused[ours[:160]] = self.refused.get(ours[:160], 0) + 1
            return
        for ids, mine in zip(lists, ours):
            self.decoded += 1
            theirs = decoded(tokenizer, ids)
            if all(b is None or a == b for a, b in zip(mine[1:], theirs)):
                continue
            self.differences += 1
            if self.differences < 40:
                print(f"DIFFERENCE in {name}: decoding {ids}\n  ours   {mine[1:]}\n  theirs {theirs}", flush=True)

    def report(self):
        for message, count in self.refused.items():
            print(f"refused {count} times: {message}")
        print(f"{self.files} files, {self.strings} strings ({self.failures} of which neither encodes), {self.tokens} "
              f"tokens, {self.decoded} lists of ids decoded, {self.differences} differences")
        return 1 if self.differences or self.refused else 0


def charsmap(entries):
    """sentencepiece's blob of a rewrite table: a darts-clone double array, built without care for size."""
    trie = {}
    values, strings = {}, b""
    for key, value in sorted(entries.items()):
        values[key.encode()] = len(strings)
        strings += value.encode() + b"\0"
        node = trie
        for byte in key.encode():
            node = node.setdefault(byte, {})
        node[None] = values[key.encode()]
    units, used = {0: 0}, {0}

    def place(node, at):
        """Gives the children of the node at unit `at` an offset block; every block is 256 aligned and free."""
        if not node:
            return
        base = (max(used) // 256 + 1) * 256
        offset = at ^ base
        leaf = None in node
        units[at] = (units[at] & 0xFF) | (1 << 8 if leaf else 0) | offset << 10
        used.add(base + 255)
        if leaf:
            units[base] = node[None] | 1 << 31
        for byte, child in node.items():
            if byte is not None:
                units[base ^ byte] = byte
        for byte, child in node.items():
            if byte is not None:
                place(child, base ^ byte)

    place(trie, 0)
    size = max(used) + 1
    blob = b"".join(struct.pack("<I", units.get(i, 0)) for i in range(size))
    return struct.pack("<I", len(blob)) + blob + strings


def letters():
    printing = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    table, extra = {byte: chr(byte) for byte in printing}, 0x100
    for byte in range(256):
        if byte not in table:
            table[byte] = chr(extra)
            extra += 1
    return table


LETTERS = letters()


class Matrix:
    """Random tokenizer.json files."""

    def __init__(self, generator):
        self.g = generator

    def maybe(self, chance=0.5):
        return self.g.random() < chance

    def pattern(self):
        if self.maybe(0.3):
            return {"String": self.g.choice([" ", "l", "ab", "▁", "'", "é", "a", ""])}
        return {"Regex": self.g.choice([
            r"\s+", r"\p{N}", r"\p{N}{1,3}", r"[a-c]+", r"(?i:ab)", r"(?=b)", r"^", r"\w+", r"a|b", r"\bl", r"\p{L}\p{M}*",
            r"(?<=a)b", r"[^\s\p{L}]+|l+", r"\p{Han}+", r"(a)\1", r"x*",
            r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
            "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+",
            r"[\p{P}\$\+<=>\^~\|`]+", "[一-龥぀-ゟ゠-ヿ]+"])}

    def normalizer(self, depth=0):
        g = self.g
        kind = g.choice(["Sequence", "NFC", "NFD", "NFKC", "NFKD", "Lowercase", "Strip", "StripAccents",
                         "BertNormalizer", "Nmt", "Precompiled", "Replace", "Prepend", "ByteLevel"])
        if kind == "Sequence":
            if depth > 1:
                return {"type": "NFC"}
            return {"type": kind, "normalizers": [self.normalizer(depth + 1) for _ in range(g.randint(0, 3))]}
        extra = {
            "Strip": lambda: {"strip_left": self.maybe(), "strip_right": self.maybe()},
            "BertNormalizer": lambda: {"clean_text": self.maybe(), "handle_chinese_chars": self.maybe(),
                                       "strip_accents": g.choice([None, True, False]), "lowercase": self.maybe()},
            "Precompiled": lambda: {"precompiled_charsmap": CHARSMAP},
            "Replace": lambda: {"pattern": self.pattern(), "content": g.choice(["", "x", "▁", " ", "ab"])},
            "Prepend": lambda: {"prepend": g.choice(["▁", "x", " "])},
        }.get(kind, dict)()
        return {"type": kind, **extra}

    def pre_tokenizer(self, depth=0):
        g = self.g
        kind = g.choice(["Sequence", "Split", "Split", "ByteLevel", "Metaspace", "Whitespace", "WhitespaceSplit",
                         "BertPreTokenizer", "Punctuation", "Digits", "CharDelimiterSplit", "UnicodeScripts",
                         "FixedLength"])
        behaviors = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]
        if kind == "Sequence":
            if depth > 1:
                return {"type": "Whitespace"}
            return {"type": kind, "pretokenizers": [self.pre_tokenizer(depth + 1) for _ in range(g.randint(0, 3))]}
        extra = {
            "Split": lambda: {"pattern": self.pattern(), "behavior": g.choice(behaviors), "invert": self.maybe(0.3)},
            "ByteLevel": lambda: {"add_prefix_space": self.maybe(), "trim_offsets": True, "use_regex": self.maybe()},
            "Metaspace": self.metaspace,
            "Punctuation": lambda: {"behavior": g.choice(behaviors)},
            "Digits": lambda: {"individual_digits": self.maybe()},
            "CharDelimiterSplit": lambda: {"delimiter": g.choice(["l", " ", "é", "-"])},
            "FixedLength": lambda: {"length": g.randint(1, 6)},
        }.get(kind, dict)()
        return {"type": kind, **extra}

    def metaspace(self):
        return {"replacement": self.g.choice(["▁", "▁", "_"]), "split": self.maybe(),
                "prepend_scheme": self.g.choice(["always", "first", "never"])}

    def decoder(self, depth=0):
        g = self.g
        kind = g.choice(["Sequence", "ByteLevel", "ByteFallback", "Metaspace", "WordPiece", "BPEDecoder", "CTC", "Fuse",
                         "Strip", "Replace"])
        if kind == "Sequence":
            if depth > 1:
                return {"type": "Fuse"}
            if self.maybe(0.3):
                return {"type": kind, "decoders": [
                    {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"},
                    {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}
            return {"type": kind, "decoders": [self.decoder(depth + 1) for _ in range(g.randint(1, 3))]}
        extra = {
            "Metaspace": self.metaspace,
            "WordPiece": lambda: {"prefix": g.choice(["##", "▁"]), "cleanup": self.maybe()},
            "BPEDecoder": lambda: {"suffix": g.choice(["</w>", "a"])},
            "CTC": lambda: {"pad_token": g.choice(["<pad>", "a"]), "word_delimiter_token": "|", "cleanup": self.maybe()},
            # With stop above 0 the library fails on tokens that are shorter.
            "Strip": lambda: {"content": g.choice([" ", "a", "▁"]), "start": g.randint(0, 2), "stop": 0},
            "Replace": lambda: {"pattern": self.pattern(), "content": g.choice(["", "x", " "])},
        }.get(kind, dict)()
        return {"type": kind, **extra}

    def characters(self, byte_level):
        if byte_level:
            symbols = list(LETTERS.values())
        else:
            symbols = list("abcdefghijklmnopqrstuvwxyzABCH0123456789.,!'▁_-<>/| éß") + list("世界日本語한국мирپא🇯")
        return [symbol for symbol in symbols if self.g.random() < 0.95]

    def grow(self, symbols, prefix, suffix):
        """Tokens and merges, the way training makes them: products of earlier tokens."""
        g = self.g
        tokens = list(symbols)
        if prefix:
            tokens += [prefix + symbol for symbol in symbols]
        if suffix:
            tokens += [token + suffix for token in tokens]
        present, merges = set(tokens), []
        common = [token for token in tokens if token.strip(prefix + suffix) in
                  ("a", "b", "c", "d", "e", "l", "h", "o", "t", "▁", "Ġ", "Ã", "©", "ä", "¸", "Ń", "世", "界", " ", "1")] or tokens
        for _ in range(g.randint(0, 120)):
            left, right = g.choice(common), g.choice(common)
            if suffix and left.endswith(suffix) or prefix and not right.startswith(prefix):
                continue
            product = left + right[len(prefix):]
            if product not in present:
                present.add(product)
                tokens.append(product)
                common.append(product)
            merges.append([left, right])
        return tokens, merges

    def model(self, byte_level):
        g = self.g
        kind = g.choice(["BPE", "BPE", "BPE", "Unigram", "WordPiece", "WordLevel"])
        symbols = self.characters(byte_level)
        byte_tokens = [f"<0x{byte:02X}>" for byte in range(256) if self.maybe(0.999)]
        specials = ["<unk>", "[UNK]"]
        if kind == "BPE":
            prefix = g.choice(["", "", "", "##"])
            suffix = g.choice(["", "", "", "</w>"])
            tokens, merges = self.grow(symbols, prefix, suffix)
            fallback = self.maybe(0.3)
            tokens += [token for token in specials + (byte_tokens if fallback else []) if token not in tokens]
            if self.maybe(0.3):
                merges = [" ".join(pair) for pair in merges if not any(" " in part for part in pair)]
            return {"type": kind, "dropout": None, "unk_token": g.choice([None, "<unk>"] * 5 + ["<none>"]),
                    "continuing_subword_prefix": prefix or None, "end_of_word_suffix": suffix or None,
                    "fuse_unk": self.maybe(), "byte_fallback": fallback, "ignore_merges": self.maybe(0.3),
                    "vocab": {token: i for i, token in enumerate(tokens)}, "merges": merges}
        if kind == "Unigram":
            tokens, _ = self.grow(symbols, "", "")
            fallback = self.maybe(0.4)
            tokens = ["<unk>"] + [token for token in tokens if token != "<unk>"] + (byte_tokens if fallback else [])
            scores = [0.0] + [-g.randint(1, 40) / 4 for _ in tokens[1:]]
            return {"type": kind, "unk_id": g.choice([0] * 15 + [None]), "byte_fallback": fallback,
                    "vocab": [list(pair) for pair in zip(tokens, scores)]}
        prefix = g.choice(["##", "##", "", "▁"]) if kind == "WordPiece" else ""
        tokens, _ = self.grow(symbols, prefix, "")
        tokens = specials + [word for word in WORDS if word not in specials and self.maybe(0.5)] + tokens
        tokens = list(dict.fromkeys(tokens))
        vocab = {token: i for i, token in enumerate(tokens)}
        if kind == "WordPiece":
            return {"type": kind, "unk_token": g.choice(["[UNK]"] * 9 + ["<none>"]), "continuing_subword_prefix": prefix,
                    "max_input_chars_per_word": g.choice([100, 5]), "vocab": vocab}
        return {"type": kind, "unk_token": g.choice(["<unk>"] * 9 + ["<none>"]), "vocab": vocab}

    def added(self, vocab):
        g = self.g
        vocab = vocab if isinstance(vocab, dict) else {pair[0]: i for i, pair in enumerate(vocab)}
        contents = g.sample(["<s>", "</s>", "<pad>", "<tt>", "<t>", "ab", "aba", "café", "Hello", "_-", "ſ", " x ", "[CLS]",
                             "▁the", "ÀB", "lol", "1"], g.randint(0, 6))
        new = [content for content in contents if content not in vocab]
        return [{"id": vocab.get(content, len(vocab) + (new.index(content) if content in new else 0)), "content": content, "single_word": self.maybe(0.2), "lstrip": self.maybe(0.2),
                 "rstrip": self.maybe(0.2), "normalized": self.maybe(0.4), "special": self.maybe()}
                for content in contents]

    def post_processor(self, added):
        g = self.g
        names = [(token["content"], token["id"]) for token in added] or [("a", 0)]
        kind = g.choice([None, "ByteLevel", "BertProcessing", "RobertaProcessing", "TemplateProcessing", "Sequence"])
        if kind is None:
            return None
        if kind == "ByteLevel":
            return {"type": kind, "add_prefix_space": True, "trim_offsets": self.maybe(), "use_regex": True}
        if kind in ("BertProcessing", "RobertaProcessing"):
            pair = {"type": kind, "sep": list(g.choice(names)), "cls": list(g.choice(names))}
            return {**pair, "trim_offsets": True, "add_prefix_space": True} if kind[0] == "R" else pair
        before, after = g.choices(names, k=g.randint(0, 2)), g.choices(names, k=g.randint(0, 2))
        part = lambda name: {"SpecialToken": {"id": name, "type_id": 0}}
        template = {"type": "TemplateProcessing",
                    "single": [*(part(name) for name, _ in before), {"Sequence": {"id": "A", "type_id": 0}},
                               *(part(name) for name, _ in after)],
                    "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                    "special_tokens": {name: {"id": name, "ids": [i], "tokens": [name]} for name, i in before + after}}
        if kind == "TemplateProcessing":
            return template
        return {"type": "Sequence", "processors": [
            {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True}, template]}

    def document(self):
        normalizer = self.normalizer() if self.maybe(0.6) else None
        pre_tokenizer = self.pre_tokenizer() if self.maybe(0.85) else None
        byte_level = '"ByteLevel"' in json.dumps([normalizer, pre_tokenizer])
        model = self.model(byte_level)
        added = self.added(model["vocab"])
        return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": normalizer,
                "pre_tokenizer": pre_tokenizer, "post_processor": self.post_processor(added),
                "decoder": self.decoder() if self.maybe(0.85) else None, "model": model}


def outside(document, tokenizer):
    """What is not compared: added tokens that normalization makes equal, of which the library takes a random one."""
    contents = normalized_contents(document, tokenizer)
    return len(set(contents)) < len(contents)


def normalized_contents(document, tokenizer):
    return [token["content"] if tokenizer.normalizer is None else tokenizer.normalizer.normalize_str(token["content"])
            for token in document["added_tokens"] if token["normalized"]]


def finds_empty(document, tokenizer):
    return "" in normalized_contents(document, tokenizer)


def charsmap_base64():
    import base64
    entries = {"ﬁ": "fi", "Ａ": "A", "é": "e", "e\u0301": "E", "\u200b": "", "a": "a", "ﷺ": "صلى", "\t": " ", "क्": "k",
               "🇯": "J", "\u0301": "'", "\r\n": " ", "世": "world "}
    return base64.b64encode(charsmap(entries)).decode()


CHARSMAP = charsmap_base64()


def run_matrix(comparison, strings, seed, per_file):
    number = 0
    while comparison.strings < strings:
        generator = random.Random(seed * 1_000_003 + number)
        number += 1
        document = Matrix(generator).document()
        try:
            tokenizer = Tokenizer.from_str(json.dumps(document))
        except BaseException:
            continue
        if outside(document, tokenizer):
            continue
        extra = [token["content"] for token in document["added_tokens"]] + list(document["model"]["vocab"])[-60:] \
            if isinstance(document["model"]["vocab"], dict) else [pair[0] for pair in document["model"]["vocab"]][-60:]
        source = Strings(generator, extra, '"Regex"' in json.dumps(document))
        texts = [source.text() for _ in range(per_file)]
        if finds_empty(document, tokenizer):
            # The library cuts between all bytes: inside characters it panics, or takes all memory.
            texts = [text for text in texts if text.isascii()]
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(document, file)
            file.flush()
            name = f"matrix seed {seed} file {number - 1}"
            comparison.run(name, file.name, tokenizer, texts)
            comparison.run_ids(name, file.name, tokenizer, random_ids(generator, tokenizer, per_file // 5))
        if number % 100 == 0:
            print(f"{number} files, {comparison.strings} strings, {comparison.differences} differences", flush=True)


def random_ids(generator, tokenizer, count):
    """Ids of everywhere, some of no token; runs of neighbours, as byte tokens are."""
    size, lists = tokenizer.get_vocab_size(), []
    for _ in range(count):
        ids = []
        for _ in range(generator.randint(0, 8)):
            first = generator.randrange(size + 2)
            ids += range(first, first + (generator.randint(1, 4) if generator.random() < 0.3 else 1))
        lists.append(ids)
    return lists


def run_file(comparison, path, strings, seed):
    tokenizer = Tokenizer.from_file(path)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    added = [token.content for token in tokenizer.get_added_tokens_decoder().values()][:200]
    generator = random.Random(seed)
    words = [tokenizer.decode([i], skip_special_tokens=False)
             for i in generator.choices(range(tokenizer.get_vocab_size()), k=3000)]
    source = Strings(generator, words + added, False)
    for start in range(0, strings, 20_000):
        texts = [source.text() for _ in range(min(20_000, strings - start))]
        comparison.run(path, path, tokenizer, texts)
        comparison.run_ids(path, path, tokenizer, random_ids(generator, tokenizer, len(texts) // 5))
        print(f"{path}: {start + len(texts)} strings, {comparison.differences} differences", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", nargs="+")
    parser.add_argument("--strings", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--per-file", type=int, default=500)
    parser.add_argument("--answers", default=os.path.join(ROOT, "build/release/bin/tokenizer_answers"))
    arguments = parser.parse_args()
    comparison = Comparison(arguments.answers)
    if arguments.what == ["matrix"]:
        run_matrix(comparison, arguments.strings or 1_000_000, arguments.seed, arguments.per_file)
    else:
        for path in arguments.what:
            run_file(comparison, path, arguments.strings or 100_000, arguments.seed)
    return comparison.report()


if __name__ == "__main__":
    sys.exit(main())
