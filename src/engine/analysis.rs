//! What a report says beyond the codes: the spectra of the dry and the decoded sound of its frame, and how far they
//! are apart.
//!
//! The decoded sound of a frame comes later than the frame, by the delay of the codec; so a report waits until then.
//! Both spectra are taken over the same samples of the input, to the sample, and so is the distortion. An ear listens to each channel.

use super::distortion::Distortion;
use super::report::{FrameReport, NOISE_FLOOR_DB, SPECTRUM_BANDS, band_edges_hz, band_hz};
use super::spectrum::{Spectrum, WINDOW, level, log_spectral};
use crate::masking::NoiseToMask;
use crate::model::LatencySamples;
use std::collections::VecDeque;
use std::ops::Range;

/// The last samples of both signals and the reports that wait for theirs. Costs nothing while nobody looks.
pub(super) struct Analysis {
    spectrum: Spectrum,
    hop: usize,
    /// Whole hops that a report waits.
    lag: usize,
    /// Newest decoded samples that are too new for the report that is due.
    ahead: usize,
    /// Newest samples of a report's own hop that are too new for its frame: the encoder looks ahead.
    behind: usize,
    /// Samples kept of each channel.
    length: usize,
    /// Planar, `[channels, length]`, newest last.
    dry: Vec<f32>,
    decoded: Vec<f32>,
    /// Of each bin, dry and decoded: a channel's powers, and the levels of all channels together.
    powers: [Vec<f32>; 2],
    levels: [Vec<f32>; 2],
    ears: Vec<NoiseToMask>,
    /// The ear's bands in each band of the spectrum.
    heard: [Range<usize>; SPECTRUM_BANDS],
    pending: VecDeque<FrameReport>,
    running: bool,
}

impl Analysis {
    /// For hops of `hop` samples at `sample_rate`. The frame that a step codes lags its hop by the encoder's `latency`,
    /// the decoded sound lags the frame by the decoder's.
    pub fn new(channels: usize, sample_rate: f64, hop: usize, latency: LatencySamples) -> Self {
        let spectrum = Spectrum::new(sample_rate);
        let (behind, delay) = (latency.encoder as usize, latency.decoder as usize);
        let lag = delay.div_ceil(hop);
        let length = WINDOW.max(hop) + lag * hop + behind;
        let ears: Vec<NoiseToMask> = (0..channels).map(|_| NoiseToMask::new(sample_rate, hop)).collect();
        let heard = |band| {
            let (low, high) = band_edges_hz(band);
            let within = ears.first().map_or(0..0, |ear| ear.bands_between(low.into(), high.into()));
            // Half the sample rate may lie inside.
            if f64::from(band_hz(band)) < sample_rate / 2.0 { within } else { 0..0 }
        };
        Self {
            powers: [spectrum.make_bins(), spectrum.make_bins()],
            levels: [spectrum.make_bins(), spectrum.make_bins()],
            heard: std::array::from_fn(heard),
            ears,
            spectrum,
            hop,
            lag,
            ahead: lag * hop - delay,
            behind,
            length,
            dry: vec![0.0; channels * length],
            decoded: vec![0.0; channels * length],
            pending: VecDeque::with_capacity(lag + 1),
            running: false,
        }
    }

    /// Forgets what was heard; nothing is analysed until the next [`Self::push`].
    pub fn stop(&mut self) {
        if self.running {
            self.running = false;
            self.dry.fill(0.0);
            self.decoded.fill(0.0);
            self.pending.clear();
            self.ears.iter_mut().for_each(NoiseToMask::reset);
        }
    }

    /// Takes in a frame's report and the hops of that step, `[channels, hop]`; gives the report that is complete now.
    pub fn push(&mut self, report: FrameReport, dry: &[f32], decoded: &[f32]) -> Option<FrameReport> {
        self.running = true;
        for (kept, hop) in [(&mut self.dry, dry), (&mut self.decoded, decoded)] {
            for (kept, hop) in kept.chunks_exact_mut(self.length).zip(hop.chunks_exact(self.hop)) {
                kept.copy_within(self.hop.., 0);
                kept[self.length - self.hop..].copy_from_slice(hop);
            }
        }
        self.pending.push_back(report);
        if self.pending.len() <= self.lag {
            return None;
        }
        let mut report = self.pending.pop_front()?;
        let ends = [self.length - self.lag * self.hop - self.behind, self.length - self.ahead];
        self.listen(&mut report, ends);
        report.spectrum = self.spectrum.bands(&self.levels[0]);
        report.decoded_spectrum = self.spectrum.bands(&self.levels[1]);
        report.distortion = Distortion {
            log_spectral: log_spectral(&self.levels[0], &self.levels[1]),
            noise_to_mask: report.distortion.noise_to_mask,
            ..Distortion::of(self.hop(&self.dry, ends[0]), self.hop(&self.decoded, ends[1]))
        };
        Some(report)
    }

    /// Makes the spectra of the windows before `ends` of dry and decoded, and what an ear hears of their difference.
    fn listen(&mut self, report: &mut FrameReport, ends: [usize; 2]) {
        let share = 1.0 / self.ears.len().max(1) as f32;
        self.levels.iter_mut().for_each(|levels| levels.fill(0.0));
        let mut ratios = [0.0f32; SPECTRUM_BANDS];
        let channels = self.dry.chunks_exact(self.length).zip(self.decoded.chunks_exact(self.length));
        for (ear, (dry, decoded)) in self.ears.iter_mut().zip(channels) {
            let kept = [dry, decoded].into_iter().zip(ends);
            for (((kept, end), powers), levels) in kept.zip(&mut self.powers).zip(&mut self.levels) {
                self.spectrum.powers(&kept[end - WINDOW..end], powers);
                levels.iter_mut().zip(powers).for_each(|(level, power)| *level += share * *power);
            }
            let heard = ear.frame(&self.powers[0], &self.powers[1]);
            report.distortion.noise_to_mask += share * heard.iter().sum::<f32>() / heard.len().max(1) as f32;
            for (ratio, bands) in ratios.iter_mut().zip(&self.heard) {
                *ratio += share * heard[bands.clone()].iter().copied().fold(0.0, f32::max);
            }
        }
        self.levels.iter_mut().flatten().for_each(|power| *power = level(*power));
        report.noise_to_mask = ratios.map(|ratio| (10.0 * ratio.log10()).max(NOISE_FLOOR_DB));
    }

    /// The hop before `end` of each channel.
    fn hop<'a>(&self, kept: &'a [f32], end: usize) -> impl Iterator<Item = f32> + use<'a> {
        let hop = self.hop;
        kept.chunks_exact(self.length).flat_map(move |kept| kept[end - hop..end].iter().copied())
    }
}
