"""How a withdrawn paper is told from one about withdrawals, where arXiv marks neither (sources.md 3.7).

Lists, feeds, mails and the query API have no mark for it, so the words of the comment and of the abstract decide, and a
wrong yes is worse than a wrong no: a paper taken for withdrawn is mailed to nobody. So the withdrawn thing must be this
paper. "This paper has been withdrawn" says so wherever it stands in a comment; "the paper …", "paper withdrawn due to
…", "withdrawn by the authors" say so at the start of a clause, and not in a sentence that has named another paper's
arXiv id before. What stands in parentheses speaks of something else ("a corrected version of … (withdrawn)").
An abstract may speak of withdrawn drugs, rules and papers; it is believed in its first words, or if it is a short one.
"""

import re

_LONGEST = 4_000  # characters of a comment or an abstract that are looked at
_SHORT = 200  # characters of an abstract that says hardly more than this

_PAPER = r"(?:arXiv )?(?:paper|article|submission|manuscript|preprint|work|version|e-?print|note|draft)"
_ADVERB = r"(?:(?!not\b|never\b)[a-z]{1,20} )?"  # "temporarily", "now", "hereby"
_IS = rf"(?:(?:has|have) {_ADVERB}been|is|was) {_ADVERB}"
_WITHDRAWN = r"withdrawn\b(?! from (?!(?:the )?arXiv\b))"  # from a conference, it is still here
_BY_AUTHORS = r"by (?:the |its |an? |all |both )?(?:authors?|arXiv|submitters?|admin\w{0,12})\b"
_REASON = rf"(?:{_BY_AUTHORS}|(?:due|because|since|for|as|until|pending|owing|after|on|to|and|in order|in favou?r)\b)"
_AUTHORS = rf"(?:the authors?|we|I) (?:have|has) {_ADVERB}withdrawn (?:this|the|our|their|my) {_PAPER}\b"

_THIS = re.compile(
    rf"\b(?<!\bof )(?<!\bto )(?<!\bon )(?<!\bin )(?<!\bwhy )this {_PAPER} (?:{_IS})?{_WITHDRAWN}", re.IGNORECASE
)
_CLAUSE = re.compile(
    rf"\W*(?:(?:the |our )?{_PAPER} {_IS}{_WITHDRAWN}|{_AUTHORS}"
    rf"|(?:{_PAPER} )?(?:{_IS})?{_WITHDRAWN}(?=\W*$| {_REASON}))",
    re.IGNORECASE,
)
_ASIDE = re.compile(rf"\W*(?:(?:the |our )?{_PAPER} {_IS}{_WITHDRAWN}|withdrawn {_BY_AUTHORS})", re.IGNORECASE)
_ABSTRACT = re.compile(rf"\W*(?:(?:this|the) {_PAPER} {_IS}{_WITHDRAWN}|{_AUTHORS})", re.IGNORECASE)

_PARENTHESES = re.compile(r"\s*\([^()]*\)")
_SENTENCE = re.compile(r"(?<!\bal)[.!?]\s")
_PART = re.compile(r"([,;:]|\s[-–—]{1,3})\s")
_OTHER_PAPER = re.compile(r"\b(?:[0-9]{4}\.[0-9]{4,5}|[a-z-]{2,20}(?:\.[A-Z]{2})?/[0-9]{7})\b")


def is_withdrawn(*, comment: str, abstract: str) -> bool:
    """Whether the authors' comment or the abstract says that the paper was withdrawn; both collapsed."""
    opening = _plain(abstract)
    return (
        _says_so(_plain(comment))
        or _ABSTRACT.match(opening) is not None
        or (len(abstract) <= _SHORT and _says_so(opening))
    )


def _plain(text: str) -> str:
    """Return a text without what it says in parentheses, unless that is all of it."""
    text = text[:_LONGEST].strip()
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1]
    return _PARENTHESES.sub("", text)


def _says_so(text: str) -> bool:
    return bool(_THIS.search(text)) or any(map(_sentence_says_so, _SENTENCE.split(text)))


def _sentence_says_so(sentence: str) -> bool:
    """Judge a sentence clause by clause, up to where it names another paper."""
    parts = _PART.split(sentence)  # clauses, and between them the signs that part them
    for sign, clause in zip(["", *parts[1::2]], parts[::2], strict=True):
        if (_ASIDE if sign == "," else _CLAUSE).match(clause):
            return True
        if _OTHER_PAPER.search(clause):
            return False
    return False
