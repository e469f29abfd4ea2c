"""Bytes -> text -> rows of a table, with every row that cannot be read named by its line."""

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from kulanz.intake.decoding import decode, has_damage, readable
from kulanz.intake.problems import Problem, shown
from kulanz.kernel.errors import InputError, NotFoundError

MAX_FILE_BYTES = 100_000_000
MAX_ROWS = 500_000
MAX_COLUMNS = 500
MAX_BROKEN_QUOTES = 200
"""Each one is searched for its end, so a file with more of them is refused."""
DELIMITERS = (";", ",", "\t", "|")
NAMES = {";": "semicolon", ",": "comma", "\t": "tab", "|": "pipe"}
_SAMPLE_LINES = 200
_SAMPLE_CHARACTERS = 200_000


@dataclass(frozen=True, slots=True)
class Table:
    """A file as text: `cells[r][c]` belongs to line `lines[r]` and the column `header[c]`.

    `problems` names the rows that could not be read; they are not among the cells.
    """

    header: tuple[str, ...]
    lines: tuple[int, ...]
    cells: tuple[tuple[str, ...], ...]
    problems: tuple[Problem, ...]
    encoding: str
    delimiter: str
    digest: str
    filename: str


def read_file(path: Path, *, encoding: str = "", delimiter: str = "") -> Table:
    """The table in a file. Raises NotFoundError or InputError with what to do about it."""
    if not path.is_file():
        raise NotFoundError(f"There is no file {path}. Check the name and the folder.")
    size = path.stat().st_size
    if size > MAX_FILE_BYTES:
        raise InputError(
            f"{path.name} has {size:,} bytes; the limit is {MAX_FILE_BYTES:,}. Split it into smaller files."
        )
    try:
        content = path.read_bytes()
    except PermissionError:
        raise InputError(f"{path} may not be read by this user. Change its permissions.") from None
    return read_table(content, filename=path.name, encoding=encoding, delimiter=delimiter)


def read_table(content: bytes, *, filename: str = "", encoding: str = "", delimiter: str = "") -> Table:
    """The table in `content`; encoding and delimiter are found out where they are not given."""
    decoded = decode(content, encoding)
    text = decoded.text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise InputError("The file is empty. It needs a header line and one line per invoice.")
    lines = list(io.StringIO(text, newline="\n"))
    first, hinted = _first_line(lines)
    delimiter = delimiter or hinted or _delimiter(lines[first:])
    records = _records(lines, first, delimiter)
    header_line, cells, problem = next(records)
    header = _header(header_line, cells, problem)
    numbers, rows, problems = _rows(records, len(header), delimiter, decoded.damaged)
    if not rows and not problems:
        raise InputError(f"The file has a header ({', '.join(header[:8])}) but no row below it.")
    return Table(
        header=header,
        lines=tuple(numbers),
        cells=tuple(rows),
        problems=tuple(problems),
        encoding=decoded.encoding,
        delimiter=delimiter,
        digest=hashlib.sha256(content).hexdigest(),
        filename=filename,
    )


def _first_line(lines: Sequence[str]) -> tuple[int, str]:
    """The index of the header, and the delimiter that Excel's `sep=;` line names."""
    first = next(index for index, line in enumerate(lines) if line.strip())
    if lines[first].lower().startswith("sep=") and len(lines[first].rstrip("\n")) == 5:
        if not any(line.strip() for line in lines[first + 1 :]):
            raise InputError("The file is empty. It needs a header line and one line per invoice.")
        return first + 1, lines[first][4]
    return first, ""


def _delimiter(lines: Sequence[str]) -> str:
    """The delimiter by which most rows have as many fields as the header has."""
    sample = [line[:_SAMPLE_CHARACTERS] for line in lines[:_SAMPLE_LINES] if line.strip()]

    def fit(delimiter: str) -> tuple[float, int]:
        try:
            counts = [len(record) for record in csv.reader(sample, delimiter=delimiter) if record]
        except csv.Error:
            counts = [line.count(delimiter) + 1 for line in sample]
        if counts[0] < 2:
            return (0.0, 0)
        return (sum(count == counts[0] for count in counts) / len(counts), counts[0])

    return max(DELIMITERS, key=fit)


Record = tuple[int, list[str], str]


def _records(lines: Sequence[str], first: int, delimiter: str) -> Iterator[Record]:
    """(line, fields, problem) per record; a broken quote costs its own line only, reading goes on after it."""
    start, broken, width = first, 0, 0
    while start < len(lines):
        reader = csv.reader(islice(lines, start, None), delimiter=delimiter, strict=True)
        offset, fault = start, ""
        try:
            for cells in reader:
                end = offset + reader.line_num
                width = width or len(cells)
                if end - start > 1 and len(cells) != width:
                    fault = "a quotation mark is opened here and not closed"
                    break
                yield start + 1, cells, ""
                start = end
        except csv.Error as error:
            fault = _reason(error)
        if not fault:
            return
        broken += 1
        if broken > MAX_BROKEN_QUOTES:
            raise InputError(
                f"More than {MAX_BROKEN_QUOTES} rows have broken quotation marks (the last in row {start + 1}). "
                "Export the file anew with every quotation mark inside a field doubled."
            )
        yield start + 1, [lines[start].rstrip("\n")], fault
        start += 1


def _reason(error: csv.Error) -> str:
    text = str(error)
    if "field larger" in text:
        return f"a field is longer than {csv.field_size_limit():,} characters"
    if "unexpected end" in text:
        return "a quotation mark is opened here and not closed"
    return "text follows a closing quotation mark; double the quotation marks inside a field"


def _header(line: int, cells: list[str], problem: str) -> tuple[str, ...]:
    if problem:
        raise InputError(f"The header (row {line}) cannot be read: {problem}.")
    if len(cells) > MAX_COLUMNS:
        raise InputError(
            f"The header (row {line}) has {len(cells):,} columns; the limit is {MAX_COLUMNS}. "
            "Is the first line really the header, and does each invoice have a line of its own?"
        )
    return tuple(shown(readable(" ".join(cell.split()))) for cell in cells)


def _rows(
    records: Iterator[Record], width: int, delimiter: str, damaged: bool
) -> tuple[list[int], list[tuple[str, ...]], list[Problem]]:
    lines: list[int] = []
    rows: list[tuple[str, ...]] = []
    problems: list[Problem] = []
    for line, cells, fault in records:
        if not any(cells):
            continue
        if len(lines) + len(problems) >= MAX_ROWS:
            raise InputError(f"The file has more than {MAX_ROWS:,} rows. Split it into smaller files.")
        trouble = fault or _trouble(cells, width, delimiter, damaged)
        if trouble:
            problems.append(Problem(line, "", shown(readable(delimiter.join(cells))), trouble))
        else:
            lines.append(line)
            rows.append(tuple(cells[:width]))
    return lines, rows, problems


def _trouble(cells: list[str], width: int, delimiter: str, damaged: bool) -> str:
    """Why a row cannot be used; empty fields beyond the header do no harm."""
    if len(cells) < width or any(cells[width:]):
        return (
            f"the row has {len(cells)} fields, the header has {width}; put fields that contain a "
            f"{NAMES.get(delimiter, delimiter)} in quotation marks"
        )
    if damaged and any(map(has_damage, cells)):
        return "the row has bytes that are not UTF-8; save the file anew as 'CSV UTF-8'"
    return ""


def duplicate_names(header: Sequence[str]) -> dict[str, list[int]]:
    """Column names that stand more than once in a header, with their positions from 1."""
    counts = Counter(header)
    return {
        name: [index + 1 for index, other in enumerate(header) if other == name]
        for name in counts
        if counts[name] > 1
    }
