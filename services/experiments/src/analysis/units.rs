//! Which unit counts where: the unit of analysis is the unit of assignment.

mod bytes;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Sums;

/// When a unit's values count.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// How long after a unit's first exposure its values count, milliseconds, exclusive.
    pub window_ms: i64,
    /// How long after that values may still become known (labels), milliseconds.
    pub label_horizon_ms: i64,
    /// How long before the first exposure values are a covariate, milliseconds; 0 for none.
    #[serde(default)]
    pub covariate_ms: i64,
}

/// Units with their exposures and values. The order in which these come does not matter, up to [`compact`](Self::compact).
#[derive(Debug, Clone, PartialEq)]
pub struct Units {
    rules: Rules,
    units: BTreeMap<String, Unit>,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Unit {
    /// Time and arm of the first exposure.
    first: Option<(i64, String)>,
    mixed: bool,
    values: Values,
}

#[derive(Debug, Clone, PartialEq)]
enum Values {
    /// Times with y and a ratio's denominator.
    Each(Vec<(i64, f64, f64)>),
    Closed(Totals),
}

impl Default for Values {
    fn default() -> Self {
        Self::Each(Vec::new())
    }
}

/// What a unit adds up to.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Totals {
    /// The values within the window.
    pub y: f64,
    /// Their denominators.
    pub denominator: f64,
    /// The values before exposure.
    pub covariate: f64,
}

/// What x is to be in an arm's sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beside {
    /// Nothing.
    Nothing,
    /// The denominator of a ratio.
    Denominator,
    /// The covariate of CUPED.
    Covariate,
}

/// One arm's units.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ArmUnits {
    /// Units whose window and label horizon have closed: what conclusions are about.
    pub mature: Sums,
    /// Units that may still change, shown apart.
    pub immature: Sums,
}

/// All arms' units.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Summary {
    /// By arm.
    pub arms: BTreeMap<String, ArmUnits>,
    /// Units seen in two arms: excluded.
    pub mixed: u64,
    /// Units exposed, those included.
    pub exposed: u64,
    /// Units with values and without exposure.
    pub unexposed: u64,
}

impl Summary {
    /// Whether more than this share of the exposed units were seen in two arms: too many for a conclusion.
    pub fn too_mixed(&self, max_share: f64) -> bool {
        self.mixed as f64 > max_share * self.exposed as f64
    }
}

impl Units {
    /// None yet.
    pub fn new(rules: Rules) -> Self {
        Self { rules, units: BTreeMap::new() }
    }

    /// A unit was served by an arm.
    pub fn expose(&mut self, unit: &str, arm: &str, time_ms: i64) {
        let unit = self.unit(unit);
        match &mut unit.first {
            None => unit.first = Some((time_ms, arm.to_owned())),
            Some((first, known)) => {
                unit.mixed |= known != arm;
                *first = time_ms.min(*first);
            }
        }
    }

    /// A unit has a value, with the denominator of a ratio (else 1).
    pub fn value(&mut self, unit: &str, time_ms: i64, y: f64, denominator: f64) {
        match &mut self.unit(unit).values {
            Values::Each(values) => values.push((time_ms, y, denominator)),
            // Its label horizon has passed: what comes now is too late for everyone.
            Values::Closed(_) => {}
        }
    }

    /// The arms' sums at a time.
    pub fn summary(&self, now_ms: i64, beside: Beside) -> Summary {
        self.summary_of(now_ms, beside, |y| y)
    }

    /// As [`summary`](Self::summary) of conversions: a unit whose values sum to more than 0 counts as 1.
    pub fn conversions(&self, now_ms: i64) -> Summary {
        self.summary_of(now_ms, Beside::Nothing, |y| f64::from(u8::from(y > 0.0)))
    }

    fn summary_of(&self, now_ms: i64, beside: Beside, of: impl Fn(f64) -> f64) -> Summary {
        let mut summary = Summary::default();
        for unit in self.units.values() {
            let Some((first, arm)) = &unit.first else {
                summary.unexposed += 1;
                continue;
            };
            summary.exposed += 1;
            if unit.mixed {
                summary.mixed += 1;
                continue;
            }
            let totals = unit.totals(*first, &self.rules);
            let x = match beside {
                Beside::Nothing => 0.0,
                Beside::Denominator => totals.denominator,
                Beside::Covariate => totals.covariate,
            };
            let arm = summary.arms.entry(arm.clone()).or_default();
            let sums = if self.rules.closes(*first) <= now_ms { &mut arm.mature } else { &mut arm.immature };
            sums.add(of(totals.y), x);
        }
        summary
    }

    /// Keeps of closed units only what they add up to, and forgets values of units not exposed that no exposure from now on
    /// can reach.
    pub fn compact(&mut self, now_ms: i64) {
        let rules = self.rules;
        for unit in self.units.values_mut() {
            if let Some((first, _)) = unit.first
                && rules.closes(first) <= now_ms
            {
                unit.values = Values::Closed(unit.totals(first, &rules));
            }
        }
        let reach = now_ms - rules.covariate_ms.max(rules.window_ms + rules.label_horizon_ms);
        self.units.retain(|_, unit| {
            if let (None, Values::Each(values)) = (&unit.first, &mut unit.values) {
                values.retain(|(time, ..)| *time >= reach);
                return !values.is_empty();
            }
            true
        });
    }

    fn unit(&mut self, unit: &str) -> &mut Unit {
        self.units.entry(unit.to_owned()).or_default()
    }
}

impl Rules {
    fn closes(&self, first_ms: i64) -> i64 {
        first_ms.saturating_add(self.window_ms).saturating_add(self.label_horizon_ms)
    }
}

impl Unit {
    fn totals(&self, first: i64, rules: &Rules) -> Totals {
        let values = match &self.values {
            Values::Closed(totals) => return *totals,
            Values::Each(values) => values,
        };
        // Ascending, so that the sum does not depend on the order of arrival.
        let mut sorted = values.clone();
        sorted.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.total_cmp(&b.2)));
        let mut totals = Totals::default();
        for (time, y, denominator) in sorted {
            let since = time.saturating_sub(first);
            if (0..rules.window_ms).contains(&since) {
                totals.y += y;
                totals.denominator += denominator;
            } else if (-rules.covariate_ms..0).contains(&since) {
                totals.covariate += y;
            }
        }
        totals
    }
}
