//! Customers and terminals: where they are, how customers spend, and which terminals each uses.

use super::purpose::Purpose;
use super::{Country, Params};
use crate::draw::Draw;

/// The map's width and height.
const MAP: f64 = 100.0;
/// More cells a side than this gain nothing.
const MAX_CELLS: usize = 256;

/// A place on the map.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// West to east, 0 to 100.
    pub x: f64,
    /// South to north, 0 to 100.
    pub y: f64,
}

impl Point {
    fn draw(draw: &mut Draw) -> Self {
        Self { x: draw.uniform(0.0, MAP), y: draw.uniform(0.0, MAP) }
    }

    /// The distance to another place.
    pub fn distance(self, other: Point) -> f64 {
        let (dx, dy) = (self.x - other.x, self.y - other.y);
        libm::sqrt(dx * dx + dy * dy)
    }
}

/// Where a customer lives and how it spends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Customer {
    /// Where it lives.
    pub home: Point,
    /// The mean of its amounts; their standard deviation is half of it.
    pub mean_amount: f64,
    /// Its mean number of payments a day.
    pub daily_rate: f64,
    /// The country it lives in, where known.
    pub country: Option<Country>,
}

/// All customers and terminals of a stream; ids are indices.
#[derive(Debug, Clone, PartialEq)]
pub struct Profiles {
    /// The customers.
    pub customers: Vec<Customer>,
    /// Where the terminals stand.
    pub terminals: Vec<Point>,
}

impl Profiles {
    /// Draws the customers and terminals of a stream.
    pub fn draw(params: &Params) -> Self {
        let mut draw = Draw::new(params.seed, Purpose::Customers);
        let customers = (0..params.customers).map(|_| {
            let home = Point::draw(&mut draw);
            let mean_amount = draw.uniform(5.0, 100.0);
            let daily_rate = draw.uniform(0.0, 4.0);
            Customer { home, mean_amount, daily_rate, country: Country::of(home) }
        });
        let customers = customers.collect();
        let mut draw = Draw::new(params.seed, Purpose::Terminals);
        Self { customers, terminals: (0..params.terminals).map(|_| Point::draw(&mut draw)).collect() }
    }
}

/// Terminals by the cell they stand in: those near a customer are found without looking at all.
pub struct Grid<'a> {
    terminals: &'a [Point],
    radius: f64,
    side: usize,
    cells: Vec<Vec<u32>>,
}

impl<'a> Grid<'a> {
    /// A grid whose cells are at least `radius` wide.
    pub fn new(terminals: &'a [Point], radius: f64) -> Self {
        let side =
            if radius > 0.0 { (MAP / radius).clamp(1.0, MAX_CELLS as f64) as usize } else { MAX_CELLS };
        let mut cells = vec![Vec::new(); side * side];
        for (index, terminal) in (0_u32..).zip(terminals) {
            cells[cell(terminal.y, side) * side + cell(terminal.x, side)].push(index);
        }
        Self { terminals, radius, side, cells }
    }

    /// The terminals strictly nearer to `home` than the radius, ascending.
    pub fn near(&self, home: Point) -> Vec<u32> {
        let around = |v: f64| {
            let middle = cell(v, self.side);
            middle.saturating_sub(1)..(middle + 2).min(self.side)
        };
        let mut near: Vec<u32> = around(home.y)
            .flat_map(|row| around(home.x).map(move |column| row * self.side + column))
            .flat_map(|cell| self.cells[cell].iter().copied())
            .filter(|&terminal| home.distance(self.terminals[terminal as usize]) < self.radius)
            .collect();
        near.sort_unstable();
        near
    }
}

fn cell(v: f64, side: usize) -> usize {
    ((v / MAP * side as f64) as usize).min(side - 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_grid_finds_exactly_the_terminals_that_a_full_search_finds(
            seed in 0_u64..1000, radius in prop_oneof![Just(0.0), 0.01_f64..1.0, 1.0_f64..20.0, 30.0_f64..200.0],
        ) {
            let profiles = Profiles::draw(&Params { customers: 20, terminals: 500, radius, seed, ..Params::default() });
            let grid = Grid::new(&profiles.terminals, radius);
            for customer in &profiles.customers {
                let all = (0_u32..).zip(&profiles.terminals);
                let expected: Vec<u32> =
                    all.filter(|(_, t)| customer.home.distance(**t) < radius).map(|(i, _)| i).collect();
                prop_assert_eq!(grid.near(customer.home), expected);
            }
        }
    }

    #[test]
    fn customers_spend_within_the_published_ranges() {
        let profiles = Profiles::draw(&Params::default());
        assert_eq!((profiles.customers.len(), profiles.terminals.len()), (5_000, 10_000));
        for customer in &profiles.customers {
            assert!((5.0..100.0).contains(&customer.mean_amount));
            assert!((0.0..4.0).contains(&customer.daily_rate));
            assert!((0.0..100.0).contains(&customer.home.x) && (0.0..100.0).contains(&customer.home.y));
        }
    }
}
