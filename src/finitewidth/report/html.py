"""A page as HTML: one file that needs nothing else, or a fragment for a notebook."""

import re
from base64 import b64encode
from hashlib import sha256
from html import escape
from importlib.util import find_spec
from typing import TYPE_CHECKING

from finitewidth._extras import needed_for
from finitewidth.report.bars import Bars
from finitewidth.report.content import Block, Content, Later
from finitewidth.report.drawn import Drawn
from finitewidth.report.tables import Table

if TYPE_CHECKING:
    from markupsafe import Markup

CONTENTS_FROM = 4
"""A page with so many sections opens with a list of them."""

LONGEST = 24
"""Letters of a formula that is kept on one line."""


def tied(text: str) -> "Markup":
    """Escaped text whose short formulas do not break over lines: ``L = 1``, ``E K``, ``|x|²``."""
    from markupsafe import Markup, escape

    text = re.sub(r" ([=<>≤≥≈→×]) ", "\u00a0\\1\u00a0", " ".join(text.split()))
    text = re.sub(r"\b(E|Var) (?=[A-ZΔ])", "\\1\u00a0", text)
    return Markup(" ").join(
        escape(word)
        if word.isascii() or len(word) > LONGEST
        else Markup('<span class="tied">{}</span>').format(word)
        for word in text.split(" ")
    )


def document(page: Content) -> str:
    """The file's text: styles and figures inside, nothing fetched.

    Its one script sorts tables by a click on a heading; the page says its hash, so that a
    browser runs no other.

    Raises
    ------
    RuntimeError
        If jinja2 is not installed, or matplotlib is not and there is a figure.
    """
    with needed_for("HTML reports", "report"):
        from jinja2 import Environment, PackageLoader, StrictUndefined
        from markupsafe import Markup

    def rendered(block: Block, place: str) -> dict[str, object] | None:
        if isinstance(block, Table):
            return {"kind": "table", "html": Markup(block.html(f"{place}-"))}
        if isinstance(block, str):
            return {"kind": "text", "text": block}
        drawn = block.make() if isinstance(block, Later) else block
        if drawn is None or isinstance(drawn, Bars):
            return None
        return {"kind": "figure", "plot": drawn, "svg": Markup(drawn.svg(f"{place}-"))}

    environment = Environment(
        loader=PackageLoader("finitewidth.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["tied"] = tied
    style = environment.get_template("page.css").render()
    script = environment.get_template("sort.js").render()
    digest = b64encode(sha256(script.encode()).digest()).decode()
    sections = [
        {
            "id": f"s{s}",
            "title": section.title,
            "blocks": [
                shown
                for b, block in enumerate(section.blocks, start=1)
                if (shown := rendered(block, f"s{s}-{b}")) is not None
            ],
        }
        for s, section in enumerate(page.sections, start=1)
    ]
    return environment.get_template("page.html").render(
        title=page.title,
        lead=page.lead,
        style=Markup(style),
        script=Markup(script),
        script_hash=f"sha256-{digest}",
        sections=sections,
        contents=len(sections) >= CONTENTS_FROM,
        provenance=page.provenance.lines(),
    )


STYLE = """<style>
.finitewidth {max-width: 60rem}
.finitewidth table {border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 0}
.finitewidth th, .finitewidth td {padding: 0.15rem 0.6rem; vertical-align: top}
.finitewidth th {border-bottom: 1px solid currentColor}
.finitewidth .number {text-align: right; white-space: nowrap}
.finitewidth .text {text-align: left}
.finitewidth .scroll {overflow-x: auto}
.finitewidth h3 {font-size: 1.1rem; margin: 0.6rem 0}
.finitewidth .table h3 {font-size: 1rem; margin: 0.8rem 0 0.2rem}
.finitewidth .caption, .finitewidth .meanings, .finitewidth .notes {font-size: 0.9rem}
.finitewidth .meanings dt, .finitewidth .meanings dd {display: inline; margin: 0 0.3rem 0 0}
.finitewidth svg {max-width: 33rem; width: 100%; height: auto; background: #fff}
</style>"""


def fragment(page: Content) -> str:
    """The page inside another one, such as a notebook: sections of detail are left out.

    Tables need nothing; a figure that is there already is drawn where matplotlib is installed, one
    that has to be computed first is not.
    """
    parts = [STYLE, '<div class="finitewidth">', f"<h3>{escape(page.title)}</h3>"]
    parts += [f"<p>{escape(text)}</p>" for text in page.lead]
    drawing = find_spec("matplotlib") is not None
    for s, section in enumerate(page.sections, start=1):
        if section.detail:
            continue
        for b, block in enumerate(section.blocks, start=1):
            if isinstance(block, Table):
                parts.append(block.html(f"{id(page)}-s{s}-{b}-"))
            elif isinstance(block, str):
                parts.append(f"<p>{escape(block)}</p>")
            elif drawing and isinstance(block, Drawn):
                sentence = f"<figcaption>{escape(block.sentence)}</figcaption>"
                drawn = block.svg(f"{id(page)}-s{s}-{b}-")
                parts.append(f"<figure>{drawn}{sentence}</figure>")
    return "\n".join([*parts, "</div>"])
