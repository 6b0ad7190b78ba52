//! What a run has done so far, on disk: an interrupted run goes on where it stopped.
//!
//! A journal is a row of records, one a cell, each with its length and a checksum, after a header that says which run it is of.
//! Records are only ever added. A program that is killed leaves at most one that is cut short, and it is ignored. Since a cell
//! is a function of the scenario, the seed and its own numbers, and cells are put together by sums of whole numbers, a run that
//! went on from a journal ends with the same bytes as one that was never interrupted.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::model::blueprint::When;
use crate::observe::Tally;
use crate::scenario::Scenario;

/// Which cell: the place of its scenario among the points of a sweep, its variant, its replication.
pub(super) type CellKey = (u32, u32, u32);

/// The cells of one run that are done.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    header: String,
    /// Opened with the first record.
    file: Mutex<Option<File>>,
    /// Where the records stand that an earlier run left: place and length.
    known: BTreeMap<CellKey, (u64, u32)>,
    opened: Instant,
}

/// What was done before is not noted: to do it again costs no more than noting a thousand short cells does.
const PATIENCE: Duration = Duration::from_millis(500);

/// Bytes before a record: its length, and a checksum of it.
const PREFIX: u64 = 8;

impl Journal {
    /// The journal of a scenario at `path`, with what an earlier run of the same scenario, by the same version, left there. That
    /// of another run is written over once there is something to write.
    ///
    /// # Errors
    /// Where there is a file and it cannot be read.
    pub fn open(path: &Path, scenario: &Scenario) -> io::Result<Journal> {
        let header = header(scenario);
        let mut journal = Journal {
            path: path.to_owned(),
            header,
            file: Mutex::new(None),
            known: BTreeMap::new(),
            opened: Instant::now(),
        };
        match OpenOptions::new().read(true).write(true).open(path) {
            Ok(file) => journal.read(file)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(journal)
    }

    /// How many cells are done.
    pub fn known(&self) -> usize {
        self.known.len()
    }

    /// Finds the whole records, and cuts off what comes after them.
    fn read(&mut self, mut file: File) -> io::Result<()> {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        if !bytes.starts_with(self.header.as_bytes()) {
            return Ok(());
        }
        let mut at = self.header.len();
        while let Some(length) = whole_record(&bytes[at..]) {
            let place = at + PREFIX as usize;
            if let Some((key, _)) = unpack(&bytes[place..place + length]) {
                self.known.insert(key, (place as u64, length as u32));
            }
            at = place + length;
        }
        file.set_len(at as u64)?;
        file.seek(SeekFrom::End(0))?;
        *self
            .file
            .get_mut()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = Some(file);
        Ok(())
    }

    /// What a cell measured, if it is done.
    pub(super) fn find(&self, key: CellKey) -> Option<Tally> {
        let &(place, length) = self.known.get(&key)?;
        let mut bytes = vec![0; length as usize];
        let mut file = File::open(&self.path).ok()?;
        file.seek(SeekFrom::Start(place)).ok()?;
        file.read_exact(&mut bytes).ok()?;
        unpack(&bytes).map(|(_, tally)| tally)
    }

    /// Notes what a cell measured, once the run has gone on for a while. A journal that cannot be written does not stop
    /// the run: it only cannot be gone on with.
    pub(super) fn note(&self, key: CellKey, tally: &Tally) {
        if self.opened.elapsed() < PATIENCE {
            return;
        }
        self.write(key, tally);
    }

    fn write(&self, key: CellKey, tally: &Tally) {
        let Some(record) = pack(key, tally) else {
            return;
        };
        let mut bytes = Vec::with_capacity(record.len() + PREFIX as usize);
        bytes.extend((record.len() as u32).to_le_bytes());
        bytes.extend(crc32fast::hash(&record).to_le_bytes());
        bytes.extend(record);
        let mut file = self
            .file
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if file.is_none() {
            let created = File::create(&self.path);
            *file = created
                .and_then(|mut new| new.write_all(self.header.as_bytes()).map(|()| new))
                .ok();
        }
        if let Some(file) = &mut *file {
            // One call a record: threads do not mix, and what a kill cuts short is the end.
            let _ = file.write_all(&bytes);
        }
    }

    /// Takes the journal away: the run is complete.
    pub fn remove(self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Which run a journal is of.
fn header(scenario: &Scenario) -> String {
    let mut hash = crc32fast::Hasher::new();
    hash.update(scenario.resolved.to_string().as_bytes());
    for source in scenario
        .variants
        .iter()
        .flat_map(|variant| &variant.blueprint.sources)
    {
        // What the scenario takes from a file may have changed while its text has not.
        if let When::Trace(rows) = &source.when {
            for row in &rows.rows {
                hash.update(&row.time.nanos().to_le_bytes());
                hash.update(&row.size.to_le_bytes());
                hash.update(&row.service.to_le_bytes());
            }
        }
    }
    let program = concat!("lbsim ", env!("CARGO_PKG_VERSION"));
    format!(
        "{program} journal {} {:08x}\n",
        scenario.file_name,
        hash.finalize()
    )
}

/// The length of the record that `bytes` begin with; `None` where it is not whole.
fn whole_record(bytes: &[u8]) -> Option<usize> {
    let number = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let (length, checksum) = (number(0)? as usize, number(4)?);
    let record = bytes.get(PREFIX as usize..PREFIX as usize + length)?;
    (crc32fast::hash(record) == checksum).then_some(length)
}

fn pack(key: CellKey, tally: &Tally) -> Option<Vec<u8>> {
    let plain = postcard::to_stdvec(&(key, tally)).ok()?;
    // The quickest level: a short cell is lived in less time than the best would take.
    zstd::encode_all(plain.as_slice(), 1).ok()
}

fn unpack(record: &[u8]) -> Option<(CellKey, Tally)> {
    postcard::from_bytes(&zstd::decode_all(record).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model;

    const TEXT: &str = r#"
        question = "?"
        expect = "!"
        [run]
        duration = "5s"
        compare = ["random"]
        [[clients]]
        arrivals = { kind = "poisson", rate = "80/s" }
        [[services]]
        name = "web"
        [[services.servers]]
        service = { kind = "exponential", mean = "10ms" }
    "#;

    #[test]
    fn what_was_noted_is_found_again_but_for_a_torn_end() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("journal");
        let scenario = Scenario::from_text("web.toml", TEXT).unwrap();
        let lived = |replication| model::run(&scenario.variants[0].blueprint, 1, replication);
        let journal = Journal::open(&path, &scenario).unwrap();
        assert!(!path.exists(), "nothing to note, nothing written");
        for replication in 0..3 {
            journal.write((0, 0, replication), &lived(replication));
        }
        let whole = std::fs::metadata(&path).unwrap().len();
        // As they are stored: how a histogram stands in memory depends on the order in which it was filled.
        let same = |tally: &Tally, other: &Tally| pack((0, 0, 0), tally) == pack((0, 0, 0), other);
        let again = Journal::open(&path, &scenario).unwrap();
        assert_eq!(again.known(), 3);
        assert!(same(&again.find((0, 0, 1)).unwrap(), &lived(1)));
        assert!(again.find((0, 0, 3)).is_none());
        // Cut anywhere within the last record: it is not there, the others are, and more can be added.
        for cut in [1, 9, 50] {
            let file = OpenOptions::new().write(true).open(&path).unwrap();
            file.set_len(whole - cut).unwrap();
            let torn = Journal::open(&path, &scenario).unwrap();
            assert_eq!(torn.known(), 2, "cut by {cut}");
            torn.write((0, 0, 2), &lived(2));
            let mended = Journal::open(&path, &scenario).unwrap();
            assert!(same(&mended.find((0, 0, 2)).unwrap(), &lived(2)));
        }
        // Another scenario does not take it for its own.
        let other = Scenario::from_text("web.toml", &TEXT.replace("80/s", "81/s")).unwrap();
        assert_eq!(Journal::open(&path, &other).unwrap().known(), 0);
    }
}
