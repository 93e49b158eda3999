//! In which order a task takes the rows of its inputs: by record time, ties by the order of the inputs.

/// What lies at the front of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head {
    /// A row with this record time, in ms.
    Row(i64),
    /// A record that is no row: refused, or seen before. It leaves at once, whatever the other inputs hold.
    Skipped,
    /// Nothing at hand, though the log holds more: the task waits for it.
    Pending,
    /// Nothing at hand, and nothing to wait for.
    End,
}

/// What a task does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Take the row at the front of this input; its record time.
    Take(usize, i64),
    /// Let the record at the front of this input leave.
    Skip(usize),
    /// Wait for this input.
    Wait(usize),
    /// No input has anything.
    Idle,
}

/// The next step for inputs with these heads.
pub fn next(heads: &[Head]) -> Step {
    let mut waits = None;
    let mut least: Option<(usize, i64)> = None;
    for (input, head) in heads.iter().enumerate() {
        match *head {
            Head::Skipped => return Step::Skip(input),
            Head::Pending => waits = waits.or(Some(input)),
            Head::End => {}
            Head::Row(time) => {
                if least.is_none_or(|(_, t)| time < t) {
                    least = Some((input, time));
                }
            }
        }
    }
    match (waits, least) {
        (Some(input), _) => Step::Wait(input),
        (None, Some((input, time))) => Step::Take(input, time),
        (None, None) => Step::Idle,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Takes everything from inputs whose rows arrive piece by piece, as `arrivals` says which input gets one more.
    fn run(inputs: &[Vec<i64>], arrivals: &[usize]) -> Vec<(usize, i64)> {
        let mut at_hand = vec![0; inputs.len()];
        let mut taken = vec![0; inputs.len()];
        let mut order = Vec::new();
        let all = (0..inputs.len()).flat_map(|i| std::iter::repeat_n(i, inputs[i].len()));
        for arrival in arrivals.iter().map(|a| a % inputs.len()).chain(all) {
            at_hand[arrival] = inputs[arrival].len().min(at_hand[arrival] + 1);
            loop {
                let heads: Vec<_> = (0..inputs.len())
                    .map(|i| match inputs[i].get(taken[i]) {
                        Some(time) if taken[i] < at_hand[i] => Head::Row(*time),
                        Some(_) => Head::Pending,
                        None => Head::End,
                    })
                    .collect();
                let Step::Take(input, time) = next(&heads) else { break };
                taken[input] += 1;
                order.push((input, time));
            }
        }
        order
    }

    proptest! {
        #[test]
        fn how_rows_arrive_never_changes_the_order_in_which_they_are_taken(
            inputs in prop::collection::vec(prop::collection::vec(0i64..50, 0..12), 1..4),
            arrivals in prop::collection::vec(0usize..4, 0..40),
        ) {
            let order = run(&inputs, &arrivals);
            prop_assert_eq!(&order, &run(&inputs, &[]));
            prop_assert_eq!(order.len(), inputs.iter().map(Vec::len).sum::<usize>());
        }

        #[test]
        fn inputs_in_time_order_merge_to_a_stable_sort(
            mut inputs in prop::collection::vec(prop::collection::vec(0i64..50, 0..12), 1..4),
        ) {
            for input in &mut inputs {
                input.sort_unstable();
            }
            let mut expected: Vec<_> =
                inputs.iter().enumerate().flat_map(|(i, rows)| rows.iter().map(move |t| (i, *t))).collect();
            expected.sort_by_key(|(_, time)| *time);
            prop_assert_eq!(run(&inputs, &[]), expected);
        }
    }

    #[test]
    fn a_skipped_record_leaves_even_where_another_input_is_waited_for() {
        assert_eq!(next(&[Head::Pending, Head::Skipped]), Step::Skip(1));
        assert_eq!(next(&[Head::Row(3), Head::Pending]), Step::Wait(1));
        assert_eq!(next(&[Head::End, Head::End]), Step::Idle);
    }
}
