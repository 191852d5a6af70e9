//! Rate-distortion curves of a model: what a bitrate buys in variable and in constant bitrate.

use serde::{Deserialize, Serialize};

/// A point of a curve: means over what it was measured on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// The level of variable bitrate, or the number of codebooks of constant bitrate.
    pub setting: f32,
    /// Bitrate in kb/s of one channel.
    pub kilobits: f64,
    /// Scale-invariant signal-to-distortion ratio in dB.
    pub si_sdr_db: f64,
    /// Log-spectral distance in dB, where it was measured.
    #[serde(default)]
    pub log_spectral_db: Option<f64>,
    /// Noise-to-mask ratio in dB, where it was measured.
    #[serde(default)]
    pub noise_to_mask_db: Option<f64>,
}

/// Curves of one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Curves {
    /// The model that was measured: see [`super::Model::fingerprint`].
    pub fingerprint: String,
    /// What it was measured on, in words.
    pub measured_on: String,
    /// Variable bitrate, lowest level first.
    pub vbr: Vec<CurvePoint>,
    /// Constant bitrate, fewest codebooks first.
    pub cbr: Vec<CurvePoint>,
}

impl Curves {
    /// Reads curves; `None` where they are of another model or hold no finite points.
    pub(super) fn of(fingerprint: &str, json: &[u8]) -> Option<Self> {
        let curves: Self = serde_json::from_slice(json).ok()?;
        let finite = |point: &CurvePoint| {
            let optional = [point.log_spectral_db, point.noise_to_mask_db].map(Option::unwrap_or_default);
            [point.kilobits, point.si_sdr_db].iter().chain(&optional).all(|value| value.is_finite())
        };
        let sound = curves.fingerprint == fingerprint && curves.vbr.iter().chain(&curves.cbr).all(finite);
        sound.then_some(curves)
    }
}
