"""Who does the job, and how each is started."""

import itertools
import json
import shutil
from datetime import datetime

from . import processes
from .setup import BUILT, HERE, TARGET

BARE = TARGET / "release" / "bare"
QUALIFYD = TARGET / "release" / "qualifyd"
PARTITIONS = 4
_tags = itertools.count(1)


class Run:
    """One start of a contender, or several with the same group: topics of its own, in a folder of its own."""

    def __init__(self, bench, contender, topic):
        self.bench, self.contender, self.input = bench, contender, topic
        self.group = f"{contender.name}-{next(_tags)}"
        self.output = f"{self.group}.transitions"
        self.folder = bench.work / self.group
        self.folder.mkdir()
        self.log, self.out = self.folder / "log", self.folder / "out"
        self.changelog, self.topics = contender.prepare(self)

    def start(self, **changes):
        """Starts it, with an empty log."""
        self.log.write_text("")
        with open(self.out, "w") as out:
            return processes.start(self.contender.command(self, **changes), self.log, stdout=out)

    def end(self):
        """Removes what it left behind."""
        self.bench.tool("delete", topics=",".join(self.topics))
        shutil.rmtree(self.folder, ignore_errors=True)


class Qualifyd:
    """The daemon itself."""

    def __init__(self, name, model=HERE / "model.yaml", **sets):
        self.name, self.model, self.sets = name, model, sets

    def _arguments(self, run, sets):
        return [word for key, value in {**self.sets, **sets}.items() for word in ("--set", f"{key}={value}")]

    def prepare(self, run):
        outputs = {name: f"{run.group}.{name}" for name in ("transitions", "alerts", "slas", "scores", "dead_letter")}
        settings = {
            "model": str(self.model),
            "kafka": {"brokers": run.bench.broker.address, "group": run.group, "instance": "bench"},
            "input": {"topics": [run.input]},
            "output": outputs,
            "workers": run.bench.options.workers,
            "commit": {"interval": f"{run.bench.options.interval_ms}ms"},
            "log": {"format": "json"},
        }
        (run.folder / "qualifyd.json").write_text(json.dumps(settings))
        # Status 1: it has advice about the input's topic.
        command = [QUALIFYD, "topics", "--config", run.folder / "qualifyd.json", "--create"]
        processes.check(command, allowed=(0, 1))
        changelog = f"{run.group}-changelog"
        return changelog, [*outputs.values(), changelog]

    def command(self, run, **sets):
        return [QUALIFYD, "run", "--config", run.folder / "qualifyd.json", *self._arguments(run, sets)]

    def restored(self, run):
        """Leads, changelog records and seconds, once every partition is restored."""
        lines = [json.loads(line) for line in run.log.read_text().splitlines() if "partition restored" in line]
        if len(lines) < PARTITIONS:
            return None
        fields = [line["fields"] for line in lines]
        ends = [datetime.fromisoformat(line["timestamp"].replace("Z", "+00:00")).timestamp() for line in lines]
        starts = [end - field["elapsed_ms"] / 1000 for end, field in zip(ends, fields)]
        total = lambda key: sum(field[key] for field in fields)
        return {"leads": total("leads"), "records": total("records"), "seconds": max(ends) - min(starts)}


class Printing:
    """Those that print RESTORED."""

    def restored(self, run):
        lines = [line for line in run.out.read_text().splitlines() if line.startswith("RESTORED")]
        if not lines:
            return None
        found = processes.numbers(lines[0])
        return {key: float(found[key]) for key in ("leads", "records", "seconds") if key in found}


class Bare(Printing):
    """The bare loop on librdkafka: nothing but the job."""

    def __init__(self, name, **arguments):
        self.name, self.arguments = name, arguments

    def prepare(self, run):
        changelog = f"{run.group}-changelog"
        run.bench.tool("create", topics=f"{run.output}:{PARTITIONS},{changelog}:{PARTITIONS}:compact")
        return changelog, [run.output, changelog]

    def command(self, run, **changes):
        arguments = {
            "brokers": run.bench.broker.address,
            "input": run.input,
            "output": run.output,
            "changelog": run.changelog,
            "group": run.group,
            "partitions": PARTITIONS,
            "workers": run.bench.options.workers,
            "interval_ms": run.bench.options.interval_ms,
            **self.arguments,
            **changes,
        }
        return [BARE, "run", *(f"{key}={value}" for key, value in arguments.items())]


class Streams(Printing):
    """Kafka Streams. ParallelGC: it took 15 to 30 % less CPU than G1."""

    def __init__(self, name, **arguments):
        self.name, self.arguments = name, arguments

    def prepare(self, run):
        run.bench.tool("create", topics=f"{run.output}:{PARTITIONS}")
        changelog = f"{run.group}-scores-changelog"
        return changelog, [run.output, changelog]

    def command(self, run, **changes):
        state = run.folder / "state"
        shutil.rmtree(state, ignore_errors=True)
        arguments = {
            "brokers": run.bench.broker.address,
            "input": run.input,
            "output": run.output,
            "group": run.group,
            "state": state,
            "threads": run.bench.options.workers,
            "interval_ms": run.bench.options.interval_ms,
            **self.arguments,
            **changes,
        }
        classes = f"{BUILT / 'streams' / 'classes'}:{BUILT / 'streams' / 'libs'}/*"
        java = ["java", "-Xmx4g", "-XX:+UseParallelGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"]
        return [*java, "-cp", classes, "bench.App", *(f"{key}={value}" for key, value in arguments.items())]


ALL = [
    Qualifyd("qualifyd"),
    Qualifyd("qualifyd-at-least-once", **{"commit.exactly_once": "false"}),
    Bare("bare"),
    Bare("bare-at-least-once", exactly_once=0),
    Streams("streams-memory"),
    Streams("streams-memory-1-thread", threads=1),
    Streams("streams-rocksdb", store="rocksdb"),
]
# Live, a transition that waits is committed early by those that can.
LIVE = [Qualifyd("qualifyd"), Bare("bare-early", early_ms=5), Streams("streams-memory")]
RESTORING = [Qualifyd("qualifyd"), Bare("bare"), Streams("streams-memory")]
