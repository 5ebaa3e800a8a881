import sqlite3

from hypothesis import given
from hypothesis import strategies as st

from domain.fts5 import TOKENIZE, searchable, tokens


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
