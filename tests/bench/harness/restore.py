"""Empty memory, and a changelog: how soon are the leads back?"""

import time

from . import processes
from .contenders import PARTITIONS, RESTORING, Qualifyd, Run
from .drain import follow
from .report import by, spread, table
from .setup import say

EACH, HISTORY = "each", "history"


def _restart(bench, run, kind, round_, **changes):
    """Starts it on what it left behind."""
    start = time.monotonic()
    process = run.start(**changes)
    restored = processes.wait_for(lambda: run.contender.restored(run), 600, "the restore", process)
    ready = time.monotonic() - start
    result = {
        "part": "restore",
        "contender": run.contender.name,
        "kind": kind,
        "round": round_,
        "leads": int(restored.get("leads", bench.options.restore_leads)),
        "records": int(restored["records"]),
        "seconds": restored["seconds"],
        "ready_seconds": ready,
        "cpu_seconds": processes.cpu_seconds(process.pid),
        "resident_mb": processes.memory_mb(process.pid, "VmRSS"),
    }
    processes.stop(process)
    bench.note(result)


def _load(bench, contender, topic, events, **changes):
    """A group that has read the topic, and its changelog."""
    say(f"{contender.name} reads {events:,} events of {topic}")
    run = Run(bench, contender, topic)
    process, _ = follow(bench, run, events, **changes)
    time.sleep(1)
    processes.stop(process)
    return run


def _compact(bench, run):
    """Waits until the cleaner has nothing left to do."""
    bench.tool("compact", topic=run.changelog, now=1)
    before, end = None, time.monotonic() + bench.options.compaction_seconds
    while time.monotonic() < end:
        time.sleep(5)
        count = bench.tool("count", topic=run.changelog)
        if count == before:
            break
        before = count
    say(f"compacted: {before.strip()}")


def measure(bench):
    """From the changelog of as many leads as records, from a checkpoint, and from one of many live commits."""
    options = bench.options
    leads = options.restore_leads
    bench.tool("create", topics=f"{EACH}:{PARTITIONS},{HISTORY}:{PARTITIONS}")
    bench.tool("generate", topic=EACH, of="each", events=leads, leads=leads)
    runs = [(_load(bench, contender, EACH, leads), "one record for each lead", {}) for contender in bench.chosen(RESTORING)]
    for contender in bench.chosen([Qualifyd("qualifyd")]):
        state = {"state.dir": str(bench.work / "checkpoints")}
        runs.append((_load(bench, contender, EACH, leads, **state), "local checkpoint", state))
    for round_ in range(options.rounds):
        for run, kind, changes in runs:
            _restart(bench, run, kind, round_, **changes)
    for run, _, _ in runs:
        run.end()
    for contender in bench.chosen([Qualifyd("qualifyd")]):
        _measure_history(bench, contender)
    bench.tool("delete", topics=f"{EACH},{HISTORY}")


def _measure_history(bench, contender):
    options = bench.options
    events, leads = options.history_events, options.history_events // 10
    bench.tool("generate", topic=HISTORY, events=events, leads=leads)
    run = Run(bench, contender, HISTORY)
    bench.tool("compact", topic=run.changelog, now=0)
    say(f"{contender.name} reads {events:,} events in commits of 200")
    # As live: hardly ever two events of a lead in one commit, and markers of transactions all over the log.
    process, _ = follow(bench, run, events, **{"commit.records": 200})
    processes.stop(process)
    for round_ in range(options.rounds):
        _restart(bench, run, "many live commits", round_)
    _compact(bench, run)
    for round_ in range(options.rounds):
        _restart(bench, run, "the same, compacted", round_)
    run.end()


def report(results):
    results = [result for result in results if result["part"] == "restore"]
    if not results:
        return ""
    rows = []
    for (kind, name), group in by(results, "kind", "contender").items():
        rows.append([
            kind,
            name,
            f"{group[0]['leads']:,}",
            f"{group[0]['records']:,}",
            spread([result["leads"] / result["seconds"] for result in group]),
            spread([result["records"] / result["seconds"] for result in group]),
            spread([result["ready_seconds"] for result in group]),
            spread([result["cpu_seconds"] for result in group]),
            spread([result["resident_mb"] * 2**20 / result["leads"] for result in group]),
        ])
    header = ["changelog", "contender", "leads", "records read", "leads/s", "records/s", "s from start to restored"]
    return "### Restore\n\n" + table([*header, "CPU s", "resident bytes per lead"], rows)
