"""TeX-safe: whatever stands in a title, a document with it can be set, and says what the title says."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pylatexenc.latexwalker import LatexWalker

from digests.citations.commands import DRESS, IN_FORMULAS, LETTERS, SIGNS
from digests.citations.escaping import tex_safe
from digests.citations.formulas import is_formula


@pytest.mark.parametrize(
    ("stored", "safe"),
    [
        ("Loss < 1: a & b, 50% of #1 in my_file", r"Loss \textless{} 1: a \& b, 50\% of \#1 in my\_file"),
        (r"50\% of \#1 \& my\_file for \$5", r"50\% of \#1 \& my\_file for \$5"),
        ("}{", r"\textbraceright{}\textbraceleft{}"),
        (r"\{a\}", r"\textbraceleft{}a\textbraceright{}"),
        ("The {GPT} of {a {b} c", r"The {GPT} of \textbraceleft{}a {b} c"),
        ("\\", r"\textbackslash{}"),
        ("a\\\\", "a "),
        (r"~50% ^ x|y", r"\textasciitilde{}50\% \textasciicircum{} x\textbar{}y"),
        ("Figure~3", "Figure 3"),
        ("Schrödinger – 薛定谔 “α”", "Schrödinger – 薛定谔 “α”"),
        (r"Schr\"odinger, Poincar\'{e}, \v{S}im\r{u}", r"Schr\"odinger, Poincar\'{e}, \v{S}im\r{u}"),
        (r"Bj\o rn, Stra\ss e, {\L}ukasz", r"Bj\o{}rn, Stra\ss{}e, {\L{}}ukasz"),
        (r"don\'t say \"so\"", 'don\'t say "so"'),
        (r"{\em so} and \emph{so} and \textbf{a_b}", r"{\em so} and \emph{so} and \textbf{a\_b}"),
        (r"\emph so, \em so", r"\textbackslash{}emph so, \textbackslash{}em so"),
        (r"\alpha-decay", r"\ensuremath{\alpha}-decay"),
        (r"\url{https://x.example/~a_b}", r"{https://x.example/\textasciitilde{}a\_b}"),
        (r"\href{https://x.example}{the code}", "the code (https://x.example)"),
        (r"\input{secret} \def\x{y}", r"\textbackslash{}input{secret} \textbackslash{}def\textbackslash{}x{y}"),
        (r"C:\users\v foo", r"C:\textbackslash{}users\textbackslash{}v foo"),
        ("one\r\ntwo\tthree\u202e\u200b\x1b[0m", "one two three[0m"),
    ],
)
def test_text_is_escaped_and_known_tex_stays(stored: str, safe: str) -> None:
    assert tex_safe(stored) == safe


@pytest.mark.parametrize(
    "formula",
    [
        r"$\ell_1$",
        r"$N$",
        r"$\|\delta\|_2 \le 10^{-3}$",
        r"$x_i^2 + x'_j$",
        r"$\frac{a}{b} + \frac12$",
        r"$\sqrt[3]{x} \sqrt 2$",
        r"$\left( \frac{a}{b} \right)$",
        r"$\mathbb E_{x \sim p}[f(x)]$",
        r"$\operatorname*{argmax}_\theta \text{loss of }\theta$",
        r"$O(n \log n)$",
        r"$ \alpha $",
        "$^3$",
    ],
)
def test_a_formula_that_can_be_set_stays(formula: str) -> None:
    assert tex_safe(f"On {formula} & more") == rf"On {formula} \& more"


@pytest.mark.parametrize(
    ("stored", "safe"),
    [
        (r"\(x_1\), \[y\], $$z$$", "$x_1$, $y$, $z$"),
        (r"$\{a\}$", r"$\lbrace a\rbrace $"),
        ("costs $5 and 10$", r"costs \$5 and 10\$"),
        ("$5 for $x_1$", r"\$5 for $x_1$"),
        ("a $ alone", r"a \$ alone"),
    ],
)
def test_formulas_in_other_words_and_money(stored: str, safe: str) -> None:
    assert tex_safe(stored) == safe


@pytest.mark.parametrize(
    "inner",
    [
        "x^a^b", "x_a_b", "x^2'", "x^", "_", "{a", "a}", "}{", r"\frac{a}", r"\frac", r"\unknown", r"\input{x}",
        r"\left( a", r"a \right)", r"\left", r"{\left(} a \right)", "a & b", "50%", "#1", r"\sqrt[3", r"\sqrt[3]",
        r"\text{a_b}", r"\mbox x", r"x^\quad y", r"\hat_", r"a \\ b", "", " ", "x" * 1_001, "{" * 13 + "}" * 13, "\\",
    ],
)  # fmt: skip
def test_what_tex_would_stop_at_is_no_formula(inner: str) -> None:
    assert not is_formula(inner)
    assert "$" not in tex_safe(f"a ${inner}$").replace(r"\$", "")


PIECES = st.sampled_from([
    "$", "$$", "{", "}", "\\", "^", "_", "~", "&", "%", "#", "a", "B ", " ", "'", '"', "\\alpha", "\\frac", "\\emph",
    "\\url", "\\em ", "\\o ", "\\{", "\\}", "\\$", "\\(", "\\)", "\\[", "\\]", "\\left", "\\right", "(", ")", "\\sqrt[",
    "]", "\\text", "5", "https://x.example/", "\n", "é", "\\'", "\\v", "\\href{a}{", "\\\\", "<", "|",
    "\\operatorname*",
])  # fmt: skip
KNOWN = {*IN_FORMULAS, *LETTERS, *SIGNS, *DRESS, "ensuremath", "em", "operatorname"}


@given(st.lists(PIECES, max_size=14).map("".join) | st.text(max_size=60))
def test_whatever_comes_in_what_goes_out_is_tex(stored: str) -> None:
    safe = tex_safe(stored)
    depth = 0
    for character in safe:
        depth += {"{": 1, "}": -1}.get(character, 0)
        assert depth >= 0
    assert depth == 0, "BibTeX counts braces without looking at backslashes"
    assert safe.isprintable() or all(each not in safe for each in "\n\r\t\x00\x1b")
    outside = re.sub(r"(?<!\\)\$(?:[^$\\]|\\.)*\$", "", safe)
    assert not re.search(r"(?<!\\)[&%#_$]|[\^~<>|]", re.sub(r"\\['\"`^~=.](?=[A-Za-z{\\])", "", outside))
    assert set(re.findall(r"\\([A-Za-z]{2,})", safe)) <= KNOWN
    LatexWalker(safe, tolerant_parsing=False).get_latex_nodes()


@given(st.lists(st.sampled_from(["a", " b", "é", "&", "%", "#", "_", "^", "~ ", "<", "|"]), max_size=20).map("".join))
def test_no_character_of_a_text_is_lost(stored: str) -> None:
    said = {r"\textasciicircum{}": "^", r"\textasciitilde{}": "~", r"\textless{}": "<", r"\textbar{}": "|"}
    back = tex_safe(stored)
    for tex, character in said.items():
        back = back.replace(tex, character)
    assert re.sub(r"\\([&%#_])", r"\1", back) == " ".join(stored.split())
