#!/usr/bin/env python3
"""Injects faults into the stores of DATABASE_URL and REDIS_URL, about one a second, until it is stopped.

Only for throwaway stores of `onsale dev`. scripts/schemathesis.sh runs it while the service answers
generated requests. The argument is a seed: the same seed injects the same faults in the same order. Redis
is emptied, loses its connections, or stops for a while. PostgreSQL restarts after a session is killed,
ends all sessions, or stops for a while. Each printed line is a fault. The script signals only these two
servers, leaves them running, and ends with its parent process.
"""

import os
import random
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

CALM = (0.6, 1.4)
"""Shortest and longest time between two faults, in seconds."""
PAUSE = (0.3, 1.5)
"""Shortest and longest time for which a store is stopped, in seconds."""


def redis(*words):
    """Sends a command to Redis. Returns the reply as text; empty if Redis closes the connection instead."""
    url = urlsplit(os.environ["REDIS_URL"])
    with suppress(ConnectionError), socket.create_connection((url.hostname, url.port)) as connection:
        parts = [b"$%d\r\n%s\r\n" % (len(word), word) for word in map(str.encode, words)]
        connection.sendall(b"*%d\r\n%s" % (len(parts), b"".join(parts)))
        return connection.recv(65536).decode()
    return ""


def redis_server():
    """Returns the process id of the server at REDIS_URL, as the server reports it."""
    lines = redis("INFO", "server").splitlines()
    return int(next(line.partition(":")[2] for line in lines if line.startswith("process_id:")))


def postgres():
    """Returns the process ids of the server at DATABASE_URL, found by its port, and of its sessions."""
    port = f"port={urlsplit(os.environ['DATABASE_URL']).port}"
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (folder / "cmdline").read_text().split("\0")
            if port in command and Path(command[0]).name == "postgres":
                children = (folder / "task" / folder.name / "children").read_text().split()
                return [int(folder.name), *(int(child) for child in children if is_session(child))]
    raise SystemExit(f"no PostgreSQL process has the option {port}")


def is_session(pid):
    """Whether a PostgreSQL process serves a client. Its title then has the client's address."""
    with suppress(OSError):
        return "127.0.0.1" in Path(f"/proc/{pid}/cmdline").read_text()
    return False


def signalled(pids, sent):
    """Sends a signal to processes. Ignores those that have ended."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, sent)


def stopped(pids, dice):
    """Stops processes for PAUSE seconds."""
    try:
        signalled(pids, signal.SIGSTOP)
        time.sleep(dice.uniform(*PAUSE))
    finally:
        signalled(pids, signal.SIGCONT)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    parent, dice = os.getppid(), random.Random(sys.argv[1])
    faults = {
        "Redis is emptied": lambda: redis("FLUSHALL"),
        "Redis loses its connections": lambda: redis("CLIENT", "KILL", "TYPE", "normal"),
        "Redis stops": lambda: stopped([redis_server()], dice),
        # When a session is killed, PostgreSQL ends all sessions and restarts.
        "PostgreSQL restarts": lambda: signalled(postgres()[1:2], signal.SIGKILL),
        "PostgreSQL ends all sessions": lambda: signalled(postgres()[1:], signal.SIGTERM),
        "PostgreSQL stops": lambda: stopped(postgres(), dice),
    }
    while os.getppid() == parent:
        time.sleep(dice.uniform(*CALM))
        name = dice.choice(sorted(faults))
        print(name, flush=True)
        faults[name]()


if __name__ == "__main__":
    main()
