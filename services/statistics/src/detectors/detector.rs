//! A detector: parameters and state.

use super::bytes::{Codec, Reader, Writer, checksum};
use super::running::Running;
use super::scale::Standard;
use super::{Error, Input, NAMES, Parameters, Scale};

/// What a detector says of the value it has just taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signal {
    /// Nothing.
    None,
    /// A change may be under way.
    Warning,
    /// A change; the detector starts afresh with the next value.
    Drift,
}

impl Signal {
    /// The gravest confidence that is exceeded.
    pub(super) fn of(beyond: impl Fn(f64) -> bool, drift: f64, warning: f64) -> Self {
        if beyond(drift) {
            Self::Drift
        } else if beyond(warning) {
            Self::Warning
        } else {
            Self::None
        }
    }
}

/// A change detector.
#[derive(Debug, Clone, PartialEq)]
pub struct Detector {
    observed: u64,
    standard: Standard,
    running: Running,
}

/// Begins every saved state; the last byte is the version.
const MAGIC: u64 = u64::from_le_bytes(*b"MRDETEC\x01");

impl Detector {
    /// A detector that has seen nothing.
    ///
    /// # Errors
    /// A parameter is out of its range.
    pub fn new(parameters: Parameters) -> Result<Self, Error> {
        parameters.validate()?;
        Ok(Self { observed: 0, standard: Standard::default(), running: Running::new(parameters) })
    }

    /// Takes the next value.
    ///
    /// # Errors
    /// The value does not keep the contract of [`Detector::input`]; it is not taken.
    pub fn update(&mut self, value: f64) -> Result<Signal, Error> {
        let (detector, input) = (self.name(), self.input());
        if !input.takes(value) {
            return Err(Error::Value { detector, input, value, index: self.observed });
        }
        self.observed = self.observed.saturating_add(1);
        // -0 is 0 to everything but sorting.
        let Some(value) = self.standard.apply(self.parameters().scale(), value + 0.0) else {
            return Ok(Signal::None);
        };
        let signal = self.running.update(value);
        if signal == Signal::Drift {
            self.running = Running::new(self.running.parameters());
            self.standard = Standard::default();
        }
        Ok(signal)
    }

    /// The detector's name, one of [`NAMES`].
    pub fn name(&self) -> &'static str {
        self.parameters().name()
    }

    /// Which values it takes.
    pub fn input(&self) -> Input {
        self.parameters().input()
    }

    /// The parameters it was made with.
    pub fn parameters(&self) -> Parameters {
        self.running.parameters()
    }

    /// How many values it has taken.
    pub fn observed(&self) -> u64 {
        self.observed
    }

    /// The whole detector, parameters included: 64-bit fields, little-endian, closed by a checksum.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        let mut place = NAMES.iter().position(|name| *name == self.name()).unwrap_or_default() as u64;
        let written = writer
            .word(&mut { MAGIC })
            .and_then(|()| writer.word(&mut place))
            .and_then(|()| self.parameters().visit(&mut writer))
            .and_then(|()| self.clone().visit(&mut writer));
        debug_assert_eq!(written, Ok(()), "writing to memory does not fail");
        let mut bytes = writer.0;
        bytes.extend_from_slice(&checksum(&bytes).to_le_bytes());
        bytes
    }

    /// The detector that [`Detector::to_bytes`] saved; it continues bit for bit.
    ///
    /// # Errors
    /// The bytes are cut off, changed, or of another version.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let state = |reason| Error::State { reason };
        let (body, sum) = bytes.split_last_chunk().ok_or(state("it ends too early"))?;
        if checksum(body) != u64::from_le_bytes(*sum) {
            return Err(state("its checksum does not fit"));
        }
        let mut reader = Reader(body);
        let (mut magic, mut place) = (0, 0);
        reader.word(&mut magic)?;
        if magic != MAGIC {
            return Err(state("it is of another kind or version"));
        }
        reader.word(&mut place)?;
        let name = usize::try_from(place).ok().and_then(|place| NAMES.get(place));
        let mut parameters = Parameters::calibrated(name.ok_or(state("it is of an unknown detector"))?)?;
        parameters.visit(&mut reader)?;
        let mut detector = Self::new(parameters)?;
        detector.visit(&mut reader)?;
        if reader.0.is_empty() { Ok(detector) } else { Err(state("it goes on after its end")) }
    }

    fn visit(&mut self, codec: &mut dyn Codec) -> Result<(), Error> {
        codec.word(&mut self.observed)?;
        self.standard.visit(codec)?;
        self.running.visit(codec)
    }
}

impl Parameters {
    fn scale(&self) -> Scale {
        match self {
            Self::Adwin(p) => p.scale,
            Self::PageHinkley(p) => p.scale,
            Self::Cusum(p) => p.scale,
            Self::Ddm(_) | Self::Eddm(_) | Self::HddmA(_) | Self::HddmW(_) | Self::Kswin(_) => Scale::None,
        }
    }

    fn visit(&mut self, codec: &mut dyn Codec) -> Result<(), Error> {
        self.fields().into_iter().try_for_each(|(_, mut field)| field.visit(codec))
    }
}
