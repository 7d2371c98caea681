"""A page as Markdown with its figures beside it."""

import pytest

from finitewidth.report import Curve, Page, Panels, Plot, Provenance, Section, Table, markdown

PLOT = Plot("Loss [a]", "It falls.", "step", "loss", [Curve("c", [0, 1], [2.0, 1.0])])
PAGE = Page(
    "Title *bold*",
    ["A lead."],
    [
        Section("One", ["Text with a_b.", Table("T", ["x"], [[1.5]])]),
        Section("Two", [PLOT, Panels("Both", "Two of them.", [PLOT, PLOT])]),
    ],
    Provenance(7, "1.2.3", "3.11.7", "2.1.0", "2020-04-26 12:00 UTC", {"data": "d"}),
)


@pytest.mark.parametrize("figures", [".svg", ".png"])
def test_everything_of_the_page_is_there_in_its_order(tmp_path, figures) -> None:
    written = markdown.write(PAGE, tmp_path / "my page.md", figures)
    names = ["my page.md", f"my page-1{figures}", f"my page-2{figures}"]
    assert written == [tmp_path / name for name in names]
    assert {file.name for file in tmp_path.iterdir()} == set(names)
    text = written[0].read_text(encoding="utf-8")
    order = [
        r"# Title \*bold\*", "A lead.", "## One", r"a\_b", "| 1.500 |", "## Two",
        rf"![Loss \[a\]](my%20page-1{figures})", "It falls.", f"![Both](my%20page-2{figures})",
        "Two of them.", "\n---\n", "seed: 7", "data: d",
    ]  # fmt: skip
    places = [text.find(one) for one in order]
    assert -1 not in places
    assert places == sorted(places)
    assert written[1].read_bytes() == PLOT.save(tmp_path / f"again{figures}").read_bytes()


def test_what_cannot_be_written_is_refused(tmp_path) -> None:
    with pytest.raises(ValueError, match=r"expected a name ending in \.md"):
        markdown.write(PAGE, tmp_path / "a.html")
    with pytest.raises(ValueError, match=r"figures is '.pdf', expected .png or .svg"):
        markdown.write(PAGE, tmp_path / "a.md", ".pdf")
    with pytest.raises(ValueError, match="but there is no folder"):
        markdown.write(PAGE, tmp_path / "no" / "a.md")
