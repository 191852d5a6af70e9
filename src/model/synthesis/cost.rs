//! How far a spectrum is from the one that it stands for.

use std::ops::Range;

/// Power of the envelope that weighs the error.
const EXPONENT: f32 = 0.3;
/// Power of the density of auditory bands that weighs it.
const DENSITY: f32 = 0.5;
/// Share of the bands' levels in the cost: at one codebook, and at more.
const LEVELS: [f32; 2] = [0.03, 0.05];
/// Auditory bands whose levels are compared.
const BANDS: usize = 20;
/// The envelope is a mean over about this share of each frequency, at least two bins each way, and over so many frames.
const SPREAD: f32 = 0.15;
const LEAST_BINS: f32 = 2.0;
const FRAMES: usize = 3;
/// Power of a bin below which nothing is told apart, of full scale 1.
const FLOOR: f32 = 1e-7;

/// What the errors of a model's spectrum weigh.
pub struct Scale {
    /// Of each bin, `[hop]`.
    density: Vec<f32>,
    /// Bins that a bin's envelope is the mean of.
    around: Vec<Range<usize>>,
    /// Whose levels are compared.
    pub bands: Vec<Range<usize>>,
}

impl Scale {
    pub fn new(hop: usize, sample_rate: u32) -> Self {
        // Equivalent rectangular bandwidth (Glasberg and Moore 1990).
        let density = |bin: usize| {
            let kilohertz = (bin as f64 + 0.5) / hop as f64 * f64::from(sample_rate) / 2000.0;
            1.0 / (4.37 * kilohertz + 1.0)
        };
        let all: f64 = (0..hop).map(density).sum();
        let mut sum = 0.0;
        let mut bands = vec![0..0; BANDS];
        for bin in 0..hop {
            sum += density(bin);
            let band = ((sum / all * BANDS as f64) as usize).min(BANDS - 1);
            if bands[band].is_empty() {
                bands[band] = bin..bin;
            }
            bands[band].end = bin + 1;
        }
        bands.retain(|band| !band.is_empty());
        let around = (0..hop).map(|bin| {
            let half = (bin as f32 * SPREAD / 2.0 + LEAST_BINS) as usize;
            bin.saturating_sub(half)..(bin + half + 1).min(hop)
        });
        Self {
            density: (0..hop).map(|bin| ((density(bin) / density(0)) as f32).powf(DENSITY)).collect(),
            around: around.collect(),
            bands,
        }
    }

    /// Logarithm of the power in a band.
    pub fn level(spectrum: &[f32], band: &Range<usize>) -> f32 {
        (spectrum[band.clone()].iter().map(|x| x * x).sum::<f32>() + FLOOR).ln()
    }
}

/// Share of the bands' levels in the cost, where so many codebooks are used.
pub fn level_share(count: u8) -> f32 {
    LEVELS[usize::from(count > 1)]
}

/// What a channel's frames so far leave for the next one.
#[derive(Clone, Default)]
pub struct Channel {
    /// Envelopes of the last frames.
    envelopes: [Vec<f32>; FRAMES],
    frames: usize,
    /// Of the squared error of each bin of the next frame, `[hop]`.
    pub weights: Vec<f32>,
    /// Of the next frame's bands: logarithms of power, `[bands]`.
    pub levels: Vec<f32>,
}

impl Channel {
    /// The next frame is to sound like `target`.
    pub fn aim(&mut self, target: &[f32], scale: &Scale) {
        let mut sums = vec![0.0f64; target.len() + 1];
        for (bin, x) in target.iter().enumerate() {
            sums[bin + 1] = sums[bin] + f64::from(x * x);
        }
        let smooth = |around: &Range<usize>| ((sums[around.end] - sums[around.start]) / around.len() as f64) as f32;
        let envelope: Vec<f32> = scale.around.iter().map(smooth).collect();
        if self.frames == 0 {
            self.envelopes = std::array::from_fn(|_| envelope.clone());
        } else {
            self.envelopes[self.frames % FRAMES] = envelope;
        }
        self.frames += 1;
        let weight = |(bin, density): (usize, &f32)| {
            let mean = self.envelopes.iter().map(|envelope| envelope[bin]).sum::<f32>() / FRAMES as f32;
            (mean.max(0.0) + FLOOR).powf(-EXPONENT) * density
        };
        self.weights = scale.density.iter().enumerate().map(weight).collect();
        self.levels = scale.bands.iter().map(|band| Scale::level(target, band)).collect();
    }

    /// What `spectrum` in place of `target` costs, at a count.
    pub fn cost(&self, target: &[f32], spectrum: &[f32], count: u8, scale: &Scale) -> f32 {
        let errors = target.iter().zip(spectrum).zip(&self.weights).map(|((x, y), weight)| (y - x) * (y - x) * weight);
        let off = scale.bands.iter().zip(&self.levels).map(|(band, level)| Scale::level(spectrum, band) - level);
        let off = off.map(|off| off * off).sum::<f32>() / scale.bands.len() as f32;
        (errors.sum::<f32>() + 1e-12).ln() + level_share(count) * off
    }
}
