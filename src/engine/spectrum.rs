//! The input spectrum that goes with each frame, for the view.

use super::report::{SPECTRUM_BANDS, SPECTRUM_FLOOR_DB, band_hz};
use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};
use std::sync::Arc;

/// Samples of the analysis window: long enough to part the harmonics of a voice.
const WINDOW: usize = 2048;

/// Sliding Hann-windowed spectrum in log-spaced bands.
pub(super) struct Spectrum {
    fft: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    /// The last [`WINDOW`] samples of each channel.
    history: Vec<Vec<f32>>,
    input: Vec<f32>,
    bins: Vec<Complex<f32>>,
    scratch: Vec<Complex<f32>>,
    power: Vec<f32>,
    /// First and last (inclusive) bin of each band.
    bands: [(usize, usize); SPECTRUM_BANDS],
}

impl Spectrum {
    pub fn new(channels: usize, sample_rate: f64) -> Self {
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
            (low, high.saturating_sub(1).max(low))
        });
        Self {
            input: fft.make_input_vec(),
            bins: fft.make_output_vec(),
            scratch: fft.make_scratch_vec(),
            power: vec![0.0; last + 1],
            history: vec![vec![0.0; WINDOW]; channels],
            fft,
            window,
            bands,
        }
    }

    /// Takes in the next hop, `[channels, hop]`.
    pub fn push(&mut self, hop: &[f32]) {
        let length = hop.len() / self.history.len();
        for (history, hop) in self.history.iter_mut().zip(hop.chunks_exact(length)) {
            if length >= WINDOW {
                history.copy_from_slice(&hop[length - WINDOW..]);
            } else {
                history.copy_within(length.., 0);
                history[WINDOW - length..].copy_from_slice(hop);
            }
        }
    }

    /// Level of each band in dB re a full-scale sine, power averaged over the channels.
    pub fn bands(&mut self) -> [f32; SPECTRUM_BANDS] {
        self.power.fill(0.0);
        for history in &self.history {
            for ((input, sample), window) in self.input.iter_mut().zip(history).zip(&self.window) {
                *input = sample * window;
            }
            // Lengths are the plan's own, so this can't fail.
            let _ = self.fft.process_with_scratch(&mut self.input, &mut self.bins, &mut self.scratch);
            for (power, bin) in self.power.iter_mut().zip(&self.bins) {
                *power += bin.norm_sqr() / self.history.len() as f32;
            }
        }
        self.bands.map(|(low, high)| {
            let strongest = self.power[low..=high].iter().copied().fold(0.0, f32::max);
            (10.0 * (strongest + 1e-12).log10()).max(SPECTRUM_FLOOR_DB)
        })
    }
}
