"""The commented paperround.toml that `init` writes, made from the settings themselves so that it cannot fall behind."""

import ast
import inspect
import json
from datetime import timedelta
from typing import Any

from pydantic_core import PydanticUndefined

from paperround.settings_model import SECTIONS, SourceSettings

_HEAD = """\
# Paperround's settings. Every line that is commented out stands at its default, or is an example where it says so.
# The environment wins: PAPERROUND_MAIL__HOST=relay.example.org sets [mail] host.
# A secret may be kept in a file of its own: secret_key_file = "secret.txt".
"""
_WHAT_FOR = {
    "database": "Where the archive lives.",
    "mail": "How letters leave.",
    "web": "The site. Without base_url this installation is personal: no web links in letters, no confirmations.",
    "digest": "What a letter holds.",
    "topics": "The meaning behind the words: a sentence model, for who wants one (docs/meaning.md).",
    "collect": "How pages are fetched.",
    "keep": "What is kept, and for how long.",
    "bounces": "How bounces and complaints come back.",
    "worker": "Who does the work.",
    "operator": "Who is told when something stays broken.",
}
_PLACEHOLDERS = {"port": "587", "per_second": "5.0", "per_hour": "1000", "every": '"1h"'}


def init_text(secret_key: str) -> str:
    """Return a settings file: a secret key and the source huggingface-daily are set, the rest is commented out."""
    lines = [_HEAD]
    for section, model in SECTIONS.items():
        lines += [f"# {_WHAT_FOR[section]}", f"[{section}]"]
        notes = comments(model)
        for name, field in model.model_fields.items():
            key = field.alias or name
            setting = (
                f"secret_key = {json.dumps(secret_key, ensure_ascii=False)}"
                if key == "secret_key"
                else f"# {key} = {_toml(key, field.default)}"
            )
            example = " For example:" if field.default is None else ""
            lines += [f"# {notes[name]}{example}", setting]
        lines.append("")
    lines += ["# Where papers come from; add as many as you like.", "[[source]]"]
    notes = comments(SourceSettings)
    for name in ("name", "kind"):
        lines += [f"# {notes[name]}", f'{name} = "huggingface-daily"']
    lines += [f"# {notes['url']}", '# url = "https://huggingface.co"', f"# {notes['every']}", '# every = "1h"']
    return "\n".join(lines) + "\n"


def comments(model: type) -> dict[str, str]:
    """Return the `#:` sentence above each setting of a section, by the name of its field."""
    lines = inspect.getsource(model).splitlines()
    tree = ast.parse("\n".join(lines)).body[0]
    assigned = [
        node for node in ast.walk(tree) if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    ]
    return {
        node.target.id: lines[node.lineno - 2].strip().removeprefix("#:").strip()
        for node in assigned
        if isinstance(node.target, ast.Name)
    }


def _toml(key: str, default: Any) -> str:
    if default is None or default is PydanticUndefined:
        return _PLACEHOLDERS[key]
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple):
        return json.dumps(default)
    if isinstance(default, timedelta):
        return f'"{default // timedelta(minutes=1)}m"'
    return str(default) if isinstance(default, int | float) else json.dumps(str(default))
