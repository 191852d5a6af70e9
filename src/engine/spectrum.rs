//! Spectra for the view, and the log-spectral distance between two of them.

use super::distortion::LOG_SPECTRAL_FLOOR_DB;
use super::report::{SPECTRUM_BANDS, SPECTRUM_FLOOR_DB, band_edges_hz, band_hz};
use crate::masking::MASKING_WINDOW;
use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};
use std::sync::Arc;

/// Samples of the analysis window: long enough to part the harmonics of a voice, and what the ear model asks for.
pub(super) const WINDOW: usize = MASKING_WINDOW;

/// Hann-windowed spectra in log-spaced bands.
pub(super) struct Spectrum {
    fft: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    input: Vec<f32>,
    bins: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    /// First and last (inclusive) bin of each band; bands above half the sample rate have none.
    bands: [Option<(usize, usize)>; SPECTRUM_BANDS],
}

impl Spectrum {
    pub fn new(sample_rate: f64) -> Self {
        let fft = RealFftPlanner::new().plan_fft_forward(WINDOW);
        let hann = |i: usize| 0.5 - 0.5 * (std::f32::consts::TAU * i as f32 / WINDOW as f32).cos();
        // A full-scale sine comes out as 0 dB: the window's mean is 1/2, a sine's line holds half its amplitude.
        let window = (0..WINDOW).map(|i| hann(i) * 4.0 / WINDOW as f32).collect();
        let bin = |hz: f32| (hz * WINDOW as f32 / sample_rate as f32).round() as usize;
        let last = WINDOW / 2;
        let bands = std::array::from_fn(|band| {
            let (low, high) = band_edges_hz(band);
            let (low, high) = (bin(low).clamp(1, last), bin(high).clamp(1, last));
            (band_hz(band) < sample_rate as f32 / 2.0).then(|| (low, high.saturating_sub(1).max(low)))
        });
        Self {
            input: fft.make_input_vec(),
            bins: fft.make_output_vec(),
            scratch: fft.make_scratch_vec(),
            fft,
            window,
            bands,
        }
    }

    /// Room for the bins of a spectrum.
    pub fn make_bins(&self) -> Vec<f32> {
        vec![0.0; self.bins.len()]
    }

    /// Writes the power of each bin of a window of [`WINDOW`] samples, 1 for a full-scale sine.
    pub fn powers(&mut self, samples: &[f32], powers: &mut [f32]) {
        for ((input, sample), window) in self.input.iter_mut().zip(samples).zip(&self.window) {
            *input = sample * window;
        }
        // Lengths are the plan's own, so this can't fail.
        let _ = self.fft.process_with_scratch(&mut self.input, &mut self.bins, &mut self.scratch);
        for (power, bin) in powers.iter_mut().zip(&self.bins) {
            *power = bin.norm_sqr();
        }
    }

    /// Level of the strongest bin of each band.
    pub fn bands(&self, levels: &[f32]) -> [f32; SPECTRUM_BANDS] {
        let strongest =
            |(low, high): (usize, usize)| levels[low..=high].iter().copied().fold(SPECTRUM_FLOOR_DB, f32::max);
        self.bands.map(|band| band.map_or(SPECTRUM_FLOOR_DB, strongest))
    }
}

/// Level in dB of a power, 0 for a full-scale sine.
pub(super) fn level(power: f32) -> f32 {
    (10.0 * (power + 1e-12).log10()).max(SPECTRUM_FLOOR_DB)
}

/// Log-spectral distance of two spectra in dB: see [`super::Distortion::log_spectral`].
pub(super) fn log_spectral(one: &[f32], other: &[f32]) -> f32 {
    let square =
        |(one, other): (&f32, &f32)| (one.max(LOG_SPECTRAL_FLOOR_DB) - other.max(LOG_SPECTRAL_FLOOR_DB)).powi(2);
    (one.iter().zip(other).map(square).sum::<f32>() / one.len().max(1) as f32).sqrt()
}
