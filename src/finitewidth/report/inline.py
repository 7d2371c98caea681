"""From matplotlib's SVG file to an element inside an HTML page."""

import re
from html import escape

_ID = re.compile(r'\bid="([^"]+)"')
_USE = re.compile(r'(?:xlink:)?href="#([^"]+)"')
_URL = re.compile(r"url\(#([^)]+)\)")
_SHEET = re.compile(r"<style[^>]*>.*?</style>", re.DOTALL)


def inline(svg: str, prefix: str, label: str) -> str:
    """The ``<svg>`` element alone, fit to stand beside others in one page.

    Parameters
    ----------
    svg : str
        A file written by matplotlib.
    prefix : str
        Put before every id and every reference to one.
    label : str
        Read aloud by screen readers in place of the picture.
    """
    # Only the element: prolog, document type, comments and metadata mean nothing inside HTML, and
    # a style sheet would speak to the whole page, so its two rules become attributes.
    body = re.sub(r"<!--.*?-->", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = _SHEET.sub("", body)
    box = re.search(r'viewBox="([^"]+)"', body)
    if box is None:
        raise ValueError("the SVG has no viewBox, expected a file written by matplotlib.")
    body = body[body.index(">") + 1 :]
    body = _ID.sub(rf'id="{prefix}\1"', body)
    body = _USE.sub(rf'href="#{prefix}\1"', body)
    body = _URL.sub(rf"url(#{prefix}\1)", body)
    body = re.sub(r"\n\s*\n+", "\n", body)
    return (
        f'<svg viewBox="{box.group(1)}" role="img" aria-label="{escape(label)}" '
        f'stroke-linejoin="round" stroke-linecap="butt">{body.strip()}'
    )
