//! What the online store holds: per partition key, the outputs that are features of that key alone.

use std::collections::BTreeSet;

use super::output::OutputColumn;
use super::relation::Flat;
use super::stages::{Stage, Step};
use super::window::mentions;

/// The hash of one PARTITION BY.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// Its name: the partition columns, joined with `+`.
    pub name: String,
    /// Slots of the partition columns, ascending.
    pub partition: Vec<usize>,
    /// The stage that writes it: the last one that has windows of it.
    pub stage: usize,
    /// Outputs that need at least one window, and windows of this partition only.
    pub fields: Vec<usize>,
}

/// The entities of a view, in the order of its stages.
pub(super) fn entities(flat: &Flat, stages: &[Stage], outputs: &[OutputColumn]) -> Vec<Entity> {
    let mut entities: Vec<Entity> = Vec::new();
    for (i, stage) in stages.iter().enumerate() {
        for step in &stage.steps {
            let Step::Windows(group) = step else { continue };
            match entities.iter_mut().find(|entity| entity.partition == group.partition) {
                Some(entity) => entity.stage = i,
                None => entities.push(entity(flat, &group.partition, i, outputs)),
            }
        }
    }
    entities.retain(|entity| !entity.fields.is_empty());
    entities
}

fn entity(flat: &Flat, partition: &[usize], stage: usize, outputs: &[OutputColumn]) -> Entity {
    let names: Vec<&str> = partition.iter().map(|slot| flat.base[*slot].name.as_str()).collect();
    let fields = (0..outputs.len()).filter(|i| {
        let mut used =
            flat.windows.iter().filter(|window| mentions(&outputs[*i].expr, &window.slot.name)).peekable();
        used.peek().is_some()
            && used.all(|window| partitions(flat, window.partition.as_slice(), &window.needs, partition))
    });
    Entity { name: names.join("+"), partition: partition.to_vec(), stage, fields: fields.collect() }
}

/// Whether a window and all that it needs have this partition.
fn partitions(flat: &Flat, own: &[usize], needs: &BTreeSet<usize>, partition: &[usize]) -> bool {
    own == partition
        && needs.iter().all(|need| {
            let window = &flat.windows[*need];
            partitions(flat, &window.partition, &window.needs, partition)
        })
}
