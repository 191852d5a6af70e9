//! Log-mel distance: the mel loss of the paper, as a measure.

use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};
use std::sync::Arc;

/// Windows in samples and their numbers of mel bands.
const SCALES: [(usize, usize); 7] = [(32, 5), (64, 10), (128, 20), (256, 40), (512, 80), (1024, 160), (2048, 320)];
/// Smallest magnitude.
const FLOOR: f64 = 1e-5;

/// Mean absolute difference of log10 mel magnitudes over seven windows of 32 to 2048 samples (hop a quarter of each,
/// Hann, centred), the distance that the paper trains with. Its tables depend on the sample rate.
pub struct MelDistance {
    scales: Vec<Scale>,
}

/// A triangular band: its first bin and its weights, which sum to one.
struct Band {
    first: usize,
    weights: Vec<f64>,
}

struct Scale {
    window: usize,
    hann: Vec<f64>,
    fft: Arc<dyn RealToComplex<f64>>,
    bands: Vec<Band>,
}

fn bands(window: usize, number: usize, sample_rate: f64) -> Vec<Band> {
    let nyquist = sample_rate / 2.0;
    let highest = 2595.0 * (1.0 + nyquist / 700.0).log10();
    let edge = |index: usize| {
        let mel = highest * index as f64 / (number + 1) as f64;
        700.0 * (10f64.powf(mel / 2595.0) - 1.0)
    };
    let bins = window / 2 + 1;
    (0..number)
        .map(|band| {
            let (low, centre, high) = (edge(band), edge(band + 1), edge(band + 2));
            let weight = |bin: usize| {
                let hz = nyquist * bin as f64 / (bins - 1) as f64;
                ((hz - low) / (centre - low)).min((high - hz) / (high - centre)).max(0.0)
            };
            let weights: Vec<f64> = (0..bins).map(weight).collect();
            let sum = weights.iter().sum::<f64>().max(1e-3);
            let first = weights.iter().position(|&w| w > 0.0).unwrap_or(0);
            let end = weights.iter().rposition(|&w| w > 0.0).map_or(first, |last| last + 1);
            Band { first, weights: weights[first..end].iter().map(|w| w / sum).collect() }
        })
        .collect()
}

impl MelDistance {
    /// For signals at `sample_rate` Hz.
    pub fn new(sample_rate: u32) -> Self {
        let mut planner = RealFftPlanner::new();
        let scales = SCALES
            .iter()
            .map(|&(window, number)| Scale {
                window,
                hann: (0..window)
                    .map(|i| 0.5 - 0.5 * (std::f64::consts::TAU * i as f64 / window as f64).cos())
                    .collect(),
                fft: planner.plan_fft_forward(window),
                bands: bands(window, number, sample_rate.into()),
            })
            .collect();
        Self { scales }
    }

    /// The distance of `decoded` from `original`, over the length of the shorter one; 0 for nothing.
    pub fn distance(&self, original: &[f32], decoded: &[f32]) -> f64 {
        let length = original.len().min(decoded.len());
        if length == 0 {
            return 0.0;
        }
        let (original, decoded) = (&original[..length], &decoded[..length]);
        self.scales.iter().map(|scale| scale.distance(original, decoded)).sum::<f64>() / self.scales.len() as f64
    }
}

impl Scale {
    fn distance(&self, original: &[f32], decoded: &[f32]) -> f64 {
        let hop = self.window / 4;
        let frames = 1 + original.len() / hop;
        let (mut input, mut bins) = (self.fft.make_input_vec(), self.fft.make_output_vec());
        let mut scratch = self.fft.make_scratch_vec();
        let (mut a, mut b) = (vec![0.0; self.bands.len()], vec![0.0; self.bands.len()]);
        let mut sum = 0.0;
        for frame in 0..frames {
            for (signal, mels) in [(original, &mut a), (decoded, &mut b)] {
                self.frame(signal, frame * hop, &mut input);
                // Lengths are the plan's own, so this can't fail.
                let _ = self.fft.process_with_scratch(&mut input, &mut bins, &mut scratch);
                self.mels(&bins, mels);
            }
            sum += a.iter().zip(&b).map(|(a, b)| (a - b).abs()).sum::<f64>();
        }
        sum / (frames * self.bands.len()) as f64
    }

    /// The windowed samples around `centre`, mirrored at the ends of the signal.
    fn frame(&self, signal: &[f32], centre: usize, input: &mut [f64]) {
        let last = signal.len() as i64 - 1;
        let start = centre as i64 - self.window as i64 / 2;
        for (index, (input, weight)) in input.iter_mut().zip(&self.hann).enumerate() {
            let at = (start + index as i64).abs();
            let at = if at > last { (2 * last - at).max(0) } else { at };
            *input = f64::from(signal[at as usize]) * weight;
        }
    }

    fn mels(&self, bins: &[Complex<f64>], mels: &mut [f64]) {
        let scale = 4.0 / self.window as f64;
        for (mel, band) in mels.iter_mut().zip(&self.bands) {
            let bins = bins[band.first..].iter().zip(&band.weights);
            let magnitude: f64 = bins.map(|(bin, weight)| bin.norm() * scale * weight).sum();
            *mel = magnitude.max(FLOOR).log10();
        }
    }
}
