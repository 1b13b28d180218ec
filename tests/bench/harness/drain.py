"""A backlog is worked off: what does an event cost?"""

import subprocess
import threading
import time

from . import processes
from .contenders import ALL, BARE, Qualifyd, Run
from .report import by, spread, table
from .setup import REPOSITORY, say

TOPIC, RICH_TOPIC = "engagement", "engagement-b2b"
# The full model on its own stream: no other contender does this job.
RICH = Qualifyd("qualifyd-b2b-saas", model=REPOSITORY / "deploy" / "models" / "b2b-saas.yaml", clock="events")


def _mark(bench, process):
    return {
        "time": time.monotonic(),
        "cpu": processes.cpu_seconds(process.pid),
        "broker": bench.broker.cpu_seconds(),
        "busy": processes.busy_seconds(),
        "peak": processes.memory_mb(process.pid, "VmHWM"),
    }


def follow(bench, run, events, **changes):
    """Starts a contender and watches it from outside until the last event is committed. The process, and its marks."""
    arguments = {"brokers": bench.broker.address, "group": run.group, "topic": run.input, "events": events}
    watching = [BARE, "watch", *(f"{key}={value}" for key, value in arguments.items())]
    watcher = processes.start(watching, run.folder / "watch.log", stdout=subprocess.PIPE)
    watcher.stdout.readline()
    process = run.start(**changes)
    # Whoever fails is not waited for.
    threading.Thread(target=lambda: (process.wait(), watcher.terminate()), daemon=True).start()
    marks = {"start": _mark(bench, process)}
    for line in watcher.stdout:
        marks[line.split()[1]] = _mark(bench, process)
    watcher.wait()
    if "done" not in marks:
        raise SystemExit(f"{run.contender.name} ended early:\n{run.log.read_text()[-4000:]}")
    return process, marks


def _measure(bench, contender, topic, events, expected):
    run = Run(bench, contender, topic)
    process, marks = follow(bench, run, events)
    start, first, half, done = (marks[name] for name in ("start", "first", "half", "done"))
    result = {
        "part": "drain",
        "contender": contender.name,
        "events": events,
        "cpu_seconds": done["cpu"],
        "per_cpu_second": events / done["cpu"],
        "per_cpu_second_half": events / 2 / max(done["cpu"] - half["cpu"], 0.01),
        "per_second": events / (done["time"] - start["time"]),
        "per_second_half": events / 2 / (done["time"] - half["time"]),
        "seconds_to_first": first["time"] - start["time"],
        "broker_seconds": done["broker"] - start["broker"],
        "others_seconds": done["busy"] - start["busy"] - done["cpu"] - done["broker"] + start["broker"],
        "peak_mb": done["peak"],
    }
    processes.stop(process)
    result["changelog_records"] = int(processes.numbers(bench.tool("count", topic=run.changelog))["records"])
    found = processes.numbers(bench.tool("verify", topic=run.output))
    result["transitions"], result["hash"] = int(found["transitions"]), found["hash"]
    if expected and found != expected:
        raise SystemExit(f"{contender.name} made other transitions: {found} in place of {expected}")
    run.end()
    return result


def prepare(bench):
    """The stream, once for all, and the right answer."""
    events, leads = bench.options.events, bench.options.leads
    say(f"preloading {events:,} events of {leads:,} leads")
    bench.tool("create", topics=f"{TOPIC}:4,{RICH_TOPIC}:4")
    say(bench.tool("generate", topic=TOPIC, events=events, leads=leads).strip())
    rich = ["--events", events, "--leads", max(leads // 10, 100), "--malformed", 0]
    processes.check([*bench.generate, *rich, "--brokers", bench.broker.address, "--topic", RICH_TOPIC])
    return processes.numbers(bench.plain_tool("reference", events=events, leads=leads))


def measure(bench):
    expected = prepare(bench)
    say(f"the right answer: {expected['transitions']} transitions, hash {expected['hash']}")
    for round_ in range(bench.options.rounds):
        for contender in [*bench.chosen(ALL), *bench.chosen([RICH])]:
            is_rich = contender is RICH
            topic = RICH_TOPIC if is_rich else TOPIC
            result = _measure(bench, contender, topic, bench.options.events, None if is_rich else expected)
            bench.note({**result, "round": round_})
    bench.tool("delete", topics=f"{TOPIC},{RICH_TOPIC}")


def _ratio(of, to, key):
    """Round by round: the machine's own speed moves from one to the next."""
    pairs = {result["round"]: [result[key]] for result in of}
    for result in to:
        pairs.setdefault(result["round"], []).append(result[key])
    return [pair[0] / pair[1] for pair in pairs.values() if len(pair) == 2]


def report(results):
    results = [result for result in results if result["part"] == "drain"]
    if not results:
        return ""
    groups = by(results, "contender")
    columns = {
        "events per CPU-second": "per_cpu_second",
        "second half": "per_cpu_second_half",
        "events/s": "per_second",
        "events/s, second half": "per_second_half",
        "broker CPU s": "broker_seconds",
        "peak MB": "peak_mb",
        "changelog records": "changelog_records",
        "others' CPU s": "others_seconds",
    }
    rows = []
    for (name,), group in groups.items():
        rows.append([name, *(spread([result[key] for result in group]) for key in columns.values())])
    text = f"### A backlog of {results[0]['events']:,} events\n\n" + table(["contender", *columns], rows)
    ours = groups.get(("qualifyd",))
    if ours:
        rows = []
        for (name,), group in groups.items():
            if name != "qualifyd":
                keys = ("per_cpu_second", "per_cpu_second_half", "per_second")
                rows.append([name, *(spread(_ratio(ours, group, key)) for key in keys)])
                # Its whole run against the other's warm half: the hardest comparison for us.
                both = zip(ours, group)
                rows[-1].append(spread([one["per_cpu_second"] / other["per_cpu_second_half"] for one, other in both]))
        header = ["qualifyd against", "events per CPU-second", "second half", "events/s", "whole run against its second half"]
        text += "\n" + table(header, rows)
    found = {(result["transitions"], result["hash"]) for result in results if result["contender"] != RICH.name}
    alike = " and ".join(f"{count:,} (hash {hash_})" for count, hash_ in sorted(found))
    return text + f"\nTransitions (lead, from, to, in order for each lead) of every run, and without Kafka: {alike}.\n"
