//! What a run or a search has done so far, on disk: an interrupted one goes on where it stopped.
//!
//! A journal is a row of records, each with its length and a checksum, after a line that says what
//! they were made of: the program, the scenario, and every file that it read. Records are only ever
//! added. A program that is killed leaves at most one that is cut short, and it is ignored. Since
//! what a record holds is a function of its key and of what stands in that line, a run that went on
//! from a journal ends with the same bytes as one that was never interrupted.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh64::xxh64;

use crate::scenario::Scenario;

/// Which cell: the place of its scenario among the points of a sweep, its variant, its replication.
pub type CellKey = (u32, u32, u32);

/// What is done, by key.
#[derive(Debug)]
pub struct Journal<K> {
    path: PathBuf,
    origin: Origin,
    /// Opened with the first record.
    file: Mutex<Option<File>>,
    /// Where the records stand that an earlier run left: place and length.
    known: BTreeMap<K, (u64, u32)>,
    /// Why what an earlier run left is of no use.
    stale: Option<String>,
    opened: Instant,
    /// Whether what is done follows from `origin`: not where the code of a rule is somebody else's.
    follows: bool,
}

/// What records are made of: the first line of a journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Origin {
    /// What the records are: cells of a run, or measurements of a search.
    records: String,
    /// The program's version and what it was built of.
    program: String,
    /// A hash of the scenario, every default filled in.
    scenario: u64,
    /// Hashes of the files that it reads, by name.
    files: BTreeMap<String, u64>,
}

impl Origin {
    fn of(records: &str, scenario: &Scenario) -> Origin {
        Origin {
            records: records.to_owned(),
            program: concat!(
                "lbsim ",
                env!("CARGO_PKG_VERSION"),
                " ",
                env!("LBSIM_BUILD")
            )
            .to_owned(),
            scenario: xxh64(scenario.resolved.to_string().as_bytes(), 0),
            files: scenario.files.clone(),
        }
    }

    /// What is different now.
    fn changed(&self, now: &Origin) -> String {
        if self.program != now.program {
            return format!(
                "it was begun by another build of the program ({})",
                self.program
            );
        }
        if self.scenario != now.scenario {
            return "the scenario has changed since".to_owned();
        }
        let changed = now
            .files
            .iter()
            .find(|&(name, hash)| self.files.get(name) != Some(hash));
        match changed {
            Some((name, _)) => format!("`{name}` has changed since"),
            None => "it was something else".to_owned(),
        }
    }
}

/// What was done before is not noted: to do it again costs no more than noting a thousand short
/// cells does.
const PATIENCE: Duration = Duration::from_millis(500);

/// Bytes before a record: its length, and a checksum of it.
const PREFIX: u64 = 8;

impl<K: Ord + Serialize + DeserializeOwned> Journal<K> {
    /// The journal at `path` of what is done with a scenario, with what an earlier run over the
    /// same scenario and the same files, by the same program, left there. That of another is
    /// written over once there is something to write. `records` says what is noted.
    ///
    /// Where a rule from outside is compared, nothing is found and nothing noted: its code is not
    /// known here, and may have changed.
    ///
    /// # Errors
    /// Where there is a file and it cannot be read, or another process writes it.
    pub fn open(path: &Path, records: &str, scenario: &Scenario) -> io::Result<Journal<K>> {
        let mut journal = Journal {
            path: path.to_owned(),
            origin: Origin::of(records, scenario),
            file: Mutex::new(None),
            known: BTreeMap::new(),
            stale: None,
            opened: Instant::now(),
            follows: !scenario.has_custom_rule(),
        };
        if !journal.follows {
            let is_there = path.exists();
            journal.stale = is_there
                .then(|| "a rule from outside is compared, whose code is not known".to_owned());
            return Ok(journal);
        }
        match OpenOptions::new().read(true).write(true).open(path) {
            Ok(file) => {
                own(&file)?;
                journal.read(file)?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(journal)
    }

    /// How many records an earlier run has left.
    pub fn known(&self) -> usize {
        self.known.len()
    }

    /// Why what an earlier run has left is of no use, as the end of a sentence that begins with
    /// "for".
    pub fn stale(&self) -> Option<&str> {
        self.stale.as_deref()
    }

    /// Finds the whole records, and cuts off what comes after them.
    fn read(&mut self, mut file: File) -> io::Result<()> {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let mut rest = BufReader::new(bytes.as_slice());
        let mut line = Vec::new();
        rest.read_until(b'\n', &mut line)?;
        match serde_json::from_slice::<Origin>(&line) {
            Ok(origin) if origin == self.origin => {}
            Ok(origin) => {
                self.stale = Some(origin.changed(&self.origin));
                return Ok(());
            }
            Err(_) => {
                self.stale = Some("its journal is not one of this version".to_owned());
                return Ok(());
            }
        }
        let mut at = line.len();
        while let Some(length) = whole_record(&bytes[at..]) {
            let place = at + PREFIX as usize;
            if let Some(key) = unpack_key(&bytes[place..place + length]) {
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

    /// What is noted under a key.
    pub fn find<V: DeserializeOwned>(&self, key: &K) -> Option<V> {
        let &(place, length) = self.known.get(key)?;
        let mut bytes = vec![0; length as usize];
        let mut file = File::open(&self.path).ok()?;
        file.seek(SeekFrom::Start(place)).ok()?;
        file.read_exact(&mut bytes).ok()?;
        let plain = zstd::decode_all(bytes.as_slice()).ok()?;
        let (_, value): (K, V) = postcard::from_bytes(&plain).ok()?;
        Some(value)
    }

    /// Notes something, once it has gone on for a while. A journal that cannot be written does not
    /// stop what is done: it only cannot be gone on with.
    pub fn note(&self, key: &K, value: &impl Serialize) {
        if self.opened.elapsed() < PATIENCE {
            return;
        }
        self.write(key, value);
    }

    fn write(&self, key: &K, value: &impl Serialize) {
        if !self.follows {
            return;
        }
        let Some(record) = pack(key, value) else {
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
            *file = self.begin().ok();
        }
        if let Some(file) = &mut *file {
            // One call a record: threads do not mix, and what a kill cuts short is the end.
            let _ = file.write_all(&bytes);
        }
    }

    /// A new file, in place of what is stale.
    fn begin(&self) -> io::Result<File> {
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create(true)
            .truncate(false)
            .open(&self.path)?;
        own(&file)?;
        file.set_len(0)?;
        let mut line = serde_json::to_string(&self.origin)?;
        line.push('\n');
        file.write_all(line.as_bytes())?;
        Ok(file)
    }

    /// Takes the journal away: all is done.
    pub fn remove(self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Makes a journal this process's own, until it is closed. Where a file system knows no locks, it
/// is nobody's.
fn own(file: &File) -> io::Result<()> {
    match file.try_lock() {
        Err(std::fs::TryLockError::WouldBlock) => Err(io::Error::other(
            "another lbsim is at work on the same scenario; wait for it, or choose another place with `--out`",
        )),
        _ => Ok(()),
    }
}

/// The length of the record that `bytes` begin with; `None` where it is not whole.
fn whole_record(bytes: &[u8]) -> Option<usize> {
    let number = |at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let (length, checksum) = (number(0)? as usize, number(4)?);
    let record = bytes.get(PREFIX as usize..PREFIX as usize + length)?;
    (crc32fast::hash(record) == checksum).then_some(length)
}

fn pack(key: &impl Serialize, value: &impl Serialize) -> Option<Vec<u8>> {
    let plain = postcard::to_stdvec(&(key, value)).ok()?;
    // The quickest level: a short cell is lived in less time than the best would take.
    zstd::encode_all(plain.as_slice(), 1).ok()
}

fn unpack_key<K: DeserializeOwned>(record: &[u8]) -> Option<K> {
    let plain = zstd::decode_all(record).ok()?;
    postcard::take_from_bytes(&plain).ok().map(|(key, _)| key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model;
    use crate::observe::Tally;
    use crate::strategy::{Candidates, Context, Custom, MemberId, News, Request, Rule};

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

    fn open(path: &Path, scenario: &Scenario) -> Journal<CellKey> {
        Journal::open(path, "cells", scenario).unwrap()
    }

    #[test]
    fn what_was_noted_is_found_again_but_for_a_torn_end() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("journal");
        let scenario = Scenario::from_text("web.toml", TEXT).unwrap();
        let lived = |replication| model::run(&scenario.variants[0].blueprint, 1, replication);
        let journal = open(&path, &scenario);
        assert!(!path.exists(), "nothing to note, nothing written");
        for replication in 0..3 {
            journal.write(&(0, 0, replication), &lived(replication));
        }
        assert!(
            Journal::<CellKey>::open(&path, "cells", &scenario).is_err(),
            "another is at work"
        );
        drop(journal);
        let whole = std::fs::metadata(&path).unwrap().len();
        // As they are stored: how a histogram stands in memory depends on the order in which it was
        // filled.
        let same = |tally: &Tally, other: &Tally| pack(&0, tally) == pack(&0, other);
        let again = open(&path, &scenario);
        assert_eq!(again.known(), 3);
        assert!(same(&again.find(&(0, 0, 1)).unwrap(), &lived(1)));
        assert!(again.find::<Tally>(&(0, 0, 3)).is_none());
        drop(again);
        // Cut anywhere within the last record: it is not there, the others are, and more can be
        // added.
        for cut in [1, 9, 50] {
            let file = OpenOptions::new().write(true).open(&path).unwrap();
            file.set_len(whole - cut).unwrap();
            let torn = open(&path, &scenario);
            assert_eq!(torn.known(), 2, "cut by {cut}");
            torn.write(&(0, 0, 2), &lived(2));
            drop(torn);
            let mended = open(&path, &scenario);
            assert!(same(&mended.find(&(0, 0, 2)).unwrap(), &lived(2)));
        }
        // What was made of something else is not taken for its own, and it is said what has
        // changed.
        let of = |text: &str| Scenario::from_text("web.toml", text).unwrap();
        let (other, mut file) = (of(&TEXT.replace("80/s", "81/s")), scenario.clone());
        file.files.insert("times.csv".to_owned(), 1);
        for (changed, why) in [(other, "the scenario"), (file, "`times.csv`")] {
            let journal = open(&path, &changed);
            assert_eq!(journal.known(), 0);
            let stale = journal.stale().unwrap();
            assert!(stale.contains(why), "{stale}");
        }
        let search = Journal::<CellKey>::open(&path, "measurements", &scenario).unwrap();
        assert_eq!(search.known(), 0);
    }

    #[derive(Clone, Debug)]
    struct Any;

    impl News for Any {
        type Config = ();

        fn new(_: &(), _: &mut Context<'_>) -> Any {
            Any
        }
    }

    impl Rule for Any {
        fn pick(&mut self, _: &Request<'_>, all: Candidates<'_>, cx: &mut Context<'_>) -> MemberId {
            all.draw(cx.rng)
        }
    }

    /// The code of a rule from outside may be another one the next time.
    #[test]
    fn what_a_rule_from_outside_did_is_not_gone_on_with() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("journal");
        let plain = Scenario::from_text("web.toml", TEXT).unwrap();
        let custom = Scenario::builder("web.toml", TEXT)
            .compare(Custom::new::<Any>("any", ()))
            .check()
            .unwrap();
        let lived = model::run(&custom.variants[1].blueprint, 1, 0);
        let journal = open(&path, &custom);
        journal.write(&(0, 1, 0), &lived);
        assert!(!path.exists() && journal.stale().is_none());
        open(&path, &plain).write(&(0, 0, 0), &lived);
        let journal = open(&path, &custom);
        assert_eq!(journal.known(), 0);
        let stale = journal.stale().unwrap();
        assert!(stale.contains("a rule from outside"), "{stale}");
        assert_eq!(
            open(&path, &plain).known(),
            1,
            "that of another is left alone"
        );
    }
}
