//! Which detector runs: its parameters beside its state.

use super::bytes::Codec;
use super::{Adwin, Cusum, Ddm, Eddm, HddmA, HddmW, Kswin, PageHinkley};
use super::{Error, Parameters, Signal};
use super::{adwin, cusum, ddm, eddm, hddm_a, hddm_w, kswin, page_hinkley};

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Running {
    Adwin(Adwin, adwin::State),
    Ddm(Ddm, ddm::State),
    Eddm(Eddm, eddm::State),
    HddmA(HddmA, hddm_a::State),
    HddmW(HddmW, hddm_w::State),
    PageHinkley(PageHinkley, page_hinkley::State),
    Kswin(Kswin, Box<kswin::State>),
    Cusum(Cusum, cusum::State),
}

impl Running {
    /// One that has seen nothing; the parameters are valid.
    pub fn new(parameters: Parameters) -> Self {
        match parameters {
            Parameters::Adwin(p) => Self::Adwin(p, adwin::State::default()),
            Parameters::Ddm(p) => Self::Ddm(p, ddm::State::new()),
            Parameters::Eddm(p) => Self::Eddm(p, eddm::State::default()),
            Parameters::HddmA(p) => Self::HddmA(p, hddm_a::State::default()),
            Parameters::HddmW(p) => Self::HddmW(p, hddm_w::State::new()),
            Parameters::PageHinkley(p) => Self::PageHinkley(p, page_hinkley::State::new()),
            Parameters::Kswin(p) => Self::Kswin(p, Box::new(kswin::State::new(&p))),
            Parameters::Cusum(p) => Self::Cusum(p, cusum::State::default()),
        }
    }

    pub fn parameters(&self) -> Parameters {
        match self {
            Self::Adwin(p, _) => Parameters::Adwin(*p),
            Self::Ddm(p, _) => Parameters::Ddm(*p),
            Self::Eddm(p, _) => Parameters::Eddm(*p),
            Self::HddmA(p, _) => Parameters::HddmA(*p),
            Self::HddmW(p, _) => Parameters::HddmW(*p),
            Self::PageHinkley(p, _) => Parameters::PageHinkley(*p),
            Self::Kswin(p, _) => Parameters::Kswin(*p),
            Self::Cusum(p, _) => Parameters::Cusum(*p),
        }
    }

    pub fn update(&mut self, value: f64) -> Signal {
        match self {
            Self::Adwin(p, state) => state.update(p, value),
            Self::Ddm(p, state) => state.update(p, value),
            Self::Eddm(p, state) => state.update(p, value),
            Self::HddmA(p, state) => state.update(p, value),
            Self::HddmW(p, state) => state.update(p, value),
            Self::PageHinkley(p, state) => state.update(p, value),
            Self::Kswin(p, state) => state.update(p, value),
            Self::Cusum(p, state) => state.update(p, value),
        }
    }

    /// Passes over the state; the parameters stay.
    pub fn visit(&mut self, codec: &mut dyn Codec) -> Result<(), Error> {
        match self {
            Self::Adwin(p, state) => state.visit(p, codec),
            Self::Ddm(_, state) => state.visit(codec),
            Self::Eddm(_, state) => state.visit(codec),
            Self::HddmA(_, state) => state.visit(codec),
            Self::HddmW(_, state) => state.visit(codec),
            Self::PageHinkley(_, state) => state.visit(codec),
            Self::Kswin(p, state) => state.visit(p, codec),
            Self::Cusum(_, state) => state.visit(codec),
        }
    }
}
