#!/usr/bin/env python3
"""Writes unicode-table.txt: what normalisation needs to know, in the version of Unicode that this Python has.

A line is one of
  C0=41 300      a canonical decomposition, one step of it, which composition makes undone
  340!300        a canonical decomposition that composition leaves (exclusions and singletons)
  A0~20          a compatibility decomposition
  300-314:230    the combining class of a range
Hangul syllables are left out: they are computed.
"""
import os
import sys
import unicodedata

lines = [f"# Unicode {unicodedata.unidata_version}"]
for code in range(sys.maxunicode + 1):
    parts = unicodedata.decomposition(chr(code)).split()
    if not parts or 0xAC00 <= code < 0xD7A4:
        continue
    if parts[0].startswith("<"):
        sign, parts = "~", parts[1:]
    else:
        whole = unicodedata.normalize("NFD", chr(code))
        sign = "=" if unicodedata.normalize("NFC", whole) == chr(code) else "!"
    lines.append(f"{code:X}{sign}" + " ".join(f"{int(part, 16):X}" for part in parts))

start = 0
while start <= sys.maxunicode:
    kind = unicodedata.combining(chr(start))
    end = start
    while end < sys.maxunicode and unicodedata.combining(chr(end + 1)) == kind:
        end += 1
    if kind:
        lines.append(f"{start:X}-{end:X}:{kind}")
    start = end + 1

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "unicode-table.txt"), "w", encoding="ascii", newline="\n") as table:
    table.write("\n".join(lines) + "\n")
