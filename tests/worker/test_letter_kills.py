"""deliver killed at every step of a pass over three connections: nobody is lost, at most three letters are doubled."""

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).with_name("letter_kills.py")
LETTERS = 5
CONNECTIONS = 3


def test_nobody_is_lost_and_at_most_one_letter_a_connection_doubled_wherever_it_is_killed(tmp_path, url):
    command = [sys.executable, SCRIPT, tmp_path, url, str(LETTERS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["killed"] for row in rows] == [True] * (len(rows) - 1) + [False]
    for row in rows:
        assert (row["end"]["states"], row["reached"]) == ({"accepted": LETTERS}, LETTERS), row
        assert row["bytes"] == LETTERS, row  # a copy has the same bytes, its Message-ID and Date among them
        assert row["doubled"] <= CONNECTIONS * row["killed"], row
        assert row["after"]["odd"] == row["end"]["odd"] == [], row
    found = {state for row in rows for state in row["after"]["states"]}
    assert found == {"planned", "leased", "sending", "accepted"}
    assert max(row["after"]["states"].get("sending", 0) for row in rows) == CONNECTIONS
    assert any(row["doubled"] for row in rows)  # some kills fall between the dot and the commit
