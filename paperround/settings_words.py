"""What pydantic finds wrong with a setting, as one sentence of ours."""

from pydantic import ValidationError

from paperround.settings_model import SECRETS


def sentence(error: ValidationError) -> str:
    """Return what is wrong with the first bad value, without a secret's value in it."""
    first = error.errors(include_url=False)[0]
    place = [str(part) for part in first["loc"]]
    if place[0] == "source":
        where = f"[[source]] number {int(place[1]) + 1}: {place[2]}" if len(place) > 2 else "[[source]]"
    else:
        where = f"[{place[0]}] {place[1]}" if len(place) > 1 else place[0]
    if first["type"] == "missing":
        return f"{where} must be set"
    wanted = _WANTED.get(first["type"])
    context = first.get("ctx", {})
    said = wanted.format(**context) if wanted else str(context.get("error") or first["msg"]).lower()
    value = "" if any(secret in where for secret in SECRETS) else f", not {first['input']!r}"
    return f"{where} must be {said}{value}"


_WANTED = {
    "literal_error": "one of {expected}",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "string_type": "text in quotes",
    "string_too_short": "at least {min_length} characters long",
    "path_type": "a path in quotes",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
}
