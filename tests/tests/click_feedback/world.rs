//! Users who are shown lists and click, with a ledger of its own: what each list must come to.

use std::collections::{BTreeMap, BTreeSet};

use millrace_experiments::random::Random;
use serde_json::{Value, json};

/// How long after its list a click counts, in ms.
pub const HORIZON: i64 = 30 * 60_000;
const SPACING: i64 = 100;
const ITEMS: usize = 10;
const USERS: usize = 5_000;

/// What the outcome of a list must be: credit, clicks by verdict, winner.
pub type Expected = (Vec<f64>, BTreeMap<String, Option<i64>>, String);

/// What is published, and what must come of it.
pub struct World {
    /// Rows by record time.
    pub lines: Vec<Value>,
    /// By request.
    pub outcomes: BTreeMap<String, Expected>,
    /// How often each click was sent.
    pub clicks: BTreeMap<String, usize>,
}

/// How a list was made.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Single,
    TeamDraft,
    Balanced,
}

struct List {
    request: String,
    user: String,
    time: i64,
    kind: Kind,
    items: Vec<usize>,
    teams: Vec<i32>,
    ranks: Vec<[usize; 2]>,
}

impl World {
    /// So many requests.
    pub fn of(requests: usize) -> Self {
        let mut random = Random::of(42);
        let mut rows: Vec<(i64, Value)> = Vec::new();
        let (mut outcomes, mut clicks) = (BTreeMap::new(), BTreeMap::new());
        for at in 0..requests {
            let list = list(at, &mut random);
            rows.push((list.time, list.row("serving")));
            if random.below(5) == 0 {
                rows.push((list.time, list.row("shadow")));
            }
            let shown = (random.below(2) == 0).then(|| 3 + random.below(ITEMS - 2));
            if let Some(shown) = shown {
                let delay = 200 + random.below(2_000) as i64;
                rows.push((list.time + delay, list.impression(shown, list.time + delay)));
            }
            let sent = click(&list, &mut random);
            for (delay, id, item) in &sent {
                *clicks.entry(id.clone()).or_insert(0) += 1;
                rows.push((list.time + delay, list.click(id, *item, list.time + delay)));
            }
            outcomes.insert(list.request.clone(), outcome(&list, shown, &sent));
        }
        for at in 0..requests / 50 {
            let (time, id) = (random.below(requests) as i64 * SPACING, format!("lost-{at}"));
            let user = format!("u{}", random.below(USERS));
            rows.push((
                time,
                json!({"topic": "clicks", "click_id": id, "click_time": time, "user_id": user,
                "request_id": format!("nobody-{at}"), "item": "i0"}),
            ));
            clicks.insert(id, 1);
        }
        rows.extend(last_rows(requests as i64 * SPACING + 4 * HORIZON));
        rows.sort_by_key(|(time, _)| *time);
        Self { lines: rows.into_iter().map(|(_, row)| row).collect(), outcomes, clicks }
    }
}

/// Lists that nobody saw and clicks that nobody speaks of, in every partition: times of these go on. Impressions end
/// before: that they are silent is found by the clock.
fn last_rows(time: i64) -> impl Iterator<Item = (i64, Value)> {
    (0..100).flat_map(move |n| {
        let user = format!("end{n}");
        let items = (0..ITEMS).collect();
        let (kind, teams) = (Kind::Single, vec![0; ITEMS]);
        let list = List { request: user.clone(), user, time, kind, items, teams, ranks: Vec::new() };
        [(time, list.row("shadow")), (time, list.click(&format!("end{n}"), 0, time))]
    })
}

fn shuffled(random: &mut Random) -> Vec<usize> {
    let mut order: Vec<usize> = (0..ITEMS).collect();
    (1..ITEMS).rev().for_each(|at| order.swap(at, random.below(at + 1)));
    order
}

fn list(at: usize, random: &mut Random) -> List {
    let rankers = [shuffled(random), shuffled(random)];
    let rank = |ranker: usize, item: usize| rankers[ranker].iter().position(|other| *other == item);
    let kind = [Kind::Single, Kind::TeamDraft, Kind::TeamDraft, Kind::Balanced][random.below(4)];
    let (mut items, mut teams): (Vec<usize>, Vec<i32>) = (Vec::new(), Vec::new());
    let starts = random.below(2);
    while items.len() < ITEMS && kind != Kind::Single {
        let first = if kind == Kind::TeamDraft { random.below(2) } else { starts };
        for ranker in [first, 1 - first] {
            if let Some(item) = rankers[ranker].iter().find(|item| !items.contains(item)) {
                items.push(*item);
                teams.push(ranker as i32);
            }
        }
    }
    if kind == Kind::Single {
        (items, teams) = (rankers[0].clone(), vec![0; ITEMS]);
    }
    let ranks = items.iter().map(|item| [0, 1].map(|ranker| rank(ranker, *item).unwrap_or(ITEMS))).collect();
    let user = format!("u{}", random.below(USERS));
    List { request: format!("r{at}"), user, time: at as i64 * SPACING, kind, items, teams, ranks }
}

/// Delay, click id and item of each click as it is sent: some twice, some on an item again, some late, early or elsewhere.
fn click(list: &List, random: &mut Random) -> Vec<(i64, String, usize)> {
    let count = if random.below(3) == 0 { 1 + random.below(3) } else { 0 };
    let mut sent = Vec::new();
    for n in 0..count {
        let delay = match random.below(20) {
            0 => HORIZON + 1 + random.below(600_000) as i64,
            1 => -1 - random.below(50) as i64,
            2 => HORIZON,
            _ => 1_000 + random.below(300_000) as i64,
        };
        let item = if random.below(20) == 0 { ITEMS + 5 } else { list.items[random.below(6)] };
        let one = (delay, format!("{}-{n}", list.request), item);
        sent.extend(vec![one; 1 + usize::from(random.below(10) == 0)]);
    }
    sent
}

impl List {
    fn row(&self, role: &str) -> Value {
        let (method, rankers): (&str, &[&str]) = match self.kind {
            Kind::Single => ("single", &["m/1"]),
            Kind::TeamDraft => ("team_draft", &["m/1", "m/2"]),
            Kind::Balanced => ("balanced", &["m/1", "m/2"]),
        };
        let credits: Vec<f64> = match self.kind {
            Kind::TeamDraft => {
                self.teams.iter().flat_map(|team| [f64::from(1 - team), f64::from(*team)]).collect()
            }
            _ => Vec::new(),
        };
        json!({"topic": "rankings", "id": self.request, "time": self.time, "unit": self.user, "list_key": "",
            "arm": "champion", "role": role, "rankers": rankers, "method": method,
            "items": self.items.iter().map(|item| format!("i{item}")).collect::<Vec<_>>(), "teams": self.teams,
            "scores": [], "ranks": self.ranks.concat(), "credits": credits, "common_prefix": 0, "propensity": 1.0,
            "deployment": 3, "context": {}})
    }

    fn impression(&self, shown: usize, time: i64) -> Value {
        json!({"topic": "impressions", "impression_id": format!("{}-s", self.request), "impression_time": time,
            "user_id": self.user, "request_id": self.request, "positions": (1..=shown).collect::<Vec<_>>()})
    }

    fn click(&self, id: &str, item: usize, time: i64) -> Value {
        json!({"topic": "clicks", "click_id": id, "click_time": time, "user_id": self.user,
            "request_id": self.request, "item": format!("i{item}")})
    }
}

/// The ledger: what all clicks on a list earn, by the definitions.
fn outcome(list: &List, shown: Option<usize>, sent: &[(i64, String, usize)]) -> Expected {
    let (mut ids, mut clicked, mut counts) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::new());
    let mut count = |verdict: &str| {
        let entry: &mut Option<i64> = counts.entry(verdict.to_owned()).or_insert(Some(0));
        *entry = entry.map(|count| count + 1);
    };
    for (delay, id, item) in sent.iter().filter(|(delay, ..)| *delay <= HORIZON) {
        match list.items.iter().position(|other| other == item) {
            _ if !ids.insert(id) => count("duplicate"),
            None => count("not_in_list"),
            Some(_) if *delay < 0 => count("early"),
            Some(position) if !clicked.insert(position) => count("duplicate"),
            Some(_) => {}
        }
    }
    let (earning, unseen): (Vec<usize>, Vec<usize>) =
        clicked.into_iter().partition(|position| shown.is_none_or(|shown| *position < shown));
    unseen.iter().for_each(|_| count("not_shown"));
    earning.iter().for_each(|_| count("credited"));
    let credit: Vec<f64> = match list.kind {
        Kind::Single => vec![earning.len() as f64],
        Kind::TeamDraft => {
            [0, 1].map(|team| earning.iter().filter(|at| list.teams[**at] == team).count() as f64).to_vec()
        }
        Kind::Balanced => {
            let depth = earning.last().map_or(0, |at| list.ranks[*at][0].min(list.ranks[*at][1]));
            [0, 1]
                .map(|ranker| earning.iter().filter(|at| list.ranks[**at][ranker] <= depth).count() as f64)
                .to_vec()
        }
    };
    let winner = match credit.as_slice() {
        _ if earning.is_empty() => "none",
        [one, two] if one == two => "tie",
        [one, two] if one < two => "m/2",
        _ => "m/1",
    };
    (credit, counts, winner.to_owned())
}
