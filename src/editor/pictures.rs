//! The map's textures: from the reports of a column's frames to its pixels.

use super::history::History;
use super::scroll::Scroll;
use super::viewport::Span;
use super::{colours, theme};
use crate::codec::count;
use crate::engine::{FrameReport, SPECTRUM_BANDS};
use egui::{Color32, Painter, Rect};

/// Levels of the ladder: those of the poster's figures.
pub const LADDER: [f32; 12] = [4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0, 18.0, 20.0, 22.0, 24.0, 26.0];

/// What the row of the codebooks shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Picture {
    /// The codes sent.
    #[default]
    Codes,
    /// The codebooks that each of several levels would use.
    Ladder,
}

/// What the row of the spectrogram shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sound {
    /// The sound that goes in.
    #[default]
    Input,
    /// What the decoder made of it.
    Decoded,
    /// How many decibels the decoded sound is above or below the input.
    Difference,
    /// How far what the codec got wrong stands above what the sound masks.
    Audible,
}

/// The textures, each made when it is looked at.
pub struct Pictures {
    spectrogram: Scroll,
    codes: Scroll,
    ladder: Scroll,
    /// What the textures are made for: a change makes them anew.
    made_for: Option<Made>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Made {
    codebooks: usize,
    channels: usize,
    fold: u64,
    sound: Sound,
    bright: bool,
}

impl Default for Pictures {
    fn default() -> Self {
        Self {
            spectrogram: Scroll::new("vrvq spectrogram", SPECTRUM_BANDS, true),
            codes: Scroll::new("vrvq codes", 8, false),
            ladder: Scroll::new("vrvq ladder", LADDER.len(), false),
            made_for: None,
        }
    }
}

impl Pictures {
    /// Draws what is chosen: the spectrogram into `above`, the codebooks into `below`.
    pub fn draw(
        &mut self,
        painter: &Painter,
        history: &History,
        span: &Span,
        (above, sound): (Rect, Sound),
        (below, picture): (Rect, Picture),
    ) {
        let (codebooks, channels) = (history.codebooks(), history.channels());
        let wanted = Made { codebooks, channels, fold: span.fold, sound, bright: theme::ink().bright };
        if self.made_for.is_none_or(|made| (made.codebooks, made.channels) != (codebooks, channels)) {
            self.codes = Scroll::new("vrvq codes", codebooks * channels, false);
            self.ladder = Scroll::new("vrvq ladder", LADDER.len() * channels, false);
        }
        if self.made_for != Some(wanted) {
            [&mut self.spectrogram, &mut self.codes, &mut self.ladder].into_iter().for_each(Scroll::clear);
            self.made_for = Some(wanted);
        }
        let columns = span.columns();
        let end = |column: u64| span.frames_of(column).end;
        let frames = |column: u64| history.range(span.frames_of(column));
        let spectrum = |column| spectrum_column(frames(column), sound);
        self.spectrogram.fill(painter.ctx(), columns.clone(), end, spectrum);
        let lower = match picture {
            Picture::Codes => {
                let codes = |column| code_column(frames(column), codebooks, channels);
                self.codes.fill(painter.ctx(), columns.clone(), end, codes);
                &self.codes
            }
            Picture::Ladder => {
                let ladder = |column| ladder_column(frames(column), codebooks, channels);
                self.ladder.fill(painter.ctx(), columns.clone(), end, ladder);
                &self.ladder
            }
        };
        let width = span.step * span.fold as f32;
        for (scroll, rect) in [(&self.spectrogram, above), (lower, below)] {
            let right = span.at(rect, (columns.end * span.fold) as f64);
            scroll.draw(
                &painter.with_clip_rect(painter.clip_rect().intersect(rect)),
                rect,
                columns.clone(),
                right,
                width,
            );
        }
    }
}

/// Pixels of the spectrogram, high frequencies first: the loudest or most audible frame of the column, or the mean difference.
fn spectrum_column<'a>(reports: impl Iterator<Item = &'a FrameReport>, sound: Sound) -> Vec<Color32> {
    let start = if sound == Sound::Difference { 0.0 } else { f32::MIN };
    let mut bands = [start; SPECTRUM_BANDS];
    let mut frames = 0;
    for report in reports {
        frames += 1;
        let mut highest =
            |levels: &[f32]| bands.iter_mut().zip(levels).for_each(|(band, level)| *band = band.max(*level));
        match sound {
            Sound::Input => highest(&report.spectrum),
            Sound::Decoded => highest(&report.decoded_spectrum),
            Sound::Audible => highest(&report.noise_to_mask),
            Sound::Difference => {
                for ((band, dry), decoded) in bands.iter_mut().zip(&report.spectrum).zip(&report.decoded_spectrum) {
                    *band += colours::difference_db(*dry, *decoded);
                }
            }
        }
    }
    let pixel = |&band: &f32| match sound {
        Sound::Difference => colours::difference(band / frames.max(1) as f32),
        Sound::Audible => colours::noise(band),
        Sound::Input | Sound::Decoded => colours::loudness(band),
    };
    bands.iter().rev().map(pixel).collect()
}

/// Pixels of the ladder, top to bottom: the first channel's highest level first; what each level would use, the mean
/// of the column's frames.
fn ladder_column<'a>(
    reports: impl Iterator<Item = &'a FrameReport>,
    codebooks: usize,
    channels: usize,
) -> Vec<Color32> {
    let mut used = vec![0.0; LADDER.len() * channels];
    let mut frames = 0;
    for report in reports.filter(|report| !report.late) {
        frames += 1;
        let rungs = report
            .channel_frames()
            .iter()
            .flat_map(|frame| LADDER.iter().rev().map(move |&level| count(frame.importance, level, codebooks) as f32));
        used.iter_mut().zip(rungs).for_each(|(used, rung)| *used += rung);
    }
    match frames {
        0 => vec![theme::ink().unused; used.len()],
        frames => used.iter().map(|used| colours::count(used / frames as f32, codebooks)).collect(),
    }
}

/// Pixels of the codebooks, top to bottom: the first channel's last codebook first, so that use grows upwards. Lit by
/// the share of the column's frames that use the codebook, in the hue of the last code.
fn code_column<'a>(reports: impl Iterator<Item = &'a FrameReport>, codebooks: usize, channels: usize) -> Vec<Color32> {
    let mut used = vec![(0, 0); codebooks * channels];
    let mut frames = 0;
    for report in reports {
        frames += 1;
        for (channel, frame) in report.channel_frames().iter().enumerate().filter(|_| !report.late) {
            let count = usize::from(frame.count).min(codebooks);
            for (k, &code) in frame.codes.iter().enumerate().take(count) {
                let (times, last) = &mut used[channel * codebooks + codebooks - 1 - k];
                (*times, *last) = (*times + 1, code);
            }
        }
    }
    let pixel = |&(times, code): &(u32, u16)| match times {
        0 => theme::ink().unused,
        times => theme::ink().unused.lerp_to_gamma(colours::code(code), times as f32 / frames.max(1) as f32),
    };
    used.iter().map(pixel).collect()
}
