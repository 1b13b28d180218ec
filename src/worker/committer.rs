//! Commits on a thread of its own, so that the worker goes on fetching and applying meanwhile: a commit takes many round
//! trips.

use crate::kafka::Error;
use crate::kafka::native::{Membership, Waker};
use crate::kafka::transaction::Transactions;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Where the input goes on, and as which member.
struct Job {
    offsets: Vec<(i32, i64)>,
    membership: Membership,
}

/// How a commit ended.
#[derive(Debug)]
pub struct Ended {
    pub result: Result<(), Error>,
    pub took: Duration,
}

/// Commits one transaction at a time.
pub struct Committer {
    jobs: Option<Sender<Job>>,
    ended: Receiver<Ended>,
    thread: Option<JoinHandle<()>>,
    busy: bool,
}

impl Committer {
    /// Starts the thread. `waker` ends the worker's wait for records when a commit has ended.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub fn start(number: usize, transactions: Arc<Transactions>, waker: Waker) -> std::io::Result<Committer> {
        let (jobs, todo) = mpsc::channel::<Job>();
        let (report, ended) = mpsc::channel();
        let thread = std::thread::Builder::new().name(format!("commit-{number}")).spawn(move || {
            for Job { offsets, membership } in todo {
                let start = Instant::now();
                let result = transactions.commit(&offsets, &membership);
                if report.send(Ended { result, took: start.elapsed() }).is_err() {
                    return;
                }
                waker.wake();
            }
        })?;
        Ok(Committer { jobs: Some(jobs), ended, thread: Some(thread), busy: false })
    }

    /// Whether a commit is under way.
    pub fn is_busy(&self) -> bool {
        self.busy
    }

    /// Commits what was sent. None may be under way.
    pub fn commit(&mut self, offsets: Vec<(i32, i64)>, membership: Membership) {
        debug_assert!(!self.busy, "one commit at a time");
        self.busy = true;
        // The thread ends only with this.
        let _ = self.jobs.as_ref().map(|jobs| jobs.send(Job { offsets, membership }));
    }

    /// The end of the commit under way, if it has ended.
    pub fn ended(&mut self) -> Option<Ended> {
        match self.ended.try_recv() {
            Ok(ended) => {
                self.busy = false;
                Some(ended)
            }
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => None,
        }
    }

    /// Waits for the end of the commit under way.
    pub fn wait(&mut self, timeout: Duration) -> Option<Ended> {
        if !self.busy {
            return None;
        }
        match self.ended.recv_timeout(timeout) {
            Ok(ended) => {
                self.busy = false;
                Some(ended)
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => None,
        }
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.jobs = None;
        // One that hangs in a commit is left behind: the process is about to end.
        if !self.busy
            && let Some(thread) = self.thread.take()
        {
            // It has nothing to say that was not said.
            let _ = thread.join();
        }
    }
}
