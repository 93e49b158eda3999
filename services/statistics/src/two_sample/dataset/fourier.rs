//! Random Fourier features of a Gaussian kernel.

use super::random::Random;

/// Per row the cosine and the sine of its product with each random frequency, scaled so that a row's features have
/// length 1 and the product of two rows' features estimates their kernel without bias.
pub(super) struct Features {
    width: usize,
    /// By rows.
    cells: Vec<f64>,
}

impl Features {
    /// Of rows by columns, with frequencies drawn from the kernel's spectrum, N(0, 1 / bandwidth^2).
    pub fn of(columns: &[Vec<f64>], frequencies: usize, bandwidth: f64, seed: u64) -> Self {
        let mut random = Random::of(seed, 0);
        let rows = columns.first().map_or(0, Vec::len);
        let width = 2 * frequencies;
        let mut cells = vec![0.0; rows * width];
        let scale = (1.0 / frequencies as f64).sqrt();
        let mut angles = vec![0.0; rows];
        for frequency in 0..frequencies {
            angles.fill(0.0);
            for column in columns {
                let weight = random.normal() / bandwidth;
                angles.iter_mut().zip(column).for_each(|(angle, value)| *angle += weight * value);
            }
            for (row, angle) in cells.chunks_exact_mut(width).zip(&angles) {
                let (sine, cosine) = libm::sincos(*angle);
                row[2 * frequency] = scale * cosine;
                row[2 * frequency + 1] = scale * sine;
            }
        }
        Self { width, cells }
    }

    /// The features' sum over some rows.
    pub fn sum(&self, rows: impl Iterator<Item = usize>) -> Vec<f64> {
        let mut sum = vec![0.0; self.width];
        for row in rows {
            let cells = &self.cells[row * self.width..(row + 1) * self.width];
            sum.iter_mut().zip(cells).for_each(|(sum, cell)| *sum += cell);
        }
        sum
    }
}
