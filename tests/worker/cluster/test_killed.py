"""Four workers on PostgreSQL, two of them killed every second or so: no letter is lost, few are doubled, none is stuck.

The kills begin with planning. Two die after a random number of letters more was planned or taken, on a machine with
nothing else to do a few times a second; or after a moment, which is longer each time nothing came of it: what no worker
lives long enough to do is not done, and how long that takes depends on the machine.
"""

import random
from functools import partial
from time import monotonic

import pytest

WORKERS = 4
LETTERS = 800
CONNECTIONS = 2
MOMENT = 3.0  # seconds

pytestmark = pytest.mark.engines("postgresql")


@pytest.mark.parametrize("engine_of_work", ["embedded", "procrastinate"])
def test_nobody_is_lost_and_few_are_doubled_however_often_two_of_four_workers_are_killed(
    cluster, relay, wait_until, engine_of_work
):
    def progress():
        return cluster.ask("SELECT count(*) FROM delivery")[0][0] + len(relay.taken)

    def is_time(share, end):
        return progress() >= share or monotonic() > end

    cluster.worker = {"engine": engine_of_work, "deliveries": WORKERS}
    assert cluster.run("archive", "migrate").code == 0
    cluster.mail["connections"] = CONNECTIONS
    if engine_of_work == "procrastinate":
        cluster.passes = 4  # [worker] concurrency
    cluster.readers(LETTERS)
    dice = random.Random(20261127)  # noqa: S311 moments that can be repeated, no secret
    at_work = [cluster.start() for _ in range(WORKERS)]
    kills, moment, planning = 0, MOMENT, 0
    while len(set(relay.taken)) < LETTERS:
        before = progress()
        share = before + dice.randint(1, LETTERS // 5)
        end = monotonic() + moment * dice.uniform(0.5, 1.5)
        wait_until(partial(is_time, share, end), "the moment of the next kill")
        moment = MOMENT if progress() > before else 2 * moment
        planning += not relay.taken
        for victim in dice.sample(at_work, 2):
            victim.kill()
            at_work.remove(victim)
            at_work.append(cluster.start())
            kills += 1
    wait_until(lambda: cluster.states() == {"accepted": LETTERS}, "the end of all letters")
    wait_until(lambda: not cluster.stuck(), "the end of what the dead had begun")
    assert [each.stop() for each in at_work] == [0] * WORKERS
    toll = f"{kills} kills, {planning} while planning, {relay.doubled} doubled of at most {relay.broken}"
    (cluster.folder / "toll").write_text(toll)
    # A farewell may have been said over letters whose answers the killed one had not committed: one more a kill.
    cluster.is_told(letters=LETTERS, doubled=relay.broken + kills)
    assert planning > 0, toll
    assert kills >= 10, toll
    assert relay.broken <= kills * CONNECTIONS * cluster.passes, toll
