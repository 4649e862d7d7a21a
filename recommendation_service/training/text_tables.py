"""Tables of text, as every command prints them: aligned columns for a terminal, and Markdown for a document."""

from collections.abc import Container, Sequence

Rows = Sequence[Sequence[str]]  # the first row has the titles of the columns


def aligned(rows: Rows, right: Container[int] = ()) -> list[str]:
    """Return one line per row, with aligned columns. The columns in `right`, counted from 0, are aligned to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = enumerate(zip(row, widths, strict=True))
        padded = [cell.rjust(width) if column in right else cell.ljust(width) for column, (cell, width) in cells]
        lines.append("  ".join(padded).rstrip())
    return lines


def markdown_table(rows: Rows, right: Container[int] = ()) -> str:
    """Return the rows as one Markdown table. The columns in `right`, counted from 0, are aligned to the right."""
    rule = ["---:" if column in right else "---" for column in range(len(rows[0]))]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (rows[0], rule, *rows[1:]))
