"""A form with a file: what browsers write is read to the octet, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web.uploads import read_upload

TYPE = "multipart/form-data; boundary=----cut7MA4"


def written(fields: dict[str, str], file: bytes, name: str = "library.bib") -> bytes:
    parts = [f'Content-Disposition: form-data; name="{each}"\r\n\r\n{value}'.encode() for each, value in fields.items()]
    head = f'Content-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: text/x-bibtex\r\n\r\n'
    parts.append(head.encode() + file)
    return b"".join(b"------cut7MA4\r\n" + part + b"\r\n" for part in parts) + b"------cut7MA4--\r\n"


@given(st.binary(max_size=300), st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_what_a_browser_writes_is_read_to_the_octet(file, value):
    if b"\r\n------cut7MA4" in b"\r\n" + file:
        return
    read = read_upload(TYPE, written({"liking": value}, file))
    assert (read.fields, read.file) == ({"liking": value}, file)


@given(st.text(max_size=80), st.binary(max_size=300))
def test_noise_is_no_form(content_type, body):
    assert read_upload(content_type, body) is None
    assert read_upload(TYPE, body) is None


@given(st.integers(0, 400))
def test_a_body_that_was_cut_is_no_form(size):
    whole = written({"liking": "more"}, b"@misc{a}")
    end = whole.rindex(b"--\r\n")
    assert read_upload(TYPE, whole[: min(size, end)]) is None


@pytest.mark.parametrize(
    "body",
    [
        written({"liking": "more"}, b"a").replace(b'name="liking"', b'name="<liking>"'),
        written({"liking": "more"}, b"a").replace(b"form-data", b"attachment"),
        written({"liking": "more"}, b"a").replace(b'; filename="library.bib"', b""),
        written({"liking": "more"}, b"a").replace(b"------cut7MA4--", written({"liking": "less"}, b"b"), 1),
        b"preamble\r\n" + written({"liking": "more"}, b"a"),
        written({f"n{number}".translate(str.maketrans("0123456789", "abcdefghij")): "" for number in range(30)}, b"a"),
    ],
    ids=["a strange name", "no form-data", "no file", "twice", "a preamble", "very many"],
)
def test_what_no_form_of_ours_sends_is_none(body):
    assert read_upload(TYPE, body) is None
