"""Start `paperround` again and again without loading it again and again: a process that has loaded it and forks.

Run as a script. A line "start LOG WORD…" forks a child that runs the command of these words, what it says goes to LOG;
the answer is its process id. A line "wait PID" is answered, when that child has ended, by how: its exit code, or the
negative number of the signal. A child whose end nobody has asked for stays a zombie, as under any other parent. With
its standard input the script ends, and with it all children.
"""

import gc
import os
import shlex
import signal
import sys

import paperround.wiring
import worker.schedule
from paperround.__main__ import main

LOADED = (paperround.wiring, worker.schedule)


def start(log: str, words: list[str]) -> int:
    child = os.fork()
    if child:
        return child
    try:
        file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(file, 1)
        os.dup2(file, 2)
        sys.argv = ["paperround", *words]
        main()
    except SystemExit as end:
        os._exit(end.code if isinstance(end.code, int) else 1)
    finally:
        os._exit(70)  # a child must never return into its parent's code


if __name__ == "__main__":
    gc.freeze()
    children = set()
    for line in sys.stdin:
        verb, *words = shlex.split(line)
        if verb == "start":
            answer = start(words[0], words[1:])
            children.add(answer)
        else:
            answer = os.waitstatus_to_exitcode(os.waitpid(int(words[0]), 0)[1])
            children.discard(int(words[0]))
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()
    for each in children:
        os.kill(each, signal.SIGKILL)
        os.waitpid(each, 0)
