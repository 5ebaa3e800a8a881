import sqlite3
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.fts5 import TOKENIZE, searchable, tokens

TEX_PIECES = st.sampled_from(
    ("\\", *"{}$_^a2'\"é＼＄＿｛ ", r"\textbf{", r"\o", r"\'e", *"αβΣάµ𝛽ϵ", "\u0301", "\u0302", "\u0305", r"\beta")
)


def counted_by_fts5(texts: dict[int, str]) -> dict[int, int]:
    index = sqlite3.connect(":memory:")
    index.execute(f'CREATE VIRTUAL TABLE text USING fts5(body, tokenize="{TOKENIZE}")')
    index.executemany("INSERT INTO text(rowid, body) VALUES (?, ?)", texts.items())
    index.execute("CREATE VIRTUAL TABLE instance USING fts5vocab(text, 'instance')")
    counted = dict.fromkeys(texts, 0) | dict(index.execute("SELECT doc, count(*) FROM instance GROUP BY doc"))
    index.close()
    return counted


def test_our_tokens_are_those_of_fts5_for_every_character() -> None:
    codes = [code for code in range(0x20000) if not 0x3400 <= code < 0xA000 and not 0xAC00 <= code < 0xF900]
    inside = {code: searchable(f"a{chr(code)}b") for code in codes}
    alone = {code: searchable(chr(code)) for code in codes}

    assert counted_by_fts5(inside) == {code: len(tokens(text)) for code, text in inside.items()}
    assert counted_by_fts5(alone) == {code: len(tokens(text)) for code, text in alone.items()}


@given(st.text())
def test_our_tokens_are_those_of_fts5_in_any_text(text: str) -> None:
    assert counted_by_fts5({1: searchable(text)}) == {1: len(tokens(text))}


@given(st.text())
def test_tokens_are_settled(text: str) -> None:
    once = tokens(text)

    assert tokens(" ".join(once)) == once


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        (r"Fr\'echet", "fréchet"),
        (r"na\"ive na\"{\i}ve na{\"\i}ve na\"\i ve", "naïve naïve naïve naïve"),
        (r"Schr\"odinger Schr{\"{o}}dinger Schr\"{o}dinger", "schrödinger schrödinger schrödinger"),
        (r"Erd\H os Erd\H{o}s \v{C}ech Fran\c cois", "erdős erdős čech françois"),
        (r"{\AA}ngstr\"om S\o ren {\O}re Stra{\ss}e {\L}ukasz", "ångström søren øre straße łukasz"),
        (r"CO$_2$ CO$_{2}$ $\mathrm{CO}_2$ CO_2 CO\textsubscript{2} H$_2$SO$_4$", "co2 co2 co2 co2 co2 h2so4"),
        (r"\textbf{deep} \emph{net}s {\bf bold}ly \operatorname*{arg}", "deep nets boldly arg"),
        (r"$k$NN and $n$-gram", "knn and n gram"),
        (r"$R^2$ $\ell_1$ $10^6$ $10$^6$", "r2 l1 10 6 10 6"),
        (r"$\alpha$-helix, \beta{x}y $\alpha_1$", "alpha helix beta x y alpha 1"),
        (r"$x_{ij}y$ $\frac{a}{b}c$ gpt_4 layer_2", "x ij y frac a b c gpt 4 layer 2"),
        (r"from US$5 to US$10, 5\% \$6 a\_b a\{b\}", "from us 5 to us 10 5 6 a b a b"),
        (r"C:\temp C:\emph don\'t \emph", "c temp c emph don t emph"),
        ("TGF-β TGFβ β-catenin IFNγ", "tgf beta tgf beta beta catenin ifn gamma"),
        (
            r"TGF-$\beta$ TGF$\beta$1 $\varepsilon$-greedy \textmu m \beta",
            "tgf beta tgf beta 1 epsilon greedy mu m beta",
        ),
        (
            "ΔF508 5 µm 5 μm ㎛ Ω α1 ϵ 𝛽 ᵝ β̂ α/β",
            "delta f508 5 mu m 5 mu m mu m omega alpha 1 epsilon beta beta beta alpha beta",
        ),
        ("αβ θεωρία ή ΓΔ", "αβ θεωρία ή γδ"),
        (r"a}b lower\-case { } } { \ $ _ ^", "a b lowercase"),
    ],
)
def test_tex_is_read_as_far_as_words_need_it(stored: str, words: str) -> None:
    assert " ".join(tokens(stored)) == words


@pytest.mark.parametrize(
    "piece", ["\\", "{", "}", "$", "\\'", "\\alpha", "x_", "a$", "\\'{", "\\text{", "$x ", "\\a", "_2"]
)
def test_a_long_text_of_tex_takes_no_longer_than_its_length(piece: str) -> None:
    start = time.process_time()

    searchable(piece * (1_000_000 // len(piece)))

    assert time.process_time() - start < 4


@given(st.lists(TEX_PIECES).map("".join))
def test_no_tex_is_left_to_read_again(text: str) -> None:
    assert searchable(searchable(text)) == searchable(text)
    assert counted_by_fts5({1: searchable(text)}) == {1: len(tokens(text))}
