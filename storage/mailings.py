"""Queue one message inside the caller's transaction: fragments and content once, the delivery once by its key."""

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.deliveries import DeliveryState
from domain.issues import AWAITED, Content, Mailing
from domain.mailboxes import keeper_of
from storage.announcing import gather
from storage.tables import CONTENT, DELIVERY, FRAGMENT


def queue(connection: Connection, mailing: Mailing, subscriber_id: int | None, issue_id: int | None) -> bool:
    """Store a message that is to leave (to the operator where there is no subscriber).

    Return False if one of its key is there already.
    """
    content_id = _content(connection, mailing.content)
    planned = upsert(DELIVERY).values(
        message_key=mailing.message_key,
        issue_id=issue_id,
        subscriber_id=subscriber_id,
        content_id=content_id,
        recipient=mailing.recipient,
        keeper=keeper_of(mailing.recipient),
        slots=dict(mailing.slots),
        state=DeliveryState.PLANNED.value,
        attempts=0,
        resent=False,
        not_before=mailing.not_before,
        worker="",
        message_id=mailing.message_id,
        date=mailing.date,
        expires_at=mailing.expires_at,
        sha256="",
        signature="",
        enhanced="",
        reply_text="",
        reason="",
    )
    fresh = planned.on_conflict_do_nothing(index_elements=["message_key"]).returning(DELIVERY.c.id)
    number = connection.execute(fresh).scalar()
    if number is not None:
        gather(connection, int(number), awaited=mailing.content.kind in AWAITED)
    return number is not None


def _content(connection: Connection, content: Content) -> int:
    known = connection.execute(select(CONTENT.c.id).where(CONTENT.c.content_key == content.key)).scalar()
    if known is not None:
        return int(known)
    bodies = {fragment.sha256: fragment.body for fragment in content.fragments}
    rows = [{"sha256": sha256, "body": body} for sha256, body in bodies.items()]
    connection.execute(upsert(FRAGMENT).on_conflict_do_nothing(), rows)
    stored = connection.execute(select(FRAGMENT.c.sha256, FRAGMENT.c.id).where(FRAGMENT.c.sha256.in_(bodies))).all()
    ids = {row.sha256: row.id for row in stored}
    created = connection.execute(
        upsert(CONTENT)
        .values(
            content_key=content.key,
            kind=content.kind.value,
            subject=content.subject,
            fragments=[[fragment.role.value, ids[fragment.sha256]] for fragment in content.fragments],
            size=sum(len(fragment.body) for fragment in content.fragments),
        )
        .returning(CONTENT.c.id)
    ).scalar_one()
    return int(created)
