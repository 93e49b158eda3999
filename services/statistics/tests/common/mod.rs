//! Samples that `golden/recipes.py` makes alike, and golden files.
#![allow(dead_code)]

use serde_json::Value;

/// The golden file of that name.
pub fn golden(text: &str) -> Value {
    serde_json::from_str(text).expect("the golden file is JSON")
}

/// A list of numbers.
pub fn floats(value: &Value) -> Vec<f64> {
    let items = value.as_array().unwrap_or_else(|| panic!("{value} is a list"));
    items.iter().map(|v| v.as_f64().unwrap_or_else(|| panic!("{v} is a number"))).collect()
}

/// A list of counts.
pub fn counts(value: &Value) -> Vec<u64> {
    value.as_array().expect("a list").iter().map(|v| v.as_u64().expect("a count")).collect()
}

/// The draws of the script.
pub struct Random(millrace_statistics::random::Random);

impl Random {
    /// Of a seed.
    pub fn of(seed: u64) -> Self {
        Self(millrace_statistics::random::Random::of(seed))
    }

    /// In [0, 1).
    pub fn uniform(&mut self) -> f64 {
        self.0.uniform()
    }

    /// In 0..n.
    pub fn below(&mut self, n: u64) -> u64 {
        (self.uniform() * n as f64) as u64
    }

    /// Nearly normal: four uniforms, mean 0, standard deviation 1 / sqrt(3).
    pub fn bell(&mut self) -> f64 {
        let u = [(); 4].map(|()| self.uniform());
        ((u[0] + u[1]) + (u[2] + u[3])) - 2.0
    }
}

/// The values of a recipe.
pub fn sample(recipe: &Value) -> Vec<f64> {
    let shape = recipe["shape"].as_str().expect("a shape");
    if shape == "values" {
        return floats(&recipe["values"]);
    }
    let number = |key: &str, default: f64| recipe[key].as_f64().unwrap_or(default);
    let (scale, shift) = (number("scale", 1.0), number("shift", 0.0));
    let mut random = Random::of(recipe["seed"].as_u64().expect("a seed"));
    let rows = recipe["n"].as_u64().expect("a size");
    (0..rows).map(|_| base(shape, [(); 4].map(|()| random.uniform())) * scale + shift).collect()
}

fn base(shape: &str, u: [f64; 4]) -> f64 {
    match shape {
        "uniform" => u[0],
        "bell" => ((u[0] + u[1]) + (u[2] + u[3])) - 2.0,
        "heavy" => 1.0 / (1.0 - u[0]),
        "integers" => (u[0] * 7.0).floor(),
        "binary" => f64::from(u8::from(u[0] < 0.3)),
        "constant" => 0.0,
        other => panic!("no shape is named {other}"),
    }
}

/// The statistic's tolerance: 1e-10, relative above 1.
pub fn same_statistic(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= 1e-10 * expected.abs().max(1.0)
}

/// The p-value's tolerance: 1e-8 absolute, and 1e-6 relative.
pub fn same_p_value(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= 1e-8 && (found - expected).abs() <= 1e-6 * expected + 1e-300
}
