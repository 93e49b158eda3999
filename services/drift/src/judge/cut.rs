//! What each segment of a window is compared with.

use std::collections::BTreeMap;

use crate::profile::Profile;
use crate::reference::{NotJudged, Reference, Season};
use crate::window::Window;

/// Per segment of the reference the profile to compare with, or why there is none.
pub type Against = BTreeMap<String, Result<Profile, NotJudged>>;

/// What the segments of a window are compared with.
pub fn against(reference: &Reference, season: Option<Season>, window: Window) -> Against {
    let of = |segment: String| {
        let found = reference.against(season, window, &segment);
        (segment, found)
    };
    reference.segments().into_iter().map(of).collect()
}
