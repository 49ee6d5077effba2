"""CPU time of processes and of all their children, from `/proc`."""

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
# Fields of /proc/PID/stat after the process's name: its parent, and four times in ticks. The last two are
# those of children that have ended.
PARENT, TIMES = 1, slice(11, 15)


def read_stats():
    """Returns the parent and the ticks of each process, by pid."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text()
        except OSError:  # It has ended meanwhile.
            continue
        # The name in parentheses may have spaces; the fields after it have none.
        fields = text.rpartition(") ")[2].split()
        found[int(path.parent.name)] = int(fields[PARENT]), sum(map(int, fields[TIMES]))
    return found


def used(roots):
    """Returns the CPU seconds of each tree of processes so far. `roots` has a pid for each name."""
    stats = read_stats()
    children = {}
    for pid, (parent, _) in stats.items():
        children.setdefault(parent, []).append(pid)

    def ticks(pid):
        return stats[pid][1] + sum(map(ticks, children.get(pid, [])))

    return {name: ticks(pid) / TICKS for name, pid in roots.items()}


def difference(before, after):
    return {name: after[name] - before[name] for name in after}
