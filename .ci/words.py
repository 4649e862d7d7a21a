#!/usr/bin/env python3
"""Fail if identifiers or documents use private vocabulary instead of the terms in docs/concepts.md.

Usage: words.py [ROOT]. Counts private words per 1,000 identifiers of Python files (without tests and migrations), and the
percentage of sentences in Markdown files that match a pattern of SENTENCES. Exit status 1 above a limit.
"""

import io
import keyword
import pathlib
import re
import subprocess
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator

MAX_PER_1000_IDENTIFIERS = 4.0  # may only go down
MAX_PERCENT_OF_SENTENCES = 3.0

IDENTIFIERS = frozenset(
    re.findall(
        r"\w+",
        "told said says tell telling found one own there here thing things kept keep place places word words moment turn "
        "deed deeds doors way ways met heard silent asked past pasts worth led strangers held",
    )
)
SENTENCES = re.compile(
    r"\b(?:is|are|was|be|being) told\b|\btold (?:in|by|with|at|from)\b|\btells (?:so|what|which|such|of)\b|\bforetell\w*"
    r"|\bdoors?\b|\bdeeds?\b|\bby lot\b|\bof lots\b|\blots and\b|\banew\b|\b[Ww]hoever\b|\bwhom\b"
    r"|\b(?:[Ss]ome|[Aa]ny|[Nn]o|[Ee]very)body\b|\bcame of\b|\bsays? so\b|\bsa(?:ys?|id) of\b|\bspeaks\b|\ba past\b"
    r"|\bpasts\b|\blong(?:est)? past\b|\b(?:their|its) past\b|\bstated\b|\bstands?\b|\bstanding\b|\bbe had\b|\bis had\b"
    r"|\bgoes? on\b|\bgo(?:es)? by\b|\bso many\b"
)


def tracked(root: pathlib.Path, pattern: str) -> list[str]:
    """Return the committed files that match the pattern."""
    listed = subprocess.run(["git", "ls-files", pattern], cwd=root, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.splitlines() if (root / name).is_file()]


def names_of(root: pathlib.Path, file: str) -> Iterator[str]:
    """Yield every identifier of one Python file."""
    for token in tokenize.generate_tokens(io.StringIO((root / file).read_text()).readline):
        if token.type == tokenize.NAME and not keyword.iskeyword(token.string):
            yield token.string


def private_identifiers(root: pathlib.Path) -> tuple[float, Counter[str]]:
    """Return private words per 1,000 identifiers, and their number in each file."""
    total, hits = 0, Counter[str]()
    for file in tracked(root, "*.py"):
        if "/tests/" in f"/{file}" or "/migrations/" in file or pathlib.Path(file).name == "conftest.py":
            continue
        for name in names_of(root, file):
            total += 1
            hits[file] += sum(word in IDENTIFIERS for word in re.findall(r"[a-z]+", name.lower()))
    return 1000 * hits.total() / max(total, 1), hits


def private_sentences(root: pathlib.Path) -> tuple[float, Counter[str]]:
    """Return the percentage of sentences with private words, and their number in each document."""
    total, hits = 0, Counter[str]()
    for file in tracked(root, "*.md"):
        if "acceptance" in file:
            continue
        text = re.sub(r"```.*?```", "", (root / file).read_text(), flags=re.DOTALL)
        for paragraph in re.split(r"\n\s*\n|\n\||\n- |\n\d+\. ", text):
            for sentence in re.split(r"(?<=[.!?])\s+", re.sub(r"\s+", " ", paragraph)):
                if len(sentence.split()) >= 5:
                    total += 1
                    hits[file] += bool(SENTENCES.search(sentence))
    return 100 * hits.total() / max(total, 1), hits


def main() -> int:
    """Print both measures; return 1 if one is above its limit."""
    root, failed = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "."), False
    for (value, hits), limit, unit in (
        (private_identifiers(root), MAX_PER_1000_IDENTIFIERS, "private words per 1,000 identifiers"),
        (private_sentences(root), MAX_PERCENT_OF_SENTENCES, "% of sentences with private words"),
    ):
        failed |= value > limit
        worst = ", ".join(f"{file} ({count})" for file, count in hits.most_common(5) if count)
        sys.stdout.write(f"{value:.1f} {unit}; at most {limit}. Most in: {worst}\n")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
