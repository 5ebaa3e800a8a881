"""What sources say of a paper beside what it shows, written down or taken back."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, and_, delete
from sqlalchemy.dialects.postgresql import insert as upsert

from storage.lookup import Known
from storage.tables import WORDING
from storage.wording import Wording


def keep_wordings(connection: Connection, known: Known, beside: Sequence[Wording]) -> None:
    """Keep what is said beside a paper, within the caller's transaction; a text of None is taken back."""
    for each in beside:
        place = each.field, each.speaker.source
        row: dict[str, Any] = {"paper_id": known.id, "field": each.field, "source": each.speaker.source}
        if each.text is None:
            this = and_(*(WORDING.c[name] == value for name, value in row.items()))
            connection.execute(delete(WORDING).where(this))
            known.wordings.pop(place, None)
            continue
        known.wordings[place] = each.text
        speaker = each.speaker
        said = {"text": each.text, "standing": int(speaker.standing), "version": speaker.version, "day": speaker.day}
        fresh = upsert(WORDING).values(**row, **said)
        connection.execute(fresh.on_conflict_do_update(index_elements=list(row), set_=said))
