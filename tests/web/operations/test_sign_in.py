"""The operator's door: one password, few wrong tries, and the same answer to every stranger."""

import base64
import unicodedata
from collections.abc import Callable

import pytest
from starlette.requests import Request

from web.operations.sign_in import TRIES, Door
from web.rendering import Rendering, SiteFacts


def test_without_a_password_one_is_asked_for_it(lab):
    answer = lab.ask()
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == 'Basic realm="Paperround", charset="UTF-8"'
    assert answer.headers["cache-control"] == "no-store"
    assert "Sources" not in answer.text


def test_the_right_password_opens_under_any_user_name(lab, basic_of, password):
    for user in ("operator", "", "Zoë", "a" * 200):
        assert lab.ask(Authorization=basic_of(password, user)).status == 200


def test_letters_are_the_same_however_a_keyboard_writes_them(lab, basic_of, password):
    apart = unicodedata.normalize("NFD", password)
    assert apart != password
    assert lab.ask(Authorization=basic_of(apart)).status == 200


def _b64(raw: bytes) -> str:
    return "Basic " + base64.b64encode(raw).decode()


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic b3BlcmF0b3I",
        "Bearer twelve",
        _b64(b"no colon"),
        _b64(b"operator:"),
        _b64(b"operator:wrong"),
        _b64(b"operator:\xff\xfe"),
        _b64(b"operator:" + b"x" * 3000),
        _b64(b"operator:" + b"x" * 20_000),
        _b64(b"operator:\0"),
        _b64("operator:\u202e".encode()),
    ],
)
def test_any_other_header_is_a_wrong_password(lab, header):
    answer = lab.ask(Authorization=header)
    assert answer.status == 401
    assert "Sources" not in answer.text


def test_a_button_needs_the_password_too(lab):
    stamp = lab.page().stamp
    answer = lab.ask("POST", body=f"stamp={stamp}&action=pause".encode())
    assert answer.status == 401
    assert lab.house.installation.hold() is None


def test_without_a_setting_nobody_gets_in_and_the_answer_is_the_same(operated, basic_of):
    lab = operated(operator_password="")
    none, empty, some = lab.ask(), lab.ask(Authorization=basic_of("")), lab.ask(Authorization=basic_of("x" * 12))
    assert [each.status for each in (none, empty, some)] == [401, 401, 401]
    assert none.text == empty.text == some.text


def test_ten_wrong_tries_close_the_door_for_a_while(lab, basic_of, password):
    for _ in range(TRIES):
        assert lab.ask(Authorization=basic_of("wrong")).status == 401
    answer = lab.ask(Authorization=basic_of(password))
    assert answer.status == 429
    assert 500 < int(answer.headers["retry-after"]) <= 600
    assert lab.ask().status == 401  # who only looks is told what to bring, as ever


@pytest.fixture
def knock() -> Callable[..., int]:
    door = Door("a right password", Rendering(SiteFacts()))

    def at(client: str, password: str) -> int:
        header = _b64(f"o:{password}".encode()).encode()
        scope = {"type": "http", "client": (client, 1), "headers": [(b"authorization", header)]}
        refused = door.refused(Request(scope))
        return 200 if refused is None else refused.status_code

    return at


def test_nobody_is_locked_out_by_somebody_elses_wrong_tries(knock):
    for _ in range(50):
        knock("198.51.100.7", "wrong")
    assert knock("198.51.100.7", "a right password") == 429
    assert knock("198.51.100.8", "a right password") == 200


def test_right_passwords_do_not_count(knock):
    for _ in range(3 * TRIES):
        assert knock("198.51.100.7", "a right password") == 200


def test_one_network_of_ipv6_is_one_client(knock):
    for number in range(TRIES):
        assert knock(f"2001:db8:1:2::{number + 1}", "wrong") == 401
    assert knock("2001:db8:1:2:ffff::1", "wrong") == 429
    assert knock("2001:db8:1:3::1", "wrong") == 401


def test_an_address_is_one_client_in_either_notation(knock):
    for _ in range(TRIES):
        knock("::ffff:198.51.100.7", "wrong")
    assert knock("198.51.100.7", "a right password") == 429
