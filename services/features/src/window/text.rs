//! Texts that rows refer to by number: columns that MIN and MAX read hold few distinct ones.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

/// Texts with how many rows hold each. The seed of the hash changes nothing that can be seen.
#[derive(Debug, Default)]
pub(super) struct Texts {
    entries: Vec<Entry>,
    free: Vec<u32>,
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    text: Box<str>,
    holders: usize,
}

impl Texts {
    /// The number of a text, held once more.
    pub(super) fn hold(&mut self, text: &str) -> u64 {
        let hash = self.hasher.hash_one(text);
        if let Some(&number) = self.table.find(hash, |&at| &*self.entries[at as usize].text == text) {
            self.entries[number as usize].holders += 1;
            return u64::from(number);
        }
        let entry = Entry { text: text.into(), holders: 1 };
        self.bytes += text.len();
        let number = match self.free.pop() {
            Some(number) => {
                self.entries[number as usize] = entry;
                number
            }
            None => {
                self.entries.push(entry);
                (self.entries.len() - 1) as u32
            }
        };
        let (entries, hasher) = (&self.entries, &self.hasher);
        self.table.insert_unique(hash, number, |&at| hasher.hash_one(&*entries[at as usize].text));
        u64::from(number)
    }

    /// Lets go of a text once; the last to do so frees it.
    pub(super) fn release(&mut self, number: u64) {
        let Some(entry) = self.entries.get_mut(number as usize) else { return };
        entry.holders = entry.holders.saturating_sub(1);
        if entry.holders > 0 {
            return;
        }
        let text = std::mem::take(&mut entry.text);
        self.bytes -= text.len();
        let hash = self.hasher.hash_one(&*text);
        if let Ok(found) = self.table.find_entry(hash, |&at| u64::from(at) == number) {
            found.remove();
            self.free.push(number as u32);
        }
    }

    /// A text that is held; of one that is not, an arbitrary text.
    pub(super) fn get(&self, number: u64) -> &str {
        self.entries.get(number as usize).map_or("", |entry| &*entry.text)
    }

    /// Bytes on the heap.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
            + self.entries.capacity() * size_of::<Entry>()
            + self.free.capacity() * size_of::<u32>()
            + self.table.allocation_size()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_once_and_freed_by_its_last_holder() {
        let mut texts = Texts::default();
        let (one, again, other) = (texts.hold("one"), texts.hold("one"), texts.hold(""));
        assert_eq!(one, again);
        assert_eq!((texts.get(one), texts.get(other)), ("one", ""));
        texts.release(one);
        assert_eq!(texts.get(again), "one");
        texts.release(again);
        assert_eq!(texts.bytes, 0);
        let new = texts.hold("new");
        assert_eq!(new, one, "a freed number is used again");
        assert_eq!((texts.get(new), texts.get(other)), ("new", ""));
    }
}
