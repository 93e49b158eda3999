//! Which list a user gets.

use millrace_experiments::interleave::{Error as InterleaveError, Method, Rankings, interleave};
use millrace_experiments::random::Random;

use super::candidates::Fault;
use super::ranked::Ranked;
use crate::deployed::{Deployed, Maker};

/// The arm of lists that several versions made together.
const INTERLEAVE: &str = "interleave";
/// The method of lists that one version made.
const SINGLE: &str = "single";

/// A list of one request's candidates.
#[derive(Debug, Clone, PartialEq)]
pub struct List<'d> {
    /// The arm.
    pub arm: &'d str,
    /// Whether it is shown, or to compare alone.
    pub role: &'static str,
    /// How it was made.
    pub method: &'static str,
    /// The versions that ranked, by their index in the deployment.
    pub rankers: Vec<usize>,
    /// The candidates, the first position first.
    pub candidates: Vec<u32>,
    /// Per position, whose pick it is; -1: nobody's alone.
    pub teams: Vec<i32>,
    /// Per position and ranker, what a click earns; empty where clicks count together.
    pub credits: Vec<f64>,
    /// How many first positions hold what all rankers agree on.
    pub common_prefix: i32,
    /// The probability with which the unit gets the arm that serves.
    pub propensity: f64,
}

/// Whom a list is for.
#[derive(Debug, Clone, Copy)]
pub struct For<'a> {
    /// Who makes it.
    pub maker: Maker,
    /// Lists of one key have the same draws.
    pub list_key: &'a str,
}

/// The lists of a request, of which `ranked` has what each version of the deployment makes: first the one to show, then
/// those of the shadows that did not make it themselves. A shadow that has no list has none; where the one to show
/// cannot be made, the request has none at all.
pub fn lists<'d>(
    deployed: &'d Deployed,
    request: For<'_>,
    ranked: &[&Result<Ranked, Fault>],
    length: usize,
) -> Result<Vec<List<'d>>, Fault> {
    let arms = &deployed.arms;
    let serving = match request.maker {
        Maker::Together(method) => interleaved(deployed, method, request, ranked, length)?,
        Maker::Alone(assigned) => {
            let arm = &arms.serving[assigned.arm];
            single(&arm.name, "serving", arm.version, of(ranked, arm.version)?, length, assigned.propensity)
        }
    };
    let propensity = serving.propensity;
    let alone = (serving.method == SINGLE).then(|| serving.rankers[0]);
    let mut lists = vec![serving];
    for shadow in arms.shadows.iter().filter(|shadow| alone != Some(shadow.version)) {
        if let Ok(order) = of(ranked, shadow.version) {
            lists.push(single(&shadow.name, "shadow", shadow.version, order, length, propensity));
        }
    }
    Ok(lists)
}

fn of<'a>(ranked: &[&'a Result<Ranked, Fault>], version: usize) -> Result<&'a Ranked, Fault> {
    ranked[version].as_ref().map_err(Clone::clone)
}

/// One version's order.
fn single<'d>(
    arm: &'d str,
    role: &'static str,
    version: usize,
    ranked: &Ranked,
    length: usize,
    propensity: f64,
) -> List<'d> {
    let candidates: Vec<u32> = ranked.order.iter().copied().take(length).collect();
    List {
        arm,
        role,
        method: SINGLE,
        rankers: vec![version],
        teams: vec![0; candidates.len()],
        credits: vec![1.0; candidates.len()],
        candidates,
        common_prefix: 0,
        propensity,
    }
}

/// The orders of all rankers in one list.
fn interleaved<'d>(
    deployed: &'d Deployed,
    method: Method,
    request: For<'_>,
    ranked: &[&Result<Ranked, Fault>],
    length: usize,
) -> Result<List<'d>, Fault> {
    let arms = &deployed.arms;
    let rankers: Vec<usize> = arms.rankers.iter().map(|arm| arms.serving[*arm].version).collect();
    let orders: Vec<Vec<u32>> = rankers
        .iter()
        .map(|version| Ok(of(ranked, *version)?.order.clone()))
        .collect::<Result<_, Fault>>()?;
    let seed = Random::keyed(&deployed.deployment.salt, request.list_key);
    let failed = |error: InterleaveError| ("not_interleaved", error.to_string());
    let rankings = Rankings::of(&orders).map_err(failed)?;
    let list = interleave(method, &rankings, length, seed).map_err(failed)?;
    let slots = list.slots();
    let credits = match method {
        Method::Balanced => Vec::new(),
        _ => (0..slots.len()).flat_map(|position| list.credit_at(position)).collect(),
    };
    Ok(List {
        arm: INTERLEAVE,
        role: "serving",
        method: method.name(),
        candidates: slots.iter().map(|slot| *rankings.items()[slot.item as usize]).collect(),
        teams: slots.iter().map(|slot| slot.team.map_or(-1, |team| team as i32)).collect(),
        credits,
        common_prefix: list.common_prefix() as i32,
        propensity: 1.0,
        rankers,
    })
}
