"""`Bars`: a histogram that only a terminal shows."""

from io import StringIO

from rich.console import Console

from finitewidth.report import Bars, Page, Provenance, Section

BARS = Bars("Shares", [("1 – 2", 3.0), ("2 – 3", 4.0), ("3 – 4", 0.0), ("[b]4[/b]", 0.125)])


def page() -> Page:
    return Page("Title", [], [Section("Part", [BARS, "Text."])], Provenance.now(None))


def test_the_longest_bar_is_as_wide_as_the_terminal() -> None:
    lines = Bars("Shares", BARS.rows[:3]).lines(46)
    assert lines == [f"1 – 2 {'█' * 30}", f"2 – 3 {'█' * 40}", "3 – 4"]
    assert Bars("", BARS.rows).lines(46)[3] == "[b]4[/b] █▏"  # 37 cells for 4: 1.16 of them


def test_a_terminal_shows_it_as_plain_text() -> None:
    out = StringIO()
    Console(file=out, width=46, markup=False).print(page())
    lines = out.getvalue().splitlines()
    assert lines[-6:] == ["Shares", *BARS.lines(46), "Text."]


def test_other_forms_leave_it_out() -> None:
    for text in (page().html(), page()._repr_html_(), page().markdown()):
        assert "Text." in text
        assert "Shares" not in text
        assert "█" not in text
