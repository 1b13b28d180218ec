"""Tables in Markdown: medians, with the spread."""

import platform
import statistics
import subprocess

from .setup import KAFKA_VERSION, REPOSITORY


def number(value):
    if value >= 10_000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def spread(values):
    """Median, and the smallest and largest where there are several."""
    values = [value for value in values if value is not None]
    if not values:
        return "–"
    median = number(statistics.median(values))
    low, high = number(min(values)), number(max(values))
    return median if low == high else f"{median} ({low}..{high})"


def table(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


def by(results, *keys):
    """The results in groups of equal keys, in the order of their coming."""
    groups = {}
    for result in results:
        groups.setdefault(tuple(result[key] for key in keys), []).append(result)
    return groups


def _text(command):
    return subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY).stdout.strip()


def machine():
    with open("/proc/cpuinfo") as file:
        names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    java = subprocess.run(["java", "-version"], capture_output=True, text=True).stderr.splitlines()[0]
    return (
        f"{len(names)} × {names[0] if names else platform.machine()}, Linux {platform.release()}, {java}, "
        f"Apache Kafka {KAFKA_VERSION} on the same cores; qualifyd {_text(['git', 'rev-parse', '--short', 'HEAD'])}"
    )
