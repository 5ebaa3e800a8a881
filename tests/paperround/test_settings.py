"""The settings file, the environment and the secrets beside them: what is taken, and each refusal's one sentence."""

import contextlib
import json
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType, NoneType
from typing import Annotated, Literal, get_args, get_origin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import SettingsError
from domain.papers import Announcement
from paperround.settings import build, load
from paperround.settings_example import comments, init_text
from paperround.settings_model import SECTIONS, Section, Settings, SourceSettings
from scrapers.configuring import LISTS
from scrapers.registry import KINDS

KEY = "k" * 43
SITE = f'[web]\nbase_url = "https://papers.lab.example"\nsecret_key = "{KEY}"\n'
OPERATING = Path(__file__).resolve().parents[2] / "docs" / "operating.md"
NOTHING: Mapping[str, str] = MappingProxyType({})


def read(folder: Path, text: str, environ: Mapping[str, str] = NOTHING) -> Settings:
    (folder / "paperround.toml").write_text(text, encoding="utf-8")
    return load(None, environ, folder)


def refused(folder: Path, text: str, environ: Mapping[str, str] = NOTHING) -> str:
    with pytest.raises(SettingsError) as caught:
        read(folder, text, environ)
    sentence = str(caught.value)
    assert sentence.isprintable(), "an error is one line"
    assert "pydantic" not in sentence
    return sentence


# -- which file --------------------------------------------------------------------------------------------------------


def test_without_a_file_everything_stands_at_its_default(tmp_path: Path) -> None:
    found = load(None, {}, tmp_path)
    assert found.database.url == f"sqlite:///{tmp_path}/paperround.db"
    assert found.mail.dir == tmp_path / "outbox"
    assert found.mail.transport == "folder"
    assert found.sources == ()


def test_the_named_file_wins_over_the_variable_and_the_variable_over_the_folder(tmp_path: Path) -> None:
    for name, papers in (("paperround", 1), ("variable", 2), ("named", 3)):
        (tmp_path / f"{name}.toml").write_text(f"[digest]\npapers = {papers}\n")
    environ = {"PAPERROUND_CONFIG": "variable.toml"}
    assert load(Path("named.toml"), environ, tmp_path).digest.papers == 3
    assert load(None, environ, tmp_path).digest.papers == 2
    assert load(None, {"PAPERROUND_CONFIG": ""}, tmp_path).digest.papers == 1


def test_what_is_said_to_the_tests_is_no_setting(tmp_path: Path) -> None:
    said = {"PAPERROUND_TESTS_PICTURES": "build/pictures", "PAPERROUND_TESTS_MUST_NOT_SKIP": "1"}
    assert load(None, said, tmp_path) == load(None, {}, tmp_path)


def test_relative_paths_start_at_the_files_folder(tmp_path: Path) -> None:
    home = tmp_path / "lab"
    home.mkdir()
    (home / "secret").write_text(f"{KEY}\n")
    (home / "p.toml").write_text(
        '[database]\nurl = "sqlite:///data/a.db"\n[mail]\ndir = "out"\n[web]\nsecret_key_file = "secret"\n'
    )
    found = load(Path("lab/p.toml"), {}, tmp_path)
    assert found.database.url == f"sqlite:///{home}/data/a.db"
    assert found.mail.dir == home / "out"
    assert found.web.secret_key == KEY


def test_absolute_paths_stay(tmp_path: Path) -> None:
    found = read(tmp_path, '[database]\nurl = "sqlite:////srv/a.db"\n[mail]\ndir = "/srv/out"\n')
    assert found.database.url == "sqlite:////srv/a.db"
    assert found.mail.dir == Path("/srv/out")


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"other\.toml cannot be read"):
        load(Path("other.toml"), {}, tmp_path)


def test_broken_toml_is_told_with_file_and_line(tmp_path: Path) -> None:
    sentence = refused(tmp_path, "[mail]\nhost = \n")
    assert "paperround.toml" in sentence
    assert "line 2" in sentence


def test_a_file_in_another_encoding_is_refused_and_a_byte_order_mark_is_not(tmp_path: Path) -> None:
    (tmp_path / "paperround.toml").write_bytes(b'[mail]\npostal_address = "Stra\xdfe"\n')
    with pytest.raises(SettingsError, match="not UTF-8"):
        load(None, {}, tmp_path)
    assert read(tmp_path, "\ufeff[digest]\npapers = 4\n").digest.papers == 4


# -- the environment ---------------------------------------------------------------------------------------------------


def test_the_environment_wins_and_its_text_becomes_a_number_where_one_is_wanted(tmp_path: Path) -> None:
    environ = {
        "PAPERROUND_MAIL__PORT": "2525",
        "PAPERROUND_MAIL__PER_SECOND": "2.5",
        "PAPERROUND_MAIL__FROM": "Lab <a@lab.example>",
        "PAPERROUND_MAIL__USER": "007",
        "PAPERROUND_DIGEST__PAPERS": "12",
        "HOME": "/root",
    }
    found = read(tmp_path, "[mail]\nport = 25\n[digest]\npapers = 3\n", environ)
    assert found.mail.port == 2525
    assert found.mail.per_second == pytest.approx(2.5)
    assert found.mail.sender == "Lab <a@lab.example>"
    assert found.mail.user == "007"
    assert found.digest.papers == 12


@pytest.mark.parametrize(
    ("variable", "hint"),
    [
        ("PAPERROUND_MAIL__HOTS", "did you mean 'host'?"),
        ("PAPERROUND_MAIL_HOST", "did you mean PAPERROUND_MAIL__HOST?"),
        ("PAPERROUND_WEBB__PORT", "did you mean PAPERROUND_WEB__PORT?"),
        ("PAPERROUND_SOURCE__URL", "names no setting"),
        ("PAPERROUND_", "names no setting"),
        ("PAPERROUND_WEB__OPERATOR_PASWORD", "did you mean 'operator_password'?"),
    ],
)
def test_an_unknown_variable_is_refused(tmp_path: Path, variable: str, hint: str) -> None:
    assert hint in refused(tmp_path, "", {variable: "x"})


def test_a_list_in_the_environment_is_divided_by_commas(tmp_path: Path) -> None:
    topics = ["arn:aws:sns:eu-west-1:123456789012:letters", "arn:aws:sns:eu-west-1:123456789012:more"]
    environ = {
        "PAPERROUND_WEB__TRUSTED_PROXIES": " 127.0.0.1, 10.0.0.0/8,,",
        "PAPERROUND_WEB__SIGNUP": "domains",
        "PAPERROUND_WEB__ALLOWED_DOMAINS": "lab.example",
        "PAPERROUND_BOUNCES__SES_TOPICS": ",".join(topics),
    }
    found = read(tmp_path, '[web]\ntrusted_proxies = ["::1"]\n', environ)
    assert found.web.trusted_proxies == ("127.0.0.1", "10.0.0.0/8")
    assert found.web.allowed_domains == ("lab.example",)
    assert found.bounces.ses_topics == tuple(topics)
    assert read(tmp_path, "", {"PAPERROUND_WEB__TRUSTED_PROXIES": ""}).web.trusted_proxies == ()


def test_a_wrong_number_in_the_environment_is_told(tmp_path: Path) -> None:
    sentence = refused(tmp_path, "", {"PAPERROUND_MAIL__PORT": "many"})
    assert sentence == "[mail] port must be a whole number, not 'many'"


# -- secrets -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("in_file", [f'secret_key = "{"f" * 40}"', 'secret_key_file = "gone"'])
@pytest.mark.parametrize("form", ["SECRET_KEY", "SECRET_KEY_FILE"])
def test_a_secret_of_the_environment_wins_in_either_form(tmp_path: Path, in_file: str, form: str) -> None:
    (tmp_path / "key").write_text(KEY)
    environ = {f"PAPERROUND_WEB__{form}": "key" if form.endswith("FILE") else KEY}
    assert read(tmp_path, f"[web]\n{in_file}\n", environ).web.secret_key == KEY


def test_a_secret_in_both_forms_at_once_is_refused(tmp_path: Path) -> None:
    assert "keep one" in refused(tmp_path, '[mail]\npassword = "a"\npassword_file = "b"\n')
    assert "keep one" in refused(
        tmp_path, "", {"PAPERROUND_WEB__SECRET_KEY": KEY, "PAPERROUND_WEB__SECRET_KEY_FILE": "key"}
    )


@pytest.mark.parametrize("content", ["", "\n", "two\nlines", "nul\0"])
def test_a_secrets_file_must_hold_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "key").write_text(content)
    assert "one line of text" in refused(tmp_path, '[web]\nsecret_key_file = "key"\n')


def test_a_secrets_file_must_be_there(tmp_path: Path) -> None:
    assert "password_file" in refused(tmp_path, '[mail]\npassword_file = "gone"\n')
    assert "password_file" in refused(tmp_path, '[mail]\npassword_file = "."\n')


def test_no_secret_is_shown(tmp_path: Path) -> None:
    found = read(tmp_path, f'{SITE}[mail]\nuser = "u"\npassword = "hunter2"\n')
    assert KEY not in repr(found)
    assert "hunter2" not in repr(found)
    assert "4711" not in refused(tmp_path, "[mail]\npassword = 4711\n")
    assert "hunter2" not in refused(tmp_path, '[database]\nurl = "mysql://me:hunter2@db/papers"\n')
    assert "hunter2" not in repr(read(tmp_path, '[database]\nurl = "postgresql://me:hunter2@db/papers"\n'))


# -- names -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("[mail]\ntransprot = 'smtp'\n", "[mail] has no setting 'transprot'; did you mean 'transport'?"),
        ("[mial]\n", "unknown section 'mial'; did you mean 'mail'?"),
        ("papers = 3\n", "unknown section 'papers'"),
        (
            "[digest]\nzzzz = 3\n",
            "legal: papers, per_topic, late_risers, trending, like_saved, sent_news, abstract_chars, welcome_days",
        ),
        ("[[source]]\nnmae = 'x'\n", "[[source]] number 1 has no setting 'nmae'; did you mean 'name'?"),
        ("[source]\nname = 'x'\n", "[[source]]"),
        ("mail = 3\n", "[mail]"),
        ('["a\\nb"]\n', "unknown section"),
        ('[mail]\n"a\\nb" = 3\n', "has no setting"),
    ],
)
def test_a_misspelt_name_gets_the_nearest_legal_one(tmp_path: Path, text: str, hint: str) -> None:
    assert hint in refused(tmp_path, text)


def test_settings_of_later_versions_that_say_what_this_one_does_anyway_are_no_mistake(tmp_path: Path) -> None:
    text = (
        '[collect]\nallow_private_hosts = false\n[web]\nsignup = "closed"\ntrusted_proxies = []\n[keep]\n[operator]\n'
        '[[source]]\nname = "hf"\nkind = "huggingface-daily"\ncategories = []\n'
    )
    assert read(tmp_path, text).sources[0].name == "hf"


# -- values ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "[mail]\ntransport = 'pigeon'\n",
            "[mail] transport must be one of 'folder', 'html', 'smtp' or 'memory', not 'pigeon'",
        ),
        ("[mail]\nport = 70000\n", "[mail] port must be at most 65535, not 70000"),
        ("[mail]\nport = '25'\n", "[mail] port must be a whole number, not '25'"),
        ("[mail]\nport = true\n", "[mail] port must be a whole number, not True"),
        ("[mail]\nuser = 3\n", "[mail] user must be text in quotes, not 3"),
        ("[mail]\nper_second = nan\n", "[mail] per_second must be more than 0.0, not nan"),
        ("[digest]\npapers = 0\n", "[digest] papers must be at least 1, not 0"),
        ("[digest]\npapers = 101\n", "[digest] papers must be at most 100, not 101"),
        ("[digest]\nabstract_chars = 79\n", "[digest] abstract_chars must be at least 80, not 79"),
        ("[web]\nhost = ''\n", "[web] host must be at least 1 characters long, not ''"),
        ("[[source]]\nkind = 'huggingface-daily'\n", "[[source]] number 1: name must be set"),
    ],
)
def test_a_wrong_value_is_told_with_what_is_legal(tmp_path: Path, text: str, sentence: str) -> None:
    assert refused(tmp_path, text) == sentence


@pytest.mark.parametrize(
    "text",
    [
        '[collect]\ncontact = "me\\r\\nBcc: all@lab.example"\n',
        '[mail]\ndir = "out\\u0000"\n',
        '[mail]\nfrom = "Lab\\u2028 <a@lab.example>"\n',
        '[[source]]\nname = "a\\nb"\nkind = "huggingface-daily"\n',
    ],
)
def test_control_characters_are_refused(tmp_path: Path, text: str) -> None:
    assert "control characters" in refused(tmp_path, text)


def test_bytes_of_the_environment_that_are_no_text_are_refused(tmp_path: Path) -> None:
    assert "control characters" in refused(tmp_path, "", {"PAPERROUND_MAIL__USER": "caf\udce9"})


@pytest.mark.parametrize("url", ["postgresql+psycopg://u:p@db/x", "sqlite:///", "papers.db", "mysql://x/y", ""])
def test_a_database_is_a_sqlite_file_or_one_of_postgresql(tmp_path: Path, url: str) -> None:
    sentence = refused(tmp_path, f'[database]\nurl = "{url}"\n')
    assert sentence.startswith("[database] url")
    assert "sqlite:///FILE or postgresql://" in sentence
    assert "u:p" not in sentence
    for known in ("postgresql://me@db/papers", "postgres://db/papers"):
        assert read(tmp_path, f'[database]\nurl = "{known}"\n').database.url == known


@pytest.mark.parametrize(
    ("said", "meant"),
    [("45s", timedelta(seconds=45)), ("30m", timedelta(minutes=30)), ("1 h", timedelta(hours=1)), ("7d", timedelta(7))],
)
def test_how_often_to_ask_is_a_duration(tmp_path: Path, said: str, meant: timedelta) -> None:
    text = f'[[source]]\nname = "a"\nkind = "huggingface-daily"\nevery = "{said}"\n'
    assert read(tmp_path, text).sources[0].every == meant


@pytest.mark.parametrize("said", ['"0m"', '"1 fortnight"', "3600", '"-1h"', '"999999d"', '"1.5h"', "true"])
def test_another_duration_is_refused(tmp_path: Path, said: str) -> None:
    assert '"30m"' in refused(tmp_path, f'[[source]]\nname = "a"\nkind = "huggingface-daily"\nevery = {said}\n')


def test_two_sources_of_one_name_are_refused(tmp_path: Path) -> None:
    source = '[[source]]\nname = "a"\nkind = "huggingface-daily"\n'
    assert "'a'" in refused(tmp_path, source * 2)


@pytest.mark.parametrize("key", ["from", "reply_to"])
def test_an_address_must_be_one(tmp_path: Path, key: str) -> None:
    assert refused(tmp_path, f'[mail]\n{key} = "nobody"\n').startswith(f"[mail] {key}")


def test_the_operator_has_an_address(tmp_path: Path) -> None:
    assert read(tmp_path, '[operator]\nemail = "ops@lab.example"\n').operator.email == "ops@lab.example"
    assert refused(tmp_path, '[operator]\nemail = "ops"\n').startswith("[operator] email: ")


@pytest.mark.parametrize("url", ["https://m.example/ping/1?x=y", "http://127.0.0.1:8000/", "http://localhost/"])
def test_a_monitor_is_pinged_over_https_or_on_this_machine(tmp_path: Path, url: str) -> None:
    assert read(tmp_path, f'[operator]\nping_url = "{url}"\n').operator.ping_url == url


@pytest.mark.parametrize("url", ["http://m.example/", "m.example", "ftp://m.example/", "https://", "https://[", "ping"])
def test_any_other_monitor_is_refused(tmp_path: Path, url: str) -> None:
    assert refused(tmp_path, f'[operator]\nping_url = "{url}"\n').startswith("[operator] ping_url must be ")


def test_a_home_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert "home" in refused(tmp_path, '[mail]\ndir = "~nobody-of-that-name/out"\n')


# -- settings together -------------------------------------------------------------------------------------------------


def test_smtp_to_others_needs_a_sender_of_ones_own(tmp_path: Path) -> None:
    assert "[mail] from" in refused(tmp_path, '[mail]\ntransport = "smtp"\nhost = "relay.lab.example"\n')


def test_a_password_goes_nowhere_in_the_clear(tmp_path: Path) -> None:
    text = (
        '[mail]\ntransport = "smtp"\nhost = "{host}"\ntls = "none"\nuser = "u"\npassword = "p"\nfrom = "a@b.example"\n'
    )
    assert "tls" in refused(tmp_path, text.format(host="relay.lab.example"))
    assert read(tmp_path, text.format(host="localhost")).mail.tls == "none"


@pytest.mark.parametrize("half", ['user = "u"', 'password = "p"'])
def test_a_login_has_two_halves(tmp_path: Path, half: str) -> None:
    assert "both" in refused(tmp_path, f'[mail]\ntransport = "smtp"\nhost = "localhost"\n{half}\n')


# -- the file that init writes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('ses_topics = ["letters"]\n', "'letters' is not the ARN of an SNS topic"),
        ('imap_host = "imap.lab.example"\n', "needs imap_user and imap_password"),
        ('imap_host = "imap.lab.example"\nimap_user = "b"\n', "needs imap_user and imap_password"),
        ('imap_folder = "Entwürfe"\n', "must be ASCII"),
    ],
)
def test_where_bounces_come_from_is_checked(tmp_path: Path, text: str, sentence: str) -> None:
    assert sentence in refused(tmp_path, f"[bounces]\n{text}")


def test_the_file_of_init_stands_at_the_defaults(tmp_path: Path) -> None:
    found = read(tmp_path, init_text(KEY))
    assert [(source.name, source.kind) for source in found.sources] == [("huggingface-daily", "huggingface-daily")]
    plain = load(None, {}, tmp_path / "elsewhere")
    assert found.digest == plain.digest
    assert found.collect == plain.collect
    assert found.mail == plain.mail.model_copy(update={"dir": tmp_path / "outbox"})
    assert found.web == plain.web.model_copy(update={"secret_key": KEY})


def test_every_line_of_the_file_of_init_is_legal_once_it_counts(tmp_path: Path) -> None:
    text = re.sub(r"^# (\w+ = )", r"\1", init_text(KEY), flags=re.MULTILINE)
    found = read(tmp_path, text)
    assert found.sources[0].every == timedelta(hours=1)
    for section, model in SECTIONS.items():
        written = text.split(f"\n[{section}]\n")[1].split("\n[")[0]
        assert re.findall(r"^(\w+) = ", written, re.MULTILINE) == [
            field.alias or name for name, field in model.model_fields.items()
        ]


@given(key=st.text(st.characters(exclude_categories=("C", "Z")), min_size=32, max_size=60))
@settings(max_examples=40)
def test_any_printable_key_survives_the_file_of_init(tmp_path_factory: pytest.TempPathFactory, key: str) -> None:
    assert read(tmp_path_factory.getbasetemp(), init_text(key)).web.secret_key == key


@given(value=st.text(max_size=40), key=st.sampled_from(["url", "host", "from", "base_url", "secret_key_file", "every"]))
@settings(max_examples=40)
def test_any_value_is_legal_or_one_sentence(tmp_path_factory: pytest.TempPathFactory, value: str, key: str) -> None:
    text = f"[[source]]\nname = 'a'\nkind = 'huggingface-daily'\n{key} = {json.dumps(value, ensure_ascii=False)}\n"
    for section in ("database", "mail", "web"):
        with contextlib.suppress(SettingsError):
            build({section: {key: value}}, tmp_path_factory.getbasetemp())
    with contextlib.suppress(SettingsError):
        read(tmp_path_factory.getbasetemp(), text)


# -- the documentation -------------------------------------------------------------------------------------------------


def legal_of(section: type[Section], name: str) -> str:
    """Return the legal values of a setting as docs/operating.md writes them."""
    field = section.model_fields[name]
    union = [each for each in (field.annotation, *get_args(field.annotation)) if each is not NoneType]
    kinds = [get_args(each)[0] if get_origin(each) is Annotated else each for each in union]
    for kind in kinds:
        if get_origin(kind) is Literal:
            return ", ".join(f"`{value}`" for value in get_args(kind))
    low = next((value.ge for value in field.metadata if hasattr(value, "ge")), None)
    high = next((value.le for value in field.metadata if hasattr(value, "le")), None)
    if low is not None:
        return f"{low} to {high}" if high is not None else f"{low} or more"
    if section is SourceSettings and name in {"kind", "announce", "list"}:
        legal = {"kind": KINDS, "announce": [each.value for each in Announcement], "list": LISTS}[name]
        listed = ", ".join(f"`{value}`" for value in legal)
        return f"a list of {listed}" if name == "announce" else listed
    plain = {
        float: "a number over 0",
        timedelta: "`30m`, `1h`, `1d`",
        bool: "`true`, `false`",
        Path: "a path",
        tuple[str, ...]: "a list of texts",
    }
    return next((plain[kind] for kind in kinds if kind in plain), "text")


def settings_table() -> list[str]:
    """Return the rows of the table of docs/operating.md, made from the models."""
    rows = ["| setting | default | legal | what it does |", "|---|---|---|---|"]
    for section, model in {**SECTIONS, "source": SourceSettings}.items():
        heading = "[[source]]" if section == "source" else f"[{section}]"
        notes = comments(model)
        for name, field in model.model_fields.items():
            default = "" if field.is_required() or field.default in {None, "", ()} else f"`{field.default}`"
            if isinstance(field.default, bool):
                default = default.lower()
            if isinstance(field.default, timedelta):
                default = f"`{field.default // timedelta(minutes=1)}m`"
            key = field.alias or name
            rows.append(f"| `{heading} {key}` | {default} | {legal_of(model, name)} | {notes[name]} |")
    return rows


def test_the_documented_settings_are_the_real_ones() -> None:
    section = OPERATING.read_text(encoding="utf-8").split("\n## Settings\n")[1].split("\n## ")[0]
    documented = [line for line in section.splitlines() if line.startswith("|")]
    assert documented == settings_table()


@pytest.mark.parametrize(
    "domain", ["mira@lab.example", "https://lab.example", "lab..example", "-lab.example", "bücher.example", "a." * 96]
)
def test_a_bounce_domain_is_a_host_name(tmp_path: Path, domain: str) -> None:
    assert "[mail] bounce_domain must be the name" in refused(tmp_path, f'[mail]\nbounce_domain = "{domain}"\n')


@pytest.mark.parametrize("name", ["localhost", "192.0.2.1", "bücher.example", "a..b", "x y.example"])
def test_the_name_that_we_greet_with_is_a_full_host_name(tmp_path: Path, name: str) -> None:
    mail = '[mail]\ntransport = "smtp"\nhost = "127.0.0.1"\nfrom = "a@lab.example"\n'
    assert "[mail] ehlo_name must be the full name" in refused(tmp_path, f'{mail}ehlo_name = "{name}"\n')


def test_a_bounce_domain_is_taken(tmp_path: Path) -> None:
    found = read(tmp_path, '[mail]\nbounce_domain = "bounces.lab.example"\n')
    assert found.mail.bounce_domain == "bounces.lab.example"
