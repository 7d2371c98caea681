"""One file that needs nothing else."""

import base64
import hashlib
import re
import sys
from html.parser import HTMLParser

import pytest

import finitewidth as fw
from finitewidth.report import Curve, Page, Plot, Points, Provenance, Section, Table

BAD = fw.Estimate(12.83, 0.4, 1000, "dense", trusted=False, note="tails.")
PROVENANCE = Provenance(7, "1.2.3", "3.11.7", "2.1.0", "2020-04-26 12:00 UTC", {"data": "<d>"})


def plot(title="Figure", sentence="It grows.") -> Plot:
    series = [Curve("theory", [1, 2], [1.0, 2.0]), Points("networks", [1, 2], [1, 2], [0.1, 0.2])]
    return Plot(title, sentence, "x", "y", series)


def page(sections: int = 2) -> Page:
    blocks = ["Text.", Table("T", ["x"], [[BAD]]), plot(), plot("Second", "It falls, a < b.")]
    return Page(
        "Title <b>",
        ["A lead & more <script>alert(1)</script>."],
        [Section(f"Part {k}", blocks) for k in range(1, sections + 1)],
        PROVENANCE,
    )


@pytest.fixture(scope="module")
def html() -> str:
    return page().html()


class Reader(HTMLParser):
    """Collects tags with their attributes, and checks that elements are closed in order."""

    VOID = frozenset(("meta", "br", "hr", "img", "input", "link"))

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def fetches(html: str) -> list[str]:
    """Everything in a page that a browser would fetch."""
    found = re.findall(r"url\((?!#)[^)]*\)|@import[^;]*", html)
    for tag, attributes in Reader(html).tags:
        if tag in ("link", "iframe", "object", "embed", "base"):
            found.append(tag)
        for name in ("src", "srcset", "data", "poster", "href", "xlink:href"):
            value = attributes.get(name)
            if value is not None and not (value.startswith("#") and name.endswith("href")):
                found.append(f"{tag} {name}={value}")
    return found


def scripts(html: str) -> list[str]:
    """Scripts that the page does not name by their hash, and would therefore not be run."""
    allowed = set(re.findall(r"script-src '(sha256-[^']+)'", html))
    found = re.findall(r"<script[^>]*>(.*?)</script>", html, re.DOTALL)
    hashes = [
        f"sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}"
        for one in found
    ]
    return [one for one, digest in zip(found, hashes, strict=True) if digest not in allowed]


def test_the_one_script_is_named_by_its_hash(html):
    assert html.count("<script") == 1
    assert scripts(html) == []
    assert scripts(html.replace("</main>", "<script>1</script></main>")) == ["1"]
    assert "'unsafe-inline'; script-src 'sha256-" in html


def test_nothing_is_fetched(html):
    assert fetches(html) == []
    assert "http://" not in html
    assert "https://" not in html
    assert "default-src 'none'" in html, "and a browser is told not to"


@pytest.mark.parametrize(
    "extra",
    [
        '<script src="a.js"></script>', '<link href="a.css">',
        '<img src="a.png">', '<a href="https://example.org">a</a>', "<p>@import 'a.css';</p>",
        '<p style="background: url(a.png)"></p>',
    ],
)  # fmt: skip
def test_a_fetch_would_be_noticed(html, extra):
    assert fetches(html.replace("</main>", extra + "</main>"))


def test_ids_are_unique_and_every_reference_has_its_target(html):
    reader = Reader(html)
    assert reader.open == []
    ids = [attributes["id"] for _, attributes in reader.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = set(re.findall(r'href="#([^"]+)"', html)) | set(re.findall(r"url\(#([^)]+)\)", html))
    assert targets <= set(ids)
    assert sum(tag == "svg" for tag, _ in reader.tags) == 4


def test_text_is_escaped(html):
    assert "A lead &amp; more &lt;script&gt;" in html
    assert "<title>Title &lt;b&gt;</title>" in html
    assert "a\u00a0&lt;\u00a0b" in html
    assert "&lt;d&gt;" in html


def test_formulas_do_not_break_and_long_words_may():
    from finitewidth.report.html import tied

    assert str(tied("at L = 1, E K is |x|² now")) == (
        'at <span class="tied">L\u00a0=\u00a01,</span> <span class="tied">E\u00a0K</span> is '
        '<span class="tied">|x|²</span> now'
    )
    assert "tied" not in tied("ä" * 25)


def test_every_figure_stands_with_its_sentence(html):
    figures = re.findall(r"<figure>.*?</figure>", html, re.DOTALL)
    assert len(figures) == 4
    for figure, sentence in zip(figures, ["It grows.", "It falls"] * 2, strict=True):
        assert figure.count("<svg") == 1
        assert sentence in figure


def test_wide_tables_scroll_in_their_box(html):
    assert html.count('<div class="scroll"') == html.count("<table>") == 2
    assert re.search(r"\.scroll \{[^}]*overflow-x: auto", html)


def test_contents_appear_with_many_sections():
    def of(sections: int) -> str:
        return Page("T", [], [Section("S", ["Text."])] * sections, PROVENANCE).html()

    assert "<nav" not in of(3)
    html = of(4)
    assert re.findall(r'<li><a href="#(s\d)">', html) == ["s1", "s2", "s3", "s4"]


def test_the_footer_says_where_the_numbers_come_from(html):
    footer = re.search(r"<footer>.*</footer>", html, re.DOTALL)
    assert footer is not None
    for part in ("1.2.3", "2020-04-26 12:00 UTC", "3.11.7", "2.1.0", "<dd>7</dd>"):
        assert part in footer.group()
    now = dict(Provenance.now(None, data="digits").lines())
    assert now["finitewidth"] == fw.__version__
    assert now["seed"] == "none: no random numbers"
    assert now["data"] == "digits"


def test_the_same_page_is_the_same_bytes(html, tmp_path):
    page().html(tmp_path / "a.html")
    written = (tmp_path / "a.html").read_bytes()
    assert written == html.encode("utf-8")
    assert b"\r" not in written


def test_where_it_cannot_be_written(tmp_path):
    with pytest.raises(ValueError, match="but there is no folder"):
        page().html(tmp_path / "missing" / "a.html")
    with pytest.raises(ValueError, match=r"expected a name ending in \.html"):
        page().html(tmp_path / "a.htm")


def test_other_blocks_are_refused(unchecked):
    with pytest.raises(TypeError, match="'S' holds a int, expected text, Table, Plot or Panels"):
        Page("T", [], [Section("S", [3])], PROVENANCE)  # type: ignore[list-item]
    with pytest.raises(TypeError, match="lead is a text, expected a list"):
        Page("T", "lead", [], PROVENANCE)
    with pytest.raises(TypeError, match="lead holds a Plot, expected text"):
        Page("T", [plot()], [], PROVENANCE)  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("missing", "what", "call"),
    [
        ("matplotlib", "figures", lambda: plot().figure()),
        ("matplotlib", "figures", lambda: page().html()),
        ("jinja2", "HTML reports", lambda: page().html()),
    ],
)
def test_a_missing_extra_is_one_sentence(monkeypatch, missing, what, call):
    for name in [name for name in sys.modules if name.split(".")[0] == missing]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(RuntimeError) as caught:
        call()
    assert str(caught.value) == (
        f'{what} need {missing}, which is not installed; run pip install "finitewidth[report]".'
    )


def test_tables_need_no_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    table = Table("T", ["x"], [[1.0]])
    assert "1.000" in table.html()
    assert "1.000" in table.markdown()
