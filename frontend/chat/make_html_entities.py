#!/usr/bin/env python3
"""Writes html_entities.inc: the names of HTML's character references and the text of each.

    python3 frontend/chat/make_html_entities.py > frontend/chat/html_entities.inc
"""
import html.entities
import sys


def literal(text):
    return "".join(f"\\x{byte:02X}" for byte in text.encode())


def main():
    out = ["// Made by make_html_entities.py from Python's html.entities, sorted by name.",
           "// clang-format off",
           "constexpr Entity kEntities[] = {"]
    for name, text in sorted(html.entities.html5.items()):
        out.append(f'  {{"{name}", "{literal(text)}"}},')
    out.append("};")
    out.append("// clang-format on")
    sys.stdout.write("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
