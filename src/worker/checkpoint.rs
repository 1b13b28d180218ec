//! Local copies of a partition's leads, so that a restart reads only the tail of the changelog.
//!
//! A copy is written bit by bit while the leads go on changing: every lead in it is as it was at the offset that it
//! names, or later. Reading the changelog from that offset on makes it exact, as its records are whole leads. A copy
//! counts only when all that it may have seen is committed, and until the changelog may have forgotten tombstones.
//!
//! ```text
//! magic · header length · header (JSON) · { length · armed · lead } · 0 · xxh3 of all before
//! ```

use crate::changelog::Meta;
use crate::core::codec::Corrupt;
use crate::core::partition::Partition;
use crate::core::tables::Tables;
use crate::failpoints;
use crate::shared::now_ms;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use xxhash_rust::xxh3::Xxh3;

const MAGIC: &[u8; 8] = b"qualify1";
/// Kafka's default of `delete.retention.ms`, less an hour for reading: tombstones are gone after that.
const USABLE_FOR: Duration = Duration::from_secs(23 * 3600);
/// No lead is as large; a length beyond is damage.
const LARGEST_LEAD: usize = 64 << 20;

/// Why a checkpoint is not used.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("it is damaged: {0}")]
    Damaged(&'static str),
    #[error("it is of {0} hours ago, and the changelog may have forgotten what was deleted since")]
    Old(u64),
    #[error("it ends at offset {offset}, and the changelog has {low} to {end}")]
    Elsewhere { offset: i64, low: i64, end: i64 },
}

impl From<Corrupt> for Unusable {
    fn from(corrupt: Corrupt) -> Unusable {
        Unusable::Damaged(corrupt.0)
    }
}

#[derive(Debug, serde::Serialize, serde::Deserialize)]
struct Header {
    offset: i64,
    written_ms: i64,
    /// As in the changelog.
    meta: Vec<u8>,
    tables: Vec<(u32, Tables)>,
}

/// What a checkpoint says besides the leads.
#[derive(Debug)]
pub struct Checkpoint {
    /// Where the changelog goes on.
    pub offset: i64,
    pub meta: Option<Meta>,
    pub tables: Vec<(u32, Tables)>,
}

/// The file of a partition's checkpoint.
pub fn file(dir: &Path, changelog: &str, partition: i32) -> PathBuf {
    dir.join(format!("{changelog}-{partition}.checkpoint"))
}

impl Checkpoint {
    /// Puts a checkpoint's leads into a partition, unchecked; `None`: there is none.
    ///
    /// # Errors
    /// Why it is not used; the partition may hold some of its leads then.
    pub fn read(
        file: &Path,
        low: i64,
        end: i64,
        leads: &mut Partition,
    ) -> Result<Option<Checkpoint>, Unusable> {
        let input = match File::open(file) {
            Ok(input) => input,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let mut input = Hashing { inner: BufReader::with_capacity(1 << 20, input), hash: Xxh3::new() };
        let mut magic = [0; 8];
        input.read_exact(&mut magic)?;
        if magic != *MAGIC {
            return Err(Unusable::Damaged("it is not one of this version"));
        }
        let header = input.bytes()?;
        let header: Header =
            serde_json::from_slice(&header).map_err(|_| Unusable::Damaged("its header cannot be read"))?;
        let age_ms = now_ms().saturating_sub(header.written_ms).unsigned_abs();
        if Duration::from_millis(age_ms) > USABLE_FOR {
            return Err(Unusable::Old(age_ms / 3_600_000));
        }
        if header.offset < low || header.offset > end {
            return Err(Unusable::Elsewhere { offset: header.offset, low, end });
        }
        let mut bytes = Vec::new();
        loop {
            match input.length()? {
                0 => break,
                length => {
                    let armed = input.number()?;
                    bytes.resize(length, 0);
                    input.read_exact(&mut bytes)?;
                    leads.restore_unchecked(&bytes, armed)?;
                }
            }
        }
        let expected = input.hash.digest();
        let mut found = [0; 8];
        input.inner.read_exact(&mut found)?;
        if u64::from_le_bytes(found) != expected {
            return Err(Unusable::Damaged("its checksum is another"));
        }
        let meta = if header.meta.is_empty() { None } else { Some(Meta::read(&header.meta)?) };
        Ok(Some(Checkpoint { offset: header.offset, meta, tables: header.tables }))
    }
}

/// Reads and hashes.
struct Hashing<R> {
    inner: R,
    hash: Xxh3,
}

impl<R: Read> Hashing<R> {
    fn read_exact(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        self.inner.read_exact(buffer)?;
        self.hash.update(buffer);
        Ok(())
    }

    fn number(&mut self) -> io::Result<i64> {
        let mut number = [0; 8];
        self.read_exact(&mut number)?;
        Ok(i64::from_le_bytes(number))
    }

    fn length(&mut self) -> Result<usize, Unusable> {
        let mut length = [0; 4];
        self.read_exact(&mut length)?;
        let length = u32::from_le_bytes(length) as usize;
        if length <= LARGEST_LEAD { Ok(length) } else { Err(Unusable::Damaged("a length is out of range")) }
    }

    fn bytes(&mut self) -> Result<Vec<u8>, Unusable> {
        let mut bytes = vec![0; self.length()?];
        self.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

/// A checkpoint that is being written.
#[derive(Debug)]
pub struct Writing {
    file: PathBuf,
    out: BufWriter<File>,
    hash: Xxh3Writer,
    /// The next lead by its number.
    next: u32,
}

#[derive(Default)]
struct Xxh3Writer(Xxh3);

impl std::fmt::Debug for Xxh3Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Xxh3")
    }
}

impl Writing {
    /// Begins a checkpoint: `offset` is the changelog's end, or one before it; `meta` is in the changelog before
    /// that, or is the latest of it.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub fn begin(file: PathBuf, offset: i64, meta: &Meta, tables: &[(u32, Tables)]) -> io::Result<Writing> {
        let mut bytes = Vec::new();
        meta.write(&mut bytes);
        let header = Header { offset, written_ms: now_ms(), meta: bytes, tables: tables.to_vec() };
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let out = BufWriter::with_capacity(1 << 20, File::create(part(&file))?);
        let mut writing = Writing { file, out, hash: Xxh3Writer::default(), next: 0 };
        writing.write(MAGIC)?;
        let header = serde_json::to_vec(&header).map_err(io::Error::other)?;
        writing.write(&(header.len() as u32).to_le_bytes())?;
        writing.write(&header)?;
        Ok(writing)
    }

    /// Writes some more leads; whether all are written.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn go_on(&mut self, leads: &Partition, count: u32) -> io::Result<bool> {
        let end = self.next.saturating_add(count);
        while self.next < end {
            match leads.lead_numbered(self.next) {
                None => return Ok(true),
                Some(None) => {}
                Some(Some((bytes, armed))) => {
                    failpoints::crash("in-checkpoint");
                    self.write(&(bytes.len() as u32).to_le_bytes())?;
                    self.write(&armed.to_le_bytes())?;
                    self.write(bytes)?;
                }
            }
            self.next += 1;
        }
        Ok(false)
    }

    /// All is written, and all that it saw is committed: from now on it counts.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn finish(mut self) -> io::Result<()> {
        self.write(&0_u32.to_le_bytes())?;
        let hash = self.hash.0.digest();
        self.out.write_all(&hash.to_le_bytes())?;
        self.out.flush()?;
        self.out.get_ref().sync_data()?;
        failpoints::crash("before-checkpoint");
        std::fs::rename(part(&self.file), &self.file)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.0.update(bytes);
        self.out.write_all(bytes)
    }
}

fn part(file: &Path) -> PathBuf {
    file.with_extension("part")
}
