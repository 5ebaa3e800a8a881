"""How long a paper is to BM25, in the batch and in the archive alike: in words that say something.

Words such as "of", "these" and "can" tell an author's style and not a paper's matter. Left out of the length and of the
score they cost nothing and helped on every labelled set (`./run bench relevance`). They are the English stop words of
the NLTK and those that a topic passes over (topics/normal.py), which still looks for "few" where a reader asks for it.
"""

from domain.fts5 import tokens

_ENGLISH = """
    a about above after again against all also am an and any are as at be because been before being below between both
    but by can could did do does doing down during each few for from further had has have having he her here hers
    herself him himself his how i if in into is it its itself just may me might more most my myself no nor not now of
    off on once only or other our ours ourselves out over own same shall she should so some such than that the their
    theirs them themselves then there these they this those through thus to too under until up upon very was we were
    what when where whether which while who whom whose why will with would you your yours yourself yourselves
"""

#: Lower case, as `domain.fts5.tokens` cuts words.
FUNCTION_WORDS = frozenset(_ENGLISH.split())


def length(title: str, abstract: str) -> int:
    """Return how many words the paper has, each as often as it stands there, without function words."""
    return sum(word not in FUNCTION_WORDS for text in (title, abstract) for word in tokens(text))
