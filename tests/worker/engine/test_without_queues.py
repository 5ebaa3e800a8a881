"""Processes that tick over one archive without queues: a file of SQLite, or PostgreSQL."""

import threading
from datetime import timedelta

from paperround.settings import build
from paperround.wiring import House


def test_two_workers_over_one_archive_send_each_letter_once_and_sweep_once(
    url, tmp_path, clock, transport, listed, readers, until
):
    values = {"database": {"url": url}, "mail": {"from": "Paperround <p@lab.example>"}}
    settings = build(values, tmp_path)
    stop = threading.Event()
    houses = [House(settings, clock=clock, transport=transport, stop=stop) for _ in range(2)]
    front = houses[0]
    listed(front, "Tides of the Moon")
    readers(front, 12)
    workers = [threading.Thread(target=house.work, args=(timedelta(milliseconds=30), stop)) for house in houses]
    for each in workers:
        each.start()
    try:
        until(lambda: [each.state for each in front.outbox.records()] == ["accepted"] * 12)
        until(lambda: len(front.runs.since("sweep", None)) == 1)
    finally:
        stop.set()
        for each in workers:
            each.join()
        swept = len(front.runs.since("sweep", None))
        for house in houses:
            house.database.close()
    assert len({each.recipient for each in transport.messages}) == len(transport.messages) == 12
    assert swept == 1
