"""How a topic is cut into words, phrases, fields, operators and parentheses, and how these may follow one another.

What stands after `title:` or `abstract:` is any part of a topic; after `author:`, `cat:` and `source:` stands a name as
it is written, or several joined by OR in parentheses: so `source:arxiv:cs.CL` is one name, and no field in a field.
"""

#: Parentheses inside one another; also operators. More would be beyond FTS5's parser (100 open symbols).
DEEPEST = 30
QUOTES = '"“”„＂'
DASHES = "-‐‑‒–—−－"
OPERATORS = frozenset({"_OR", "_AND", "NOT", "DASH"})
AFTER_NAME = ".,:;/"  # what may stand around a name without quotes and does not belong to it
FACT_FIELDS = ("author", "cat", "source")
FIELDS = ("title", "abstract", *FACT_FIELDS)

GRAMMAR = rf"""
    ?start: either
    either: both (_OR both)*
    both: factor (_AND? factor)*
    ?factor: exclusion | group | scoped | fact
           | WORD -> word | PHRASE -> phrase | UNCLOSED -> unclosed | VOTES -> votes | STRANGE -> strange
    exclusion: (NOT | DASH) factor
    group: OPEN either CLOSE
    scoped: TEXT_FIELD factor
    fact: FACT_FIELD (_name | OPEN _name (_OR _name)* CLOSE)
    _name: WORD | PHRASE | UNCLOSED

    OPEN: "("
    CLOSE: ")"
    _OR.2: /OR(?![^\s(){QUOTES}])/
    _AND.2: /AND(?![^\s(){QUOTES}])/
    NOT.2: /NOT(?![^\s(){QUOTES}])/
    DASH.2: /[{DASHES}](?=[^\s)]|\s*(?:\)|$))/
    PHRASE.3: /[{QUOTES}][^{QUOTES}]*[{QUOTES}]/
    UNCLOSED.2: /[{QUOTES}][^{QUOTES}]*/
    TEXT_FIELD.4: /(?:title|abstract):/i
    FACT_FIELD.4: /(?:author|cat|source):/i
    VOTES.4: /(?:up)?votes?(?:\s*[<>=≥≤]+|(?<=upvotes):)\s*[^\s(){QUOTES}]*/i
    STRANGE.3: /[^\W\d]+:(?=[({QUOTES}])/
    WORD.1: /[^\s(){QUOTES}]+/
    %ignore /\s+/
"""

_WIDE = str.maketrans("（）：＊＜＞＝", "():*<>=")


def narrow(text: str) -> str:
    """Return the text with the marks of the language in the width that the grammar knows; as long as before."""
    return text.translate(_WIDE)
