#!/usr/bin/env python3
"""Draws the course of an automatic admission rate as an SVG.

usage: scripts/rate_plot.py <course.csv >docs/images/automatic-rate.svg

The CSV is what the test the_course_of_the_rate_under_a_slow_postgresql_is_printed prints
(tests/onsale/admin/auto_admission_slow.rs); other lines are left out.
"""

import sys

WIDTH, HEIGHT, LEFT, TOP, GAP = 640, 130, 60, 30, 60
NAMES = ["seconds", "slow", "rate", "p99_ms", "waiting", "active", "reason"]
PLOTS = [
    ("rate", "admissions per second"),
    ("p99_ms", "99th percentile of holds and payments, ms"),
    ("waiting", "people in the queue"),
]


def read(lines):
    """The rows of the course: numbers by name; None for what was not known."""
    rows = []
    for line in lines:
        parts = line.strip().split(",")
        if len(parts) != len(NAMES) or not parts[0].isdigit():
            continue
        values = (None if part == "null" else float(part) for part in parts[:-1])
        rows.append(dict(zip(NAMES, values)))
    return rows


def points(rows, name, top, highest):
    """The points of a line; a gap where the value is not known begins a new one."""
    last = rows[-1]["seconds"] or 1
    parts, part = [], []
    for row in rows:
        if row[name] is None:
            parts.append(part)
            part = []
            continue
        x = LEFT + row["seconds"] / last * WIDTH
        y = top + HEIGHT - row[name] / highest * HEIGHT
        part.append(f"{x:.1f},{y:.1f}")
    return [one for one in [*parts, part] if one]


def plot(rows, number, name, title):
    """One plot, with the slow time as a band."""
    top, last = TOP + number * (HEIGHT + GAP), rows[-1]["seconds"] or 1
    highest = max((row[name] or 0 for row in rows), default=0) or 1
    slow = [row["seconds"] for row in rows if row["slow"]]
    if slow:
        x, width = LEFT + slow[0] / last * WIDTH, (slow[-1] - slow[0]) / last * WIDTH
        yield f'<rect x="{x:.1f}" y="{top}" width="{width:.1f}" height="{HEIGHT}" fill="#f3d9c5"/>'
    yield f'<text x="{LEFT}" y="{top - 8}">{title}</text>'
    yield f'<text x="{LEFT - 8}" y="{top + 10}" text-anchor="end">{highest:g}</text>'
    yield f'<text x="{LEFT - 8}" y="{top + HEIGHT}" text-anchor="end">0</text>'
    axis = f"M{LEFT},{top}V{top + HEIGHT}H{LEFT + WIDTH}"
    yield f'<path d="{axis}" fill="none" stroke="#888"/>'
    for line in points(rows, name, top, highest):
        yield f'<polyline points="{" ".join(line)}" fill="none" stroke="#1f5fa8" stroke-width="1.5"/>'
    yield f'<text x="{LEFT + WIDTH}" y="{top + HEIGHT + 16}" text-anchor="end">{last:g} s</text>'


def main():
    """Reads the course and writes the plots."""
    rows = read(sys.stdin)
    if not rows:
        sys.exit("rate_plot: no course in the input")
    width, height = LEFT + WIDTH + 20, TOP + len(PLOTS) * (HEIGHT + GAP)
    box = f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12"'
    print(f'<svg xmlns="http://www.w3.org/2000/svg" {box}>')
    print(f'<rect width="{width}" height="{height}" fill="#fff"/>')
    for number, (name, title) in enumerate(PLOTS):
        print("\n".join(plot(rows, number, name, title)))
    print("</svg>")


if __name__ == "__main__":
    main()
