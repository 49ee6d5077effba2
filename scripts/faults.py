#!/usr/bin/env python3
"""Breaks the stores of DATABASE_URL and REDIS_URL, a fault every second, until it is ended.

For throwaway stores of `onsale dev`: scripts/schemathesis.sh does it to a service that answers made-up
requests meanwhile. The same seed (the one argument) makes the same faults in the same order: Redis is
emptied, loses its connections, stops; PostgreSQL loses a session, which ends them all, is told to end
all, stops. Each line that is printed is a fault. It signals nobody but these two servers, leaves them
running, and ends with whoever has started it.
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
    """What Redis answers to a command, as text; nothing where it ends the connection instead."""
    url = urlsplit(os.environ["REDIS_URL"])
    with suppress(ConnectionError), socket.create_connection((url.hostname, url.port)) as connection:
        parts = [b"$%d\r\n%s\r\n" % (len(word), word) for word in map(str.encode, words)]
        connection.sendall(b"*%d\r\n%s" % (len(parts), b"".join(parts)))
        return connection.recv(65536).decode()
    return ""


def redis_server():
    """The process that serves REDIS_URL, by its own word."""
    lines = redis("INFO", "server").splitlines()
    return int(next(line.partition(":")[2] for line in lines if line.startswith("process_id:")))


def postgres():
    """The process that serves DATABASE_URL, by the port it was started with; then its sessions."""
    port = f"port={urlsplit(os.environ['DATABASE_URL']).port}"
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (folder / "cmdline").read_text().split("\0")
            if port in command and Path(command[0]).name == "postgres":
                children = (folder / "task" / folder.name / "children").read_text().split()
                return [int(folder.name), *(int(child) for child in children if is_session(child))]
    raise SystemExit(f"no PostgreSQL was started with {port}")


def is_session(pid):
    """Whether a process of PostgreSQL serves a client: its title says where that is."""
    with suppress(OSError):
        return "127.0.0.1" in Path(f"/proc/{pid}/cmdline").read_text()
    return False


def signalled(pids, sent):
    """Sends a signal to processes, of which some may have ended."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, sent)


def stopped(pids, dice):
    """Stops processes for a while."""
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
        # A session that is killed ends all of them: PostgreSQL starts over.
        "PostgreSQL starts over": lambda: signalled(postgres()[1:2], signal.SIGKILL),
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
