//! Deployments as people read them.

use std::fmt::Write as _;

use millrace_schemas::envelope::{Arm, ArmRole, Deployment, Draw};

use crate::text::{aligned, day_and_minute};

/// One deployment: what serves and how, a line each.
pub fn one(deployment: &Deployment) -> String {
    let mut text = format!(
        "{}: {}, champion {}/{}\n",
        deployment.topic, deployment.mode, deployment.model, deployment.version
    );
    let arms: Vec<Vec<String>> = deployment.arms.iter().map(|arm| of_arm(arm, deployment)).collect();
    for line in aligned(&arms).lines() {
        let _ = writeln!(text, "  {line}");
    }
    let inside: u32 = deployment.arms.iter().map(buckets).sum();
    if inside > 0 && inside < 10_000 {
        let _ = writeln!(
            text,
            "  the champion serves the other {}, outside the experiment",
            share(10_000 - inside)
        );
    }
    let terms = terms(deployment);
    if !terms.is_empty() {
        let _ = writeln!(text, "  {}", terms.join(", "));
    }
    text
}

/// All deployments of a topic, the last one first.
pub fn history(deployments: &[&(i64, Deployment)]) -> String {
    let mut text = String::new();
    let mut topics: Vec<&str> = deployments.iter().map(|(_, one)| one.topic.as_str()).collect();
    topics.sort_unstable();
    topics.dedup();
    for topic in topics {
        let own = deployments.iter().rev().filter(|(_, one)| one.topic == topic);
        for (place, (offset, deployment)) in own.enumerate() {
            let state = if place == 0 { "in force" } else { "before" };
            let back = deployment.restores.map(|at| format!(", as deployment {at} was")).unwrap_or_default();
            let reason = match deployment.reason.as_str() {
                "" => String::new(),
                reason => format!(": {reason}"),
            };
            let _ = writeln!(
                text,
                "{state} since {}, deployment {offset}{back}, set by {}{reason}",
                day_and_minute(deployment.time_ms),
                deployment.set_by
            );
            for line in one(deployment).lines() {
                let _ = writeln!(text, "  {line}");
            }
        }
    }
    text
}

fn of_arm(arm: &Arm, deployment: &Deployment) -> Vec<String> {
    let version = format!("{}/{}", arm.model, arm.version);
    let does = match arm.role {
        ArmRole::Shadow => "watches".to_owned(),
        ArmRole::Serving if deployment.mode == Deployment::INTERLEAVE => "ranks every list".to_owned(),
        ArmRole::Serving => format!("serves {}", share(buckets(arm))),
    };
    vec![arm.arm.clone(), version, does]
}

fn terms(deployment: &Deployment) -> Vec<String> {
    let mut terms = Vec::new();
    let mut say = |what: &str, text: &str| {
        if !text.is_empty() {
            terms.push(format!("{what} {text}"));
        }
    };
    say("experiment", &deployment.experiment);
    say("method", &deployment.method);
    say("salt", &deployment.salt);
    if !deployment.namespace.is_empty() {
        let part = format!(
            "{} from {} to {}",
            deployment.namespace, deployment.namespace_from, deployment.namespace_to
        );
        say("namespace", &part);
    }
    if !deployment.salt.is_empty() {
        say("phase", &deployment.phase.to_string());
    }
    if deployment.draw == Draw::Event {
        terms.push("each event drawn anew".to_owned());
    }
    terms
}

fn buckets(arm: &Arm) -> u32 {
    arm.buckets.iter().map(|(from, to)| u32::from(*to) - u32::from(*from)).sum()
}

fn share(buckets: u32) -> String {
    format!("{} %", f64::from(buckets) / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_sees_what_serves_since_when_by_whom_and_why() {
        let first =
            Deployment { set_by: "topics apply".into(), ..Deployment::champion("scores", "m", "1", 0) };
        let arm = |name: &str, version: &str, role, buckets: &[(u16, u16)]| Arm {
            arm: name.into(),
            model: "m".into(),
            version: version.into(),
            role,
            buckets: buckets.to_vec(),
        };
        let second = Deployment {
            mode: Deployment::CANARY.into(),
            arms: vec![
                arm("baseline", "1", ArmRole::Serving, &[(0, 500)]),
                arm("canary", "2", ArmRole::Serving, &[(500, 1_000)]),
                arm("a-name-of-its-own", "2", ArmRole::Shadow, &[]),
            ],
            salt: "s".into(),
            set_by: "ada".into(),
            reason: "faster".into(),
            time_ms: 86_400_000,
            ..first.clone()
        };
        let text = history(&[&(3, first), &(4, second)]);
        let expected = "\
in force since 1970-01-02 00:00, deployment 4, set by ada: faster
  scores: canary, champion m/1
    baseline           m/1  serves 5 %
    canary             m/2  serves 5 %
    a-name-of-its-own  m/2  watches
    the champion serves the other 90 %, outside the experiment
    salt s, phase 0
before since 1970-01-01 00:00, deployment 3, set by topics apply
  scores: champion, champion m/1
";
        assert_eq!(text, expected);
    }
}
