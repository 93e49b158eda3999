//! Which buckets arms get: as few units as possible meet another arm than before.

use millrace_schemas::envelope::{Arm, ArmRole, Deployment};
use millrace_topics::ModelRef;

use super::{CHAMPION, Error, Wanted, arm};
use crate::assignment::hash::BUCKETS;
use crate::assignment::{self, Allocation, Buckets};

/// Gives the wanted arms their buckets, and the event its phase. An experiment that has arms already (the last event of
/// this salt) grows as [`Allocation::resize`] says: into what no arm has, then into the champion's own arm.
pub(super) fn give(
    next: &mut Deployment,
    wanted: &[Wanted],
    champion: &ModelRef,
    history: &[(i64, Deployment)],
) -> Result<(), Error> {
    if next.mode == Deployment::INTERLEAVE || next.mode == Deployment::CHAMPION {
        next.arms = wanted.iter().map(|one| arm(&one.name, &one.version, ArmRole::Serving)).collect();
        return Ok(());
    }
    check(wanted)?;
    let same = |one: &&(i64, Deployment)| one.1.topic == next.topic && one.1.salt == next.salt;
    let before = history.iter().rev().find(same).map(|(_, before)| before);
    let shares: Vec<(&str, f64)> = wanted.iter().map(|one| (one.name.as_str(), one.share)).collect();
    // Also refuses shares that are none, or over 1 in sum.
    let fresh = Allocation::lay(&shares, 1.0)?;
    let buckets = match before {
        None => fresh.arms().iter().map(|arm| arm.buckets.clone()).collect(),
        Some(before) => grown(before, wanted, champion, &sizes(before, wanted, champion))?,
    };
    for (one, buckets) in wanted.iter().zip(&buckets) {
        let empty = arm(&one.name, &one.version, ArmRole::Serving);
        next.arms.push(Arm { buckets: buckets.intervals().to_vec(), ..empty });
    }
    next.phase = match before {
        None => 0,
        Some(before) if goes_on(before, &next.arms) => before.phase,
        Some(before) => before.phase + 1,
    };
    Ok(())
}

fn check(wanted: &[Wanted]) -> Result<(), Error> {
    for one in wanted {
        if one.share > 0.0 && (one.share * f64::from(BUCKETS)).round() < 1.0 {
            return Err(Error::TooSmall { arm: one.name.clone(), share: one.share });
        }
    }
    Ok(())
}

/// How many buckets each arm is to have. A share is so many whatever the others have: laid one after the other, arms are one
/// bucket longer or shorter by where they begin, and an arm of the same share would lose one whenever another changes.
fn sizes(before: &Deployment, wanted: &[Wanted], champion: &ModelRef) -> Vec<usize> {
    let held = |one: &Wanted| held(before, &one.name).map_or(0, |buckets| buckets.count());
    let size = |one: &Wanted| {
        let (has, share) = (held(one), one.share * f64::from(BUCKETS));
        // Less than a bucket off is the share that it has already, rounded up or down.
        if (has as f64 - share).abs() < 1.0 - 1e-9 { has } else { share.round() as usize }
    };
    let mut sizes: Vec<usize> = wanted.iter().map(size).collect();
    // Halves are rounded up. What is too much the champion's own arm has not, else the arm that grows most.
    for _ in usize::from(BUCKETS)..sizes.iter().sum() {
        let growth = |(at, size): (usize, &usize)| {
            let one = &wanted[at];
            (one.version == *champion && *size > 0, *size as i64 - held(one) as i64, at)
        };
        if let Some((_, _, most)) = sizes.iter().enumerate().map(growth).max() {
            sizes[most] = sizes[most].saturating_sub(1);
        }
    }
    sizes
}

/// The buckets of each wanted arm, from those before. The champion's own arm gives and takes what the others leave; what
/// it has too much of becomes nobody's, what it lacks it takes of what nobody had.
fn grown(
    before: &Deployment,
    wanted: &[Wanted],
    champion: &ModelRef,
    sizes: &[usize],
) -> Result<Vec<Buckets>, Error> {
    let own = wanted.iter().position(|one| one.version == *champion);
    let own_name = own.map_or(CHAMPION, |index| wanted[index].name.as_str());
    let was = own_before(before, own_name, wanted, champion);
    let mut arms = vec![assignment::Arm { name: own_name.to_owned(), buckets: held(before, was)? }];
    let serving = before.arms.iter().filter(|arm| arm.role == ArmRole::Serving && arm.arm != was);
    for arm in serving {
        arms.push(assignment::Arm { name: arm.arm.clone(), buckets: Buckets::of(&arm.buckets)? });
    }
    let gone = arms[1..].iter().filter(|arm| wanted.iter().all(|one| one.name != arm.name));
    let gone: Vec<String> = gone.map(|arm| arm.name.clone()).collect();
    let others = wanted.iter().zip(sizes).filter(|(one, _)| one.name != own_name);
    let others = others.map(|(one, size)| (one.name.as_str(), *size));
    let resized: Vec<(&str, usize)> = others.chain(gone.iter().map(|name| (name.as_str(), 0))).collect();
    let allocation = Allocation::of(arms)?.resize(&resized)?;
    let all = |but: &str| {
        let others = allocation.arms().iter().filter(|arm| arm.name != but);
        others.fold(Buckets::none(), |held, arm| held.plus(&arm.buckets))
    };
    let buckets = |(one, size): (&Wanted, &usize)| {
        let has = allocation.arms().iter().find(|arm| arm.name == one.name);
        let has = has.map(|arm| arm.buckets.clone()).unwrap_or_default();
        if one.name != own_name {
            return has;
        }
        let free = all(own_name).plus(&has).complement();
        has.lowest(*size).plus(&free.lowest(size.saturating_sub(has.count())))
    };
    Ok(wanted.iter().zip(sizes).map(buckets).collect())
}

/// What the champion's own arm was called: as now, else as an arm of its version that is wanted no longer.
fn own_before<'a>(
    before: &'a Deployment,
    own_name: &'a str,
    wanted: &[Wanted],
    champion: &ModelRef,
) -> &'a str {
    let serving = || before.arms.iter().filter(|arm| arm.role == ArmRole::Serving);
    if serving().any(|arm| arm.arm == own_name) {
        return own_name;
    }
    let is = |arm: &&Arm| (&arm.model, &arm.version) == (&champion.model, &champion.version);
    let left = |arm: &&Arm| wanted.iter().all(|one| one.name != arm.arm);
    serving().filter(left).find(is).map_or(own_name, |arm| arm.arm.as_str())
}

fn held(before: &Deployment, name: &str) -> Result<Buckets, Error> {
    let arm = before.arms.iter().find(|arm| arm.role == ArmRole::Serving && arm.arm == name);
    Ok(arm.map(|arm| Buckets::of(&arm.buckets)).transpose()?.unwrap_or_default())
}

/// Whether the phase goes on: the same arms of the same versions, none of which has lost a bucket, in the same ratio.
pub(super) fn goes_on(before: &Deployment, now: &[Arm]) -> bool {
    let serving = |arms: &[Arm]| -> Vec<Arm> {
        arms.iter().filter(|arm| arm.role == ArmRole::Serving).cloned().collect()
    };
    let (before, now) = (serving(&before.arms), serving(now));
    let size = |arm: &Arm| arm.buckets.iter().map(|(from, to)| f64::from(to - from)).sum::<f64>();
    let all = |arms: &[Arm]| arms.iter().map(size).sum::<f64>();
    let growth = all(&now) / all(&before).max(1.0);
    let kept = |old: &Arm| {
        now.iter().any(|new| {
            let lost = Buckets::of(&old.buckets).ok().zip(Buckets::of(&new.buckets).ok());
            let lost = lost.is_none_or(|(old, new)| old.minus(&new).count() > 0);
            // A share is whole buckets: each end may be one off.
            let in_ratio = (size(new) - size(old) * growth).abs() <= 1.0 + growth;
            let same = (&old.arm, &old.model, &old.version) == (&new.arm, &new.model, &new.version);
            same && in_ratio && !lost
        })
    };
    before.len() == now.len() && before.iter().all(kept)
}
