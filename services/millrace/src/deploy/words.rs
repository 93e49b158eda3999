//! What the command line says of versions, arms and namespaces.

use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use millrace_experiments::deploying::Plan;
use millrace_schemas::envelope::{Deployment, Draw};
use millrace_scorer::repository::versions;
use millrace_topics::ModelRef;

use crate::cli::DeployArgs;

/// Reads words with what is known when they are said.
pub struct Words<'a> {
    /// The model repository.
    pub models: &'a Path,
    /// The model that serves, if any: the one that a version alone is of.
    pub model: Option<&'a str>,
}

impl Words<'_> {
    /// `2`, `v2` or `fraud-gbdt/2`: a version that the repository has.
    pub fn version(&self, text: &str) -> Result<ModelRef> {
        let (model, version) = match (text.split_once('/'), self.model) {
            (Some((model, version)), _) => (model, version),
            (None, Some(model)) => (model, text),
            (None, None) => bail!("nothing serves yet, so name the model too: <model>/{text}"),
        };
        let known = versions(self.models, model);
        let plain = version.strip_prefix('v').filter(|_| !known.iter().any(|one| one == version));
        let version = plain.unwrap_or(version);
        let named = ModelRef::parse(&format!("{model}/{version}"))
            .with_context(|| format!("`{text}` names no model version; write <model>/<version>"))?;
        if known.contains(&named.version) {
            return Ok(named);
        }
        let there = match known.is_empty() {
            true => format!("{} has no model `{model}`", self.models.display()),
            false => format!("there is {}", known.join(", ")),
        };
        bail!("there is no version {named}; {there}")
    }

    /// `[name=]version`; a shadow is called as its version unless it is named.
    pub fn shadow(&self, text: &str) -> Result<(String, ModelRef)> {
        match text.split_once('=') {
            Some((name, version)) => Ok((name.to_owned(), self.version(version)?)),
            None => self.version(text).map(|version| (version.to_string(), version)),
        }
    }

    /// `name=version:share`.
    fn arm(&self, text: &str) -> Result<(String, ModelRef, f64)> {
        let parts = text.split_once('=').and_then(|(name, rest)| Some((name, rest.rsplit_once(':')?)));
        let (name, (version, share)) =
            parts.with_context(|| format!("--arm {text}: write name=version:share, such as b=2:0.3"))?;
        let share = share.parse().ok().filter(|share| *share > 0.0 && *share <= 1.0).with_context(|| {
            format!("--arm {text}: `{share}` is no share above 0 and up to 1, such as 0.3")
        })?;
        Ok((name.to_owned(), self.version(version)?, share))
    }

    /// How arms share the traffic.
    pub fn plan(&self, args: &DeployArgs) -> Result<Plan> {
        if let Some(version) = &args.canary {
            let share = args.share.unwrap_or_default();
            ensure!(share > 0.0 && share <= 1.0, "--share {share}: a canary has a share above 0 and up to 1");
            return Ok(Plan::Canary { version: self.version(version)?, share });
        }
        if !args.interleave.is_empty() {
            let versions = args.interleave.iter().map(|text| self.version(text)).collect::<Result<_>>()?;
            return Ok(Plan::Interleave { versions, method: args.method.clone() });
        }
        if args.arms.is_empty() {
            return Ok(Plan::Champion);
        }
        Ok(Plan::Shares {
            mode: Deployment::AB,
            arms: args.arms.iter().map(|text| self.arm(text)).collect::<Result<_>>()?,
            draw: if args.per_event { Draw::Event } else { Draw::Unit },
        })
    }
}

/// `name:from-to`.
pub fn namespace(text: &str) -> Result<(String, u16, u16)> {
    let read = || {
        let (name, part) = text.rsplit_once(':')?;
        let (from, to) = part.split_once('-')?;
        Some((name.to_owned(), from.parse().ok()?, to.parse().ok()?))
    };
    read().with_context(|| format!("--namespace {text}: write name:from-to, such as checkout:0-4000"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fraud() -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../topics/fraud/models")
    }

    #[test]
    fn versions_are_named_with_or_without_their_model() {
        let models = fraud();
        let words = Words { models: &models, model: Some("fraud-gbdt") };
        for text in ["1", "v1", "fraud-gbdt/1"] {
            assert_eq!(words.version(text).unwrap().to_string(), "fraud-gbdt/1");
        }
        let error = words.version("77").unwrap_err().to_string();
        assert!(error.contains("no version fraud-gbdt/77") && error.contains("there is 1"), "{error}");
        assert!(words.version("nothing/1").unwrap_err().to_string().contains("no model `nothing`"));
        assert!(words.version("../1").unwrap_err().to_string().contains("names no model version"));
        let first = Words { models: &models, model: None };
        assert!(first.version("1").unwrap_err().to_string().contains("<model>/1"));
    }

    #[test]
    fn arms_shadows_and_namespaces_are_read() {
        let models = fraud();
        let words = Words { models: &models, model: Some("fraud-gbdt") };
        let (name, version, share) = words.arm("b=fraud-gbdt/1:0.25").unwrap();
        assert_eq!((name.as_str(), version.version.as_str(), share), ("b", "1", 0.25));
        assert!(words.arm("b=1").unwrap_err().to_string().contains("b=2:0.3"));
        assert!(words.arm("b=1:half").unwrap_err().to_string().contains("`half`"));
        assert_eq!(words.shadow("watch=1").unwrap().0, "watch");
        assert_eq!(words.shadow("1").unwrap().0, "fraud-gbdt/1");
        assert_eq!(namespace("checkout:0-4000").unwrap(), ("checkout".into(), 0, 4_000));
        assert!(namespace("checkout").is_err());
    }
}
