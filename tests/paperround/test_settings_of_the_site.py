"""The settings of the site: its address, its keys, who may subscribe, and who stands between it and its visitors."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from domain.errors import SettingsError
from paperround.settings import load, secrets_of
from paperround.settings_model import Settings

KEY = "k" * 43
SITE = f'[web]\nbase_url = "https://papers.lab.example"\nsecret_key = "{KEY}"\n'
NOTHING: Mapping[str, str] = MappingProxyType({})


def read(folder: Path, text: str, environ: Mapping[str, str] = NOTHING) -> Settings:
    (folder / "paperround.toml").write_text(text, encoding="utf-8")
    return load(None, environ, folder)


def refused(folder: Path, text: str, environ: Mapping[str, str] = NOTHING) -> str:
    with pytest.raises(SettingsError) as caught:
        read(folder, text, environ)
    sentence = str(caught.value)
    assert sentence.isprintable(), "an error is one line"
    return sentence


def test_keys_of_before_are_secrets_too_and_may_stand_in_a_file_a_line_each(tmp_path: Path) -> None:
    old, older = "o" * 40, "p" * 40
    (tmp_path / "old").write_text(f"{old}\n\n{older}\n")
    in_file = read(tmp_path, f'{SITE}old_secret_keys_file = "old"\n')
    assert in_file.web.old_secret_keys == (old, older)
    said = read(tmp_path, f'{SITE}old_secret_keys = ["{old}"]\n', {"PAPERROUND_WEB__OLD_SECRET_KEYS": older})
    assert said.web.old_secret_keys == (older,)
    assert old not in repr(in_file)
    assert secrets_of(tmp_path / "paperround.toml")[0] == ("[web] secret_key", "[web] old_secret_keys")
    assert "hunter2" not in refused(tmp_path, '[web]\nold_secret_keys = "hunter2"\n')
    assert "hunter2" not in refused(tmp_path, '[web]\nold_secret_keys = ["hunter2"]\n')
    (tmp_path / "old").write_text(" \n")
    assert read(tmp_path, f'{SITE}old_secret_keys_file = "old"\n').web.old_secret_keys == ()


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [(["short"], "at least 32 characters"), ([KEY], "holds secret_key itself"), (["o" * 40, "p"], "at least 32")],
)
def test_a_key_of_before_is_long_and_another_one(tmp_path: Path, keys: list[str], sentence: str) -> None:
    said = refused(tmp_path, f"{SITE}old_secret_keys = {json.dumps(keys)}\n")
    assert said.startswith("[web] old_secret_keys ")
    assert sentence in said
    assert KEY not in said


def test_the_operator_s_password_is_long_and_not_shown(tmp_path: Path) -> None:
    assert refused(tmp_path, '[web]\noperator_password = "hunter2hunt"\n') == (
        "[web] operator_password must be at least 12 characters"
    )
    found = read(tmp_path, '[web]\noperator_password = "hunter2hunter"\n')
    assert found.web.operator_password == "hunter2hunter"
    assert "hunter2" not in repr(found)


def test_a_site_on_loopback_may_be_plain_http(tmp_path: Path) -> None:
    text = f'[web]\nbase_url = "http://127.0.0.1:8000"\nsecret_key = "{KEY}"\n'
    assert read(tmp_path, text).web.base_url == "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    "url",
    [
        "papers.lab.example",
        "ftp://papers.lab.example",
        "https://",
        "https://u:p@lab.example",
        "http://[::1",
        "https://x:y",
        "https://lab.example/?q",
        "https://lab.example/#a",
        "https://bücher.example",
    ],
)
def test_a_site_that_is_no_address_is_refused(tmp_path: Path, url: str) -> None:
    assert "base_url" in refused(tmp_path, f'[web]\nbase_url = "{url}"\nsecret_key = "{KEY}"\n')


def test_a_site_needs_https_and_a_long_key(tmp_path: Path) -> None:
    assert "https" in refused(tmp_path, f'[web]\nbase_url = "http://papers.lab.example"\nsecret_key = "{KEY}"\n')
    assert "at least 32" in refused(tmp_path, '[web]\nbase_url = "https://papers.lab.example"\n')
    assert "at least 32" in refused(tmp_path, SITE.replace(KEY, "short"))


def test_a_site_and_smtp_to_others_need_a_postal_address(tmp_path: Path) -> None:
    mail = '[mail]\ntransport = "smtp"\nhost = "relay.lab.example"\nfrom = "a@lab.example"\n'
    assert "postal_address" in refused(tmp_path, SITE + mail)
    assert read(tmp_path, f'{SITE}{mail}postal_address = "1 Example Street"\n').mail.transport == "smtp"
    assert read(tmp_path, SITE + mail.replace("relay.lab.example", "127.0.0.1")).mail.host == "127.0.0.1"
    assert read(tmp_path, mail).web.base_url == ""


def test_proxies_are_addresses_or_networks(tmp_path: Path) -> None:
    legal = ["127.0.0.1", "10.0.0.0/8", "::1", "fd00::/8"]
    assert read(tmp_path, f"[web]\ntrusted_proxies = {json.dumps(legal)}\n").web.trusted_proxies == tuple(legal)


@pytest.mark.parametrize("proxy", ["proxy.lab.example", "10.0.0.1/8", "10.0.0", "", "10.0.0.0/33", "*", "1.2.3.4:80"])
def test_any_other_proxy_is_refused(tmp_path: Path, proxy: str) -> None:
    assert refused(tmp_path, f'[web]\ntrusted_proxies = ["127.0.0.1", "{proxy}"]\n') == (
        f"[web] trusted_proxies must be addresses or networks such as 127.0.0.1 or 10.0.0.0/8, not {proxy!r}"
    )


@pytest.mark.parametrize("everybody", ["0.0.0.0/0", "::/0"])
def test_not_everybody_is_a_proxy(tmp_path: Path, everybody: str) -> None:
    assert "believe anybody" in refused(tmp_path, f'[web]\ntrusted_proxies = ["{everybody}"]\n')


@pytest.mark.parametrize("prefix", ["", "/", "/papers", "/a/b/", "/~lab/papers.v2"])
def test_a_prefix_is_a_plain_path(tmp_path: Path, prefix: str) -> None:
    assert read(tmp_path, f'[web]\npath_prefix = "{prefix}"\n').web.path_prefix == prefix


@pytest.mark.parametrize(
    "prefix", ["papers", "//", "/a//b", "/..", "/a/../b", "/./a", "/a b", "/{x}", "/a?b", "/é", "/%2e"]
)
def test_any_other_prefix_is_refused(tmp_path: Path, prefix: str) -> None:
    assert refused(tmp_path, f'[web]\npath_prefix = "{prefix}"\n').startswith("[web] path_prefix must be a path")


def test_domains_that_may_subscribe_are_kept_as_mail_names_them(tmp_path: Path) -> None:
    text = '[web]\nsignup = "domains"\nallowed_domains = ["Lab.Example", "bücher.example", "xn--bcher-kva.example"]\n'
    assert read(tmp_path, text).web.allowed_domains == ("lab.example", *["xn--bcher-kva.example"] * 2)


@pytest.mark.parametrize(
    "domain", ["", "@lab.example", "mira@lab.example", "*.lab.example", "lab..example", "a/b", "com"]
)
def test_any_other_domain_is_refused(tmp_path: Path, domain: str) -> None:
    assert refused(tmp_path, f'[web]\nsignup = "domains"\nallowed_domains = ["{domain}"]\n') == (
        f"[web] allowed_domains must be names of domains such as lab.example, not {domain!r}"
    )


def test_domains_and_who_may_subscribe_go_together(tmp_path: Path) -> None:
    assert "needs allowed_domains" in refused(tmp_path, '[web]\nsignup = "domains"\n')
    for signup in ("open", "closed"):
        text = f'[web]\nsignup = "{signup}"\nallowed_domains = ["lab.example"]\n'
        assert 'needs signup = "domains"' in refused(tmp_path, text)
