#!/usr/bin/env python3
"""Loses Redis with a large sale in PostgreSQL, under two processes, and measures the rebuilding.

    onsale dev --throwaway -- python3 loadtest/rebuild.py [held | sold] [SEATS] [ENDED] [LOSSES]

A sale of SEATS (200,000) that all are held, four by each buyer who is inside, or all sold; ENDED
(1,000,000) places that have ended. Redis is emptied LOSSES (3) times, and each time it is measured how
long it takes until the keys are built, until a join works at either process, and until both show every
seat. Fails where the epoch rises by more than one, a seat or an ended place is missing, or the keys take
longer than 10 s. Prints the CPU time of Redis and of the two processes until then. Connects to loopback
only. Needs `psql` on PATH. ONSALE_BIN names the binary (default: `onsale` on PATH).
"""

import os
import re
import subprocess
import sys
import threading
import time

KIND = sys.argv[1] if len(sys.argv) > 1 else "held"
SEATS = int(sys.argv[2]) if len(sys.argv) > 2 else 200_000
ENDED = int(sys.argv[3]) if len(sys.argv) > 3 else 1_000_000
LOSSES = int(sys.argv[4]) if len(sys.argv) > 4 else 3
sys.argv = sys.argv[:1]  # line.py reads its own arguments when it is imported.
from line import BIN, Caller, make_sale, redis, token  # noqa: E402

TARGET, LONGEST = 10, 120
BUYERS = SEATS // 4
USERS = BUYERS + 100_000
LOCAL = re.compile(r"@?(127\.0\.0\.1|localhost):")


def sql(text, **values):
    args = ["psql", "-qAtX", "-v", "ON_ERROR_STOP=1", os.environ["DATABASE_URL"]]
    args += [word for name, value in values.items() for word in ("-v", f"{name}={value}")]
    return subprocess.run(args, input=text, check=True, text=True, stdout=subprocess.PIPE).stdout.strip()


FILL = """
insert into seat (concert_schedule_id, seat_number, section, "row", seat_price)
  select :schedule, n, 'Z', (n / 100)::text, 1
  from generate_series((select max(seat_number) + 1 from seat where concert_schedule_id = :schedule), :seats) n;
with live as (
  insert into reservation (concert_id, concert_schedule_id, seat_id, user_id, hold_id, amount, status,
                           queue_sequence, reservation_at, expires_at)
  select c.concert_id, c.id, s.id, (s.seat_number - 1) / 4 + 2, md5(((s.seat_number - 1) / 4)::text)::uuid, 1,
         :'status', (1::bigint << 40) + (s.seat_number - 1) / 4 + 1, now(), now() + interval '1 hour'
  from seat s join concert_schedule c on c.id = s.concert_schedule_id where c.id = :schedule
  returning seat_id)
update seat s set fence = 1, status = case :'status' when 'COMPLETE' then 'UNAVAILABLE' else 'AVAILABLE' end
  from live where s.id = live.seat_id;
insert into payment (reservation_id, user_id, amount, status)
  select id, user_id, amount, 'COMPLETE' from reservation where status = 'COMPLETE';
-- The buyers first: inside, or done; then those who ended without.
insert into queue (user_id, concert_schedule_id, token, status, sequence, created_at, entered_at, expired_at,
                   slot_ends_at)
  select n + 1, :schedule, gen_random_uuid(), case :'status' when 'COMPLETE' then 'COMPLETED' else 'ACTIVE' end,
         (1::bigint << 40) + n, now(), now(), case :'status' when 'COMPLETE' then now() end,
         now() + interval '1 hour'
  from generate_series(1, :buyers) n;
insert into queue (user_id, concert_schedule_id, token, status, sequence, created_at, entered_at, expired_at)
  select :buyers + 2 + n % 100000, :schedule, gen_random_uuid(), 'EXPIRED', (1::bigint << 40) + :buyers + n,
         now(), now(), now()
  from generate_series(1, :ended) n;
update concert_schedule set capacity = 1000000, layout_version = layout_version + 1 where id = :schedule;
analyze;
"""


class Process:
    """An `onsale serve` process, with the times of its log lines."""

    def __init__(self):
        args = [BIN, "serve", "--listen", "127.0.0.1:0", "--log", "info"]
        self.child = subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.built, self.address = [], None
        self.listens = threading.Event()
        threading.Thread(target=self.read, daemon=True).start()
        assert self.listens.wait(30), "it listens"

    def read(self):
        for line in self.child.stdout:
            if "http://" in line and not self.address:
                self.address = line.split("http://")[1].split()[0]
                self.listens.set()
            if "keys were built" in line:
                self.built.append(time.perf_counter())

    def stop(self):
        self.child.terminate()
        self.child.wait()


def until(what, ask):
    begun = time.perf_counter()
    while not ask():
        assert time.perf_counter() - begun < LONGEST, f"waited too long for: {what}"
        time.sleep(0.02)
    return time.perf_counter()


def cpu(processes):
    """Seconds of CPU that Redis and the processes have used."""
    mine = 0
    for process in processes:
        with open(f"/proc/{process.child.pid}/stat") as stat:
            mine += sum(map(int, stat.read().rsplit(")", 1)[1].split()[11:13])) / os.sysconf("SC_CLK_TCK")
    return sum(map(float, re.findall(r"used_cpu_(?:sys|user):([\d.]+)", redis("INFO", "cpu")))), mine


def epoch(schedule):
    return int(sql("select queue_epoch from concert_schedule where id = :schedule;", schedule=schedule))


def lose(processes, schedule, user):
    """Empties Redis; the seconds until keys, joins and seats are back."""
    path = f"/v1/schedules/{schedule}"
    count = {"held": SEATS if KIND == "held" else 0, "sold": SEATS if KIND == "sold" else 0}

    def shows(process):
        seats = (Caller(process.address).call("GET", path)[1] or {}).get("seats") or {}
        return all(seats.get(name) == value for name, value in count.items())

    def joins(process):
        status, body = Caller(process.address).call("POST", f"{path}/queue", authorization=f"Bearer {token(user)}")
        # With every seat sold a join is refused for that, which also takes the keys.
        return status in (200, 201) or (body or {}).get("code") == "sold_out"

    before, built = epoch(schedule), [len(process.built) for process in processes]
    used, begun = cpu(processes), time.perf_counter()
    redis("FLUSHALL")
    new = lambda: [at for process, known in zip(processes, built) for at in process.built[known:]]
    until("the keys", new)
    used = [now - then for now, then in zip(cpu(processes), used)]
    joined = [until("a join", lambda process=process: joins(process)) for process in processes][-1]
    shown = [until("every seat", lambda process=process: shows(process)) for process in processes][-1]
    assert len(new()) == 1, f"built {len(new())} times"
    assert epoch(schedule) == before + 1, "one epoch"
    ended = int(redis("BITCOUNT", f"onsale:{{{schedule}}}:done:1"))
    expected = ENDED + (2 * BUYERS if KIND == "sold" else 0)  # COMPLETED is two bits
    assert ended == expected, f"{ended} bits of ended places, not {expected}"
    return [at - begun for at in (new()[0], joined, shown)], used, before + 1


def main():
    assert KIND in ("held", "sold"), __doc__
    assert all(LOCAL.search(os.environ[name]) for name in ("DATABASE_URL", "REDIS_URL")), "loopback only"
    subprocess.run([BIN, "migrate"], check=True)
    subprocess.run([BIN, "seed", "--users", str(USERS + 1)], check=True, stdout=subprocess.DEVNULL)
    first = Process()
    schedule, _ = make_sale(Caller(first.address), token(1, "admin"))
    Caller(first.address).call("POST", f"/v1/schedules/{schedule}/queue", authorization=f"Bearer {token(USERS + 1)}")
    first.stop()
    redis("FLUSHALL")
    begun = time.perf_counter()
    sql("delete from queue;")
    status = "PAYMENT_WAITING" if KIND == "held" else "COMPLETE"
    sql(FILL, schedule=schedule, seats=SEATS, buyers=BUYERS, ended=ENDED, status=status)
    took = time.perf_counter() - begun
    print(f"filled     {SEATS:,} seats {KIND} by {BUYERS:,}, {ENDED:,} ended places, in {took:.0f} s", flush=True)
    processes = [Process(), Process()]
    try:
        until("the first building", lambda: any(process.built for process in processes))
        slowest = 0
        for loss in range(1, LOSSES + 1):
            (keys, joined, shown), used, now = lose(processes, schedule, BUYERS + 2)
            slowest = max(slowest, keys)
            print(
                f"loss {loss}     keys built after {keys:.2f} s, joins at both after {joined:.2f} s, "
                f"every seat shown by both after {shown:.2f} s; epoch {now}; "
                f"CPU of Redis {used[0]:.1f} s, of both processes {used[1]:.1f} s",
                flush=True,
            )
        if slowest > TARGET:
            sys.exit(f"the slowest took {slowest:.1f} s, more than {TARGET} s")
    finally:
        [process.stop() for process in processes]


if __name__ == "__main__":
    main()
