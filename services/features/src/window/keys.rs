//! Which slot of the state belongs to which partition key.

use std::hash::{BuildHasher, Hasher};

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::datatypes::DataType;
use arrow::row::{RowConverter, Rows as Encoded, SortField};
use hashbrown::{DefaultHashBuilder, HashTable};
use smallvec::SmallVec;

use super::Error;

/// A row's place among rows of equal time: (time, branch, offset).
pub(super) type Place = (i64, u32, i64);

/// What is known of a key besides its rows.
#[derive(Debug)]
pub(super) struct Head {
    hash: u64,
    name: SmallVec<[u8; 16]>,
    null: bool,
    /// The lane in which the key lives.
    pub(super) lane: u32,
    /// Whether a row was placed among others since the cursors moved: then they may have to go back.
    pub(super) disordered: bool,
    /// The time at which the cursors stand.
    pub(super) at: i64,
    /// What counted when the key was last touched: rows not older than this.
    pub(super) floor: i64,
    /// The greatest time of the key's rows, stored or not.
    pub(super) greatest: i64,
    /// No stored row is older.
    pub(super) oldest: i64,
    /// The greatest wanted row taken.
    pub(super) last: Option<Place>,
    /// Index among the keys touched by the current call.
    pub(super) touched: Option<u32>,
}

impl Head {
    fn is(&self, hash: u64, lane: u32, name: Option<&[u8]>) -> bool {
        self.hash == hash
            && self.lane == lane
            && self.null == name.is_none()
            && name.is_none_or(|name| name == &self.name[..])
    }
}

/// The keys that have state. Slots are numbered without gaps: the last one moves into the place of one that goes. The
/// seed of the hash changes nothing that can be seen: no order comes from the table.
#[derive(Debug, Default)]
pub(super) struct Keys {
    table: HashTable<usize>,
    heads: Vec<Head>,
    hasher: DefaultHashBuilder,
    spilled: usize,
}

impl Keys {
    pub(super) fn len(&self) -> usize {
        self.heads.len()
    }

    pub(super) fn head(&mut self, slot: usize) -> &mut Head {
        &mut self.heads[slot]
    }

    pub(super) fn heads(&self) -> &[Head] {
        &self.heads
    }

    /// The hash under which a key is looked for.
    pub(super) fn hash(&self, lane: u32, name: Option<&[u8]>) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(name.unwrap_or_default());
        hasher.write_u64(u64::from(lane) << 1 | u64::from(name.is_none()));
        hasher.finish()
    }

    /// The key's slot.
    pub(super) fn find(&self, hash: u64, lane: u32, name: Option<&[u8]>) -> Option<usize> {
        self.table.find(hash, |&slot| self.heads[slot].is(hash, lane, name)).copied()
    }

    /// Gives a key that has none a slot, the last.
    pub(super) fn insert(&mut self, hash: u64, lane: u32, name: Option<&[u8]>) -> usize {
        let slot = self.heads.len();
        let head = Head {
            hash,
            name: SmallVec::from_slice(name.unwrap_or_default()),
            null: name.is_none(),
            lane,
            disordered: false,
            at: i64::MIN,
            floor: i64::MIN,
            greatest: i64::MIN,
            oldest: i64::MAX,
            last: None,
            touched: None,
        };
        self.spilled += spilled(&head);
        self.heads.push(head);
        let heads = &self.heads;
        self.table.insert_unique(hash, slot, |&slot| heads[slot].hash);
        slot
    }

    /// Forgets a key; the last slot takes its number.
    pub(super) fn remove(&mut self, slot: usize) {
        let Some(last) = self.heads.len().checked_sub(1) else { return };
        if let Ok(found) = self.table.find_entry(self.heads[slot].hash, |&other| other == slot) {
            found.remove();
        }
        if slot != last
            && let Some(moved) = self.table.find_mut(self.heads[last].hash, |&other| other == last)
        {
            *moved = slot;
        }
        let head = self.heads.swap_remove(slot);
        self.spilled -= spilled(&head);
        if self.heads.capacity() > 4 * last + 64 {
            self.heads.shrink_to(2 * last);
            let heads = &self.heads;
            self.table.shrink_to(2 * last, |&slot| heads[slot].hash);
        }
    }

    /// Bytes on the heap.
    pub(super) fn bytes(&self) -> usize {
        self.heads.capacity() * size_of::<Head>() + self.table.allocation_size() + self.spilled
    }
}

fn spilled(head: &Head) -> usize {
    if head.name.spilled() { head.name.capacity() } else { 0 }
}

/// Turns partition columns into names of keys.
#[derive(Debug)]
pub(super) struct Namer {
    types: Vec<DataType>,
    /// `None` for one text column, which names itself, and for no column at all.
    converter: Option<RowConverter>,
}

/// The names of a batch's keys.
pub(super) enum Names {
    /// There is one key.
    Single,
    Text(StringArray),
    Encoded(Encoded),
}

impl Namer {
    pub(super) fn new(types: &[DataType]) -> Result<Self, Error> {
        let converter = match types {
            [] | [DataType::Utf8] => None,
            _ => Some(RowConverter::new(types.iter().cloned().map(SortField::new).collect())?),
        };
        Ok(Self { types: types.to_vec(), converter })
    }

    pub(super) fn names(&self, columns: &[ArrayRef]) -> Result<Names, Error> {
        if columns.len() != self.types.len() {
            return Err(Error::Columns { what: "keys", found: columns.len(), expected: self.types.len() });
        }
        for (index, (column, data_type)) in columns.iter().zip(&self.types).enumerate() {
            let found = column.data_type();
            if found != data_type {
                return Err(Error::Type {
                    what: "keys",
                    index,
                    found: found.clone(),
                    expected: data_type.clone(),
                });
            }
        }
        match (&self.converter, columns) {
            (Some(converter), _) => Ok(Names::Encoded(converter.convert_columns(columns)?)),
            (None, [column]) => Ok(Names::Text(column.as_string::<i32>().clone())),
            (None, _) => Ok(Names::Single),
        }
    }
}

impl Names {
    /// The name of a row's key; `None` is NULL.
    #[inline]
    pub(super) fn get(&self, row: usize) -> Option<&[u8]> {
        match self {
            Self::Single => Some(&[]),
            Self::Text(texts) => texts.is_valid(row).then(|| texts.value(row).as_bytes()),
            Self::Encoded(rows) => Some(rows.row(row).data()),
        }
    }
}
