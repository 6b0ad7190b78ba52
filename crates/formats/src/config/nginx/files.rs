//! The files of a configuration: the one that is named, and those that it includes.

use std::io;
use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern};

use super::report::Report;
use super::tree::{self, DEEPEST, Directive};
use crate::config::{Fault, SourceFile};

/// Directives that are read at most, those of a file that is included twice counted twice: files
/// that include each other can otherwise be unfolded without end.
const MOST_DIRECTIVES: usize = 1_000_000;

/// Files that are read at most, those that are included twice counted twice.
const MOST_FILES: usize = 50_000;

/// Files that come with nginx. They hold neither servers nor times, so that nothing is missed where
/// they are not at hand.
const SHIPPED: [&str; 9] = [
    "mime.types",
    "fastcgi_params",
    "fastcgi.conf",
    "scgi_params",
    "uwsgi_params",
    "proxy_params",
    "koi-utf",
    "koi-win",
    "win-utf",
];

/// Where packages put configurations. A copy of one elsewhere still names these.
const HOMES: [&str; 4] = [
    "/etc/nginx",
    "/usr/local/nginx/conf",
    "/usr/local/etc/nginx",
    "/usr/local/openresty/nginx/conf",
];

/// The files read so far.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) files: Vec<SourceFile>,
    /// The same file by any name; one for each of `files`.
    identities: Vec<PathBuf>,
    /// What was read of each; `None` where it is faulty.
    trees: Vec<Option<Vec<Directive>>>,
    /// The folder of the main file, in which nginx looks for what it includes; `None` where nothing
    /// is to be looked for.
    root: Option<PathBuf>,
    /// Which files are being unfolded, from the main one down.
    open: Vec<usize>,
    /// Files that were unfolded so far, and directives.
    unfolded: usize,
    directives: usize,
}

impl Files {
    /// Reads `path` and all that it includes.
    pub(super) fn read(path: &Path, report: &mut Report) -> io::Result<(Files, Vec<Directive>)> {
        let text = std::fs::read_to_string(path)?;
        let root = path.parent().unwrap_or(Path::new("")).to_owned();
        Ok(Files::start(path, text, Some(root), report))
    }

    /// Takes `text` as the only file there is.
    pub(super) fn only(path: &Path, text: &str, report: &mut Report) -> (Files, Vec<Directive>) {
        Files::start(path, text.to_owned(), None, report)
    }

    fn start(
        path: &Path,
        text: String,
        root: Option<PathBuf>,
        report: &mut Report,
    ) -> (Files, Vec<Directive>) {
        let mut files = Files {
            files: Vec::new(),
            identities: Vec::new(),
            trees: Vec::new(),
            root,
            open: Vec::new(),
            unfolded: 0,
            directives: 0,
        };
        let main = files.add(path, text, report);
        let tree = files.unfold(main, 0, report);
        (files, tree)
    }

    fn add(&mut self, path: &Path, text: String, report: &mut Report) -> usize {
        let file = self.files.len();
        let tree = tree::parse(file, &text);
        self.trees.push(match tree {
            Ok(tree) => Some(tree),
            Err(fault) => {
                report.fault(fault);
                None
            }
        });
        self.identities.push(identity(path));
        self.files.push(SourceFile {
            path: path.to_owned(),
            text,
        });
        file
    }

    /// The directives of a file, those of the files that it includes in place of each `include`.
    fn unfold(&mut self, file: usize, depth: usize, report: &mut Report) -> Vec<Directive> {
        let tree = self.trees.get(file).cloned().flatten().unwrap_or_default();
        self.open.push(file);
        let tree = self.block(tree, depth, report);
        self.open.pop();
        tree
    }

    fn block(
        &mut self,
        block: Vec<Directive>,
        depth: usize,
        report: &mut Report,
    ) -> Vec<Directive> {
        let mut here = Vec::with_capacity(block.len());
        for mut directive in block {
            self.directives += 1;
            if self.directives > MOST_DIRECTIVES {
                let message =
                    format!("the configuration has more than {MOST_DIRECTIVES} directives");
                report.fault(
                    Fault::new(directive.at(), message).help("do files include each other?"),
                );
                return here;
            }
            if depth > DEEPEST {
                report.fault(tree::too_deep(directive.at()));
            } else if directive.is("include") && directive.block.is_none() {
                here.extend(self.include(&directive, depth + 1, report));
            } else {
                directive.block = directive
                    .block
                    .map(|inner| self.block(inner, depth + 1, report));
                here.push(directive);
            }
        }
        here
    }

    fn include(
        &mut self,
        directive: &Directive,
        depth: usize,
        report: &mut Report,
    ) -> Vec<Directive> {
        let [word] = directive.arguments.as_slice() else {
            let message = format!(
                "`include` takes one file, {} are given",
                directive.arguments.len()
            );
            report.fault(Fault::new(directive.at(), message));
            return Vec::new();
        };
        let Some(root) = self.root.clone() else {
            if !is_shipped(&word.text) {
                let text = format!(
                    "`{}` is not looked for: only this text was given.",
                    directive.show()
                );
                report.note(directive.at(), text);
            }
            return Vec::new();
        };
        let mut here = Vec::new();
        for path in self.paths(&root, directive, &word.text, report) {
            if self.directives > MOST_DIRECTIVES || self.unfolded > MOST_FILES {
                break;
            }
            let Some(file) = self.find(&path, directive, report) else {
                continue;
            };
            if self.open.contains(&file) {
                let message = format!("`{}` includes itself", path.display());
                report.fault(Fault::new(directive.at(), message));
                continue;
            }
            self.unfolded += 1;
            if self.unfolded > MOST_FILES {
                let message = format!("more than {MOST_FILES} files are included");
                let fault = Fault::new(directive.at(), message);
                report.fault(fault.help("do files include each other?"));
                break;
            }
            here.extend(self.unfold(file, depth, report));
        }
        here
    }

    /// The files that a pattern stands for, in the order in which nginx takes them.
    fn paths(
        &self,
        root: &Path,
        directive: &Directive,
        pattern: &str,
        report: &mut Report,
    ) -> Vec<PathBuf> {
        for home in HOMES {
            if let Some(rest) = pattern
                .strip_prefix(home)
                .and_then(|rest| rest.strip_prefix('/'))
                && !root.starts_with(home)
                && let Ok(paths) = matching(root, rest)
                && !paths.is_empty()
            {
                let text = format!(
                    "`{pattern}` was taken from the folder of the main file, which seems to be \
                    a copy of `{home}`."
                );
                report.note(directive.at(), text);
                return paths;
            }
        }
        match matching(root, pattern) {
            Ok(paths) => {
                if paths.is_empty() && !is_glob(pattern) && !is_shipped(pattern) {
                    let text = format!("`{pattern}` is not there; what it holds is not known.");
                    report.note(directive.at(), text);
                }
                paths
            }
            Err(message) => {
                report.fault(Fault::new(
                    directive.at(),
                    format!("`{pattern}` cannot be looked for: {message}"),
                ));
                Vec::new()
            }
        }
    }

    /// Which of the files `path` is; it is read where it has not been yet.
    fn find(&mut self, path: &Path, directive: &Directive, report: &mut Report) -> Option<usize> {
        let identity = identity(path);
        if let Some(file) = self.identities.iter().position(|known| *known == identity) {
            return Some(file);
        }
        match std::fs::read_to_string(path) {
            Ok(text) => Some(self.add(path, text, report)),
            Err(error) => {
                let message = format!("`{}` cannot be read: {error}", path.display());
                report.fault(Fault::new(directive.at(), message));
                None
            }
        }
    }
}

/// What a file is called by all its names.
fn identity(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

fn is_shipped(pattern: &str) -> bool {
    Path::new(pattern)
        .file_name()
        .is_some_and(|name| SHIPPED.iter().any(|shipped| name == *shipped))
}

/// Whether a name is a pattern, as `ngx_conf_include` decides it (`src/core/ngx_conf_file.c`, nginx
/// 1.22).
fn is_glob(pattern: &str) -> bool {
    pattern.contains(['*', '?', '['])
}

/// What there is of a name or pattern, sorted as by `glob(3)`.
fn matching(root: &Path, pattern: &str) -> Result<Vec<PathBuf>, String> {
    if !is_glob(pattern) {
        let path = root.join(pattern);
        return Ok(if path.is_file() {
            vec![path]
        } else {
            Vec::new()
        });
    }
    let whole = match (pattern.starts_with('/'), root.to_str()) {
        (true, _) | (false, Some("")) => pattern.to_owned(),
        (false, Some(root)) => format!("{}/{pattern}", Pattern::escape(root)),
        (false, None) => return Err("the name of its folder is not UTF-8".to_owned()),
    };
    let options = MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    let found = glob::glob_with(&whole, options).map_err(|error| error.msg.to_owned())?;
    let mut paths: Vec<PathBuf> = found.flatten().filter(|path| path.is_file()).collect();
    paths.sort();
    Ok(paths)
}
