#!/usr/bin/env python3
"""Breaks the stores of DATABASE_URL and REDIS_URL, a fault every second, until it is ended.

For private stores that `onsale dev` has started: scripts/schemathesis.sh does it to a service that
answers made-up requests meanwhile. The same seed (the one argument) makes the same faults: Redis is
emptied, loses its connections, stops; PostgreSQL loses a session, or all, and stops. Each line that
is printed is a fault that was made.
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
"""How long nothing happens between two faults, in seconds."""
PAUSE = (0.3, 1.5)
"""How long a store is stopped, in seconds."""


def redis(*words):
    """What Redis answers to a command, as text."""
    url = urlsplit(os.environ["REDIS_URL"])
    with socket.create_connection((url.hostname, url.port), timeout=2) as connection:
        parts = [b"$%d\r\n%s\r\n" % (len(word), word) for word in map(str.encode, words)]
        connection.sendall(b"*%d\r\n%s" % (len(parts), b"".join(parts)))
        return connection.recv(65536).decode()


def redis_pid():
    """The process that serves REDIS_URL."""
    lines = redis("INFO", "server").splitlines()
    return int(next(line.partition(":")[2] for line in lines if line.startswith("process_id:")))


def postmaster():
    """The process that serves DATABASE_URL: the one that was started with its port."""
    port = f"port={urlsplit(os.environ['DATABASE_URL']).port}"
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (folder / "cmdline").read_text().split("\0")
            if port in words and Path(words[0]).name == "postgres":
                return int(folder.name)
    raise SystemExit(f"no PostgreSQL was started with {port}")


def sessions(server):
    """The processes of PostgreSQL that serve a client."""
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    for child in map(int, children):
        with suppress(OSError):
            if "127.0.0.1" in Path(f"/proc/{child}/cmdline").read_text():
                yield child


def stop(pids, dice):
    """Stops processes for a while."""
    for sent in signal.SIGSTOP, signal.SIGCONT:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, sent)
        if sent is signal.SIGSTOP:
            time.sleep(dice.uniform(*PAUSE))


def end(pids, how):
    """Ends processes."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, how)


def main():
    dice = random.Random(sys.argv[1])
    server, cache = postmaster(), redis_pid()
    faults = {
        "Redis is emptied": lambda: redis("FLUSHALL"),
        "Redis loses its connections": lambda: redis("CLIENT", "KILL", "TYPE", "normal"),
        "Redis stops": lambda: stop([cache], dice),
        # A session that is killed ends all of them: PostgreSQL starts over.
        "PostgreSQL starts over": lambda: end(list(sessions(server))[:1], signal.SIGKILL),
        "PostgreSQL ends all sessions": lambda: end(sessions(server), signal.SIGTERM),
        "PostgreSQL stops": lambda: stop([server, *sessions(server)], dice),
    }
    while True:
        time.sleep(dice.uniform(*CALM))
        fault = dice.choice(sorted(faults))
        print(fault, flush=True)
        with suppress(OSError):
            faults[fault]()


if __name__ == "__main__":
    main()
