//! Noise-to-mask ratio: how far what a codec got wrong stands above what the ear doesn't hear beside the sound.
//!
//! By the ear model of ITU-R BS.1387-1 (PEAQ, basic version, FFT-based): magnitudes weighted as outer and middle ear do, summed
//! in bands of a quarter of a Bark with the ear's own noise, spread over frequency and time. What masks lies 3 to
//! 6 dB below that (3.3); the noise is the difference of both weighted magnitudes (4.5, Total NMR). Full scale is
//! taken for 92 dB SPL, as there.
//!
//! Differences: windows are of 2048 samples at the signal's own rate, where the standard has 48 kHz only, and as far apart as
//! the caller says; at lower rates the bands end with the spectrum; frames of silence count.

mod bands;
mod spreading;

use bands::{Band, WIDTH_BARK, bands};
use spreading::Spreading;
use std::ops::Range;

/// Samples of the window that spectra are of, a Hann window.
pub const MASKING_WINDOW: usize = 2048;
/// Level in dB SPL that a sine of full scale is heard at (BS.1387-1, 2.1.3).
pub const FULL_SCALE_SPL_DB: f64 = 92.0;
/// Amplitude of the standard's test sine, whose frequency is between two bins, over that of one in the middle of a bin.
const BETWEEN_BINS: f64 = 0.849_717_626_412_05;
/// Time constants of the spread over time in seconds: the least, and that at 100 Hz.
const SECONDS: [f64; 2] = [0.008, 0.030];

/// The ear that listens to one channel.
pub struct NoiseToMask {
    bands: Vec<Band>,
    /// Power that the ear gives each bin, over that of a sine of full scale.
    weighting: Vec<f32>,
    /// Power of the ear's own noise in each band.
    own: Vec<f32>,
    /// What stays of a band's power from frame to frame.
    decay: Vec<f32>,
    /// The mask over the power that masks.
    offset: Vec<f32>,
    spreading: Spreading,
    /// Power of each band, as it decays.
    decayed: Vec<f32>,
    powers: Vec<f32>,
    ratios: Vec<f32>,
}

impl NoiseToMask {
    /// For a channel at `sample_rate` Hz, whose windows of [`MASKING_WINDOW`] samples start `hop` samples apart.
    pub fn new(sample_rate: f64, hop: usize) -> Self {
        let bins = MASKING_WINDOW / 2 + 1;
        let nyquist = sample_rate / 2.0;
        let bands = bands(bins, nyquist);
        let full_scale = 10f64.powf(FULL_SCALE_SPL_DB / 10.0) / BETWEEN_BINS.powi(2);
        let weight = |bin: usize| {
            let kilohertz = nyquist * bin as f64 / (bins - 1) as f64 / 1000.0;
            let db = -0.6 * quiet_db(kilohertz) + 6.5 * (-0.6 * (kilohertz - 3.3).powi(2)).exp()
                - 1e-3 * kilohertz.powf(3.6);
            (full_scale * 10f64.powf(db / 10.0)) as f32
        };
        let seconds = hop as f64 / sample_rate;
        let decay = |band: &Band| {
            let constant = SECONDS[0] + 100.0 / band.centre_hz * (SECONDS[1] - SECONDS[0]);
            (-seconds / constant).exp() as f32
        };
        let offset = |index: usize| {
            let below_db = (0.25 * index as f64 * WIDTH_BARK).max(3.0);
            10f64.powf(-below_db / 10.0) as f32
        };
        Self {
            weighting: (0..bins).map(weight).collect(),
            own: bands.iter().map(|band| 10f64.powf(0.04 * quiet_db(band.centre_hz / 1000.0)) as f32).collect(),
            decay: bands.iter().map(decay).collect(),
            offset: (0..bands.len()).map(offset).collect(),
            spreading: Spreading::new(&bands),
            decayed: vec![0.0; bands.len()],
            powers: vec![0.0; bands.len()],
            ratios: vec![0.0; bands.len()],
            bands,
        }
    }

    /// Forgets what was heard.
    pub fn reset(&mut self) {
        self.decayed.fill(0.0);
    }

    /// Noise-to-mask ratio of each band, as a ratio of powers, of the next frame: `dry` and `decoded` are the powers of each bin of its
    /// window, 1 for a sine of full scale in the middle of a bin. `[bins]` -> `[bands]`.
    pub fn frame(&mut self, dry: &[f32], decoded: &[f32]) -> &[f32] {
        for (((power, noise), band), own) in
            self.powers.iter_mut().zip(&mut self.ratios).zip(&self.bands).zip(&self.own)
        {
            let end = band.first + band.shares.len();
            let bins = dry[band.first..end].iter().zip(&decoded[band.first..end]);
            (*power, *noise) = (*own, 0.0);
            for (((dry, decoded), weight), share) in bins.zip(&self.weighting[band.first..end]).zip(&band.shares) {
                let weight = weight * share;
                *power += weight * dry;
                *noise += weight * (dry.sqrt() - decoded.sqrt()).powi(2);
            }
        }
        self.spreading.apply(&mut self.powers);
        let state = self.decayed.iter_mut().zip(&self.decay).zip(&self.offset);
        for ((ratio, power), ((decayed, decay), offset)) in self.ratios.iter_mut().zip(&self.powers).zip(state) {
            *decayed = decay * *decayed + (1.0 - decay) * power;
            *ratio /= offset * decayed.max(*power);
        }
        &self.ratios
    }

    /// The bands that meet the frequencies from `low_hz` to `high_hz`; none below 80 Hz and above 18 kHz or half the sample rate.
    pub fn bands_between(&self, low_hz: f64, high_hz: f64) -> Range<usize> {
        let start = self.bands.partition_point(|band| band.high_hz <= low_hz);
        let end = self.bands.partition_point(|band| band.low_hz < high_hz);
        start..end.max(start)
    }
}

/// Threshold in quiet, as far as the inner ear's own noise makes it: 3.64 dB at 1 kHz, more below.
fn quiet_db(kilohertz: f64) -> f64 {
    3.64 * kilohertz.powf(-0.8)
}
