//! When too few members are thought to be well to send requests to them alone.

/// How many members are well, where that decides who gets requests.
#[derive(Clone, Copy, Debug)]
pub(super) struct Panic {
    /// Where fewer than this share are well, all get requests.
    pub(super) threshold: f64,
    /// Members that get requests while all are well.
    pub(super) all: u32,
    /// Those of them that are thought to be well.
    pub(super) well: u32,
    /// Whether all get requests at present.
    pub(super) holds: bool,
}

impl Panic {
    /// Whether too few are well.
    pub(super) fn is_due(&self) -> bool {
        f64::from(self.well) < self.threshold * f64::from(self.all)
    }
}
