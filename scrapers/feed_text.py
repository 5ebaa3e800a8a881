"""Markup as feeds and APIs carry it, made plain text; pure, and linear in the length.

Comments, scripts and styles are dropped with what they hold, tags of blocks become blanks, other tags vanish, and
character references are undone once. What only looks like a tag ("<think>", "p < 0.05") is text and stays
(sources.md section 5, row 21). A tag is never matched across the next "<", so a hostile text costs one pass.
"""

import html
import re

from scrapers.text import collapse, repair_mojibake

_LONGEST = 200_000  # characters of markup that are read; the longest abstract known has a hundredth of it
_BLOCK = re.compile(
    r"address|article|aside|blockquote|body|br|caption|center|d[dlt]|div|fieldset|fig(?:caption|ure)|footer|form|h[1-6]|"
    r"head|header|hr|html|iframe|img|li|main|nav|[ou]l|option|p|pre|section|select|t(?:able|body|[dhr]|foot|head|itle)|"
    r"video|list-item|list|sec"
)
_INLINE = re.compile(
    r"a|abbr|acronym|bd[io]|big|bold|cite|code|data|del|dfn|em|embed|font|input|ins|italic|kbd|label|link|mark|math|meta|"
    r"m(?:[ion]|text|row|su[bp]|subsup|frac|sqrt|over|under|space|style)|monospace|noscript|path|semantics|annotation|"
    r"small|source|span|strike|strong|su[bp]|svg|time|tt|underline|var|wbr|[biqsu]|samp"
)
#: Elements that are dropped with all they hold, and where each ends.
_DROPPED = {
    name: re.compile(rf"</{name}(?![A-Za-z0-9:-])[^>]*+>?", re.IGNORECASE)
    for name in ("script", "style", "template", "iframe", "noembed", "object")
}
_COMMENT_END = re.compile(r"-->")
_MARK = re.compile(
    r"<(?:(!--)|!\[CDATA\[|(/?)([A-Za-z][A-Za-z0-9:._-]*+)(?:[\s/](?:[^<>\"']|\"[^\"<]*+\"|'[^'<]*+'|[\"'])*+)?>)"
)
_CDATA_END = re.compile(r"\]\]>")
# A character's number has seven digits at most; Python refuses to read thousands.
_ENDLESS = re.compile(r"&#\d{8,}+;?")

# -- what bioRxiv's own conversion leaves behind -----------------------------------------------------------------------

_SMALL_CAPS = re.compile(r"[OC]_SCP(?:LOW|CAP)")
_LEFTOVER = re.compile(r"(?<![A-Z_])(?:[OCM]_(?:ST_ABS|LI|FIG|TBL|TEXTBOX|LINKSMALLFIG|FLOATNO|TABLECAPTION))+")
_ABSTRACT = re.compile(
    r"(?:Abstract|ABSTRACT|Summary|SUMMARY)(?:\s*[:.]\s*|\s+(?=[A-Z]))|(?:Abstract|ABSTRACT)(?=[A-Z][a-z])"
)
_LABEL = re.compile(r"\s(?:Graphical Abstract|TOC Graphic)\s*$", re.IGNORECASE)


def plain_text(markup: str) -> str:
    """Return what a piece of HTML, JATS or plain text says, with white space collapsed and mojibake repaired."""
    return collapse(repair_mojibake(_decoded(_without_tags(markup[:_LONGEST]))))


def without_figures(text: str) -> str:
    """Return an abstract of bioRxiv without its "O_FIG … C_FIG" and the other marks of lists and headings."""
    if "_" not in text:
        return text
    for name in ("FIG", "TBL"):
        text = _without_blocks(text, f"O_{name}", f"C_{name}")
    return _LABEL.sub("", collapse(_LEFTOVER.sub(" ", _SMALL_CAPS.sub("", text))))


def without_label(text: str) -> str:
    """Return an abstract without the word "Abstract" before it, which some pages glue to it."""
    label = _ABSTRACT.match(text)
    return text[label.end() :] if label else text


def _without_blocks(text: str, opening: str, closing: str) -> str:
    """Drop each stretch from an opening to its closing mark; an opening that nothing closes is left."""
    first, *rest = text.split(opening)
    kept = [first]
    for part in rest:
        _, closed, after = part.partition(closing)
        kept.append(after if closed else opening + part)
    return " ".join(kept)


def _without_tags(markup: str) -> str:
    if "<" not in markup:
        return markup
    kept: list[str] = []
    at = done = 0
    while found := _MARK.search(markup, at):
        comment, slash, name = found[1], found[2], (found[3] or "").lower()
        at = found.end()
        if name and not _is_tag(name):
            continue
        kept.append(markup[done : found.start()])
        if comment:
            at = _after(markup, _COMMENT_END, at)
        elif name in _DROPPED and not slash and not found[0].endswith("/>"):
            at = _after(markup, _DROPPED[name], at)
            kept.append(" ")
        elif _BLOCK.fullmatch(name.rpartition(":")[2]):
            kept.append(" ")
        done = at
    return _CDATA_END.sub("", "".join([*kept, markup[done:]]))


def _is_tag(name: str) -> bool:
    """Whether it is an element's name: HTML's or MathML's, one with a prefix (jats:p), or one with a hyphen."""
    known = _BLOCK.fullmatch(name) or _INLINE.fullmatch(name) or name in _DROPPED
    return bool(known) or ":" in name or "-" in name


def _after(markup: str, end: re.Pattern[str], at: int) -> int:
    """Return where the text goes on after an end mark; the end of all if there is none."""
    found = end.search(markup, at)
    return found.end() if found else len(markup)


def _decoded(text: str) -> str:
    return html.unescape(_ENDLESS.sub("", text)) if "&" in text else text
