"""What the inspector's pages say: titles, the sentence of each table and column, what is counted, ready questions."""

from datetime import datetime
from typing import Any

from storage.views.making import views
from storage.views.questions import QUESTIONS
from storage.views.view import View

NAME = "paperround"  #: of the copy's file, and so of its pages' address


def metadata(made: datetime) -> dict[str, Any]:
    """Return what Datasette is told of a copy that was made at an instant."""
    about = f"A copy from {made:%Y-%m-%d %H:%M} UTC. No reader, no address and no letter is in it."
    return {
        "title": "The archive",
        "description": about,
        "extra_css_urls": ["/looks/looks.css"],
        "databases": {
            NAME: {
                "description": about,
                "tables": {view.name: _table(view) for view in views("sqlite")} | {"papers_fts": {"hidden": True}},
                "queries": {
                    each.name: {"title": each.asks, "sql": each.sql.strip(), "hide_sql": True} for each in QUESTIONS
                },
            }
        },
    }


def _table(view: View) -> dict[str, Any]:
    said: dict[str, Any] = {
        "description": view.says,
        "columns": {each.name: each.says for each in view.columns},
        "facets": list(view.facets),
        "size": 50,
    }
    if view.order:
        said["sort_desc"] = view.order
    if view.name == "papers":
        said["label_column"] = "title"
    return said
