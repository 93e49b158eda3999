//! What the online store gets to hold of the keys that a batch touched.
//!
//! Features that are windows alone come from the engine, which knows every key's frames at its greatest row time. A
//! feature that mixes windows with columns of the row (`amount / AVG(amount) OVER c30`), or with windows of another
//! group, needs those of the key's greatest row, which may have come in an earlier batch: they are remembered per key.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray};
use arrow::datatypes::DataType;
use millrace_runtime::task::KeyWrite;

use super::memory::Memory;
use super::program::Program;
use super::text::{Texts, key_text};
use super::{Rows, slots};
use crate::error::Error;
use crate::plan::{Entity, Plan, Stage, Step, slot_schema};
use crate::window::Touched;

/// Writes one entity's hashes.
pub(super) struct EntityWriter {
    prefix: String,
    names: Vec<Arc<str>>,
    fields: Program,
    /// Slots that the fields need, ascending; `fields` is over them.
    needed: Vec<usize>,
    types: Vec<DataType>,
    partition: Vec<usize>,
    /// The window slots of each group of this entity in its stage.
    groups: Vec<Vec<usize>>,
    ttl_ms: Option<i64>,
    keep_us: Option<i64>,
    memory: Option<Memory>,
    writes: Vec<KeyWrite>,
}

impl EntityWriter {
    pub(super) fn new(plan: &Plan, entity: &Entity, stage: &Stage, prefix: &str) -> Result<Self, Error> {
        let outputs = || entity.fields.iter().map(|field| &plan.outputs[*field]);
        let reads = |slot: usize| {
            outputs().any(|output| output.expr.column_refs().iter().any(|c| c.name == plan.slots[slot].name))
        };
        let needed: Vec<usize> = (0..plan.slots.len()).filter(|slot| reads(*slot)).collect();
        let schema = slot_schema(slots(plan, &needed))?;
        let groups: Vec<Vec<usize>> = stage
            .steps
            .iter()
            .filter_map(|step| match step {
                Step::Windows(group) if group.partition == entity.partition => {
                    Some(group.windows.iter().map(|window| plan.window_slot(*window)).collect())
                }
                _ => None,
            })
            .collect();
        let alone = groups.len() == 1;
        let known = |slot: &usize| entity.partition.contains(slot) || (alone && groups[0].contains(slot));
        let memory = (!needed.iter().all(known)).then(Memory::default);
        Ok(Self {
            prefix: format!("{prefix}:{}:", entity.name),
            names: outputs().map(|output| Arc::from(output.name.as_str())).collect(),
            fields: Program::new(outputs().map(|output| (output.name.clone(), &output.expr)), &schema)?,
            types: slots(plan, &needed).map(|slot| slot.data_type.clone()).collect(),
            partition: entity.partition.clone(),
            ttl_ms: plan.reach_us.map(|reach| reach.div_euclid(1_000) + i64::from(reach % 1_000 != 0)),
            keep_us: plan.keep_us,
            needed,
            groups,
            memory,
            writes: Vec::new(),
        })
    }

    /// Slots of the partition columns.
    pub(super) fn partition(&self) -> &[usize] {
        &self.partition
    }

    /// Bytes of remembered rows.
    pub(super) fn bytes(&self) -> usize {
        self.memory.as_ref().map_or(0, Memory::bytes)
    }

    /// Notes the keys that a group of this entity touched. `layout` names the columns of `rows`.
    pub(super) fn touch(
        &mut self,
        group: usize,
        touched: &Touched,
        rows: &Rows,
        layout: &[usize],
    ) -> Result<(), Error> {
        let keys = self.keys(touched)?;
        // What the engine knows of each needed slot, now.
        let known: Vec<Option<&ArrayRef>> =
            self.needed.iter().map(|slot| self.known(group, touched, *slot)).collect();
        let Some(memory) = &mut self.memory else {
            let columns: Vec<ArrayRef> = known.into_iter().flatten().cloned().collect();
            return self.write(&keys, &touched.time, &columns);
        };
        let owned = |slot: &usize| {
            self.partition.contains(slot) || self.groups.iter().any(|group| group.contains(slot))
        };
        let row_columns: Vec<Option<&ArrayRef>> = self
            .needed
            .iter()
            .map(|slot| {
                let at = layout.iter().position(|known| known == slot).filter(|_| !owned(slot));
                at.and_then(|at| rows.columns.get(at))
            })
            .collect();
        for (i, key) in keys.iter().enumerate() {
            let Some(key) = key else { continue };
            let entry = memory.touch(key, touched.time[i], &self.types, self.keep_us)?;
            entry.set(&known, i)?;
            if let Some(row) = touched.last_row[i] {
                entry.row_time = touched.time[i];
                entry.set(&row_columns, row as usize)?;
            }
        }
        Ok(())
    }

    fn known<'a>(&self, group: usize, touched: &'a Touched, slot: usize) -> Option<&'a ArrayRef> {
        if let Some(i) = self.partition.iter().position(|known| *known == slot) {
            return touched.keys.get(i);
        }
        let i = self.groups.get(group)?.iter().position(|known| *known == slot)?;
        touched.results.get(i)
    }

    /// The text of each key; NULL where a partition column is: the store has no hash of what is unknown.
    fn keys(&self, touched: &Touched) -> Result<Vec<Option<String>>, Error> {
        let texts = touched.keys.iter().map(key_text).collect::<Result<Vec<StringArray>, _>>()?;
        let join = |row: usize| {
            let parts: Option<Vec<&str>> =
                texts.iter().map(|text| text.is_valid(row).then(|| text.value(row))).collect();
            parts.map(|parts| match parts.as_slice() {
                [one] => (*one).to_owned(),
                // `+` joins the columns, so one inside a value is written another way.
                many => many
                    .iter()
                    .map(|part| part.replace('%', "%25").replace('+', "%2B"))
                    .collect::<Vec<_>>()
                    .join("+"),
            })
        };
        Ok((0..touched.time.len()).map(join).collect())
    }

    /// Hands over the writes of a batch; forgets rows that no key can need again.
    pub(super) fn finish(&mut self, writes: &mut Vec<KeyWrite>, floor: Option<i64>) -> Result<(), Error> {
        if let Some(memory) = &mut self.memory
            && let Some(pending) = memory.pending(&self.types)?
        {
            memory.sweep(floor.zip(self.keep_us).map(|(floor, keep)| floor.saturating_sub(keep)));
            self.write(&pending.keys, &pending.times, &pending.columns)?;
        }
        writes.append(&mut self.writes);
        Ok(())
    }

    fn write(&mut self, keys: &[Option<String>], times: &[i64], columns: &[ArrayRef]) -> Result<(), Error> {
        let evaluated = self.fields.evaluate(columns, keys.len())?;
        let texts =
            evaluated.columns.iter().map(|column| Texts::new(column)).collect::<Result<Vec<_>, _>>()?;
        // A key whose fields cannot be evaluated keeps its hash: the row that touched it is rejected for the same fault.
        let good =
            (0..keys.len()).filter(|row| evaluated.bad.binary_search_by_key(row, |(bad, _)| *bad).is_err());
        for (i, row) in good.enumerate() {
            let Some(key) = &keys[row] else { continue };
            let fields = self.names.iter().zip(&texts).map(|(name, texts)| (name.clone(), texts.get(i)));
            let time = (Arc::from("_time"), times[row].div_euclid(1_000).to_string());
            self.writes.push(KeyWrite {
                key: format!("{}{key}", self.prefix),
                fields: fields.chain([time]).collect(),
                ttl_ms: self.ttl_ms,
            });
        }
        Ok(())
    }
}
