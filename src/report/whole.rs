//! Files that a command writes where the user said: whole, or as they were.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::folder::UNFINISHED;
use super::write::WriteError;

/// Links that are followed at most, as Linux does it (path_resolution(7)).
const MOST_LINKS: usize = 40;

/// A file that is being written beside the place it will take.
#[derive(Debug)]
pub struct Unfinished {
    file: NamedTempFile,
    /// The path as the user gave it, for messages.
    path: PathBuf,
    /// The file that it leads to.
    target: PathBuf,
    /// Whether the bytes go into the file that is there, since another could not take its place
    /// unnoticed.
    into: bool,
}

/// Writes a file at once: see [`Unfinished`].
///
/// # Errors
/// Where the file system says no.
pub fn whole(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    let mut unfinished = Unfinished::begin(path)?;
    unfinished
        .write_all(bytes)
        .map_err(|source| unfinished.error(source))?;
    unfinished.finish()
}

impl Unfinished {
    /// Begins a file that will stand at `path`, or behind it where `path` is a symbolic link. Until
    /// [`finish`](Self::finish) nothing has changed there. Mode, owner and group of a file that is
    /// there are kept.
    ///
    /// # Errors
    /// Where nothing can be written beside it.
    pub fn begin(path: &Path) -> Result<Unfinished, WriteError> {
        let error = |source| WriteError::Io {
            path: path.to_owned(),
            source,
        };
        let target = target(path).map_err(error)?;
        let old = fs::metadata(&target).ok();
        if old.as_ref().is_some_and(fs::Metadata::is_dir) {
            return Err(error(io::Error::other("it is a directory")));
        }
        // A pipe or a device is written to, not replaced.
        let is_special = old.as_ref().is_some_and(|old| !old.is_file());
        let place = if is_special {
            std::env::temp_dir()
        } else {
            folder(&target).to_owned()
        };
        let file = tempfile::Builder::new()
            .prefix(UNFINISHED)
            .tempfile_in(place)
            .map_err(error)?;
        let into = match &old {
            _ if is_special => true,
            Some(old) => has_other_names(old) || keep(&file, old).is_err(),
            None => {
                open_to_others(&file).map_err(error)?;
                false
            }
        };
        Ok(Unfinished {
            file,
            path: path.to_owned(),
            target,
            into,
        })
    }

    /// Where its bytes stand for now.
    pub fn place(&self) -> &Path {
        self.file.path()
    }

    /// Puts it where it belongs.
    ///
    /// # Errors
    /// Where the file system says no.
    pub fn finish(self) -> Result<(), WriteError> {
        let error = |source| WriteError::Io {
            path: self.path.clone(),
            source,
        };
        if !self.into {
            return self
                .file
                .persist(&self.target)
                .map(drop)
                .map_err(|failed| error(failed.error));
        }
        let mut from = File::open(self.file.path()).map_err(error)?;
        let mut to = OpenOptions::new()
            .write(true)
            .truncate(true)
            .open(&self.target)
            .map_err(error)?;
        io::copy(&mut from, &mut to).map(drop).map_err(error)
    }

    /// An error of writing to it, with its path.
    pub fn error(&self, source: io::Error) -> WriteError {
        WriteError::Io {
            path: self.path.clone(),
            source,
        }
    }
}

impl Write for Unfinished {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Whether two paths lead to one file: by links, by other names of it, or, where no file is there
/// yet, to one place. Pipes and devices may be written to twice.
pub fn is_same(one: &Path, other: &Path) -> bool {
    let of = |path: &Path| fs::metadata(path).ok();
    match (of(one), of(other)) {
        (Some(a), Some(b)) => a.is_file() && b.is_file() && is_one_file(one, &a, other, &b),
        (None, None) => matches!((place(one), place(other)), (Some(a), Some(b)) if a == b),
        _ => false,
    }
}

/// The file that a path leads to through symbolic links, whether it is there or not.
fn target(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        match fs::read_link(&path) {
            Ok(to) => path = folder(&path).join(to),
            // It is no link, or nothing is there.
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::other("it leads through too many symbolic links"))
}

/// The folder that a file stands in.
fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// Where a path leads, by the one name that does so without links.
fn place(path: &Path) -> Option<PathBuf> {
    let path = target(path).ok()?;
    Some(
        fs::canonicalize(folder(&path))
            .ok()?
            .join(path.file_name()?),
    )
}

#[cfg(unix)]
fn is_one_file(_: &Path, a: &fs::Metadata, _: &Path, b: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

#[cfg(not(unix))]
fn is_one_file(one: &Path, _: &fs::Metadata, other: &Path, _: &fs::Metadata) -> bool {
    matches!((place(one), place(other)), (Some(a), Some(b)) if a == b)
}

/// Whether a file has more than one name (hard links): a new file would take only one of them.
#[cfg(unix)]
fn has_other_names(old: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    old.nlink() > 1
}

#[cfg(not(unix))]
fn has_other_names(_: &fs::Metadata) -> bool {
    false
}

/// Gives a new file the owner, group and mode of the old one; an error where one may not.
#[cfg(unix)]
fn keep(new: &NamedTempFile, old: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, chown};
    let own = new.as_file().metadata()?;
    if (own.uid(), own.gid()) != (old.uid(), old.gid()) {
        chown(new.path(), Some(old.uid()), Some(old.gid()))?;
    }
    // Last, since a change of owner takes bits away.
    fs::set_permissions(new.path(), old.permissions())
}

#[cfg(not(unix))]
fn keep(new: &NamedTempFile, old: &fs::Metadata) -> io::Result<()> {
    fs::set_permissions(new.path(), old.permissions())
}

/// A temporary file is closed to others; what lbsim writes is not secret.
#[cfg(unix)]
fn open_to_others(new: &NamedTempFile) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(new.path(), fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn open_to_others(_: &NamedTempFile) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::*;

    #[test]
    fn the_file_behind_a_link_is_written() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        fs::create_dir(at("available")).unwrap();
        fs::write(at("available/a"), "old").unwrap();
        fs::set_permissions(at("available/a"), fs::Permissions::from_mode(0o640)).unwrap();
        symlink("available/a", at("link")).unwrap();
        symlink("link", at("second")).unwrap();
        whole(&at("second"), b"new").unwrap();
        assert!(fs::symlink_metadata(at("link")).unwrap().is_symlink());
        assert!(fs::symlink_metadata(at("second")).unwrap().is_symlink());
        assert_eq!(fs::read(at("available/a")).unwrap(), b"new");
        let mode = fs::metadata(at("available/a")).unwrap().mode();
        assert_eq!(mode & 0o777, 0o640);
        // A link to nothing makes the file it speaks of; one to itself makes none.
        symlink("available/b", at("dangling")).unwrap();
        whole(&at("dangling"), b"b").unwrap();
        assert_eq!(fs::read(at("available/b")).unwrap(), b"b");
        symlink("round", at("round")).unwrap();
        assert!(whole(&at("round"), b"x").is_err());
        assert!(whole(&at("available"), b"x").is_err());
        // Nothing else is left there.
        assert_eq!(fs::read_dir(at("available")).unwrap().count(), 2);
    }

    #[test]
    fn a_file_of_two_names_stays_one() {
        let place = tempfile::tempdir().unwrap();
        let (a, b) = (place.path().join("a"), place.path().join("b"));
        fs::write(&a, "a longer old text").unwrap();
        fs::hard_link(&a, &b).unwrap();
        whole(&b, b"new").unwrap();
        assert_eq!(fs::read(&a).unwrap(), b"new");
        assert!(is_same(&a, &b));
    }

    #[test]
    fn nothing_changes_until_it_is_finished() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a");
        fs::write(&path, "old").unwrap();
        let mut unfinished = Unfinished::begin(&path).unwrap();
        unfinished.write_all(b"half").unwrap();
        drop(unfinished);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
    }

    #[test]
    fn one_file_is_known_by_all_its_paths() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        fs::create_dir(at("folder")).unwrap();
        fs::write(at("a"), "").unwrap();
        fs::write(at("b"), "").unwrap();
        symlink("a", at("link")).unwrap();
        symlink("folder", at("other")).unwrap();
        assert!(is_same(&at("a"), &at("link")) && is_same(&at("a"), &at("folder/../a")));
        assert!(!is_same(&at("a"), &at("b")) && !is_same(&at("a"), &at("none")));
        // Neither is there yet.
        assert!(is_same(&at("folder/new"), &at("other/new")));
        assert!(!is_same(&at("folder/new"), &at("new")));
        symlink("new", at("dangling")).unwrap();
        assert!(is_same(&at("dangling"), &at("new")));
        assert!(!is_same(Path::new("/dev/null"), Path::new("/dev/null")));
    }
}
