//! Values counted by name: from a value's hash to its place.

/// A table of hashes, open addressing; read-only once made.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    /// Hash (0: free) and place.
    slots: Vec<(u64, u32)>,
}

impl Names {
    /// Of values in their order; a value whose hash came before is found at the first place.
    pub(super) fn new(named: &[String]) -> Self {
        let mut slots = vec![(0, 0); (named.len() * 4).next_power_of_two()];
        let mask = slots.len() - 1;
        for (place, name) in (0..).zip(named) {
            let hash = crate::hash::of_text(name);
            let mut slot = hash as usize & mask;
            while slots[slot].0 != 0 && slots[slot].0 != hash {
                slot = (slot + 1) & mask;
            }
            if slots[slot].0 == 0 {
                slots[slot] = (hash, place);
            }
        }
        Self { slots }
    }

    /// The place of the value of that hash.
    pub(super) fn place(&self, hash: u64) -> Option<u32> {
        let mask = self.slots.len().wrapping_sub(1);
        let mut slot = hash as usize & mask;
        loop {
            match self.slots.get(slot) {
                Some((found, place)) if *found == hash => return Some(*place),
                Some((0, _)) | None => return None,
                Some(_) => slot = (slot + 1) & mask,
            }
        }
    }
}
