#!/usr/bin/env python3
"""Asks Hugging Face's tokenizers what they make of many strings, for tokenizer_golden_test.

    make_golden.py smollm2 SMOLLM2.gguf OUT.json        needs tokenizers, gguf
    make_golden.py gpt-2 GPT2.gguf OUT.json
    make_golden.py FILE/tokenizer.json OUT.json

Most strings are not stored: the test makes the same ones from the same seed (see `Fuzz`; the C++ twin is
tests/unit/common/text/tokenizer_fuzz.h) and compares one hash per group of strings.
"""
import argparse
import json
import sys

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

SEED, COUNT, GROUP = 20260601, 100_000, 100
MASK = (1 << 64) - 1

WORDS = """the of and a to in is you that it he was for on are as with his they I at be this have from or
one had by word but not what all were we when your can said there use an each which she do how their if
will up other about out many then them these so some her would make like him into time has look two more
write go see number no way could people my than first water been call who oil its now find long down day
did get come made may part Hello World HTTP iPhone NASA tokenization antidisestablishmentarianism naïve
café Zürich straße façade año Łódź Ελληνικά Привет мир שלום مرحبا नमस्ते สวัสดี 안녕하세요 こんにちは 世界 你好
return def class import std::vector printf nullptr self.x == != -> // /* */ {} [] () <T> #include
https://example.com/a?b=c&d=1 user@example.org 3.14159 1e-9 0xFF v1.2.3 $5.00 100% C++ don't I'm we'll
they've you're he'd it's I'LL DON'T SHE'S o'clock rock'n'roll""".split()
SPACES = [" ", "  ", "   ", "    ", "\t", "\n", "\r\n", "\n\n", " \n", "\n ", "\r", "\v", "\f", "\u00a0",
          "\u0085", "\u1680", "\u2003", "\u2009", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000",
          "\u200b", "\u180e", "\ufeff"]
PUNCTUATION = list(".,;:!?'\"`~@#$%^&*()-_=+[]{}<>/\\|") + list("…—–“”‘’«»¡¿§¶•†‡°±×÷€£¥©®™、。「」，！？")
CONTRACTIONS = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'S", "'T", "'RE", "'Ve", "'M", "'lL", "'D",
                "'\u017f", "'", "''", "'r", "'l", "'v", "'x", "\u2019s"]
# First code point and size of blocks, besides uniformly random code points.
BLOCKS = [[0x20, 95], [0xA0, 96], [0x100, 256], [0x300, 112], [0x370, 144], [0x400, 256], [0x590, 112],
          [0x600, 256], [0x900, 128], [0xE00, 128], [0x1100, 256], [0x1E00, 256], [0x2000, 112],
          [0x2070, 160], [0x2100, 256], [0x2460, 160], [0x2600, 256], [0x3040, 192], [0x4E00, 20902],
          [0xAC00, 11172], [0xFB00, 80], [0xFF00, 240], [0x10400, 80], [0x1D400, 1024], [0x1F300, 768],
          [0x1F900, 256], [0x20000, 42720], [0xE0000, 128], [0x0, 32], [0x660, 10], [0x966, 10],
          [0x2150, 64], [0x3200, 256], [0x16FF0, 16], [0x11DE0, 16]]


class Fuzz:
    """The strings, by number. Every choice is `next() % n` of a splitmix64 that starts at seed + number."""

    def __init__(self, number, specials, token_text, vocab_size):
        self.state = (SEED + number * 0x9E3779B97F4A7C15) & MASK
        self.specials, self.token_text, self.vocab_size = specials, token_text, vocab_size

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def below(self, n):
        return self.next() % n

    def pick(self, items):
        return items[self.below(len(items))]

    def code_point(self, code):
        return chr(0xFFFD if 0xD800 <= code < 0xE000 else code)

    def from_block(self):
        first, size = self.pick(BLOCKS)
        return self.code_point(first + self.below(size))

    def fragment(self):
        kind = self.below(16)
        if kind < 4:
            return (" " if self.below(2) else "") + self.pick(WORDS)
        if kind == 4:
            return "".join(str(self.below(10)) for _ in range(1 + self.below(6)))
        if kind == 5:
            return "".join(self.pick(SPACES) for _ in range(1 + self.below(4)))
        if kind == 6:
            return "".join(self.pick(PUNCTUATION) for _ in range(1 + self.below(4)))
        if kind == 7:
            return self.pick(WORDS) + self.pick(CONTRACTIONS)
        if kind == 8:
            return self.from_block()
        if kind == 9:
            first, size = self.pick(BLOCKS)
            return "".join(self.code_point(first + self.below(size)) for _ in range(1 + self.below(6)))
        if kind == 10:
            return self.from_block() + "".join(chr(0x300 + self.below(0x70)) for _ in range(1 + self.below(3)))
        if kind == 11:
            return self.pick(self.specials)
        if kind == 12:
            return self.token_text(self.below(self.vocab_size))
        if kind == 13:
            return self.from_block() * (1 + self.below(40))
        if kind == 14:
            return "".join(chr(0x20 + self.below(95)) for _ in range(1 + self.below(8)))
        return self.code_point(self.below(0x110000))

    def text(self):
        return "".join(self.fragment() for _ in range(1 + self.below(12)))


def explicit_cases(specials):
    """Strings worth reading in a failure."""
    yield from ["", " ", "  ", "   ", "\n", "\n\n", " \n ", "\t\t", "\r\n", "a", " a", "a ", "  a  b  "]
    yield from WORDS
    yield from SPACES
    yield from CONTRACTIONS
    yield from ["123456789", " 1 22 333 4444", "3.14", "１２３", "²³¹¼½¾", "٣٤٥", "ⅷⅸ", "㉠㊿", "𝟘𝟙"]
    yield from ["a" * 300, " " * 300, "\n" * 300, "ab" * 200, "1" * 300, "日" * 200, "é" * 200, "=" * 300]
    yield from ["👩‍👩‍👧‍👦", "🇯🇵🇫🇷", "👍🏽", "e\u0301", "\u0301e", "Z̸͈̈́a̷̰͆l̶̨̿g̸̣̐o̵̪̎", "각", "ᄀ" "ᅡ" "ᆨ", "ﬁﬂ"]
    yield from ["a\u200db", "a\u200cb", "\ufeffabc", "\ufffd", "\x00", "a\x00b", "\x7f", "\u0085x"]
    for special in specials:
        yield from [special, special + special, f"a{special}b", f" {special} ", special[:-1], special[1:],
                    f"<{special}>"]
    yield "<|im_start|>user\nHello there, how are you?<|im_end|>\n<|im_start|>assistant\n"
    yield "def f(x):\n    if x > 10:\n        return x ** 2\n\n    return None\n"
    yield "The quick brown fox jumps over the lazy dog. " * 20
    yield "我能吞下玻璃而不伤身体。私はガラスを食べられます。それは私を傷つけません。나는 유리를 먹을 수 있어요."


def gguf_tokenizer(kind, path):
    """The tokenizer.json of the original model, with vocabulary and merges from the GGUF file."""
    from gguf import GGUFReader
    fields = GGUFReader(path).fields
    strings = lambda key: [bytes(fields[key].parts[i]).decode() for i in fields[key].data]
    tokens, merges = strings("tokenizer.ggml.tokens"), strings("tokenizer.ggml.merges")
    types = [int(fields["tokenizer.ggml.token_type"].parts[i][0])
             for i in fields["tokenizer.ggml.token_type"].data]
    tokenizer = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(tokens)},
                                     merges=[tuple(merge.split(" ")) for merge in merges]))
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.pre_tokenizer = {
        "gpt-2": byte_level,
        "smollm2": pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level]),
    }[kind]
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False)
                                  for token, type_ in zip(tokens, types) if type_ == 3])
    return tokenizer


class Hash:
    """FNV-1a, 64 bits."""

    def __init__(self):
        self.value = 0xCBF29CE484222325

    def add(self, data):
        for byte in data:
            self.value = ((self.value ^ byte) * 0x100000001B3) & MASK


def answer(tokenizer, text):
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    return ids, tokenizer.decode(ids, skip_special_tokens=False), tokenizer.decode(ids)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("source", nargs="+")
    parser.add_argument("--count", type=int, default=COUNT)
    arguments = parser.parse_args()
    *source, out = arguments.source
    tokenizer = gguf_tokenizer(*source) if len(source) == 2 else Tokenizer.from_file(source[0])
    added = tokenizer.get_added_tokens_decoder()
    specials = [added[i].content for i in sorted(added)][:24]
    size = tokenizer.get_vocab_size()
    decoded = {}

    def token_text(token):
        if token not in decoded:
            decoded[token] = tokenizer.decode([token], skip_special_tokens=False)
        return decoded[token]

    hashes = []
    for start in range(0, arguments.count, GROUP):
        group = Hash()
        for number in range(start, start + GROUP):
            ids, kept, skipped = answer(tokenizer, Fuzz(number, specials, token_text, size).text())
            for token in ids:
                group.add(token.to_bytes(4, "little"))
            group.add(kept.encode() + b"\0" + skipped.encode() + b"\0")
        hashes.append(f"{group.value:016x}")
        if start % 10_000 == 0:
            print(start, file=sys.stderr)
    cases = []
    for text in dict.fromkeys(explicit_cases(specials)):
        ids, kept, skipped = answer(tokenizer, text)
        case = {"text": text, "ids": ids}
        if kept != text:
            case["kept"] = kept
        if skipped != kept:
            case["skipped"] = skipped
        cases.append(case)
    golden = {"seed": SEED, "group": GROUP, "vocab_size": size, "words": WORDS, "spaces": SPACES,
              "punctuation": PUNCTUATION, "contractions": CONTRACTIONS, "blocks": BLOCKS,
              "specials": specials, "cases": cases, "hashes": hashes}
    with open(out, "w") as file:
        json.dump(golden, file, ensure_ascii=True, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
