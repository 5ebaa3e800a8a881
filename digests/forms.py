r"""The templates of the letters, as pieces that can be rendered one by one.

A letter is a folder of three templates (subject.txt, body.txt, body.html); each template is a set of macros, one a
piece, so that a paper is rendered once for all who get it. Escaping is on in HTML, an undefined name is an error, and
NUL is taken from every value but our own slots: text from outside cannot pose as a reader's link.
"""

import re
import textwrap
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from domain.issues import Role

_WIDTH = 72  # columns of the text part
_COMMAND = re.compile("`([^`]*)`")

#: The places that `mail.message.join` fills; Markup, so that nothing escapes their NUL.
SLOTS = {
    name: Markup(f"\0q:{name}\0")  # noqa: S704 - our own constants, no text from outside
    for name in ("unsubscribe", "preferences", "feedback", "issue", "confirm", "confirmed")
}


class Form:
    """One template: renders its pieces by name."""

    def __init__(self, environment: Environment, template: str) -> None:
        self._module = environment.get_template(template).module

    def __call__(self, piece: str, *values: object) -> str:
        """Return one piece, rendered; raises jinja2.UndefinedError for a name that the template does not know."""
        return str(getattr(self._module, piece)(*values))


@dataclass(frozen=True, slots=True)
class Part:
    """One of a message's two parts: where its pieces come from and what they are."""

    form: Form
    shared: Role
    personal: Role


def parts_of(environment: Environment, folder: str) -> tuple[Part, Part]:
    """Return a letter's text part and its page."""
    return (
        Part(Form(environment, f"{folder}/body.txt"), Role.TEXT, Role.TEXT_PERSONAL),
        Part(Form(environment, f"{folder}/body.html"), Role.HTML, Role.HTML_PERSONAL),
    )


@cache
def environment() -> Environment:
    """Return the templates' environment; one a process, so that no template is compiled twice."""
    made = Environment(
        loader=PackageLoader("digests"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_without_nul,
    )
    made.filters |= {"wrap": _wrap, "beside": _beside, "commands": _commands}
    return made


def _wrap(text: str, indent: int = 0, *, hanging: bool = False) -> str:
    """Return `text` in lines of at most 72 columns, longer only where an address would have to be broken.

    `hanging` leaves the first line to what stands before it.
    """
    blank = " " * indent
    lines = textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=blank,
        subsequent_indent=blank,
        break_on_hyphens=False,
        break_long_words="://" not in text,
    )
    whole = "\n".join(lines)
    return whole.lstrip(" ") if hanging else whole


def _beside(left: str, right: str) -> str:
    """Return two texts at the two ends of one line, or on two lines where they do not fit."""
    room = _WIDTH - len(left) - len(right)
    return f"{left}{' ' * room}{right}" if room > 1 else f"{left}\n{right}"


def _commands(text: str) -> Markup:
    """Return a sentence of ours for a page: what stands between backticks is shown as something to type."""
    return Markup(_COMMAND.sub(r'<code style="font-size:14px">\1</code>', str(escape(text))))  # noqa: S704 escaped just now


def _without_nul(value: object) -> object:
    """Return a template's value without NUL, which only our own slots may carry."""
    return value.replace("\0", "") if isinstance(value, str) and not isinstance(value, Markup) else value
