//! What the demo says at its end: whom users prefer, how sure that is, and whether credit is what the users know it is.

use std::collections::BTreeMap;

use anyhow::Result;
use millrace_experiments::interleave::preference;
use millrace_load::ranking::Ledger;
use serde::Serialize;

use super::credited::ALPHA;
use super::view::{Snapshot, rate};
use crate::text::thousands;

/// The summary; serialised as it is by `--json`. What no closed horizon tells is null.
#[derive(Debug, Serialize)]
pub struct Summary {
    requests: u64,
    lists: u64,
    rejected: u64,
    lists_per_s: f64,
    champion: String,
    challenger: String,
    /// Clicks by verdict.
    clicks: BTreeMap<String, u64>,
    /// Requests whose horizon has closed.
    outcomes: u64,
    /// Those whose credit is not what the users' own ledger says.
    credit_differs: u64,
    /// The users' preferences: wins are the challenger's.
    preference: Option<preference::Summary>,
    /// Who is preferred at alpha 0.05 by the always-valid test; null: it is open.
    preferred: Option<String>,
    #[serde(skip)]
    said: String,
}

impl Summary {
    /// Sums up, and compares credit with the users' ledger.
    pub fn new(seen: &Snapshot, ledger: &Ledger) -> Self {
        let [champion, challenger] = seen.rankers.clone();
        let preferred = seen.now.as_ref().filter(|now| now.always_valid.p_value < ALPHA);
        let preferred =
            preferred.map(|now| if rate(now) > 0.5 { challenger.clone() } else { champion.clone() });
        let differs = seen.outcomes.iter().filter(|(request, credit)| {
            let known = ledger.of(request).map(|earned| earned.credit.as_slice());
            !known.is_some_and(|known| {
                known.len() == 2 && known.iter().zip(*credit).all(|(a, b)| (a - b).abs() < 1e-9)
            })
        });
        Self {
            requests: seen.total,
            lists: seen.lists,
            rejected: seen.rejected,
            lists_per_s: seen.lists as f64 / seen.seconds.max(1e-9),
            champion,
            challenger,
            clicks: seen.clicks.clone(),
            outcomes: seen.outcomes.len() as u64,
            credit_differs: differs.count() as u64,
            said: seen.notes.join("\n  "),
            preference: seen.now.clone(),
            preferred,
        }
    }

    /// Prints it for a person, and as JSON in the last line if asked for.
    pub fn print(&self, json: bool) -> Result<()> {
        println!("{}", self.text());
        if json {
            println!("{}", serde_json::to_string(self)?);
        }
        Ok(())
    }

    fn text(&self) -> String {
        let credit = match self.credit_differs {
            0 => "as the users' own ledger has it".to_owned(),
            n => format!("{} of them other than in the users' own ledger", thousands(n)),
        };
        let clicks: Vec<String> = self
            .clicks
            .iter()
            .map(|(verdict, count)| format!("{} {}", thousands(*count), verdict.replace('_', " ")))
            .collect();
        format!(
            "\n{} requests: {} lists, {} rejected, {} lists/s\nclicks: {}\ncredit of {} requests whose horizon has \
             closed: {credit}\n  {}\n{}",
            thousands(self.requests),
            thousands(self.lists),
            thousands(self.rejected),
            thousands(self.lists_per_s as u64),
            clicks.join(", "),
            thousands(self.outcomes),
            self.said,
            self.verdict(),
        )
    }

    fn verdict(&self) -> String {
        let Some(now) = &self.preference else {
            return "No horizon has closed: more --visits tell.".to_owned();
        };
        let (low, high) = now.always_valid.win_rate;
        let figures = format!(
            "{} users prefer {}, {} prefer {}, {} neither; of 100 with a preference {:.0} prefer {} (95 % interval {:.0} \
             to {:.0}, valid at every look)",
            thousands(now.wins),
            self.challenger,
            thousands(now.losses),
            self.champion,
            thousands(now.ties),
            100.0 * rate(now),
            self.challenger,
            100.0 * low,
            100.0 * high,
        );
        match &self.preferred {
            Some(name) => format!("Users prefer {name}: {figures}, p {:.1e}.", now.always_valid.p_value),
            None => format!("It is open whom users prefer: {figures}, p {:.2}.", now.always_valid.p_value),
        }
    }
}
