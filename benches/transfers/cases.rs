//! What is measured, and what we want to reach.

/// One case.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) what: What,
    pub(crate) target: Target,
    /// Why the target may be missed, where that is known.
    pub(crate) reason: Option<&'static str>,
}

/// What is downloaded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum What {
    /// The large file.
    Large { encrypted: bool },
    /// These files, so many at a time.
    Many { files: Files, at_once: u32 },
    /// So many equal ranges of the large file, one behind the other.
    Ranges(u64),
}

/// A folder of files of one size.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Files {
    pub(crate) folder: &'static str,
    pub(crate) count: u64,
    pub(crate) size: u64,
}

/// At most so much of what curl takes, and so many MiB.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Target {
    pub(crate) wall: Option<f64>,
    pub(crate) cpu: Option<f64>,
    pub(crate) memory: Option<f64>,
}

pub(crate) const SMALL: Files = Files { folder: "small", count: 1000, size: 64 << 10 };
pub(crate) const MIDDLE: Files = Files { folder: "middle", count: 64, size: 16 << 20 };

pub(crate) fn all() -> [Case; 6] {
    let none = Target::default();
    [
        Case {
            name: "1 × 1 GiB, HTTP",
            what: What::Large { encrypted: false },
            target: Target { wall: Some(0.8), cpu: Some(0.7), ..none },
            reason: None,
        },
        Case {
            name: "1 × 1 GiB, HTTPS (TLS 1.3)",
            what: What::Large { encrypted: true },
            target: Target { cpu: Some(0.8), ..none },
            reason: None,
        },
        Case {
            name: "1,000 × 64 KiB, one job",
            what: What::Many { files: SMALL, at_once: 1 },
            target: Target { wall: Some(1.0), ..none },
            reason: Some("BITS asks for each file by HEAD before GET, one file after the other; curl sends no HEAD"),
        },
        Case {
            name: "1,000 × 64 KiB, 64 jobs",
            what: What::Many { files: SMALL, at_once: 64 },
            target: Target { wall: Some(1.0), ..none },
            reason: Some("BITS asks for each file by HEAD before GET, and curl sends no HEAD"),
        },
        Case {
            name: "64 × 16 MiB, 64 jobs",
            what: What::Many { files: MIDDLE, at_once: 64 },
            target: Target { wall: Some(0.8), memory: Some(128.0), ..none },
            reason: None,
        },
        Case {
            name: "64 ranges of 1 GiB, assembled",
            what: What::Ranges(64),
            target: Target { wall: Some(0.9), ..none },
            reason: None,
        },
    ]
}
