"""Readable: text from outside in, display text out."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digests.readable import LONGEST, clean, readable, shorten


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (r"$\mathcal{O}(n \log n)$ time", "O(n log n) time"),
        (r"$\ell_1$-Regularised, $N$-ary, CO$_2$", "ℓ₁-Regularised, N-ary, CO₂"),
        (r"10^{-3} and $10^{-3}$", "10⁻³ and 10⁻³"),
        (r"$\|\delta\|_2 \le 1$", "‖δ‖₂ ≤ 1"),
        (r"$\frac{a}{b+1}$ of $\sqrt{n}$", "a/(b+1) of √n"),
        (r"$e^{-x^2}$ and $x_{i}^{2}$", "e^(-x²) and xᵢ²"),
        (r"$\mathbb{R}^{d}$", "ℝᵈ"),
        (r"360$^\circ$ views", "360° views"),
        (r"$\epsilon\text{-greedy}$", "ϵ-greedy"),
        (r"$p<0.05$", "p<0.05"),
        (
            r"Schr\"odinger, M{\aa}ns, P\'aez, Bolet\'{\i}n, \v{c}, Nguy\~ên",
            "Schrödinger, Måns, Páez, Boletín, č, Nguyễn",
        ),
        (r"80\%+ agreement, a \& b", "80%+ agreement, a & b"),
        (r"5% of 44.49\%", "5% of 44.49%"),
        (r"2.3\times greater than $85\times$", "2.3× greater than 85×"),
        (r"i) {\em direct} and \textbf{very \emph{nested}} text", "i) direct and very nested text"),
        (r"\url{https://a.example/b_c}", "https://a.example/b_c"),
        (r"\href{https://a.example}{page}", "page (https://a.example)"),
        (r"vs.\ 33", "vs. 33"),
        ("``quoted'' text, pages 3--5", "“quoted” text, pages 3–5"),
        (r"0.80$\pm$0.02 at 768$\times$1280", "0.80±0.02 at 768×1280"),
        (r"x$_1$$_2$ and $a$$b$, $$c^2$$", "x₁₂ and ab, c²"),
        (r"$\sim$13% of $<$10 GB", "∼13% of <10 GB"),
        (r"$\frac12$, $\frac 1n$, $\tfrac{1}{2}$", "1/2, 1/n, 1/2"),
        (r"he said \"agent\" loudly, \"Open\" models", 'he said "agent" loudly, "Open" models'),
        (r"\"Ust\"un and T\"ULU, then \"Osterreich", "Üstün and TÜLU, then Österreich"),
        (r"an image\'s, it doesn\'t, SSP\' s, Kwa\'sniewski", "an image's, it doesn't, SSP's, Kwaśniewski"),
        (r"Kova\v c, Miloš, Milo\v{s}, \c{C}elik, \d{h}", "Kovač, Miloš, Miloš, Çelik, ḥ"),
        (r"\L{}ukasz, {\L}ukasz, Stra\ss e, M\o ller, 5 \AA away", "Łukasz, Łukasz, Straße, Møller, 5 Å away"),
        (r"models~(LLMs), models~[3], et al.~\cite{a}, Table~2", "models (LLMs), models [3], et al. [a], Table 2"),
        (r"(~10x) ~50% 8~16 https://a.example/a~(b)", "(~10x) ~50% 8~16 https://a.example/a~(b)"),
        (r"\href{https://a.example/x_y}{https://a.example/x_y}", "https://a.example/x_y"),
        (r"\href{https://a.example/x/}{\texttt{a.example/x}}.", "https://a.example/x/."),
        (r"\href{https://a.example}.", "https://a.example."),
        (r"$\href{https://a.example/gated_attention}{codes}$", "codes (https://a.example/gated_attention)"),
        (r"https://a.example/\~mira", "https://a.example/~mira"),
    ],
)
def test_tex_becomes_unicode(raw: str, shown: str) -> None:
    assert readable(raw) == shown


@pytest.mark.parametrize(
    "text",
    [
        "costs $5 and $7",
        "between $5 and 10$ each",
        "1times 60 and 85times, 'ergo' rightarrow",
        r"within a \10,000 Budget",
        r"\MathChat, a framework \unknown{of words}",
        r"C:\temp\new",
        "snake_case_name and __init__ and x^2",
        "--flag {NeRF} and {json: 1}",
        r"$\unknown{x}$",
        r"\footnote{cut off here",
        "GPT-4 ~10 ms",
        "100% of it",
        "from $5–$7 and $10/$12",
        r"\c test of C:\users\v foo",
        r"named \b geometric \b score-based \d x",
        r"a \" b, a \' e, a \~ n",
    ],
)
def test_in_doubt_the_text_stays(text: str) -> None:
    assert readable(text) == text


def test_what_deceives_or_breaks_is_dropped() -> None:
    assert clean("a\u202eb\u200bc\x00d\ud800e\x07f\ufeff g\r\n\th\u2028i\u2066j") == "abcdef g h ij"
    assert clean("สวัสดี Ångström 日本語 שלום") == "สวัสดี Ångström 日本語 שלום"


@given(st.text())
def test_it_never_raises_and_is_one_clean_line(text: str) -> None:
    shown = readable(text)
    assert clean(shown) == shown
    shown.encode("utf-8")


@given(st.lists(st.sampled_from([*"ab1$\\{}^_%~`'-. ", "\\frac", "\\sqrt", "\\alpha", "\\em ", "\\"])).map("".join))
def test_no_word_is_lost_on_the_way(text: str) -> None:
    plain = unicodedata.normalize("NFKD", readable(text))
    assert plain.count("1") == text.count("1")


@pytest.mark.parametrize(
    "piece",
    [
        "$",
        "\\'e",
        "{",
        "{\\em ",
        "\\frac{",
        "^{",
        "\\a",
        "``",
        "$x$",
        "\\(",
        "_{a}",
        "\\\\",
        "$_",
        '\\"a',
        "a~",
        "/\\~",
        "\\frac1",
        "a\\'",
    ],
)
def test_hostile_tex_takes_no_longer_than_its_length(piece: str) -> None:
    begin = time.process_time()
    readable(piece * (LONGEST // len(piece)))
    assert time.process_time() - begin < 1.5


def test_a_huge_text_is_cleaned_only() -> None:
    text = r"\alpha " * LONGEST
    assert readable(text) == text.strip()


def test_shorten_prefers_a_sentence_then_a_word() -> None:
    assert shorten("One two three. Four five six seven.", 24) == "One two three. Four …"
    assert shorten("Long words stand here and end. More of them follow.", 40) == "Long words stand here and end. …"
    assert shorten("We build on Smith et al. 2020 and others", 32) == "We build on Smith et al. 2020 …"
    assert shorten("x" * 50, 20) == "x" * 18 + " …"
    assert shorten("short", 20) == "short"


@given(st.text(min_size=1), st.integers(3, 60))
def test_shorten_keeps_its_limit(text: str, limit: int) -> None:
    cut = shorten(text, limit)
    assert len(cut) <= max(limit, min(len(text), limit))
    assert cut == text or (cut.endswith(" …") and text.startswith(cut[:-2]))
