//! Where results go: a folder appears whole or not at all, and takes the place of nothing but what
//! lbsim wrote.
//!
//! Every results folder has a manifest that lists its files. What has no manifest, or holds a file
//! that the manifest does not list, belongs to somebody else.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Map, Value, json};
use tempfile::NamedTempFile;

use super::csv;
use super::write::{WriteError, file};

/// The first part of the names of what is being written.
pub(super) const UNFINISHED: &str = ".lbsim-unfinished-";
/// The last part of the name of a file that is locked while its folder is being written.
const LOCK: &str = ".lock";
/// Where the manifest of a results folder stands in it.
pub(super) const MANIFEST: &str = "manifest.json";
/// A lock without a folder is older than this, or its folder is still to come.
const SOON: Duration = Duration::from_secs(60);

/// Makes sure that results can be written to each of `names` in `folder`, before hours are spent on
/// making them, and takes away what killed runs have left there.
///
/// # Errors
/// Where the folder cannot be made or written to, or holds something of such a name that lbsim did
/// not write.
pub fn prepare<'n>(
    folder: &Path,
    names: impl IntoIterator<Item = &'n str>,
) -> Result<(), WriteError> {
    let error = |source| WriteError::Io {
        path: folder.to_owned(),
        source,
    };
    for name in names {
        own(&real(folder, name).map_err(error)?)?;
    }
    fs::create_dir_all(folder).map_err(error)?;
    Workplace::beside(folder).map(drop).map_err(error)?;
    sweep(folder);
    Ok(())
}

/// Puts a folder that `fill` fills at `folder/name`, in place of what lbsim wrote there before, and
/// returns that path. Everything is written beside it first and takes its place at once. `manifest`
/// is an object, to which the list of files is added.
///
/// # Errors
/// Where the file system says no, or what stands there is not lbsim's; nothing has changed then.
pub(super) fn replace(
    folder: &Path,
    name: &str,
    mut manifest: Value,
    fill: impl FnOnce(&Path) -> Result<(), WriteError>,
) -> Result<PathBuf, WriteError> {
    let shown = folder.join(name);
    let error = |source| WriteError::Io {
        path: shown.clone(),
        source,
    };
    // What a symbolic link points to is replaced, not the link.
    let target = real(folder, name).map_err(error)?;
    let work = Workplace::beside(target.parent().unwrap_or(folder)).map_err(error)?;
    let new = work.folder.join("new");
    fs::create_dir(&new).map_err(error)?;
    fill(&new)?;
    let mut files = written(&new).map_err(error)?;
    files.insert(MANIFEST.to_owned());
    manifest["files"] = json!(files);
    manifest["rows"] = rows(&new, &files).map_err(error)?;
    let mut text = serde_json::to_string_pretty(&manifest).unwrap_or_default();
    text.push('\n');
    file(&new, MANIFEST, text.as_bytes())?;
    // By the name that it had: should all end here, the next run puts it back.
    let old = work.folder.join("old");
    fs::create_dir(&old).map_err(error)?;
    let aside = old.join(target.file_name().unwrap_or(name.as_ref()));
    let had = target.exists();
    if had {
        fs::rename(&target, &aside).map_err(error)?;
    }
    // Somebody may have put something there since the run began.
    let done = own(&aside).and_then(|()| fs::rename(&new, &target).map_err(error));
    if let Err(why) = done {
        if had {
            fs::rename(&aside, &target).map_err(error)?;
        }
        return Err(match why {
            WriteError::Foreign { why, .. } => WriteError::Foreign { path: shown, why },
            why => why,
        });
    }
    Ok(shown)
}

/// How many rows each file of a folder has that is read back.
fn rows(folder: &Path, files: &BTreeSet<String>) -> io::Result<Value> {
    let own = files
        .iter()
        .filter(|name| name.ends_with(".csv") && !name.contains('/'));
    let counted = own.map(|name| {
        let bytes = fs::read(folder.join(name))?;
        Ok((name.clone(), json!(csv::rows(&bytes))))
    });
    counted
        .collect::<io::Result<Map<String, Value>>>()
        .map(Value::Object)
}

/// Where `folder/name` is, symbolic links followed.
fn real(folder: &Path, name: &str) -> io::Result<PathBuf> {
    let path = folder.join(name);
    match fs::canonicalize(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(path),
        found => found,
    }
}

/// Makes sure that all there is at `path`, if anything, was written by lbsim.
fn own(path: &Path) -> Result<(), WriteError> {
    let error = |source| WriteError::Io {
        path: path.to_owned(),
        source,
    };
    let why = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(source) => return Err(error(source)),
        Ok(found) if !found.is_dir() => Some("it is no folder".to_owned()),
        Ok(_) => foreign(path).map_err(error)?,
    };
    match why {
        None => Ok(()),
        Some(why) => Err(WriteError::Foreign {
            path: path.to_owned(),
            why,
        }),
    }
}

/// Why a folder is not lbsim's to replace.
fn foreign(folder: &Path) -> io::Result<Option<String>> {
    let there = written(folder)?;
    if there.is_empty() {
        return Ok(None);
    }
    let some = |files: &[&String]| {
        let more = files.len() - 1;
        let rest = if more == 0 {
            String::new()
        } else {
            format!(" and {more} more")
        };
        format!("`{}`{rest}", files[0].escape_debug())
    };
    if !there.contains(MANIFEST) {
        let all: Vec<&String> = there.iter().collect();
        return Ok(Some(format!(
            "it has no manifest of lbsim, and holds {}",
            some(&all)
        )));
    }
    let text = fs::read(folder.join(MANIFEST))?;
    let manifest: Value = serde_json::from_slice(&text).unwrap_or_default();
    let is_ours = |program: &str| program.starts_with("lbsim ");
    if !manifest["program"].as_str().is_some_and(is_ours) {
        return Ok(Some(format!("its `{MANIFEST}` is not one of lbsim")));
    }
    let Some(files) = manifest["files"].as_array() else {
        return Ok(Some(
            "the lbsim that wrote it did not list its files".to_owned(),
        ));
    };
    let listed: BTreeSet<&str> = files.iter().filter_map(Value::as_str).collect();
    let others = there.iter().filter(|name| !listed.contains(name.as_str()));
    let others: Vec<&String> = others.collect();
    Ok((!others.is_empty()).then(|| format!("lbsim did not write {} there", some(&others))))
}

/// All files below a folder, by path within it.
fn written(folder: &Path) -> io::Result<BTreeSet<String>> {
    fn walk(place: &Path, prefix: &str, files: &mut BTreeSet<String>) -> io::Result<()> {
        for entry in fs::read_dir(place)? {
            let entry = entry?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                walk(&entry.path(), &format!("{name}/"), files)?;
            } else {
                files.insert(name);
            }
        }
        Ok(())
    }
    let mut files = BTreeSet::new();
    walk(folder, "", &mut files)?;
    Ok(files)
}

/// A folder in which results are made ready. It goes when it is dropped; that of a killed run is
/// known by its lock, which nobody holds any more.
struct Workplace {
    folder: PathBuf,
    _lock: NamedTempFile,
}

impl Workplace {
    fn beside(place: &Path) -> io::Result<Workplace> {
        let lock = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .suffix(LOCK)
            .tempfile_in(place)?;
        // Where a file system knows no locks, nothing is ever taken for dead.
        let _ = lock.as_file().lock();
        let folder = lock.path().with_extension("");
        fs::create_dir(&folder)?;
        Ok(Workplace {
            folder,
            _lock: lock,
        })
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Takes away the workplaces of runs that were killed. Results that one of them had put aside are
/// put back. What cannot be taken away stays: another run may be sweeping too.
fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with(UNFINISHED) {
            continue;
        }
        let path = entry.path();
        let lock = folder.join(format!("{name}{LOCK}"));
        if path.is_dir() && is_free(&lock) {
            let aside = fs::read_dir(path.join("old")).into_iter().flatten();
            let is_home = aside.flatten().all(|old| {
                let home = folder.join(old.file_name());
                home.exists() || fs::rename(old.path(), home).is_ok()
            });
            if is_home {
                let _ = fs::remove_dir_all(&path);
                let _ = fs::remove_file(&lock);
            }
        } else if name.ends_with(LOCK) && !path.with_extension("").exists() {
            let changed = entry.metadata().and_then(|found| found.modified());
            let age = changed.map(|at| at.elapsed().unwrap_or_default());
            if age.is_ok_and(|age| age > SOON) && is_free(&path) {
                let _ = fs::remove_file(&path);
            }
        }
    }
}

/// Whether nobody holds a lock.
fn is_free(lock: &Path) -> bool {
    match File::open(lock) {
        Ok(lock) => lock.try_lock().is_ok(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(folder: &Path, text: &str) -> Result<PathBuf, WriteError> {
        let manifest = json!({ "program": "lbsim 1" });
        replace(folder, "web", manifest, |place| {
            fs::create_dir(place.join("charts")).unwrap();
            file(&place.join("charts"), "one.svg", b"-")?;
            file(place, "runs.csv", text.as_bytes())
        })
    }

    fn names(folder: &Path) -> Vec<String> {
        written(folder).unwrap().into_iter().collect()
    }

    #[test]
    fn own_results_are_replaced_and_nothing_else_is() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path();
        let runs = folder.join("web/runs.csv");
        put(folder, "first").unwrap();
        put(folder, "second").unwrap();
        assert_eq!(fs::read_to_string(&runs).unwrap(), "second");
        assert_eq!(
            names(folder),
            ["web/charts/one.svg", "web/manifest.json", "web/runs.csv"]
        );
        // A file of somebody else's, at any depth.
        for name in ["web/notes.txt", "web/charts/notes.txt"] {
            fs::write(folder.join(name), "three days of measurements").unwrap();
            let within = name.strip_prefix("web/").unwrap();
            for refused in [put(folder, "third").map(drop), prepare(folder, ["web"])] {
                let said = refused.unwrap_err().to_string();
                assert!(
                    said.contains(&format!("did not write `{within}`")),
                    "{said}"
                );
            }
            assert_eq!(fs::read_to_string(&runs).unwrap(), "second");
            fs::remove_file(folder.join(name)).unwrap();
        }
        prepare(folder, ["web"]).unwrap();
        // Manifests that do not make a folder lbsim's.
        for (manifest, why) in [
            ("{ \"program\": \"lbsim 1\" }", "did not list"),
            ("{ \"program\": \"webpack\" }", "not one of lbsim"),
            ("?", "not one of lbsim"),
        ] {
            fs::write(folder.join("web/manifest.json"), manifest).unwrap();
            let said = prepare(folder, ["web"]).unwrap_err().to_string();
            assert!(said.contains(why), "{said}");
        }
        fs::remove_file(folder.join("web/manifest.json")).unwrap();
        let said = prepare(folder, ["web"]).unwrap_err().to_string();
        assert!(said.contains("no manifest of lbsim"), "{said}");
        fs::remove_dir_all(folder.join("web")).unwrap();
        fs::write(folder.join("web"), "a file").unwrap();
        let said = prepare(folder, ["web"]).unwrap_err().to_string();
        assert!(said.contains("no folder"), "{said}");
        // An empty folder is nobody's loss.
        fs::remove_file(folder.join("web")).unwrap();
        fs::create_dir(folder.join("web")).unwrap();
        put(folder, "fourth").unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link() {
        let place = tempfile::tempdir().unwrap();
        let (here, there) = (place.path().join("here"), place.path().join("there"));
        fs::create_dir(&here).unwrap();
        fs::create_dir(&there).unwrap();
        std::os::unix::fs::symlink(&there, here.join("web")).unwrap();
        put(&here, "first").unwrap();
        put(&here, "second").unwrap();
        assert!(here.join("web").is_symlink());
        assert_eq!(
            fs::read_to_string(there.join("runs.csv")).unwrap(),
            "second"
        );
    }

    #[test]
    fn what_killed_runs_leave_goes_and_what_is_alive_stays() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path();
        let alive = Workplace::beside(folder).unwrap();
        fs::write(alive.folder.join("half"), "-").unwrap();
        // Killed while it wrote, by a version that knew no locks, and between putting aside and
        // putting in place.
        let dead = Workplace::beside(folder).unwrap();
        let (left, lock) = (dead.folder.clone(), dead._lock.path().to_owned());
        std::mem::forget(dead);
        let lockless = folder.join(format!("{UNFINISHED}old"));
        fs::create_dir(&lockless).unwrap();
        let torn = folder.join(format!("{UNFINISHED}torn"));
        fs::create_dir_all(torn.join("old/web")).unwrap();
        fs::write(torn.join("old/web/runs.csv"), "kept").unwrap();
        let journal = folder.join(format!("{UNFINISHED}web.journal"));
        fs::write(&journal, "-").unwrap();
        // The lock of the forgotten one is still held by this process.
        prepare(folder, []).unwrap();
        assert!(left.exists() && alive.folder.exists() && journal.exists());
        assert!(!lockless.exists() && !torn.exists());
        assert_eq!(
            fs::read_to_string(folder.join("web/runs.csv")).unwrap(),
            "kept"
        );
        fs::remove_file(&lock).unwrap();
        File::create(&lock).unwrap();
        prepare(folder, []).unwrap();
        assert!(!left.exists() && !lock.exists() && alive.folder.exists());
    }
}
