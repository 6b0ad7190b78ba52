//! Gives the program a number of what it is built of, by which journals know their own: the same
//! version may have been changed.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rerun-if-changed=crates");
    println!("cargo::rerun-if-changed=Cargo.toml");
    println!("cargo::rerun-if-changed=Cargo.lock");
    let mut hash = DefaultHasher::new();
    let root = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    for part in ["src", "crates", "Cargo.toml", "Cargo.lock"] {
        add(&Path::new(&root).join(part), &mut hash);
    }
    env::var("TARGET").ok().hash(&mut hash);
    env::var("PROFILE").ok().hash(&mut hash);
    println!("cargo::rustc-env=LBSIM_BUILD={:016x}", hash.finish());
}

fn add(path: &Path, hash: &mut DefaultHasher) {
    if !path.is_dir() {
        return fs::read(path).unwrap_or_default().hash(hash);
    }
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths.iter().for_each(|path| add(path, hash));
}
