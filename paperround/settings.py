"""Settings: one file, the environment over it, and one clear sentence for whatever is wrong.

    paperround.toml → PAPERROUND_<SECTION>__<KEY> wins → <key>_file read → checked key by key, then together → Settings

Nothing else in Paperround reads the environment or the file. Relative paths start at the file's folder.
"""

import re
import tomllib
from collections.abc import Mapping
from copy import deepcopy
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_origin
from urllib.parse import urlsplit

from pydantic import ValidationError

from digests.addresses import mail_domain
from domain.errors import SettingsError
from paperround.settings_complaints import complaints
from paperround.settings_model import (
    SECRETS,
    SECTIONS,
    Section,
    Settings,
    SourceSettings,
)
from paperround.settings_words import sentence

FILE = "paperround.toml"
PREFIX = "PAPERROUND_"
#: Variables that are no settings: which file, and what is said to this project's own tests.
_OTHER_VARIABLES = re.compile("PAPERROUND_(CONFIG|TESTS_[A-Z_]+)")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def load(config: Path | None, environ: Mapping[str, str], cwd: Path) -> Settings:
    """Return the settings of the file that was named, of $PAPERROUND_CONFIG, of ./paperround.toml, or the defaults.

    Raises SettingsError: one sentence that names the setting, what is wrong and what would be legal.
    """
    file, is_named = _place(config, environ, cwd)
    values: dict[str, Any] = {}
    if is_named or file.is_file():
        values = _read(file)
    return build(_with_environment(values, environ), file.parent)


def found(config: Path | None, environ: Mapping[str, str], cwd: Path) -> Path | None:
    """Return the file that `load` reads; None where there is none, and the defaults hold."""
    file, is_named = _place(config, environ, cwd)
    return file if is_named or file.is_file() else None


def secrets_of(file: Path) -> tuple[tuple[str, ...], tuple[Path, ...]]:
    """Return which secrets stand in a settings file, such as "[mail] password", and the files it names for others.

    Raises SettingsError where it cannot be read.
    """
    values = _read(file)
    sections = [(name, content) for name, content in values.items() if isinstance(content, dict)]
    inside = [f"[{section}] {key}" for section, content in sections for key in SECRETS if content.get(key)]
    if _has_password(str(dict(sections).get("database", {}).get("url", ""))):
        inside.append("[database] url")
    paths = [content.get(f"{key}_file") for _, content in sections for key in SECRETS]
    return tuple(inside), tuple(_rooted(file.parent, path) for path in paths if isinstance(path, str))


def _has_password(url: str) -> bool:
    try:
        return bool(urlsplit(url).password)
    except ValueError:
        return False


def _place(config: Path | None, environ: Mapping[str, str], cwd: Path) -> tuple[Path, bool]:
    """Return where the settings stand, and whether somebody said so."""
    named = config or (Path(environ["PAPERROUND_CONFIG"]) if environ.get("PAPERROUND_CONFIG") else None)
    return ((cwd / named) if named else cwd / FILE), named is not None


def build(values: Mapping[str, Any], folder: Path) -> Settings:
    """Check values in the file's shape; relative paths start at `folder`. Raises SettingsError."""
    given = _known(deepcopy(dict(values)))
    _read_secrets(given, folder)
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        raise SettingsError(sentence(error)) from error
    settings = settings.model_copy(
        update={
            "database": settings.database.model_copy(update={"url": _database_url(settings.database.url, folder)}),
            "mail": settings.mail.model_copy(update=_mail_paths(settings, folder)),
            "topics": settings.topics.model_copy(update=_model_path(settings, folder)),
        }
    )
    for complaint in complaints(settings):
        raise SettingsError(complaint)  # one at a time: a complaint may rest on the ones before it
    domains = tuple(map(mail_domain, settings.web.allowed_domains))
    return settings.model_copy(update={"web": settings.web.model_copy(update={"allowed_domains": domains})})


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file} is not TOML: {error}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{file} is not UTF-8 text (byte {error.start})") from error
    except OSError as error:
        raise SettingsError(f"the settings {file} cannot be read: {error.strerror}") from error


def _with_environment(values: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """Lay PAPERROUND_<SECTION>__<KEY> over the file's values; its text becomes the number or list that is wanted."""
    merged = {name: dict(value) if isinstance(value, Mapping) else value for name, value in values.items()}
    said = [
        (*_named(variable), text)
        for variable, text in sorted(environ.items())
        if variable.startswith(PREFIX) and not _OTHER_VARIABLES.fullmatch(variable)
    ]
    for section, key, _ in said:
        place = merged.setdefault(section, {})
        bare = key.removesuffix("_file")
        if isinstance(place, dict) and bare in SECRETS:
            # The environment wins over the file whichever form of the secret either of them uses.
            place.pop(bare, None)
            place.pop(f"{bare}_file", None)
    for section, key, text in said:
        place = merged[section]
        if isinstance(place, dict):
            place[key] = _typed(section, key, text)
    return merged


def _named(variable: str) -> tuple[str, str]:
    """Return the section and the key that an environment variable names; raises SettingsError."""
    section, divided, key = variable.removeprefix(PREFIX).lower().partition("__")
    if not divided or section not in SECTIONS:
        legal = [f"{PREFIX}{name}__{key}".upper() for name, model in SECTIONS.items() for key in _keys(model)]
        near = get_close_matches(variable.upper(), legal, n=1)
        hint = f"did you mean {near[0]}?" if near else f"use {PREFIX}<SECTION>__<KEY>"
        raise SettingsError(f"the environment variable {variable!r} names no setting; {hint}")
    return section, key


def _typed(section: str, key: str, text: str) -> object:
    """The environment holds text: a number is read as one where the setting is a number, commas divide a list."""
    for name, field in SECTIONS[section].model_fields.items():
        if (field.alias or name) == key and get_origin(field.annotation) is tuple:
            return _divided(text, ",")
        if (field.alias or name) == key and field.annotation is bool:
            return {"true": True, "false": False}.get(text.strip().lower(), text)
        if (field.alias or name) == key and "str" not in str(field.annotation) and "Path" not in str(field.annotation):
            for kind in (int, float):
                try:
                    return kind(text)
                except ValueError:
                    continue
    return text


def _divided(text: str, by: str) -> list[str]:
    return [part.strip() for part in text.split(by) if part.strip()]


def _known(values: dict[str, Any]) -> dict[str, Any]:
    """Refuse unknown sections and keys with the nearest legal name, before anything is read."""
    legal = [*SECTIONS, "source"]
    for section, content in values.items():
        if section not in legal:
            raise SettingsError(f"unknown section {section!r}{_nearest(section, legal)}")
        if section == "source":
            _known_sources(content)
        elif not isinstance(content, dict):
            raise SettingsError(f"{section} must be a section: [{section}]")
        else:
            secrets = [f"{name}_file" for name in SECRETS if name in _keys(SECTIONS[section])]
            _known_keys(f"[{section}]", content, [*_keys(SECTIONS[section]), *secrets])
    return dict(values)


def _known_sources(content: object) -> None:
    if not isinstance(content, list) or not all(isinstance(each, dict) for each in content):
        raise SettingsError("write every source as a [[source]] section of its own")
    for number, each in enumerate(content, 1):
        _known_keys(f"[[source]] number {number}", each, _keys(SourceSettings))


def _known_keys(where: str, content: Mapping[str, Any], legal: list[str]) -> None:
    for key in content:
        if key not in legal:
            raise SettingsError(f"{where} has no setting {key!r}{_nearest(key, legal)}")
        said = content[key] if isinstance(content[key], list) else [content[key]]
        if any(isinstance(text, str) and _CONTROL.search(text) for text in said):
            # They end up in headers, addresses and paths, none of which can hold them.
            raise SettingsError(f"{where} {key} must be one line without control characters")


def _nearest(name: str, legal: list[str]) -> str:
    near = get_close_matches(name.lower(), legal, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else f"; legal: {', '.join(legal)}"


def _keys(section: type[Section]) -> list[str]:
    return [field.alias or name for name, field in section.model_fields.items()]


def _read_secrets(values: dict[str, Any], folder: Path) -> None:
    for section, content in values.items():
        for name in SECRETS if isinstance(content, dict) else ():
            path = content.pop(f"{name}_file", None)
            if path is None:
                continue
            if content.get(name):
                raise SettingsError(f"[{section}] has both {name} and {name}_file; keep one of them")
            if not isinstance(path, str):
                raise SettingsError(f"[{section}] {name}_file must be a path, not {path!r}")
            try:
                text = _rooted(folder, path).read_text(encoding="utf-8-sig").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise SettingsError(f"[{section}] {name}_file {path!r} cannot be read: {error}") from error
            is_list = get_origin(SECTIONS[section].model_fields[name].annotation) is tuple
            lines = _divided(text, "\n") if is_list else [text]
            if not all(lines) or _CONTROL.search("".join(lines)):
                what = "lines" if is_list else "one line"
                raise SettingsError(f"[{section}] {name}_file {path!r} must hold {what} of text")
            content[name] = lines if is_list else text


def _database_url(url: str, folder: Path) -> str:
    if url.startswith(("postgresql://", "postgres://")):
        return url
    if not url.startswith("sqlite:///") or url in {"sqlite:///", "sqlite:///:memory:"}:
        shown = url.rsplit("@", maxsplit=1)[-1]  # without a password
        raise SettingsError(f"[database] url must be sqlite:///FILE or postgresql://USER@HOST/NAME, not {shown!r}")
    return f"sqlite:///{_rooted(folder, url.removeprefix('sqlite:///'))}"


def _mail_paths(settings: Settings, folder: Path) -> dict[str, object]:
    mail = settings.mail
    key_file = str(_rooted(folder, mail.dkim_key_file).absolute()) if mail.dkim_key_file else ""
    return {"dir": _rooted(folder, str(mail.dir)).absolute(), "dkim_key_file": key_file}


def _model_path(settings: Settings, folder: Path) -> dict[str, object]:
    named = settings.topics.model_dir
    return {"model_dir": str(_rooted(folder, named).absolute()) if named else ""}


def _rooted(folder: Path, path: str) -> Path:
    """Return the path as it is meant: from `folder` on, with ~ for a home."""
    try:
        return folder / Path(path).expanduser()
    except RuntimeError as error:
        raise SettingsError(f"there is no home folder for the path {path!r}") from error
