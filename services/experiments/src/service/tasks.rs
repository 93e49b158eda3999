//! What the tasks of one process say of themselves to a clock beside them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The tasks of this process, by partition, with what each says.
#[derive(Debug)]
pub struct Tasks<T>(Arc<Mutex<BTreeMap<i32, (u64, T)>>>);

impl<T> Default for Tasks<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T> Clone for Tasks<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Clone + Default> Tasks<T> {
    /// A task's own place among them.
    pub fn join(&self, partition: i32) -> Watched<T> {
        let mut tasks = self.lock();
        let number = tasks.get(&partition).map_or(0, |(number, _)| number + 1);
        tasks.insert(partition, (number, T::default()));
        Watched { tasks: self.clone(), partition, number }
    }

    /// What all of them say.
    pub fn told(&self) -> BTreeMap<i32, T> {
        self.lock().iter().map(|(partition, (_, told))| (*partition, told.clone())).collect()
    }
}

impl<T> Tasks<T> {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<i32, (u64, T)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The place of one task; it leaves with the value.
#[derive(Debug)]
pub struct Watched<T> {
    tasks: Tasks<T>,
    partition: i32,
    /// A partition that comes back may have a new task before the old one is gone.
    number: u64,
}

impl<T> Watched<T> {
    /// Says where the task stands.
    pub fn tell(&self, told: T) {
        if let Some((number, known)) = self.tasks.lock().get_mut(&self.partition)
            && *number == self.number
        {
            *known = told;
        }
    }
}

impl<T> Drop for Watched<T> {
    fn drop(&mut self) {
        let mut tasks = self.tasks.lock();
        if tasks.get(&self.partition).is_some_and(|(number, _)| *number == self.number) {
            tasks.remove(&self.partition);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_that_is_gone_says_nothing_and_does_not_take_its_successor_along() {
        let tasks = Tasks::default();
        let first = tasks.join(1);
        let second = tasks.join(1);
        second.tell(7);
        first.tell(0);
        drop(first);
        assert_eq!(tasks.told(), BTreeMap::from([(1, 7)]));
        drop(second);
        assert!(tasks.told().is_empty());
    }
}
