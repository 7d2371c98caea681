"""Tables that sort: rows by a column here, and by a click in a browser."""

import re
import shutil
import subprocess

import pytest

import finitewidth as fw
from finitewidth.report import Column, Page, Provenance, Section, Table

TABLE = Table(
    "T",
    ["name", Column("K", unit="1"), "n"],
    [
        ["b10", fw.Estimate(-2.0, 0.1, 9, "dense"), 3],
        ["b9", fw.Estimate(1.2e16, 3e15, 9, "dense"), None],
        ["a", None, -1],
        ["c", fw.Estimate(5.0, 0.3, 9, "dense", trusted=False, note="tails."), 20],
    ],
)
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")


def names(table: Table) -> list:
    return [row[0] for row in table.rows]


def test_rows_are_sorted_by_value_and_empty_cells_come_last() -> None:
    assert names(TABLE.sorted("K")) == ["b10", "c", "b9", "a"]
    assert names(TABLE.sorted("K", descending=True)) == ["b9", "c", "b10", "a"]
    assert names(TABLE.sorted("n", descending=True)) == ["c", "b10", "a", "b9"]
    assert names(TABLE.sorted("name")) == ["a", "b10", "b9", "c"]
    assert names(TABLE) == ["b10", "b9", "a", "c"]


def test_what_has_no_order_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no column 'L' in 'T', expected one of name, K"):
        TABLE.sorted("L")
    mixed = Table("M", ["x"], [[1.0], ["one"]])
    with pytest.raises(ValueError, match="holds numbers and text"):
        mixed.sorted("x")


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on PATH: tables are not clicked")
@pytest.mark.parametrize(
    ("clicks", "order"),
    [
        ([], ["b10", "b9", "a", "c"]),
        ([0], ["a", "b9", "b10", "c"]),
        ([1], ["b10", "c", "b9", "a"]),
        ([1, 1], ["b9", "c", "b10", "a"]),
        ([1, 2], ["a", "b10", "c", "b9"]),
    ],
    ids=str,
)
def test_a_click_on_a_heading_sorts(tmp_path, clicks, order) -> None:
    page = Page("T", [], [Section("S", [TABLE])], Provenance(None, "1", "1", "1", "now"))
    click = "".join(
        f"document.querySelectorAll('th button')[{column}].click();" for column in clicks
    )
    # A second script is not allowed by the page's own policy, which is left out here.
    html = re.sub(r"<meta http-equiv[^>]*>", "", page.html())
    file = tmp_path / "page.html"
    file.write_text(html.replace("</body>", f"<script>{click}</script></body>"), encoding="utf-8")
    assert cells(file) == order


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on PATH: tables are not clicked")
def test_the_policy_lets_the_script_run(tmp_path) -> None:
    page = Page("T", [], [Section("S", [TABLE])], Provenance(None, "1", "1", "1", "now"))
    file = tmp_path / "page.html"
    page.html(file)
    assert "<button" in shown(file)
    foreign = file.read_text(encoding="utf-8").replace(
        "</body>", "<script>document.title = 'X'</script></body>"
    )
    file.write_text(foreign, encoding="utf-8")
    assert "<title>T</title>" in shown(file)


def shown(file) -> str:
    """The document as it is after its scripts have run."""
    assert BROWSER is not None
    done = subprocess.run(
        [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={file.parent}",
         "--dump-dom", file.as_uri()],
        check=True, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    return done.stdout


def cells(file) -> list[str]:
    """The first cell of every row."""
    return re.findall(r'<tr><td class="text">([^<]*)</td>', shown(file))
