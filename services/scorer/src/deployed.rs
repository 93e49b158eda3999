//! A deployment event with the versions that it names, loaded: which of them answers for an event, and which only watch.

use std::sync::Arc;

use millrace_experiments::assignment::hash::{BUCKETS, bucket};
use millrace_experiments::assignment::namespace::place;
use millrace_experiments::interleave::Method;
use millrace_schemas::envelope::{ArmRole, Deployment, Draw};
use millrace_topics::ModelRef;

use crate::version::Version;

pub use millrace_experiments::deploying::CHAMPION;

/// A deployment that is in force, or will be.
pub struct Deployed {
    /// The offset of its event.
    pub offset: i64,
    /// The event.
    pub deployment: Deployment,
    /// Its versions, each once; the champion is the first.
    pub versions: Vec<Arc<Version>>,
    /// Its arms.
    pub arms: Arms,
}

impl Deployed {
    /// The version that serves where no experiment is.
    pub fn champion(&self) -> &Arc<Version> {
        &self.versions[0]
    }
}

/// Who serves whom.
#[derive(Debug, Clone, PartialEq)]
pub struct Arms {
    /// Answers that an event can get: the first is [`CHAMPION`]'s, of units that no arm has; the rest are the arms with
    /// the role serving, in the event's order.
    pub serving: Vec<ServingArm>,
    /// The arms with the role shadow, in the event's order.
    pub shadows: Vec<ShadowArm>,
    /// Of interleaved lists: the indices in `serving` of the arms that rank every list, in the event's order.
    pub rankers: Vec<usize>,
    /// Of interleaved lists: how they are made.
    pub method: Option<Method>,
    /// Per bucket, the index in `serving`.
    by_bucket: Vec<u16>,
    salt: String,
    draw: Draw,
    /// The namespace's name and the part of it: from, to.
    within: Option<(String, i32, i32)>,
}

/// An arm that answers.
#[derive(Debug, Clone, PartialEq)]
pub struct ServingArm {
    /// Its name.
    pub name: String,
    /// Index of its version.
    pub version: usize,
    /// The share of the buckets that are its: the probability, over salts, that an event's unit gets it.
    pub propensity: f64,
}

/// An arm that predicts what its version does not serve, to compare alone.
#[derive(Debug, Clone, PartialEq)]
pub struct ShadowArm {
    /// Its name.
    pub name: String,
    /// Index of its version.
    pub version: usize,
}

/// Who answers for an event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Assigned {
    /// Index in [`Arms::serving`].
    pub arm: usize,
    /// With what probability it was this one.
    pub propensity: f64,
}

/// Who makes a list.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Maker {
    /// All rankers, by this method.
    Together(Method),
    /// The version of one arm.
    Alone(Assigned),
}

/// The versions that a deployment names, each once, the champion first; and its arms among them. Fails if it is none that
/// this scorer can follow.
pub fn arms_of(deployment: &Deployment, interleaves: bool) -> Result<(Vec<ModelRef>, Arms), String> {
    check_mode(&deployment.mode, interleaves)?;
    let mut versions = vec![reference(&deployment.model, &deployment.version)?];
    let mut arms = Arms {
        serving: vec![ServingArm { name: CHAMPION.to_owned(), version: 0, propensity: 1.0 }],
        shadows: Vec::new(),
        rankers: Vec::new(),
        method: None,
        by_bucket: vec![0; usize::from(BUCKETS)],
        salt: deployment.salt.clone(),
        draw: deployment.draw,
        within: (!deployment.namespace.is_empty())
            .then(|| (deployment.namespace.clone(), deployment.namespace_from, deployment.namespace_to)),
    };
    for arm in &deployment.arms {
        let wanted = reference(&arm.model, &arm.version)?;
        let version = versions.iter().position(|known| *known == wanted).unwrap_or_else(|| {
            versions.push(wanted);
            versions.len() - 1
        });
        match arm.role {
            ArmRole::Shadow => arms.shadows.push(ShadowArm { name: arm.arm.clone(), version }),
            ArmRole::Serving => arms.serve(&arm.arm, version, &arm.buckets)?,
        }
    }
    arms.finish(deployment.mode == Deployment::INTERLEAVE);
    if deployment.mode == Deployment::INTERLEAVE {
        arms.method = Some(method(&deployment.method, arms.rankers.len())?);
    }
    Ok((versions, arms))
}

impl Arms {
    fn serve(&mut self, name: &str, version: usize, buckets: &[(u16, u16)]) -> Result<(), String> {
        if self.serving.iter().any(|arm| arm.name == name) {
            return Err(match name {
                CHAMPION => format!("an arm is named `{CHAMPION}`, which units of no arm have"),
                _ => format!("two arms are named `{name}`"),
            });
        }
        let index = u16::try_from(self.serving.len()).map_err(|_| "it has too many arms".to_owned())?;
        for &(from, to) in buckets {
            let part = self.by_bucket.get_mut(usize::from(from)..usize::from(to));
            let part = part.ok_or_else(|| format!("arm `{name}`: there are no buckets {from} to {to}"))?;
            if let Some(other) = part.iter().find(|held| **held != 0) {
                let other = &self.serving[usize::from(*other)].name;
                return Err(format!("arms `{other}` and `{name}` have buckets in common"));
            }
            part.fill(index);
        }
        self.serving.push(ServingArm { name: name.to_owned(), version, propensity: 0.0 });
        Ok(())
    }

    fn finish(&mut self, interleaved: bool) {
        let mut counts = vec![0_u32; self.serving.len()];
        for arm in &self.by_bucket {
            counts[usize::from(*arm)] += 1;
        }
        for (arm, count) in self.serving.iter_mut().zip(counts) {
            arm.propensity = f64::from(count) / f64::from(BUCKETS);
        }
        if interleaved {
            self.rankers = (1..self.serving.len()).collect();
        }
    }

    /// Whether a unit may be in the experiment: its namespace keeps it from no other one.
    pub fn enters(&self, unit: &str) -> bool {
        let inside = |(namespace, from, to): &(String, i32, i32)| {
            (*from..*to).contains(&i32::from(place(namespace, unit)))
        };
        self.within.as_ref().is_none_or(inside)
    }

    /// Who makes the list of a request.
    pub fn maker(&self, unit: &str, request: &str) -> Maker {
        match self.method.filter(|_| self.enters(unit)) {
            Some(method) => Maker::Together(method),
            None => Maker::Alone(self.assign(unit, request)),
        }
    }

    /// Who answers for an event: by the bucket of its unit, or of the event itself where each is drawn anew. Units
    /// outside the namespace's part are in no experiment, for certain.
    pub fn assign(&self, unit: &str, event: &str) -> Assigned {
        if self.serving.len() == 1 {
            return Assigned { arm: 0, propensity: 1.0 };
        }
        if !self.enters(unit) {
            return Assigned { arm: 0, propensity: 1.0 };
        }
        let drawn_by = match self.draw {
            Draw::Unit => unit,
            Draw::Event => event,
        };
        let arm = usize::from(self.by_bucket[usize::from(bucket(&self.salt, drawn_by))]);
        Assigned { arm, propensity: self.serving[arm].propensity }
    }
}

fn check_mode(mode: &str, interleaves: bool) -> Result<(), String> {
    match mode {
        Deployment::CHAMPION | Deployment::AB | Deployment::CANARY | Deployment::BANDIT => Ok(()),
        Deployment::INTERLEAVE if interleaves => Ok(()),
        Deployment::INTERLEAVE => Err("lists are interleaved, and this topic has none".to_owned()),
        other => Err(format!("this version of the scorer does not know the mode `{other}`")),
    }
}

/// The method that `name` names, if it can make a list of so many rankings.
fn method(name: &str, rankers: usize) -> Result<Method, String> {
    let method: Method = name.parse().map_err(|unknown| format!("method: {unknown}"))?;
    match rankers {
        0 | 1 => Err("an interleaved list needs two arms with the role serving".to_owned()),
        2 => Ok(method),
        _ if method.takes_many() => Ok(method),
        _ => Err(format!("`{method}` interleaves two rankings, not {rankers}")),
    }
}

/// The names become a path of the repository: what leads out of it is none.
fn reference(model: &str, version: &str) -> Result<ModelRef, String> {
    ModelRef::parse(&format!("{model}/{version}"))
        .ok_or_else(|| format!("`{model}`, `{version}` names no model version"))
}

#[cfg(test)]
mod tests {
    use millrace_schemas::envelope::Arm;

    use super::*;

    fn arm(name: &str, version: &str, role: ArmRole, buckets: &[(u16, u16)]) -> Arm {
        let (arm, model, version) = (name.into(), "m".into(), version.into());
        Arm { arm, model, version, role, buckets: buckets.to_vec() }
    }

    fn ab(arms: Vec<Arm>) -> Deployment {
        let champion = Deployment::champion("predictions", "m", "1", 0);
        Deployment { mode: Deployment::AB.into(), salt: "test".into(), arms, ..champion }
    }

    #[test]
    fn versions_are_there_once_and_arms_point_at_them() {
        let (versions, arms) = arms_of(
            &ab(vec![
                arm("control", "1", ArmRole::Serving, &[(0, 5_000)]),
                arm("b", "2", ArmRole::Serving, &[(5_000, 7_000), (9_000, 9_500)]),
                arm("s", "2", ArmRole::Shadow, &[]),
                arm("t", "3", ArmRole::Shadow, &[]),
            ]),
            false,
        )
        .unwrap();
        assert_eq!(versions.iter().map(ToString::to_string).collect::<Vec<_>>(), ["m/1", "m/2", "m/3"]);
        let serving: Vec<_> =
            arms.serving.iter().map(|arm| (arm.name.as_str(), arm.version, arm.propensity)).collect();
        assert_eq!(serving, [("champion", 0, 0.25), ("control", 0, 0.5), ("b", 1, 0.25)]);
        assert_eq!(arms.shadows.iter().map(|arm| arm.version).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn units_meet_the_arm_of_their_bucket_and_events_are_drawn_anew_where_asked() {
        let mut deployment = ab(vec![arm("b", "2", ArmRole::Serving, &[(0, 3_000)])]);
        let (_, by_unit) = arms_of(&deployment, false).unwrap();
        deployment.draw = Draw::Event;
        let (_, by_event) = arms_of(&deployment, false).unwrap();
        for n in 0..2_000 {
            let (unit, event) = (format!("u{}", n / 10), format!("e{n}"));
            let of = |text: &str| usize::from(bucket("test", text) < 3_000);
            assert_eq!(by_unit.assign(&unit, &event).arm, of(&unit));
            assert_eq!(by_event.assign(&unit, &event).arm, of(&event));
            let expected = [0.7, 0.3][of(&unit)];
            assert_eq!(by_unit.assign(&unit, &event).propensity, expected);
        }
    }

    #[test]
    fn units_outside_the_namespaces_part_are_in_no_experiment() {
        let mut deployment = ab(vec![arm("b", "2", ArmRole::Serving, &[(0, 10_000)])]);
        deployment.namespace = "pricing".into();
        (deployment.namespace_from, deployment.namespace_to) = (2_000, 4_000);
        let (_, arms) = arms_of(&deployment, false).unwrap();
        let mut inside = 0;
        for n in 0..1_000 {
            let unit = format!("u{n}");
            let expected = usize::from((2_000..4_000).contains(&place("pricing", &unit)));
            assert_eq!(arms.assign(&unit, "e"), Assigned { arm: expected, propensity: 1.0 });
            inside += expected;
        }
        assert!((150..250).contains(&inside), "{inside}");
    }

    #[test]
    fn what_cannot_be_followed_is_refused() {
        let refused = |deployment: &Deployment, part: &str| {
            let error = arms_of(deployment, false).unwrap_err();
            assert!(error.contains(part), "{error}");
        };
        let serving = |name, buckets: &[(u16, u16)]| arm(name, "2", ArmRole::Serving, buckets);
        refused(&ab(vec![serving("b", &[(0, 10)]), serving("c", &[(9, 12)])]), "`b` and `c` have buckets");
        refused(&ab(vec![serving("b", &[(0, 10)]), serving("b", &[])]), "two arms are named `b`");
        refused(&ab(vec![serving("b", &[(9_999, 10_001)])]), "no buckets 9999 to 10001");
        refused(&ab(vec![serving("b", &[(7, 3)])]), "no buckets 7 to 3");
        refused(&ab(vec![serving(CHAMPION, &[(0, 10)])]), "units of no arm");
        refused(&ab(vec![arm("b", "../../secrets", ArmRole::Shadow, &[])]), "names no model version");
        let champion = ab(Vec::new());
        refused(&Deployment { mode: "interleave".into(), ..champion.clone() }, "this topic has none");
        refused(&Deployment { mode: "roulette".into(), ..champion.clone() }, "`roulette`");
        let interleaved = |method: &str, arms: &[&str]| {
            let arms = arms.iter().map(|name| arm(name, name, ArmRole::Serving, &[])).collect();
            let (mode, method) = ("interleave".into(), method.into());
            arms_of(&Deployment { mode, method, arms, ..champion.clone() }, true).map(|(_, arms)| arms)
        };
        assert_eq!(interleaved("balanced", &["1", "2"]).unwrap().method, Some(Method::Balanced));
        assert_eq!(interleaved("team_draft", &["1", "2", "3"]).unwrap().rankers, [1, 2, 3]);
        assert!(interleaved("balanced", &["1", "2", "3"]).unwrap_err().contains("not 3"));
        assert!(interleaved("team_draft", &["1"]).unwrap_err().contains("needs two arms"));
        assert!(interleaved("draft", &["1", "2"]).unwrap_err().contains("`draft`"));
    }
}
