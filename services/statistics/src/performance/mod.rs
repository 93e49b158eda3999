//! How good predictions are, with intervals; fairness; estimates before labels come.
