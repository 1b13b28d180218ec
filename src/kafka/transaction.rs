//! One commit after the other: everything that was sent, together with the offsets at which the input goes on.

use super::clients::TRANSACTION_TIMEOUT_MS;
use super::native::{Fault, Membership, Producer};
use super::{Error, RETRY_PAUSE};
use crate::failpoints;
use std::time::{Duration, Instant};

/// For records of a transaction that is given up.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(10);
/// For one attempt to take back a transaction.
const ABORT_STEP: Duration = Duration::from_secs(1);
/// For the start: a predecessor's transaction may have to be ended first.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// What commits, and how.
#[derive(Debug)]
pub struct Transactions {
    pub producer: Producer,
    /// The input topic, whose offsets are committed.
    input: String,
    exactly_once: bool,
}

impl Transactions {
    /// Ends what a predecessor of the same name left open, and fences it.
    ///
    /// # Errors
    /// The cluster does not answer.
    pub fn new(
        producer: Producer,
        brokers: &str,
        input: &str,
        exactly_once: bool,
    ) -> Result<Transactions, Error> {
        if exactly_once {
            let deadline = Instant::now() + START_TIMEOUT;
            insist(deadline, |left| producer.init_transactions(left)).map_err(|error| match error {
                Error::Aborted(reason) | Error::Fatal(reason) => {
                    Error::NoAnswer { brokers: brokers.to_owned(), reason }
                }
                error => error,
            })?;
        }
        Ok(Transactions { producer, input: input.to_owned(), exactly_once })
    }

    /// Records that are sent from here on belong to the next commit.
    ///
    /// # Errors
    /// [`Error::Fatal`].
    pub fn begin(&self) -> Result<(), Error> {
        if self.exactly_once { self.producer.begin_transaction().map_err(classify) } else { Ok(()) }
    }

    /// Commits what was sent since it began, and the offsets at which the input goes on.
    ///
    /// # Errors
    /// [`Error::Aborted`]: nothing of it took place. [`Error::Fatal`]: whether it did is not known.
    pub fn commit(&self, offsets: &[(i32, i64)], membership: &Membership) -> Result<(), Error> {
        let deadline = Instant::now() + Duration::from_millis(TRANSACTION_TIMEOUT_MS);
        if !self.exactly_once {
            return insist(deadline, |left| self.producer.flush(left));
        }
        failpoints::crash("before-offsets");
        let committed =
            insist(deadline, |left| self.producer.send_offsets(&self.input, offsets, membership, left))
                .and_then(|()| {
                    failpoints::crash("after-offsets");
                    insist(deadline, |left| self.producer.commit_transaction(left))
                });
        failpoints::crash("after-commit");
        match committed {
            Err(error @ Error::Aborted(_)) => {
                self.abort()?;
                Err(error)
            }
            committed => committed,
        }
    }

    /// Takes back what was sent since it began.
    ///
    /// # Errors
    /// [`Error::Fatal`].
    pub fn abort(&self) -> Result<(), Error> {
        if !self.exactly_once {
            return Ok(());
        }
        let deadline = Instant::now() + Duration::from_millis(TRANSACTION_TIMEOUT_MS);
        // What is queued goes out first, to be given up by the broker: librdkafka (2.12) would forget it, and leave gaps in the
        // numbers by which the broker tells repeated records; the next transaction would hang.
        if let Err(fault) = self.producer.flush(FLUSH_TIMEOUT) {
            tracing::debug!(%fault, "records of a transaction that is given up did not arrive");
        }
        // And in short steps: where librdkafka itself forgot some, the first waits in vain, and the next does not.
        let aborted = insist(deadline, |left| self.producer.abort_transaction(left.min(ABORT_STEP)));
        // The records that were taken back are no news.
        self.producer.undelivered();
        aborted
    }
}

/// Repeats an operation as long as librdkafka says that this may help.
fn insist(deadline: Instant, operation: impl Fn(Duration) -> Result<(), Fault>) -> Result<(), Error> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match operation(left) {
            Ok(()) => return Ok(()),
            Err(fault) if fault.retriable && !fault.requires_abort && !left.is_zero() => {
                tracing::debug!(%fault, "the transaction's step is tried again");
                std::thread::sleep(RETRY_PAUSE);
            }
            Err(fault) => return Err(classify(fault)),
        }
    }
}

fn classify(fault: Fault) -> Error {
    if fault.requires_abort && !fault.fatal { Error::Aborted(fault) } else { Error::Fatal(fault) }
}
