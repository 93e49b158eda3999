//! Which country a customer lives in, for segments; no input of a model.

use super::profiles::Point;

/// How near a border a customer's country is not known.
const BORDER: f64 = 1.0;

/// A quarter of the map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Country {
    /// North-west.
    Gb,
    /// North-east.
    De,
    /// South-west.
    Fr,
    /// South-east.
    It,
}

impl Country {
    /// The quarter that a point lies in; `None` within 1 of a border between quarters (4 % of the customers), so that
    /// a stream has the missing values that real ones have.
    pub fn of(home: Point) -> Option<Self> {
        let (east, north) = (home.x - 50.0, home.y - 50.0);
        if east.abs() < BORDER || north.abs() < BORDER {
            return None;
        }
        Some(match (east > 0.0, north > 0.0) {
            (false, true) => Country::Gb,
            (true, true) => Country::De,
            (false, false) => Country::Fr,
            (true, false) => Country::It,
        })
    }

    /// The code of ISO 3166-1.
    pub fn code(self) -> &'static str {
        match self {
            Country::Gb => "GB",
            Country::De => "DE",
            Country::Fr => "FR",
            Country::It => "IT",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_is_a_country_and_a_border_is_none() {
        let of = |x, y| Country::of(Point { x, y }).map(Country::code);
        assert_eq!(of(10.0, 90.0), Some("GB"));
        assert_eq!(of(90.0, 90.0), Some("DE"));
        assert_eq!(of(48.9, 0.0), Some("FR"));
        assert_eq!(of(99.0, 1.0), Some("IT"));
        assert_eq!(of(50.5, 10.0), None);
        assert_eq!(of(10.0, 49.5), None);
    }
}
