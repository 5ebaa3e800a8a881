r"""Whether what stands between two dollars is mathematics that TeX can set.

A formula passes when its braces and its `\left … \right` balance, every command is known and has its arguments, every
script has something to raise and none is doubled, and no character stands in it that means something else to TeX.
Pure; one pass over at most `LONGEST` characters.
"""

import re
from dataclasses import dataclass, field

from digests.citations.commands import DECLARING, IN_FORMULAS, SIZED

LONGEST = 1_000  #: characters of one formula
_DEEPEST = 12  # groups in groups
_TOKEN = re.compile(r"\\operatorname\*|\\[A-Za-z]+|\\.|\s+|.", re.DOTALL)
#: A root's degree that is not closed, and words in a formula that are more than words.
_AMISS = re.compile(
    r"\\sqrt\s*\[(?![^][{}\\]{1,20}\]\s*\{)"
    r"|\\(?:text(?:bf|it|normal|rm|sc|sf|up)?|emph|mbox)(?![A-Za-z])(?!\s*\{[^{}\\^_]*\})"
)
_SPACES = frozenset({r"\,", r"\;", r"\:", r"\!", r"\ "})
_SIGNS = frozenset({r"\|", r"\{", r"\}", r"\_", r"\%", r"\&", r"\#"})
_DELIMITERS = frozenset("()[]|/.<>") | {
    r"\|", r"\{", r"\}", r"\langle", r"\rangle", r"\lceil", r"\rceil", r"\lfloor", r"\rfloor", r"\lbrace", r"\rbrace",
    r"\lvert", r"\rvert", r"\lVert", r"\rVert", r"\vert", r"\Vert", r"\backslash", r"\uparrow",
    r"\downarrow",
}  # fmt: skip


@dataclass(slots=True)
class _Group:
    """What is open while a group is read."""

    wanted: int = 0  #: arguments that are still to come
    lefts: int = 0  #: "\left" without its "\right"
    scripts: set[str] = field(default_factory=set)  #: of the nucleus that was read last


def is_formula(inner: str) -> bool:
    """Whether TeX can set the text between two dollars."""
    if len(inner) > LONGEST or not inner.strip() or _AMISS.search(inner):
        return False
    stack = [_Group()]
    tokens = [token for token in _TOKEN.findall(inner) if not token.isspace()]
    delimiter = False  # whether the token must be one
    for token in tokens:
        if delimiter:
            if token not in _DELIMITERS:
                return False
            delimiter = False
        elif token[1:] in SIZED:
            if stack[-1].wanted or not _opens_or_closes(stack[-1], token):
                return False
            delimiter = True
        elif not _reads(stack, token):
            return False
    return len(stack) == 1 and not stack[0].wanted and not stack[0].lefts and not delimiter


def _opens_or_closes(group: _Group, token: str) -> bool:
    group.lefts += {r"\left": 1, r"\right": -1}.get(token, 0)
    group.scripts.clear()
    return group.lefts >= 0


def _reads(stack: list[_Group], read: str) -> bool:
    """Read one token into the innermost group; False where TeX would stop."""
    group = stack[-1]
    if read == "{":
        stack.append(_Group())
        return len(stack) <= _DEEPEST
    if read == "}":
        closed = stack.pop()
        return bool(stack) and not closed.wanted and not closed.lefts and _takes(stack[-1])
    if read in "^_'":
        return _raises(group, read)
    if read in _SPACES:
        return not group.wanted
    if read[0] == "\\" and len(read) > 1 and read[1].isalpha():
        name = read[1:].rstrip("*")
        return name in IN_FORMULAS and not (group.wanted and name in DECLARING) and _takes(group, IN_FORMULAS[name])
    return (read in _SIGNS or read[0] not in "\\$%&#") and _takes(group)


def _takes(group: _Group, arguments: int = 0) -> bool:
    """Let a nucleus stand, or be the argument that was waited for; its own arguments are waited for in turn."""
    if group.wanted:
        group.wanted -= 1
    else:
        group.scripts.clear()
    group.wanted += arguments
    return True


def _raises(group: _Group, sign: str) -> bool:
    """Let a script begin: not where an argument is due, and not twice at one nucleus; a prime is a raised sign."""
    if group.wanted:
        return False
    if sign == "'":
        return "^" not in group.scripts
    if sign in group.scripts:
        return False
    group.scripts.add(sign)
    group.wanted = 1
    return True
