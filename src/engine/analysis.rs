//! What a report says beyond the codes: the spectra of the dry and the decoded sound of its frame, and how far they
//! are apart.
//!
//! The decoded sound of a frame comes later than the frame, by the delay of the codec; so a report waits until then.
//! Both spectra are taken over the same samples of the input, to the sample, and so is the distortion.

use super::distortion::Distortion;
use super::report::FrameReport;
use super::spectrum::{Spectrum, WINDOW, log_spectral};
use crate::model::LatencySamples;
use std::collections::VecDeque;

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
    levels: [Vec<f32>; 2],
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
        Self {
            levels: [spectrum.make_levels(), spectrum.make_levels()],
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
        for ((kept, end), levels) in [&self.dry, &self.decoded].into_iter().zip(ends).zip(&mut self.levels) {
            let windows = kept.chunks_exact(self.length).map(|kept| &kept[end - WINDOW..end]);
            self.spectrum.levels(windows, levels);
        }
        report.spectrum = self.spectrum.bands(&self.levels[0]);
        report.decoded_spectrum = self.spectrum.bands(&self.levels[1]);
        report.distortion = Distortion::of(self.hop(&self.dry, ends[0]), self.hop(&self.decoded, ends[1]));
        report.distortion.log_spectral = log_spectral(&self.levels[0], &self.levels[1]);
        Some(report)
    }

    /// The hop before `end` of each channel.
    fn hop<'a>(&self, kept: &'a [f32], end: usize) -> impl Iterator<Item = f32> + use<'a> {
        let hop = self.hop;
        kept.chunks_exact(self.length).flat_map(move |kept| kept[end - hop..end].iter().copied())
    }
}
