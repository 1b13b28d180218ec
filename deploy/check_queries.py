"""Checks every query of the dashboards and rules: its syntax by promtool, its metrics and labels by the metrics' reference.

usage: check_queries.py PROMTOOL [PROMETHEUS]
With the address of a Prometheus that scrapes a daemon it also asks every query of the dashboards there, and lists those
that find nothing. Exit status 1 if anything is wrong; what finds nothing is only told.
"""

import json
import re
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
REFERENCE = HERE.parent / "docs/metrics.md"
# Labels that Prometheus adds, and those that queries make themselves.
ADDED = {"job", "instance", "le"}
VARIABLES = {"$__range": "1h", "$__rate_interval": "5m", "$__interval": "1m"}


def queries():
    """Where each query of the dashboards stands, and the query with Grafana's variables filled in."""
    for file in sorted(HERE.glob("grafana/*.json")):
        for panel in json.loads(file.read_text())["panels"]:
            for target in panel.get("targets", []):
                query = target["expr"]
                for name, value in VARIABLES.items():
                    query = query.replace(name, value)
                yield f"{file.name}: {panel['title']}", re.sub(r'"\$\w+"', '".*"', query)


def rules():
    """The same of the rules. They are plain enough to be read without a YAML library."""
    for file in ("rules.yaml", "alerts.yaml"):
        text = (HERE / "prometheus" / file).read_text()
        for match in re.finditer(r"(?:record|alert): (\S+)\n(?:\s+#.*\n)*\s+expr: (\|\n(?:\s{10,}.*\n)+|.*\n)", text):
            yield f"{file}: {match[1]}", match[2].removeprefix("|")


def metrics():
    """The labels of each metric, by the reference: | `name` | kind | unit | `label`, `label` | meaning |"""
    known = {}
    for line in REFERENCE.read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) > 5 and cells[1].startswith("`qualifyd_"):
            name, labels = cells[1].strip("`"), set(re.findall(r"`(\w+)`", cells[4]))
            kinds = ["_bucket", "_count", "_sum"] if cells[2] == "histogram" else [""]
            known.update({name + kind: labels for kind in kinds})
    return known


def unknown(query, known):
    """Metrics that the daemon does not have, and labels that the metric beside them does not have."""
    for name, selector in re.findall(r"\b(qualifyd_\w+)(?:\{([^}]*)\})?", query):
        if name not in known:
            yield f"there is no metric {name}"
            continue
        for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selector):
            if label not in known[name] | ADDED:
                yield f"{name} has no label {label}"


def syntax(promtool, found):
    """What promtool says of the queries, each as a rule."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        checked = [{"record": f"checked:{number}", "expr": query} for number, (_, query) in enumerate(found)]
        # JSON is YAML.
        json.dump({"groups": [{"name": "checked", "rules": checked}]}, file)
        file.flush()
        told = subprocess.run([promtool, "check", "rules", file.name], capture_output=True, text=True)
    return [] if told.returncode == 0 else [told.stdout + told.stderr]


def empty(prometheus, found):
    """Queries of the dashboards that find nothing there."""
    for place, query in found:
        url = f"{prometheus}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
        with urllib.request.urlopen(url) as answer:
            if not json.load(answer)["data"]["result"]:
                yield f"{place}: nothing found by {query}"


def main(promtool, prometheus=None):
    boards = list(queries())
    wrong = syntax(promtool, boards)
    found = boards + list(rules())
    known = metrics()
    wrong += [f"{place}: {what}" for place, query in found for what in unknown(query, known)]
    used = {name for _, query in found for name in re.findall(r"\bqualifyd_\w+", query)}
    wrong += [f"no dashboard and no rule uses {name}" for name in known if name not in used and not re.search("_(count|sum|bucket)$", name)]
    print("\n".join(wrong) or f"{len(found)} queries are right", file=sys.stderr)
    if prometheus:
        print("\n".join(empty(prometheus, boards)))
    return bool(wrong)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
