"""Two schedulers at once, and a stop while letters are on their way: each letter comes once."""

LETTERS = 100
CONNECTIONS = 2


def test_two_schedulers_that_start_at_once_over_one_archive_send_each_letter_once(cluster, relay, wait_until):
    cluster.readers(LETTERS)
    at_work = [cluster.start(), cluster.start()]
    wait_until(lambda: cluster.states() == {"accepted": LETTERS}, "the end of all letters")
    assert [each.stop() for each in at_work] == [0, 0]
    cluster.is_told(letters=LETTERS)
    assert relay.doubled == 0
    assert cluster.ask("SELECT count(*) FROM issue")[0][0] == LETTERS


def test_a_stop_during_sending_ends_with_the_letters_in_flight_and_loses_nothing(cluster, relay, wait_until):
    relay.seconds = 0.2
    cluster.mail["connections"] = CONNECTIONS
    cluster.letters(LETTERS)
    first = cluster.start()
    wait_until(lambda: len(relay.taken) >= 10, "ten letters")
    first.ask_to_stop()
    at_the_stop = len(relay.taken)
    assert first.wait() == 0
    # Of each connection the letter in flight, and one that had begun before the signal was heard.
    assert len(relay.taken) <= at_the_stop + 2 * CONNECTIONS
    assert cluster.states() == {"accepted": len(relay.taken), "planned": LETTERS - len(relay.taken)}
    cluster.is_sound()
    assert relay.broken == 0

    relay.seconds = 0
    second = cluster.start()
    wait_until(lambda: cluster.states() == {"accepted": LETTERS}, "the end of all letters")
    assert second.stop() == 0
    cluster.is_told(letters=LETTERS)
    assert relay.doubled == 0
