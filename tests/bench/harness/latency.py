"""At a steady rate: how long until a transition can be read? And after a kill?"""

import signal
import time

from . import processes
from .contenders import BARE, LIVE, PARTITIONS, Qualifyd, Run
from .report import by, spread, table
from .setup import say

TOPIC = "live"
# What comes soon after a kill was on its way before it.
ON_ITS_WAY_US = 100_000




def _load(bench, run, rate, seconds, file):
    arguments = {"topic": TOPIC, "output": run.output, "rate": rate, "seconds": seconds, "file": file}
    arguments["brokers"] = bench.broker.address
    command = [BARE, "latency", *(f"{key}={value}" for key, value in arguments.items())]
    return processes.start(command, run.folder / "latency.log", stdout=open(run.folder / "latency.out", "w"))


def _samples(file):
    """Pairs of µs since 1970: due, read."""
    return [tuple(map(int, line.split())) for line in file.read_text().splitlines()]


def _check_complete(run, load):
    status = load.wait()
    found = processes.numbers((run.folder / "latency.out").read_text())
    if status != 0 or found["read"] != found["expected"]:
        log = (run.folder / "latency.log").read_text() + run.log.read_text()[-4000:]
        raise SystemExit(f"{run.contender.name}: not all transitions came: {found}\n{log}")
    return found


def _measure(bench, contender, rate):
    options = bench.options
    bench.tool("create", topics=f"{TOPIC}:{PARTITIONS}")
    run = Run(bench, contender, TOPIC)
    process = run.start()
    time.sleep(options.live_start)
    file = run.folder / "samples"
    start_us = time.time_ns() // 1000
    load = _load(bench, run, rate, options.warm + options.seconds, file)
    time.sleep(options.warm)
    cpu, broker = processes.cpu_seconds(process.pid), bench.broker.cpu_seconds()
    time.sleep(options.seconds)
    cores = (processes.cpu_seconds(process.pid) - cpu) / options.seconds
    broker_cores = (bench.broker.cpu_seconds() - broker) / options.seconds
    sent = _check_complete(run, load)
    processes.stop(process)
    warm_us = start_us + options.warm * 1_000_000
    samples = [(read - due) / 1000 for due, read in _samples(file) if due >= warm_us]
    run.end()
    bench.tool("delete", topics=TOPIC)
    common = {"part": "latency", "contender": contender.name, "rate": rate, "samples_ms": samples}
    return {**common, "cores": cores, "broker_cores": broker_cores, "latest_send_ms": int(sent["latest_send_us"]) / 1000}


def measure(bench):
    for round_ in range(bench.options.rounds):
        for rate in bench.options.rates:
            for contender in bench.chosen(LIVE):
                bench.note({**_measure(bench, contender, rate), "round": round_})


def measure_kill(bench):
    """A daemon with many leads is killed while events come at a steady rate, and started again at once."""
    options = bench.options
    for round_ in range(options.rounds):
        for contender in bench.chosen([Qualifyd("qualifyd")]):
            bench.tool("create", topics=f"{TOPIC}:{PARTITIONS}")
            leads = options.restore_leads
            bench.tool("generate", topic=TOPIC, of="each", events=leads, leads=leads)
            run = Run(bench, contender, TOPIC)
            process = run.start()
            file = run.folder / "samples"
            time.sleep(options.live_start + leads / 200_000)
            load = _load(bench, run, options.rates[0], options.warm + options.kill_seconds, file)
            time.sleep(options.warm)
            process.send_signal(signal.SIGKILL)
            killed_us = time.time_ns() // 1000
            process.wait()
            process = run.start()
            wait = lambda: contender.restored(run)
            restored = processes.wait_for(wait, 300, "the restore", process)
            ready = time.time_ns() // 1000 - killed_us
            _check_complete(run, load)
            processes.stop(process)
            after = [read for _, read in _samples(file) if read > killed_us + ON_ITS_WAY_US]
            bench.note({
                "part": "kill",
                "contender": contender.name,
                "round": round_,
                "leads": restored["leads"],
                "restore_seconds": restored["seconds"],
                "ready_seconds": ready / 1e6,
                "scoring_seconds": (min(after) - killed_us) / 1e6,
            })
            run.end()
            bench.tool("delete", topics=TOPIC)


def percentile(values, share):
    values = sorted(values)
    return values[round((len(values) - 1) * share)]


def _percentiles(group):
    """Of each round, for the spread."""
    shares = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}
    return {name: [percentile(result["samples_ms"], share) for result in group] for name, share in shares.items()}


def report(results):
    text = ""
    live = [result for result in results if result["part"] == "latency"]
    if live:
        text += "### From due to readable, read_committed, ms\n\n"
        rows = []
        for (rate, name), group in by(live, "rate", "contender").items():
            of = _percentiles(group)
            ours = _percentiles([result for result in live if result["contender"] == "qualifyd" and result["rate"] == rate])
            ratios = []
            for key in ("p50", "p99"):
                same = len(ours[key]) == len(of[key])
                ratios.append(spread([a / b for a, b in zip(ours[key], of[key])]) if same else "–")
            count = sum(len(result["samples_ms"]) for result in group)
            cores = spread([result["cores"] for result in group])
            broker = spread([result["broker_cores"] for result in group])
            rows.append([f"{rate:,}/s", name, *(spread(values) for values in of.values()), count, cores, broker, *ratios])
        header = ["rate", "contender", "p50", "p99", "p99.9", "transitions", "cores", "broker's cores"]
        text += table([*header, "qualifyd's p50 to this", "p99 to this"], rows)
        latest = max(result["latest_send_ms"] for result in live)
        text += f"\nThe latest event was sent {latest:.1f} ms after it was due; this counts.\n"
    kills = [result for result in results if result["part"] == "kill"]
    if kills:
        text += "\n### From kill −9 to scoring again, s\n\n"
        keys = {"leads": "leads", "restore": "restore_seconds", "all partitions restored": "ready_seconds"}
        keys["first transition readable"] = "scoring_seconds"
        rows = [[spread([kill[key] for kill in kills]) for key in keys.values()]]
        text += table(list(keys), rows)
    return text
