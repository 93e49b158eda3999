//! Durbin's matrix formula as evaluated by Marsaglia, Tsang and Wang (2003).

/// A square matrix times 2^`exponent`, by rows.
struct Matrix {
    size: usize,
    cells: Vec<f64>,
    exponent: i32,
}

/// P(D <= d) of `n` rows, exact; time grows with (n d)^3 log n.
pub(super) fn cdf(d: f64, n: u64) -> f64 {
    let t = n as f64 * d;
    let k = t.ceil() as usize;
    let h = k as f64 - t;
    let power = raise(step_matrix(2 * k - 1, h), n);
    let mut probability = power.cells[(k - 1) * power.size + k - 1];
    let mut exponent = power.exponent;
    for i in 1..=n {
        probability *= i as f64 / n as f64;
        if probability < 1e-140 {
            probability = libm::ldexp(probability, 512);
            exponent -= 512;
        }
    }
    libm::ldexp(probability, exponent)
}

/// The transition matrix: ones over factorials, corrected in the first column and the last row by powers of `h`.
fn step_matrix(size: usize, h: f64) -> Matrix {
    let mut inverse_factorial = vec![1.0; size + 1];
    for i in 1..=size {
        inverse_factorial[i] = inverse_factorial[i - 1] / i as f64;
    }
    let mut cells = vec![0.0; size * size];
    for row in 0..size {
        for column in 0..size.min(row + 2) {
            cells[row * size + column] = inverse_factorial[row + 1 - column];
        }
    }
    let power = |exponent: usize| libm::pow(h, exponent as f64);
    for i in 0..size {
        cells[i * size] -= power(i + 1) * inverse_factorial[i + 1];
        cells[(size - 1) * size + i] -= power(size - i) * inverse_factorial[size - i];
    }
    if h > 0.5 {
        cells[(size - 1) * size] += libm::pow(2.0 * h - 1.0, size as f64) * inverse_factorial[size];
    }
    Matrix { size, cells, exponent: 0 }
}

/// The `n`-th power, n >= 1, by repeated squaring.
fn raise(mut base: Matrix, mut n: u64) -> Matrix {
    let mut result: Option<Matrix> = None;
    loop {
        if n % 2 == 1 {
            result = Some(match result {
                Some(product) => multiply(&product, &base),
                None => Matrix { size: base.size, cells: base.cells.clone(), exponent: base.exponent },
            });
        }
        n /= 2;
        if n == 0 {
            break;
        }
        base = multiply(&base, &base);
    }
    result.unwrap_or(base)
}

fn multiply(a: &Matrix, b: &Matrix) -> Matrix {
    let size = a.size;
    let mut cells = vec![0.0; size * size];
    for (row, out) in a.cells.chunks_exact(size).zip(cells.chunks_exact_mut(size)) {
        for (factor, line) in row.iter().zip(b.cells.chunks_exact(size)) {
            for (cell, value) in out.iter_mut().zip(line) {
                *cell += factor * value;
            }
        }
    }
    let mut exponent = a.exponent + b.exponent;
    let middle = (size / 2) * size + size / 2;
    if cells[middle] > 1e140 {
        cells.iter_mut().for_each(|cell| *cell = libm::ldexp(*cell, -512));
        exponent += 512;
    }
    Matrix { size, cells, exponent }
}
