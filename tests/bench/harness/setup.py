"""Builds the contenders, starts Apache Kafka."""

import atexit
import pathlib
import shutil
import socket
import subprocess
import time

from . import processes

HERE = pathlib.Path(__file__).resolve().parent.parent
REPOSITORY = HERE.parent.parent
TARGET = REPOSITORY / "target"
BUILT = TARGET / "bench"
KAFKA_VERSION = "4.1.1"
# The tests fetch the same jars to the same place.
KAFKA_JARS = TARGET / "tmp" / f"kafka-{KAFKA_VERSION}"

POM = """<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>qualifyd</groupId><artifactId>bench-broker</artifactId><version>1</version><dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{kafka}</version></dependency>
<dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
</dependencies></project>
"""

PROPERTIES = """process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://{address},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://{address}
controller.listener.names=CONTROLLER
log.dirs={data}
# Records carry the time of their events, which are old: any retention by time would delete them under a run.
log.retention.ms=-1
# A generated stream may reach into the future.
log.message.timestamp.after.max.ms=9223372036854775807
auto.create.topics.enable=false
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.cleaner.backoff.ms=1000
"""


def say(text):
    print(f"# {text}", flush=True)


def build():
    """Builds all contenders; what is built already costs nothing."""
    say("building qualifyd")
    cargo = ["cargo", "build", "--release", "--quiet", "--manifest-path"]
    subprocess.run([*cargo, REPOSITORY / "Cargo.toml", "--bin", "qualifyd"], check=True)
    say("building the bare loop")
    subprocess.run([*cargo, HERE / "bare" / "Cargo.toml", "--target-dir", TARGET], check=True)
    say("building the Kafka Streams application")
    out = BUILT / "streams"
    maven = ["mvn", "--batch-mode", "--quiet", "--file", HERE / "streams" / "pom.xml", f"-Dbuild.out={out}"]
    libs = f"-DoutputDirectory={out / 'libs'}"
    subprocess.run([*maven, "package", "dependency:copy-dependencies", libs], check=True)


def _fetch_kafka():
    say(f"fetching Apache Kafka {KAFKA_VERSION}")
    partial = BUILT / "kafka.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    (partial / "pom.xml").write_text(POM.format(kafka=KAFKA_VERSION))
    maven = ["mvn", "--batch-mode", "--quiet", "--file", partial / "pom.xml", "dependency:copy-dependencies"]
    subprocess.run([*maven, f"-DoutputDirectory={partial / 'libs'}"], check=True)
    KAFKA_JARS.parent.mkdir(parents=True, exist_ok=True)
    (partial / "libs").rename(KAFKA_JARS)


def _free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Broker:
    """One node, broker and controller in one process; gone with its data when this process is."""

    def __init__(self, work):
        if not KAFKA_JARS.exists():
            _fetch_kafka()
        say("starting Apache Kafka")
        port = _free_port()
        self.address = f"127.0.0.1:{port}"
        data = work / "broker"
        properties = work / "server.properties"
        text = PROPERTIES.format(address=self.address, controller=_free_port(), data=data)
        properties.write_text(text)
        java = ["java", "-Xmx1g", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", f"{KAFKA_JARS}/*"]
        storage = [*java, "kafka.tools.StorageTool", "format", "-t", "cXVhbGlmeWQtYmVuY2gtMQ", "-c"]
        processes.check([*storage, properties])
        command = [*java, "kafka.Kafka", properties]
        self.process = processes.start(command, work / "broker.log", stdout=subprocess.DEVNULL)
        atexit.register(self._end, data)
        processes.wait_for(lambda: self._answers(port), 60, "Apache Kafka", self.process)
        time.sleep(2)

    def _answers(self, port):
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", port)) == 0

    def _end(self, data):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(data, ignore_errors=True)

    def cpu_seconds(self):
        return processes.cpu_seconds(self.process.pid)
