"""A page as Markdown, its figures as files beside it."""

from pathlib import Path
from typing import TYPE_CHECKING

from finitewidth.report.panels import Panels
from finitewidth.report.plot import FORMATS, Plot
from finitewidth.report.renderings import markdown_text
from finitewidth.report.tables import Table

if TYPE_CHECKING:
    from finitewidth.report.page import Page


def write(page: "Page", path: str | Path, figures: str = ".svg") -> list[Path]:
    """Write FILE.md and FILE-1.svg, FILE-2.svg, …, and return their absolute paths.

    Parameters
    ----------
    page : Page
    path : str or path
        FILE.md, in an existing folder.
    figures : str
        ``".svg"`` or ``".png"``.

    Raises
    ------
    ValueError
        For another ending of either, or a folder that does not exist.
    """
    path = Path(path).absolute()
    if path.suffix != ".md":
        raise ValueError(f"path is {str(path)!r}, expected a name ending in .md.")
    if figures not in FORMATS:
        raise ValueError(f"figures is {figures!r}, expected {' or '.join(FORMATS)}.")
    if not path.parent.is_dir():
        raise ValueError(f"the folder {str(path.parent)!r} does not exist; make it first.")
    written, parts = [], [f"# {markdown_text(page.title)}", *map(markdown_text, page.lead)]
    for section in page.sections:
        parts.append(f"## {markdown_text(section.title)}")
        for block in section.blocks:
            if isinstance(block, Table):
                parts.append(block.markdown().rstrip("\n"))
            elif isinstance(block, Plot | Panels):
                place = path.with_name(f"{path.stem}-{len(written) + 1}{figures}")
                written.append(block.save(place))
                title = markdown_text(block.title)
                parts.append(f"![{title}]({place.name.replace(' ', '%20')})")
                parts.append(markdown_text(block.sentence))
            else:
                parts.append(markdown_text(block))
    facts = [f"- {markdown_text(f'{name}: {value}')}" for name, value in page.provenance.lines()]
    parts += ["---", "\n".join(facts)]
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8", newline="\n")
    return [path, *written]
