//! A deployment's versions, loaded and warmed beside those that serve.

use std::path::Path;
use std::sync::Arc;

use millrace_schemas::envelope::Deployment;

use crate::Error;
use crate::deployed::{Deployed, arms_of};
use crate::version::{FeatureColumns, Version};

/// Loads what `deployment` names. Versions that `before` has are kept, not loaded twice; the others get as many sessions
/// as its busiest version, so that no thread has to make one when they begin to serve.
pub fn load(
    models: &Path,
    (offset, deployment): (i64, &Deployment),
    features: &FeatureColumns,
    interleaves: bool,
    before: Option<&Deployed>,
) -> Result<Deployed, Error> {
    let (references, arms) = arms_of(deployment, interleaves).map_err(|message| Error::Deployment {
        topic: deployment.topic.clone(),
        offset,
        message,
    })?;
    let known = before.map_or(&[][..], |before| &before.versions);
    let sessions = known.iter().map(|version| version.sessions()).max().unwrap_or(1);
    let version = |reference| match known.iter().find(|version| version.reference() == reference) {
        Some(version) => Ok(version.clone()),
        None => Version::load(models, reference, features, sessions).map(Arc::new),
    };
    let versions = references.iter().map(version).collect::<Result<_, _>>()?;
    Ok(Deployed { offset, deployment: deployment.clone(), versions, arms })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{deployed, feature_columns, models};

    #[test]
    fn a_version_that_serves_already_is_not_loaded_again() {
        let before = deployed("logistic", 3);
        let next = Deployment {
            arms: vec![millrace_schemas::envelope::Arm {
                arm: "s".into(),
                model: "logistic".into(),
                version: "1".into(),
                role: millrace_schemas::envelope::ArmRole::Shadow,
                buckets: Vec::new(),
            }],
            ..Deployment::champion("predictions", "trees", "1", 0)
        };
        let after = load(&models(), (4, &next), &feature_columns(), false, Some(&before)).ok().unwrap();
        assert_eq!(after.champion().reference().to_string(), "trees/1");
        assert!(Arc::ptr_eq(&after.versions[1], &before.versions[0]));
        drop(before);
        let freed = load(
            &models(),
            (5, &Deployment::champion("predictions", "trees", "1", 0)),
            &feature_columns(),
            false,
            Some(&after),
        );
        let kept = Arc::downgrade(&after.versions[1]);
        drop(after);
        assert!(kept.upgrade().is_none() && freed.is_ok());
    }
}
