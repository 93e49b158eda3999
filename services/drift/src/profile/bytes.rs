//! Profiles as bytes.

/// Why bytes are no profile of a plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BytesError {
    /// They are cut off, or something follows, or the checksum does not fit.
    #[error("the bytes of a profile are torn: {0}")]
    Torn(&'static str),
    /// They are of another version of this format.
    #[error("the profile is of format version {0}; this program reads version {1}")]
    Version(u8, u8),
    /// They are of another plan.
    #[error("the profile is of another plan ({0:016x}, expected {1:016x})")]
    Plan(u64, u64),
    /// Parts are missing, double, or of different profiles.
    #[error("the parts of the profile do not make one: {0}")]
    Parts(String),
}
