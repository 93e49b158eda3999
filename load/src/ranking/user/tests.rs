use super::super::{Answers, ClickModel, Ledger, Mishaps, quality, stream};
use super::*;

fn params() -> Params {
    Params { sessions: 800, ..Params::default() }
}

/// A list as a scorer makes it: team draft of two rankers, in turns.
fn shown(request: &Request, world: &World) -> Shown {
    let order =
        quality::order_by(request, |item| world.candidate(request.user, request.query, item).text_match);
    let n = order.len();
    let team = |position: usize| position as i32 % 2;
    Shown {
        request: request.id(),
        time_ms: request.time_ms,
        user: request.user_id(),
        role: "serving".into(),
        deployment: 1,
        method: "team_draft".into(),
        rankers: vec!["m/1".into(), "m/2".into()],
        items: order.into_iter().map(item_id).collect(),
        teams: (0..n).map(team).collect(),
        ranks: (0..2 * n).map(|at| at as i32 / 2).collect(),
        credits: (0..2 * n).map(|at| f64::from(u8::from(at % 2 == at / 2 % 2))).collect(),
    }
}

fn answered(params: &Params) -> (Vec<Event>, Ledger, usize) {
    let world = Arc::new(World::new(params));
    let mut answers = Answers::new(User::new(world.clone(), params));
    let mut events = Vec::new();
    let mut requests = 0;
    for request in stream(world.clone(), params) {
        requests += 1;
        events.extend(answers.take(0, &shown(&request, &world)));
    }
    events.extend(answers.rest());
    (events, answers.ledger().clone(), requests)
}

#[test]
fn users_answer_in_the_order_of_time_and_the_same_again() {
    let (events, ledger, requests) = answered(&params());
    assert!(events.is_sorted_by_key(Event::record_time_ms));
    assert_eq!(ledger.requests().len(), requests);
    assert_eq!(answered(&params()).0, events);
}

#[test]
fn every_mishap_happens_and_is_told_from_clicks_that_count() {
    let (events, ledger, requests) = answered(&params());
    let mut fates: BTreeMap<Fate, u64> = BTreeMap::new();
    for earned in ledger.requests() {
        earned.clicks.iter().for_each(|(fate, count)| *fates.entry(*fate).or_default() += count);
        let counted = earned.clicks.get(&Fate::Credited).copied().unwrap_or_default();
        assert_eq!(earned.credit.iter().sum::<f64>(), counted as f64, "each click is one team's");
    }
    let clicks = events.iter().filter(|event| matches!(event, Event::Click(_))).count() as u64;
    assert_eq!(fates.values().sum::<u64>(), clicks);
    let least = requests as u64 / 200;
    assert!(fates.len() == 5 && fates.values().all(|count| *count >= least), "{fates:?}");
    assert!(events.len() as u64 - clicks < requests as u64, "some impressions are lost");
}

#[test]
fn without_mishaps_every_click_counts_and_lies_on_a_position_shown() {
    let calm = Params { mishaps: Mishaps::NONE, click_model: ClickModel::Navigational, ..params() };
    let world = Arc::new(World::new(&calm));
    let users = User::new(world.clone(), &calm);
    for request in stream(world.clone(), &calm) {
        let list = shown(&request, &world);
        let answer = users.answer(&list).unwrap();
        let Some(Event::Impression(impression)) = answer.events.first() else { panic!("no impression") };
        assert!(impression.positions.iter().all(|position| (request.page == 2) == (*position > 10)));
        for position in &answer.counted {
            assert!(impression.positions.contains(&(*position as i32 + 1)));
        }
        assert_eq!(answer.events.len(), 1 + answer.counted.len());
        assert!(answer.clicks.keys().all(|fate| *fate == Fate::Credited));
    }
}

#[test]
fn nobody_sees_the_list_of_a_shadow_or_of_another_world() {
    let world = Arc::new(World::new(&params()));
    let users = User::new(world.clone(), &params());
    let list = shown(&Request::of_session(&world, &params(), 0)[0], &world);
    assert!(users.answer(&list).is_some());
    assert!(users.answer(&Shown { role: "shadow".into(), ..list.clone() }).is_none());
    assert!(users.answer(&Shown { request: "other".into(), ..list }).is_none());
}

#[test]
fn what_is_known_of_candidates_orders_them_better_than_their_popularity() {
    let world = World::new(&params());
    let mean = |score: &dyn Fn(&Request, u32) -> f64| {
        let requests = (0..500).map(|session| Request::of_session(&world, &params(), session).swap_remove(0));
        let each = requests.map(|request| {
            let order = quality::order_by(&request, |item| score(&request, item));
            quality::ndcg(&world, &request, &order, 10)
        });
        each.sum::<f64>() / 500.0
    };
    let best = mean(&|request, item| world.utility(request.user, request.query, item, request.hour));
    let text = mean(&|request, item| world.candidate(request.user, request.query, item).text_match);
    let popular = mean(&|_, item| world.item(item).popularity);
    assert!(best > 0.999 && text < 0.9 && popular < text, "{best} {text} {popular}");
}

#[test]
fn balanced_credit_counts_down_to_the_depth_of_the_lowest_click() {
    let list = Shown {
        method: "balanced".into(),
        rankers: vec!["a".into(), "b".into()],
        items: ["x", "y", "z"].map(str::to_owned).to_vec(),
        ranks: vec![0, 2, 2, 0, 1, 1],
        credits: Vec::new(),
        ..shown(&Request::of_session(&World::new(&params()), &params(), 0)[0], &World::new(&params()))
    };
    // x is first for a and third for b, y the other way round, z second for both.
    assert_eq!(super::super::ledger::credit(&list, &[0]), [1.0, 0.0]);
    assert_eq!(super::super::ledger::credit(&list, &[0, 1]), [1.0, 1.0]);
    assert_eq!(super::super::ledger::credit(&list, &[1, 2]), [1.0, 2.0]);
    assert_eq!(super::super::ledger::credit(&list, &[]), [0.0, 0.0]);
}
