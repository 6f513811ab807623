#!/usr/bin/env python3
"""Writes the tables whose source is the reference tokenizer itself: reference_properties.inc,
compatibility.inc, lowercase.inc, scripts.inc and grapheme_breaks.inc, beside this script.

    pip install tokenizers==0.23.3 regex==2026.11.15 && python3 generate_reference_tables.py

Its parts come from libraries of different Unicode levels (normalization from before 12, punctuation and
controls from 7, lower case from 17, graphemes from 16). So instead of guessing levels, every code point is
shown to the component that uses the property.
"""
import pathlib

import regex
from tokenizers import normalizers, pre_tokenizers

CODES = [code for code in range(0x110000) if not 0xD800 <= code < 0xE000]
HANGUL = range(0xAC00, 0xD7A4)
CONTROL, NONSPACING, MARK, PUNCTUATION, NFD, NFKD, WORD = (1 << bit for bit in range(7))
BREAKS = ["Other", "CR", "LF", "Control", "Extend", "Linker", "PlainExtend", "ZWJ", "Regional_Indicator",
          "Prepend", "SpacingMark", "L", "V", "T", "Pictographic", "Consonant"]


def rewritten(normalizer, before="", after=""):
    """What becomes of each code point."""
    return {code: normalizer.normalize_str(before + chr(code) + after) for code in CODES}


def is_cut(pre_tokenizer, code):
    return len(pre_tokenizer.pre_tokenize_str("a" + chr(code) + "a")) == 3


def bert(**on):
    options = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    return normalizers.BertNormalizer(**{**options, **on})


def properties():
    nfd, nfkd = rewritten(normalizers.NFD()), rewritten(normalizers.NFKD())
    cleaned, unaccented = rewritten(bert(clean_text=True)), rewritten(bert(strip_accents=True))
    unmarked = rewritten(normalizers.StripAccents())
    punctuation, words = pre_tokenizers.Punctuation(), pre_tokenizers.Whitespace()
    # A mark that NFD moves: it trades places with one of a class that all others lie beside.
    low, high = "\u0334", "\u0345"
    result = {}
    for code in CODES:
        character = chr(code)
        moves = any(normalizers.NFD().normalize_str("a" + pair) != "a" + pair
                    for pair in (high + character, character + low)) if unmarked[code] == "" else False
        value = (CONTROL if cleaned[code] == "" else 0)
        value |= NONSPACING if unaccented[code] == "" else 0
        value |= MARK if unmarked[code] == "" else 0
        value |= PUNCTUATION if is_cut(punctuation, code) else 0
        value |= NFD if nfd[code] != character or moves else 0
        value |= NFKD if nfkd[code] != character or moves else 0
        value |= WORD if len(words.pre_tokenize_str("a" + character + "a")) == 1 else 0
        result[code] = value
    compatibility = {code: nfkd[code] for code in CODES if nfkd[code] != nfd[code] and code not in HANGUL}
    return result, compatibility


def scripts():
    """A number for each script; 0 joins its neighbours."""
    split = pre_tokenizers.UnicodeScripts()
    cut = lambda one, two: len(split.pre_tokenize_str(chr(one) + chr(two))) == 2
    representatives, result, last = [], {}, None
    for code in CODES:
        if not split.pre_tokenize_str(chr(code)):
            result[code] = 0
            continue
        if last is not None and not cut(last, code):
            result[code] = result[last]
        else:
            for number, representative in enumerate(representatives, 1):
                if not cut(representative, code):
                    result[code] = number
                    break
            else:
                representatives.append(code)
                result[code] = len(representatives)
        last = code
    return result


def charsmap_of_a():
    """A precompiled map that turns "a", and the grapheme cluster that it begins, into "X"."""
    units = [0] * 256
    units[97] = 97 | 1 << 8 | 1 << 10
    units[96] = 1 << 31
    return (1024).to_bytes(4, "little") + b"".join(unit.to_bytes(4, "little") for unit in units) + b"X\0"


def grapheme_breaks():
    names = {name: set(map(ord, regex.findall(rf"\p{{GCB={name}}}", "".join(map(chr, CODES)))))
             for name in ["CR", "LF", "Control", "Extend", "ZWJ", "Regional_Indicator", "Prepend",
                          "SpacingMark", "L", "V", "T"]}
    text = "".join(map(chr, CODES))
    pictographic = set(map(ord, regex.findall(r"\p{Extended_Pictographic}", text)))
    conjunct = {name: set(map(ord, regex.findall(rf"\p{{InCB={name}}}", text)))
                for name in ["Linker", "Consonant", "Extend"]}
    joins = normalizers.Precompiled(charsmap_of_a())
    joined = {code for code in CODES if joins.normalize_str("a" + chr(code)) == "X"}
    claimed = names["Extend"] | names["ZWJ"] | names["SpacingMark"]
    result, different = {}, joined ^ claimed
    for code in CODES:
        name = next((name for name, codes in names.items() if code in codes), "Other")
        if name == "Extend":
            name = ("Linker" if code in conjunct["Linker"] else
                    "Extend" if code in conjunct["Extend"] else "PlainExtend")
        elif name == "Other" and code in pictographic:
            name = "Pictographic"
        elif name == "Other" and code in conjunct["Consonant"]:
            name = "Consonant"
        if code in different:
            name = "Other" if code in claimed else "Extend"
        result[code] = BREAKS.index(name)
    print(f"graphemes: {len(different)} code points joined otherwise than the library says")
    return result


def runs(values):
    last = None
    for code in range(0x110000):
        value = values.get(code, values[0xFFFD])
        if value != last:
            yield f"{code << 8 | value:#x}"
            last = value


def write(name, comment, items):
    lines, line = ["// Generated by generate_reference_tables.py; do not edit.", "// " + comment], ""
    for item in items:
        if len(line) + len(item) + 2 > 100:
            lines.append(line.rstrip())
            line = ""
        line += item + ", "
    pathlib.Path(__file__).with_name(name).write_text("\n".join([*lines, line.rstrip()]) + "\n")


def mapped(mapping):
    """Code point, length, its code points."""
    for code, text in sorted(mapping.items()):
        yield from [f"{code:#x}", str(len(text)), *(f"{ord(c):#x}" for c in text)]


def main():
    lower = {code: text for code, text in rewritten(normalizers.Lowercase()).items() if text != chr(code)}
    assert all(len(text) <= 2 for text in lower.values())
    values, compatibility = properties()
    write("reference_properties.inc", "first code point << 8 | properties, for each run", runs(values))
    write("compatibility.inc", "code point, length, its full NFKD where it is not its NFD",
          mapped(compatibility))
    write("lowercase.inc", "code point, length, its lower case", mapped(lower))
    write("scripts.inc", "first code point << 8 | script, for each run", runs(scripts()))
    write("grapheme_breaks.inc", "first code point << 8 | class, for each run", runs(grapheme_breaks()))


if __name__ == "__main__":
    main()
