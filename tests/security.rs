//! The daemon on a Kafka that asks who is there: TLS with certificates of both sides, SASL by PLAIN and SCRAM.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use support::broker::{self, Special};
use support::daemon::Daemon;
use support::expected::check_outputs;
use support::kafka;
use support::process::Process;
use support::stream;

const PASSWORD: &str = "s3cret-of-the-test";

/// The certificates, and where the broker listens.
struct Secure {
    folder: PathBuf,
    tls: String,
    sasl: String,
}

impl Secure {
    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }
}

/// Issues a certificate for this host, signed by the authority, with its key beside it.
fn issue(folder: &Path, name: &str) {
    let (key, certificate) = (format!("{name}.key"), format!("{name}.pem"));
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]);
    openssl.args(["-subj", &format!("/CN={name}"), "-keyout", &key, "-out", &certificate]);
    if name != "authority" {
        openssl.args(["-CA", "authority.pem", "-CAkey", "authority.key"]);
        openssl.args(["-addext", "subjectAltName=IP:127.0.0.1"]);
        openssl.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
    }
    let issued = openssl.current_dir(folder).output().expect("openssl starts; install it");
    assert!(issued.status.success(), "{}", String::from_utf8_lossy(&issued.stderr));
}

fn secure() -> &'static Secure {
    static SECURE: OnceLock<Secure> = OnceLock::new();
    SECURE.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("certificates");
        fs::create_dir_all(&folder).expect("a folder");
        ["authority", "broker", "client"].iter().for_each(|name| issue(&folder, name));
        let read = |name: &str| fs::read_to_string(folder.join(name)).expect("what openssl wrote");
        fs::write(folder.join("store.pem"), read("broker.key") + &read("broker.pem")).expect("store.pem");
        fs::write(folder.join("password"), PASSWORD).expect("the password");
        let (tls, sasl) = broker::free_ports();
        let secure =
            Secure { folder, tls: format!("127.0.0.1:{tls}"), sasl: format!("127.0.0.1:{sasl}") };
        let login = "org.apache.kafka.common.security";
        broker::specialise(Special {
            listeners: vec![format!("SSL://{}", secure.tls), format!("SASL_SSL://{}", secure.sasl)],
            properties: format!(
                "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL
ssl.keystore.type=PEM
ssl.keystore.location={}
ssl.truststore.type=PEM
ssl.truststore.location={}
listener.name.ssl.ssl.client.auth=required
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.sasl_ssl.plain.sasl.jaas.config={login}.plain.PlainLoginModule required user_qualifyd=\"{PASSWORD}\";
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config={login}.scram.ScramLoginModule required;
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={login}.scram.ScramLoginModule required;",
                secure.path("store.pem"),
                secure.path("authority.pem"),
            ),
            format: ["SCRAM-SHA-256", "SCRAM-SHA-512"]
                .iter()
                .flat_map(|mechanism| {
                    ["--add-scram".into(), format!("{mechanism}=[name=qualifyd,password={PASSWORD}]")]
                })
                .collect(),
        });
        secure
    })
}

/// The stream goes through with these properties.
fn check_with(brokers: &str, properties: &[(&str, &str)]) {
    let mut daemon = Daemon::restless(2);
    daemon.set(&format!("kafka.brokers={brokers}"));
    properties.iter().for_each(|(name, value)| daemon.set(&format!("kafka.properties.{name}={value}")));
    let records = stream::generate(2_000, 2);
    kafka::send(daemon.input(), &records);
    let mut process = Process::start(&daemon, "one", &[], "");
    daemon.wait_until_read();
    process.stop();
    assert!(!process.log().contains(PASSWORD), "{}", process.log());
    check_outputs(&daemon, &records);
}

fn check_mechanism(mechanism: &str) {
    let secure = secure();
    let properties = [
        ("security.protocol", "sasl_ssl"),
        ("sasl.mechanism", mechanism),
        ("sasl.username", "qualifyd"),
        ("sasl.password", &format!("@{}", secure.path("password"))),
        ("ssl.ca.location", &secure.path("authority.pem")),
    ];
    check_with(&secure.sasl, &properties);
}

#[test]
fn works_with_certificates_of_both_sides() {
    let secure = secure();
    let properties = [
        ("security.protocol", "ssl"),
        ("ssl.ca.location", &*secure.path("authority.pem")),
        ("ssl.certificate.location", &secure.path("client.pem")),
        ("ssl.key.location", &secure.path("client.key")),
    ];
    check_with(&secure.tls, &properties);
}

#[test]
fn works_with_sasl_plain() {
    check_mechanism("PLAIN");
}

#[test]
fn works_with_sasl_scram_256() {
    check_mechanism("SCRAM-SHA-256");
}

#[test]
fn works_with_sasl_scram_512() {
    check_mechanism("SCRAM-SHA-512");
}

#[test]
fn a_wrong_password_is_told_and_not_shown() {
    let secure = secure();
    let mut daemon = Daemon::restless(1);
    daemon.set(&format!("kafka.brokers={}", secure.sasl));
    let wrong = "wr0ng-password";
    let properties = [
        ("security.protocol", "sasl_ssl"),
        ("sasl.mechanism", "SCRAM-SHA-512"),
        ("sasl.username", "qualifyd"),
        ("sasl.password", wrong),
        ("ssl.ca.location", &secure.path("authority.pem")),
    ];
    properties.iter().for_each(|(name, value)| daemon.set(&format!("kafka.properties.{name}={value}")));
    let mut process = Process::start(&daemon, "one", &[], "");
    assert_eq!(process.end(), Some(1), "{}", process.log());
    let log = process.log();
    assert!(log.contains("Authentication failed") && log.contains("kafka.properties"), "{log}");
    assert!(!log.contains(wrong), "{log}");
}
