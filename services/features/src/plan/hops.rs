//! In which order windows of different keys run: the fewest hops from partition to partition.

use std::collections::HashSet;

/// Windows that run together, as far as their order matters.
pub(super) struct Node {
    /// Slots it is partitioned by: any of them can key its stage.
    pub partition: Vec<usize>,
    /// Nodes that run before it, as bits.
    pub after: u64,
}

/// Nodes of one stage, in the order in which they run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hop {
    /// The slot that keys the stage; `None`: the source stage, keyed by the sources' own key.
    pub key: Option<usize>,
    /// Indices of nodes.
    pub nodes: Vec<usize>,
}

/// The shortest sequence of stages that runs every node: a breadth-first search over what is done, each stage doing all
/// that its key allows. `source_keys` are the slots that hold the sources' key.
pub(super) fn hops(nodes: &[Node], source_keys: &[usize]) -> Vec<Hop> {
    let all = (0..nodes.len()).fold(0_u64, |bits, i| bits | (1 << i));
    let (done, first) = run(nodes, 0, |node| node.partition.iter().any(|slot| source_keys.contains(slot)));
    let mut frontier = vec![(done, vec![Hop { key: None, nodes: first }])];
    let mut seen = HashSet::from([done]);
    loop {
        if let Some(found) = frontier.iter().position(|(done, _)| *done == all) {
            return frontier.swap_remove(found).1;
        }
        let mut next = Vec::new();
        for (done, path) in &frontier {
            for key in keys(nodes, *done) {
                let (done, ran) = run(nodes, *done, |node| node.partition.contains(&key));
                if seen.insert(done) {
                    let mut path = path.clone();
                    path.push(Hop { key: Some(key), nodes: ran });
                    next.push((done, path));
                }
            }
        }
        if next.is_empty() {
            return frontier.into_iter().next().map(|(_, path)| path).unwrap_or_default();
        }
        frontier = next;
    }
}

fn ready(node: &Node, i: usize, done: u64) -> bool {
    done & (1 << i) == 0 && node.after & !done == 0
}

/// Runs every node that fits, and those that become ready by it.
fn run(nodes: &[Node], mut done: u64, fits: impl Fn(&Node) -> bool) -> (u64, Vec<usize>) {
    let mut ran = Vec::new();
    while let Some(i) = (0..nodes.len()).find(|i| ready(&nodes[*i], *i, done) && fits(&nodes[*i])) {
        done |= 1 << i;
        ran.push(i);
    }
    (done, ran)
}

/// Keys that could run something, in the order of the SQL.
fn keys(nodes: &[Node], done: u64) -> Vec<usize> {
    let mut keys = Vec::new();
    for (i, node) in nodes.iter().enumerate() {
        if ready(node, i, done) {
            keys.extend(
                node.partition.iter().copied().filter(|slot| !keys.contains(slot)).collect::<Vec<_>>(),
            );
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(partition: &[usize], after: u64) -> Node {
        Node { partition: partition.to_vec(), after }
    }

    fn keys_of(hops: &[Hop]) -> Vec<Option<usize>> {
        hops.iter().map(|hop| hop.key).collect()
    }

    #[test]
    fn windows_of_the_source_key_need_no_hop() {
        let hops = hops(&[node(&[2], 0), node(&[2, 5], 0)], &[2]);
        assert_eq!(hops, vec![Hop { key: None, nodes: vec![0, 1] }]);
    }

    #[test]
    fn a_column_that_several_partitions_share_is_chosen_as_their_key() {
        // (1, 3), (1, 4) and (1): one hop by 1, though 3 comes first in a search by SQL order alone.
        let hops = hops(&[node(&[3, 1], 0), node(&[4, 1], 0), node(&[1], 0)], &[0]);
        assert_eq!(keys_of(&hops), vec![None, Some(1)]);
    }

    #[test]
    fn a_window_over_another_keys_window_comes_after_it_and_may_return() {
        // By the source key, then by 7 over its result, then by the source key again.
        let hops = hops(&[node(&[0], 0), node(&[7], 0b1), node(&[0], 0b10)], &[0]);
        assert_eq!(keys_of(&hops), vec![None, Some(7), Some(0)]);
        assert_eq!(hops[2].nodes, vec![2]);
    }

    #[test]
    fn the_source_stage_is_empty_if_no_window_uses_the_source_key() {
        let hops = hops(&[node(&[4], 0)], &[0]);
        assert_eq!(hops, vec![Hop { key: None, nodes: vec![] }, Hop { key: Some(4), nodes: vec![0] }]);
    }
}
