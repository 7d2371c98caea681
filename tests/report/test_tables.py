"""What a table shows, in the terminal, as Markdown and as HTML."""

import re
from html import unescape
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

import finitewidth as fw
from finitewidth.report import Column, Table
from finitewidth.report.cells import number
from finitewidth.report.layout import mark

GOOD = fw.Estimate(1.2832, 0.0041, 1000, "dense")
NOTE = "the tail <is> too heavy; use the exact value."
BAD = fw.Estimate(12.83, 0.4, 1000, "dense", trusted=False, note=NOTE)


@pytest.fixture
def table():
    return Table(
        "Dispersion",
        [
            Column("L", meaning="hidden layers"),
            Column("measured", unit="1/n", meaning="over networks"),
            Column("z", places=1),
            "remark",
        ],
        [(1, GOOD, 0.51, "fine"), (32, BAD, None, "deep"), (64, BAD, -12.0, "a|b <i>*x*</i>")],
        "One row per depth.",
    )


def terminal(table: Table, width: int = 100) -> str:
    buffer = StringIO()
    Console(file=buffer, width=width).print(table)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1.0, "1.000"),
        (0.012345, "0.01235"),
        (-9.99996, "-10.00"),
        (123456.7, "123457"),
        (0.0, "0"),
        (2.5e16, "2.500e+16"),
        (1.2e-7, "1.200e-07"),
    ],
)
def test_numbers_keep_four_digits(value, shown):
    assert number(value) == shown


def test_decimals_replace_digits_where_asked():
    assert [number(v, places=1) for v in (0.51, -0.04, 12.0, 0.0)] == ["0.5", "0.0", "12.0", "0.0"]
    assert number(1.28321, digits=2) == "1.3"


def test_marks_go_on_after_z():
    assert [mark(k) for k in (0, 25, 26, 51, 52, 701, 702)] == [
        "a", "z", "aa", "az", "ba", "zz", "aaa",
    ]  # fmt: skip


def test_an_estimate_shows_its_error_and_an_untrusted_one_its_mark(table):
    for text in (terminal(table), table.markdown(), unescape(table.html())):
        assert "1.283(4)" in text
        assert text.count("not trusted: the tail") == 1, "equal notes share one footnote"
    assert re.search(r"32 +12\.8\(4\) \[a\] +–", terminal(table))
    assert re.search(r"1 +1\.283\(4\)  ", terminal(table)), "a trusted one has no mark"
    assert r"12.8(4) \[a\]" in table.markdown()
    assert '<span class="untrusted">12.8(4)</span><sup><a href="#note-a"' in table.html()
    assert "1.283(4)</td>" in table.html()


def test_different_notes_have_marks_of_their_own():
    other = fw.Estimate(1.0, 0.1, 10, "dense", trusted=False, note="another reason.")
    text = Table("T", ["x"], [[BAD], [other], [BAD]]).markdown()
    assert [line[2:-2] for line in text.splitlines()[4:7]] == [
        r"12.8(4) \[a\]", r"1.00(10) \[b\]", r"12.8(4) \[a\]",
    ]  # fmt: skip


def test_numbers_stand_to_the_right_and_text_to_the_left(table):
    assert table.markdown().splitlines()[3] == "| ---: | ---: | ---: | :--- |"
    classes = re.findall(r'<t[hd](?: scope="col")? class="(\w+)"', table.html())
    assert classes == ["number", "number", "number", "text"] * 4
    rows = [line for line in terminal(table).splitlines() if re.match(r" *\d+ ", line)]
    assert [row.index(".") for row in rows] == [rows[0].index("."), *[rows[1].index(".")] * 2]
    ends = [row.index(")") for row in rows]
    assert len(set(ends)) == 1, "digits stay below each other, whatever the marks"


def test_headings_meanings_and_the_caption_are_shown(table):
    for text in (terminal(table), table.markdown(), unescape(table.html())):
        for part in ("measured (1/n)", "hidden layers", "One row per depth.", "Dispersion"):
            assert part in text


def test_html_shows_markup_as_text(table):
    hostile = Table("<t>", [Column("<c>", meaning="<m>")], [["<script>x</script>"]], '<p> & "q"')
    for html in (table.html(), hostile.html()):
        tags = set(re.findall(r"<(\w+)", html))
        assert tags <= {
            "div", "h3", "table", "thead", "tbody", "tr", "th", "td", "p", "dl", "dt", "dd", "ul",
            "li", "b", "span", "sup", "a",
        }  # fmt: skip
    assert "&lt;script&gt;" in hostile.html()


def test_markdown_shows_markup_as_text(table):
    assert r"| a\|b &lt;i&gt;\*x\*&lt;/i&gt; |" in table.markdown()


def test_the_terminal_reads_no_markup_and_loses_no_digit():
    table = Table("[red]T[/red]", ["[bold]name[/bold]"] * 3, [["[i]x[/i]", 1234567.0, GOOD]])
    assert "[red]T[/red]" in terminal(table)
    narrow = terminal(table, width=16)
    assert "…" not in narrow
    assert "No room for: " in " ".join(narrow.split())
    assert "7" not in narrow  # a number that does not fit is left out, never broken
    for width in range(16, 80):
        shown = terminal(table, width=width)
        assert ("1234567" in shown) or ("7" not in shown), width
        assert ("1.283(4)" in shown) or ("1.283" not in shown), width


@pytest.mark.parametrize("width", range(40, 100))
def test_every_number_is_whole_or_its_column_is_named(width):
    names = ["network", "printed", "exact law", "enumeration", "simulated", "z", "z printed"]
    numbers = ["1234567.0", "2345678.0", "3456789.0", "4567890.0", "-5678.9", "-71234.0"]
    columns = [Column(name, digits=8, places=1) for name in names]
    table = Table("T", columns, [["2-3-3-1", *map(float, numbers)]])
    shown, _, missing = terminal(table, width=width).partition("No room for: ")
    left_out = [name.strip() for name in " ".join(missing.split()).rstrip(".").split(",")]
    for name, whole in zip(names[1:], numbers, strict=True):
        assert (whole in shown.split()) != (name in left_out)
    assert max(map(len, shown.splitlines())) <= width


@pytest.mark.parametrize("width", [20, 30, 40, 60, 80, 120])
def test_digits_among_text_are_not_broken_either(width):
    widths = ["1000000-2000000-3000000-4000000", "4-4-4"]
    rows = [
        [widths[0], "sampler", "at 1234567.25 it ends", 3578.0, -0.001258],
        [widths[1], "expansion", "123456789012345678901234", 1.0, GOOD],
    ]
    table = Table("T", ["hidden widths", "method", "remark", "x", "y"], rows)
    whole = {"3578", "1.000", "-0.001258", "1.283(4)", "1234567.25", rows[1][2], *widths}
    shown, _, missing = terminal(table, width=width).partition("No room for: ")
    for token in shown.split():
        assert token in whole or not any(character.isdigit() for character in token), token
    assert ("hidden" in missing) == (width < len(widths[0]))
    assert max(map(len, shown.splitlines())) <= width


def test_footnotes_of_two_tables_do_not_meet(table):
    both = table.html("t1-") + table.html("t2-")
    ids = re.findall(r'id="([^"]+)"', both)
    assert len(ids) == len(set(ids)) == 2
    assert set(re.findall(r'href="#([^"]+)"', both)) == set(ids)


def test_single_entries_of_arrays_and_numpy_numbers_are_numbers():
    one = fw.Estimate(np.array([[1.5]]), np.array([[0.1]]), 10, "dense")
    text = Table("T", ["x", "y", "z"], [[one, np.float64(2.0), np.int64(3)]]).markdown()
    assert "| 1.50(10) | 2.000 | 3 |" in text


@pytest.mark.parametrize(
    ("row", "kind", "says"),
    [
        ([1.0], ValueError, "row 1 is .* expected 2 cells"),
        ("ab", ValueError, "row 1 is 'ab', expected 2 cells"),
        ([1.0, float("nan")], ValueError, "row 1, column 'y' is nan, expected a finite number"),
        ([1.0, True], TypeError, "row 1, column 'y' is True of type bool"),
        ([[1.0], 2.0], TypeError, r"row 1, column 'x' is \[1.0\] of type list"),
        (
            [fw.Estimate(np.ones(2), np.ones(2), 3, "dense"), 2.0],
            ValueError,
            r"row 1, column 'x' is an Estimate of shape \(2,\)",
        ),
    ],
)
def test_a_cell_that_cannot_be_shown_is_named(unchecked, row, kind, says):
    with pytest.raises(kind, match=says):
        Table("T", ["x", "y"], [row])


def test_a_table_has_columns_and_columns_have_names():
    with pytest.raises(ValueError, match="expected at least one Column"):
        Table("T", [], [])
    with pytest.raises(ValueError, match="has no name"):
        Column("")
    with pytest.raises(ValueError, match="digits=0"):
        Column("x", digits=0)
