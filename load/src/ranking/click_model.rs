//! How users click.

use std::str::FromStr;

use crate::draw::Draw;

/// A user reads from the top, clicks an item by its grade of relevance (0, 1 or 2), and leaves after a click with a
/// probability that depends on the grade, too: the dependent click model (Guo, Liu and Wang, 2009), with the users of
/// Hofmann, Whiteson and de Rijke (2011).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClickModel {
    /// Clicks what is relevant, and reads on.
    Perfect,
    /// Looks for one item, and leaves.
    Navigational,
    /// Clicks much, and leaves seldom.
    Informational,
}

/// What a user did with a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Positions clicked, from 0, ascending.
    pub clicked: Vec<usize>,
    /// How many positions were read.
    pub read: usize,
}

impl ClickModel {
    /// All of them, by name.
    pub const ALL: [(&'static str, Self); 3] = [
        ("perfect", Self::Perfect),
        ("navigational", Self::Navigational),
        ("informational", Self::Informational),
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, model)| *model == self).map_or("", |(name, _)| name)
    }

    /// Probabilities of a click, and of leaving after it, by grade.
    fn chances(self) -> ([f64; 3], [f64; 3]) {
        match self {
            Self::Perfect => ([0.0, 0.5, 1.0], [0.0, 0.0, 0.0]),
            Self::Navigational => ([0.05, 0.5, 0.95], [0.2, 0.5, 0.9]),
            Self::Informational => ([0.4, 0.7, 0.9], [0.1, 0.3, 0.5]),
        }
    }

    /// Reads a page of items of these grades.
    pub fn read(self, grades: &[usize], draw: &mut Draw) -> Reading {
        let (click, leave) = self.chances();
        let mut clicked = Vec::new();
        for (position, grade) in grades.iter().map(|grade| (*grade).min(2)).enumerate() {
            if draw.chance(click[grade]) {
                clicked.push(position);
                if draw.chance(leave[grade]) {
                    return Reading { clicked, read: position + 1 };
                }
            }
        }
        Reading { clicked, read: grades.len() }
    }
}

impl FromStr for ClickModel {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, model)| *model);
        found.ok_or_else(|| format!("no click model is named `{name}`: perfect, navigational, informational"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_click_and_leave_as_often_as_the_model_says() {
        for (name, model) in ClickModel::ALL {
            let (click, leave) = model.chances();
            let mut draw = Draw::new(1, 1_u64);
            for grade in 0..3 {
                let readings: Vec<Reading> =
                    (0..20_000).map(|_| model.read(&[grade, grade], &mut draw)).collect();
                let first = readings.iter().filter(|reading| reading.clicked.first() == Some(&0)).count();
                let left = readings.iter().filter(|reading| reading.read == 1).count();
                let share = |n: usize| n as f64 / 20_000.0;
                assert!((share(first) - click[grade]).abs() < 0.02, "{name} {grade}: {first}");
                assert!((share(left) - click[grade] * leave[grade]).abs() < 0.02, "{name} {grade}: {left}");
            }
            assert_eq!(name.parse(), Ok(model));
        }
    }
}
