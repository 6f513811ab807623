#!/usr/bin/env python3
"""Writes unicode_case.inc: what Python's str methods know about letters, as ranges.

Run with the Python whose behaviour is wanted (its unicodedata version is put into the file):
    python3 frontend/chat/make_unicode_case.py > frontend/chat/unicode_case.inc
"""
import sys
import unicodedata

SCALARS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]


def ranges(predicate):
    out, start, previous = [], None, None
    for c in SCALARS + [None]:
        if c is not None and predicate(chr(c)):
            if start is None:
                start = c
            elif c != previous + 1:
                out.append((start, previous))
                start = c
            previous = c
        elif start is not None:
            out.append((start, previous))
            start = None
    return out


def deltas(function):
    """Ranges {first, last, step, delta} of the letters that map to one other letter."""
    out = []
    for c in SCALARS:
        mapped = function(chr(c))
        if len(mapped) != 1 or ord(mapped) == c:
            continue
        delta = ord(mapped) - c
        if out and out[-1][3] == delta:
            first, last, step, _ = out[-1]
            gap = c - last
            if gap <= 2 and (first == last or gap == step):
                out[-1] = (first, c, gap, delta)
                continue
        out.append((c, c, 1, delta))
    return out


def expansions(function):
    return [(c, function(chr(c))) for c in SCALARS if len(function(chr(c))) > 1]


def main():
    print(f"// Made by make_unicode_case.py from Unicode {unicodedata.unidata_version}.")
    print("// clang-format off")
    for name, predicate in (
        ("kPrintable", str.isprintable),
        ("kAlphabetic", str.isalpha),
        ("kDecimal", str.isdecimal),
        ("kDigit", lambda c: c.isdigit() and not c.isdecimal()),
        ("kNumeric", lambda c: c.isnumeric() and not c.isdigit()),
        ("kTitlecase", lambda c: c.istitle() and not c.isupper()),
        ("kIdentifierStart", str.isidentifier),
        ("kIdentifierMark", lambda c: ("a" + c).isidentifier() and not c.isidentifier()),
        ("kUppercase", str.isupper),
        ("kLowercase", str.islower),
    ):
        print(f"constexpr CodeRange {name}[] = {{")
        for first, last in ranges(predicate):
            print(f"  {{0x{first:X}, 0x{last:X}}},")
        print("};")
    for name, function in (("kToUpper", str.upper), ("kToLower", str.lower), ("kToTitle", str.title),
                           ("kToFolded", str.casefold)):
        print(f"constexpr CaseRange {name}[] = {{")
        for first, last, step, delta in deltas(function):
            print(f"  {{0x{first:X}, 0x{last:X}, {step}, {delta}}},")
        print("};")
        print(f"constexpr CaseExpansion {name}Text[] = {{")
        for c, text in expansions(function):
            escaped = "".join(f"\\x{b:02X}" for b in text.encode())
            print(f'  {{0x{c:X}, "{escaped}"}},')
        print("};")
    print("// clang-format on")


if __name__ == "__main__":
    sys.exit(main())
