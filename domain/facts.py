"""What a topic may ask of a paper beside its words, decided by comparing names; authors are compared in authors.py."""


def is_in_category(asked: str, category: str) -> bool:
    """Whether a paper's category is the one asked for (lower case), or one inside it, as cs.CL is inside cs."""
    category = category.lower()
    return category == asked or category.startswith(f"{asked}.")


def is_source(asked: str, source: str) -> bool:
    """Whether a configured source's name is the one asked for (lower case), or begins so up to a sign.

    `huggingface` is huggingface-daily, and `arxiv` is arxiv:cs.CL; `hugging` is neither.
    """
    source = source.lower()
    return source == asked or (source.startswith(asked) and not source[len(asked)].isalnum())
