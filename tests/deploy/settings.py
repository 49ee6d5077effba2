"""The settings of onsale, by .env.sample, which a test of src/config holds complete."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]

# Settings of docker compose alone.
COMPOSE = {"POSTGRES_PASSWORD", "REDIS_PASSWORD", "GRAFANA_PASSWORD"}


def sample() -> dict[str, str]:
    """Every name in .env.sample with its default or example."""
    text = (ROOT / ".env.sample").read_text()
    return dict(re.findall(r"^#?([A-Z][A-Z_]{3,})=(.*)$", text, re.MULTILINE))


NAMES = set(sample()) - COMPOSE


def unknown(names) -> set[str]:
    """Names that are no setting. A secret may also come from a file, by its name with _FILE."""
    return {name for name in names if name.removesuffix("_FILE") not in NAMES}


def seconds(text: str) -> int:
    """A time such as 15s."""
    found = re.fullmatch(r"(\d+)s", text)
    assert found, f"{text} is no whole number of seconds"
    return int(found[1])


def default_drain() -> int:
    """Longest time from SIGTERM to the end of a process, in seconds, by the defaults."""
    return seconds(sample()["ONSALE_DRAIN_DELAY"]) + seconds(sample()["ONSALE_DRAIN_TIMEOUT"])
