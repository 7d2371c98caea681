"""A page as Markdown: as text for a pull request, or with its figures as files beside it."""

from collections.abc import Callable
from pathlib import Path

from finitewidth._files import to_write, writing
from finitewidth.report.bars import Bars
from finitewidth.report.content import Content, Later
from finitewidth.report.drawn import FORMATS, Drawn
from finitewidth.report.renderings import markdown_text
from finitewidth.report.tables import Table


def text(page: Content, level: int = 3) -> str:
    """The page without its figures.

    Parameters
    ----------
    page : Content
    level : int
        Of its heading; a pull request has larger ones of its own.
    """
    return _text(page, level, None)


def write(page: Content, path: str | Path, figures: str = ".svg") -> list[Path]:
    """Write FILE.md and FILE-1.svg, FILE-2.svg, …, and return their absolute paths.

    Parameters
    ----------
    page : Content
    path : str or path
        FILE.md, in an existing folder.
    figures : str
        ``".svg"`` or ``".png"``.

    Raises
    ------
    ValueError
        For another ending of either, or a folder that does not exist.
    """
    path = to_write(path, ".md")
    if figures not in FORMATS:
        raise ValueError(f"figures is {figures!r}, expected {' or '.join(FORMATS)}.")
    written: list[Path] = []

    def link(drawn: Drawn) -> str:
        place = path.with_name(f"{path.stem}-{len(written) + 1}{figures}")
        written.append(drawn.save(place))
        return f"![{markdown_text(drawn.title)}]({place.name.replace(' ', '%20')})"

    with writing(path):
        path.write_text(_text(page, 1, link), encoding="utf-8", newline="\n")
    return [path, *written]


def _text(page: Content, level: int, link: Callable[[Drawn], str] | None) -> str:
    parts = [f"{'#' * level} {markdown_text(page.title)}", *map(markdown_text, page.lead)]
    for section in page.sections:
        below = []
        for block in section.blocks:
            if isinstance(block, Table):
                below.append(block.markdown().rstrip("\n"))
            elif isinstance(block, str):
                below.append(markdown_text(block))
            elif link is not None and not isinstance(block, Bars):
                drawn = block.make() if isinstance(block, Later) else block
                if drawn is not None:
                    below += [link(drawn), markdown_text(drawn.sentence)]
        if below:
            parts += [f"{'#' * (level + 1)} {markdown_text(section.title)}", *below]
    facts = [f"- {markdown_text(f'{name}: {value}')}" for name, value in page.provenance.lines()]
    return "\n\n".join([*parts, "---", "\n".join(facts)]) + "\n"
