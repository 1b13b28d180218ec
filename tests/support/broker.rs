//! A real Apache Kafka for the tests of one test binary: one node, broker and controller in one process, on free ports
//! of 127.0.0.1, gone when the test binary is gone. `QUALIFYD_TEST_BROKERS` names an existing cluster to use instead.

use super::kafka;
use std::fs::{self, File};
use std::io::{self, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

const KAFKA_VERSION: &str = "4.1.1";
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// Another process may take a port between its choice and its use.
const START_ATTEMPTS: u32 = 3;

/// The bootstrap servers of the cluster that the tests use; started by the first test that asks.
pub fn brokers() -> &'static str {
    &cluster().0
}

/// Kills the broker and starts it again with the same address and data; `false`: it is not ours.
pub fn restart() -> bool {
    let Some(broker) = &cluster().1 else { return false };
    broker.lock().expect("no test panics inside").restart();
    true
}

fn cluster() -> &'static (String, Option<Mutex<Broker>>) {
    static CLUSTER: OnceLock<(String, Option<Mutex<Broker>>)> = OnceLock::new();
    CLUSTER.get_or_init(|| match std::env::var("QUALIFYD_TEST_BROKERS") {
        Ok(brokers) => (brokers, None),
        Err(_) => {
            let broker = Broker::start();
            (broker.address.clone(), Some(Mutex::new(broker)))
        }
    })
}

/// A running broker.
struct Broker {
    address: String,
    dir: PathBuf,
    java: Child,
    /// The supervisor's standard input: its end, however this process ends, is the broker's.
    lifeline: ChildStdin,
}

impl Broker {
    fn start() -> Broker {
        let libs = jars();
        for _ in 0..START_ATTEMPTS {
            if let Some(broker) = Broker::try_start(&libs) {
                return broker;
            }
        }
        panic!("Apache Kafka did not start; its log is printed above");
    }

    fn try_start(libs: &Path) -> Option<Broker> {
        let dir = tempfile::Builder::new().prefix("qualifyd-kafka-").tempdir().expect("temp folder").keep();
        let (port, controller_port) = free_ports();
        let address = format!("127.0.0.1:{port}");
        let properties = dir.join("server.properties");
        fs::write(&properties, server_properties(&address, controller_port, &dir))
            .expect("server.properties");

        let format = ["kafka.tools.StorageTool", "format", "-t", "cXVhbGlmeWQtdGVzdHMtMQ", "-c"];
        let formatted = java(libs).args(format).arg(&properties).output().expect("java starts");
        assert!(formatted.status.success(), "the broker's storage was not formatted: {formatted:?}");

        let java = run(libs, &dir);
        let lifeline = supervise(&java, &dir);
        let mut broker = Broker { address, dir, java, lifeline };
        broker.answers().then_some(broker)
    }

    fn restart(&mut self) {
        self.java.kill().expect("the broker is killed");
        self.java.wait().expect("the broker's end");
        self.java = run(&jars(), &self.dir);
        writeln!(self.lifeline, "{}", self.java.id()).expect("the supervisor hears of it");
        assert!(self.answers(), "Apache Kafka did not start again; its log is printed above");
    }

    /// Waits for the broker's answer; false if it ends or is silent for too long.
    fn answers(&mut self) -> bool {
        let start = Instant::now();
        while start.elapsed() < START_TIMEOUT && self.java.try_wait().expect("state of java").is_none() {
            if kafka::has_broker(&self.address, Duration::from_millis(500)) {
                return true;
            }
        }
        eprintln!("{}", fs::read_to_string(self.dir.join("broker.log")).unwrap_or_default());
        false
    }
}

/// Starts a broker on a folder that was prepared for it.
fn run(libs: &Path, dir: &Path) -> Child {
    let log = File::options().create(true).append(true).open(dir.join("broker.log")).expect("broker.log");
    java(libs)
        .arg("kafka.Kafka")
        .arg(dir.join("server.properties"))
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("second handle of broker.log"))
        .stderr(log)
        .spawn()
        .expect("java starts")
}

/// A shell that ends the broker and removes its folder as soon as this process is gone, also by a panic or a signal:
/// then its standard input ends. It outlives an interrupt from the terminal for that. A line names a broker that took the
/// place of the one before.
#[expect(clippy::zombie_processes, reason = "the shell outlives this process")]
fn supervise(java: &Child, dir: &Path) -> ChildStdin {
    let script = r#"trap '' INT TERM HUP; java=$0; while read -r next; do java=$next; done; kill -9 "$java"; rm -rf "$1" || { sleep 1; rm -rf "$1"; }"#;
    let mut shell = Command::new("sh")
        .args(["-c", script, &java.id().to_string()])
        .arg(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("sh starts");
    shell.stdin.take().expect("its standard input is a pipe")
}

/// A virtual machine that starts fast rather than runs fast: a test sends little.
fn java(libs: &Path) -> Command {
    let mut command = Command::new("java");
    command
        .args(["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"])
        .arg("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")
        .arg("-cp")
        .arg(libs.join("*"));
    command
}

fn free_ports() -> (u16, u16) {
    let listen = || TcpListener::bind("127.0.0.1:0").expect("a free port");
    let (a, b) = (listen(), listen());
    let port = |listener: &TcpListener| listener.local_addr().expect("address of a listener").port();
    (port(&a), port(&b))
}

fn server_properties(address: &str, controller_port: u16, dir: &Path) -> String {
    // Records carry the time of their events: any retention by time would delete old ones under a running test.
    format!(
        "process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://{address},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://{address}
controller.listener.names=CONTROLLER
log.dirs={}
log.retention.ms=-1
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
group.min.session.timeout.ms=1000
",
        dir.join("data").display()
    )
}

/// The folder with the broker's jars, fetched once per build folder.
pub fn jars() -> PathBuf {
    fetched(
        "kafka",
        &[("org.apache.kafka", "kafka_2.13", KAFKA_VERSION), ("org.slf4j", "slf4j-simple", "1.7.36")],
    )
}

/// The folder with the jars of Kafka's command line tools.
pub fn tools() -> PathBuf {
    fetched("kafka-tools", &[("org.apache.kafka", "kafka-tools", KAFKA_VERSION)])
}

fn fetched(name: &str, artifacts: &[(&str, &str, &str)]) -> PathBuf {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let jars = cache.join(format!("{name}-{KAFKA_VERSION}"));
    let lock = File::create(cache.join("kafka.lock")).expect("lock file in the build folder");
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).expect("lock of the jars' folder");
    if !jars.exists() {
        // Fetched beside its place and then moved there, so that a folder in its place is a whole one.
        let partial = cache.join(format!("{name}-{KAFKA_VERSION}.partial"));
        remove_if_there(&partial).expect("the remains of an unfinished download can be removed");
        fetch_jars(&partial, artifacts);
        fs::rename(partial.join("libs"), &jars).expect("the jars are moved to their place");
        remove_if_there(&partial).expect("the rest of the download can be removed");
    }
    jars
}

fn remove_if_there(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn fetch_jars(dir: &Path, artifacts: &[(&str, &str, &str)]) {
    fs::create_dir_all(dir).expect("a folder for the download");
    let pom = dir.join("pom.xml");
    fs::write(&pom, pom_xml(artifacts)).expect("pom.xml");
    let fetched = Command::new("mvn")
        .args(["--batch-mode", "--quiet", "--file"])
        .arg(&pom)
        .arg("dependency:copy-dependencies")
        .arg(format!("-DoutputDirectory={}", dir.join("libs").display()))
        .output();
    match fetched {
        Ok(output) if output.status.success() => {}
        Ok(output) => panic!("Apache Kafka was not fetched: {}", String::from_utf8_lossy(&output.stdout)),
        Err(error) => panic!(
            "mvn did not start ({error}); the tests fetch Apache Kafka with Maven and run it with Java 17 or later: \
             install both, or name the brokers of an existing cluster in QUALIFYD_TEST_BROKERS"
        ),
    }
}

fn pom_xml(artifacts: &[(&str, &str, &str)]) -> String {
    let dependency = |(group, artifact, version): &(&str, &str, &str)| {
        format!(
            "<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version></dependency>"
        )
    };
    format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><modelVersion>4.0.0</modelVersion>\
         <groupId>qualifyd</groupId><artifactId>test-broker</artifactId><version>1</version>\
         <dependencies>{}</dependencies></project>",
        artifacts.iter().map(dependency).collect::<String>(),
    )
}
