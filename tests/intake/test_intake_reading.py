"""Files as they arrive: any encoding, any delimiter, and damage that must be named, not guessed away."""

import gzip
from pathlib import Path

import pytest

from kulanz.intake import reading
from kulanz.intake.reading import read_file, read_table
from kulanz.kernel.errors import InputError, NotFoundError

TEXT = "Nummer;Name\n1;Jürgen Groß\n2;Zoë\n"


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("cp1252", "cp1252"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32"),
    ],
)
def test_the_encoding_is_found_and_said(encoding: str, said: str) -> None:
    table = read_table(TEXT.encode(encoding))
    assert table.encoding == said
    assert table.header == ("Nummer", "Name")
    assert table.cells == (("1", "Jürgen Groß"), ("2", "Zoë"))


def test_a_damaged_byte_costs_its_row_and_not_the_other_umlauts() -> None:
    content = "Nummer;Name\n1;Jürgen\n2;Größe\n".encode() + b"3;M\xfcller\n"
    table = read_table(content)
    assert table.encoding == "utf-8"
    assert [row[0] for row in table.cells] == ["1", "2"]
    assert [(problem.row, "UTF-8" in problem.message) for problem in table.problems] == [(4, True)]


def test_the_mapping_can_name_the_encoding() -> None:
    assert read_table(TEXT.encode("cp850"), encoding="cp850").cells[0][1] == "Jürgen Groß"
    with pytest.raises(InputError, match="unknown encoding"):
        read_table(TEXT.encode(), encoding="utf-99")
    with pytest.raises(InputError, match="does not fit"):
        read_table(TEXT.encode("cp1252"), encoding="utf-8")


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_endings(delimiter: str, ending: str) -> None:
    text = ending.join([f"a{delimiter}b", f'1{delimiter}"x{delimiter}y"', f"2{delimiter}z"])
    table = read_table(text.encode())
    assert table.delimiter == delimiter
    assert table.cells == (("1", f"x{delimiter}y"), ("2", "z"))


def test_decimal_commas_do_not_pass_for_delimiters() -> None:
    assert read_table(b"Nr;Betrag;Name\n1;12,50;Muster, A\n2;3,10;Muster, B\n").delimiter == ";"


def test_excels_separator_line() -> None:
    table = read_table(b"sep=;\nNr;Betrag\n1;2,50\n")
    assert (table.header, table.cells, table.lines) == (("Nr", "Betrag"), (("1", "2,50"),), (3,))


def test_blank_lines_are_passed_over_and_rows_keep_their_line_numbers() -> None:
    table = read_table(b"\na;b\n\n1;2\n;\n3;4\n\n")
    assert table.lines == (4, 6)


def test_a_field_over_several_lines() -> None:
    table = read_table(b'a;b\n1;"two\nlines"\n2;x\n')
    assert table.cells == (("1", "two\nlines"), ("2", "x"))
    assert table.lines == (2, 4)


def test_a_quote_that_is_never_closed_costs_its_own_row() -> None:
    table = read_table(b'a;b\n1;x\n2;"y\n3;z\n4;w\n')
    assert [row[0] for row in table.cells] == ["1", "3", "4"]
    assert [(problem.row, "not closed" in problem.message) for problem in table.problems] == [(3, True)]


def test_two_broken_quotes_do_not_swallow_the_rows_between_them() -> None:
    table = read_table(b'a;b\n1;"x\n2;y\n3;z\n4;"w\n5;v\n')
    assert [row[0] for row in table.cells] == ["2", "3", "5"]
    assert [problem.row for problem in table.problems] == [2, 5]


def test_too_many_and_too_few_fields() -> None:
    table = read_table(b"a;b;c\n1;2\n1;2;3\n1;2;3;4\n1;2;3;;\n")
    assert table.lines == (3, 5)
    assert [(p.row, p.message[:22]) for p in table.problems] == [
        (2, "the row has 2 fields, "),
        (4, "the row has 4 fields, "),
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf\r\n \n", "empty"),
        (b"sep=;\n", "empty"),
        (b"a;b\n", "no row below"),
        (b"PK\x03\x04rest", "Excel workbook"),
        (b"%PDF-1.7", "PDF"),
        (gzip.compress(b"a;b"), "gzip"),
        (bytes(range(256)) * 40, "not a text file"),
        (b"a;b\n1;\x00\n", "not a text file"),
        (b"x" * 10_000_000, "longer than"),
        (b"a," * 5_000_000, "columns"),
        (b'"' + b"x" * 10_000_000, "header"),
    ],
    ids=[
        "empty",
        "blank",
        "sep",
        "header",
        "xlsx",
        "pdf",
        "gzip",
        "binary",
        "nul",
        "one field",
        "one line",
        "quote",
    ],
)
def test_files_that_are_no_table_say_what_they_are(content: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        read_table(content)
    assert len(str(caught.value)) < 500


def test_a_ten_megabyte_line_between_good_rows_costs_only_itself() -> None:
    table = read_table(b"a;b\n1;2\n" + b"x" * 10_000_000 + b"\n3;4\n")
    assert table.lines == (2, 4)
    assert [problem.row for problem in table.problems] == [3]
    assert len(table.problems[0].value) <= 60


def test_a_file_full_of_broken_quotes_is_refused() -> None:
    with pytest.raises(InputError, match="broken quotation marks"):
        read_table(b"a;b\n" + b'1;"x"y\n' * (reading.MAX_BROKEN_QUOTES + 1))


def test_a_missing_file_and_one_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotFoundError, match=r"nothing\.csv"):
        read_file(tmp_path / "nothing.csv")
    path = tmp_path / "large.csv"
    path.write_bytes(b"a;b\n1;2\n")
    monkeypatch.setattr(reading, "MAX_FILE_BYTES", 7)
    with pytest.raises(InputError, match="limit is 7"):
        read_file(path)


def test_too_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_ROWS", 2)
    with pytest.raises(InputError, match="more than 2 rows"):
        read_table(b"a;b\n1;2\n3;4\n5;6\n")
