//! Spectra for the view, and the log-spectral distance between two of them.

use super::distortion::LOG_SPECTRAL_FLOOR_DB;
use super::report::{SPECTRUM_BANDS, SPECTRUM_FLOOR_DB, band_hz};
use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};
use std::sync::Arc;

/// Samples of the analysis window: long enough to part the harmonics of a voice.
pub(super) const WINDOW: usize = 2048;

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
        let edge = |band: usize| (band_hz(band) * band_hz(band + 1)).sqrt();
        let bands = std::array::from_fn(|band| {
            let low = if band == 0 { band_hz(0) } else { edge(band - 1) };
            let (low, high) = (bin(low).clamp(1, last), bin(edge(band)).clamp(1, last));
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

    /// Room for what [`Self::levels`] writes.
    pub fn make_levels(&self) -> Vec<f32> {
        vec![SPECTRUM_FLOOR_DB; self.bins.len()]
    }

    /// Writes the level of each bin in dB re a full-scale sine, power averaged over `channels` windows of [`WINDOW`]
    /// samples.
    pub fn levels<'a>(&mut self, channels: impl ExactSizeIterator<Item = &'a [f32]>, levels: &mut [f32]) {
        let share = 1.0 / channels.len().max(1) as f32;
        levels.fill(0.0);
        for samples in channels {
            for ((input, sample), window) in self.input.iter_mut().zip(samples).zip(&self.window) {
                *input = sample * window;
            }
            // Lengths are the plan's own, so this can't fail.
            let _ = self.fft.process_with_scratch(&mut self.input, &mut self.bins, &mut self.scratch);
            for (power, bin) in levels.iter_mut().zip(&self.bins) {
                *power += bin.norm_sqr() * share;
            }
        }
        for level in levels {
            *level = (10.0 * (*level + 1e-12).log10()).max(SPECTRUM_FLOOR_DB);
        }
    }

    /// Level of the strongest bin of each band.
    pub fn bands(&self, levels: &[f32]) -> [f32; SPECTRUM_BANDS] {
        let strongest =
            |(low, high): (usize, usize)| levels[low..=high].iter().copied().fold(SPECTRUM_FLOOR_DB, f32::max);
        self.bands.map(|band| band.map_or(SPECTRUM_FLOOR_DB, strongest))
    }
}

/// Log-spectral distance of two spectra in dB: see [`super::Distortion::log_spectral`].
pub(super) fn log_spectral(one: &[f32], other: &[f32]) -> f32 {
    let square =
        |(one, other): (&f32, &f32)| (one.max(LOG_SPECTRAL_FLOOR_DB) - other.max(LOG_SPECTRAL_FLOOR_DB)).powi(2);
    (one.iter().zip(other).map(square).sum::<f32>() / one.len().max(1) as f32).sqrt()
}
