//! A picture of a stream: its input spectrum, importance, codebooks and bitrate over time, in the view's colours.

mod error;
mod panels;

pub use error::PictureError;

use crate::codec::kilobits_per_second;
use crate::editor::theme;
use crate::engine::FrameReport;
use panels::{Panels, colour, text};
use plotters::prelude::*;
use plotters::style::{FontStyle, register_font};
use std::path::Path;
use std::sync::LazyLock;

/// Width of a picture in pixels.
const WIDTH: u32 = 1600;
/// Heights of title, spectrogram, importance, a codebook row (mono, stereo) and bitrate with the time axis.
const TITLE: u32 = 84;
const SPECTROGRAM: u32 = 330;
const IMPORTANCE: u32 = 150;
const CODE_ROWS: [u32; 2] = [30, 20];
const BITRATE: u32 = 250;
/// Room between rows, included in each.
const GAP: u32 = 14;

/// Name that the fonts are registered under.
const FONT: &str = "vrvq";

static FONT_READY: LazyLock<bool> =
    LazyLock::new(|| register_font(FONT, FontStyle::Normal, epaint_default_fonts::UBUNTU_LIGHT).is_ok());

/// Draws `reports`, one frame each, oldest first, at `frame_rate` frames a second, and writes the picture as PNG to
/// `path`, which has to end in `.png`. `title` stands at the top, with duration, level and bitrate below it.
///
/// # Errors
/// [`PictureError::Empty`] where there is no frame, [`PictureError::Write`] where the file can't be drawn or written.
pub fn write_png(path: &Path, reports: &[FrameReport], frame_rate: f64, title: &str) -> Result<(), PictureError> {
    let Some(first) = reports.first() else { return Err(PictureError::Empty) };
    if !*FONT_READY {
        return Err(PictureError::Font);
    }
    let channels = reports.iter().map(|report| report.channel_frames().len()).max().unwrap_or(1).max(1);
    let rows = channels * usize::from(first.codebooks.max(1));
    let codes = rows as u32 * CODE_ROWS[channels.min(2) - 1] + GAP;
    let height = TITLE + SPECTROGRAM + IMPORTANCE + codes + BITRATE;
    let failed = |source| PictureError::Write { path: path.to_owned(), source };
    let draw = || -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let root = BitMapBackend::new(path, (WIDTH, height)).into_drawing_area();
        root.fill(&colour(theme::ink().background))?;
        root.draw(&Text::new(title.to_owned(), (24, 16), text(30, theme::ink().text)))?;
        root.draw(&Text::new(summary(reports, frame_rate), (24, 54), text(19, theme::ink().faint)))?;
        let ends = [TITLE, TITLE + SPECTROGRAM, TITLE + SPECTROGRAM + IMPORTANCE, height - BITRATE];
        let areas = root.split_by_breakpoints::<i32, u32, _, _>([], ends);
        let [_, spectrogram, importance, codes, bitrate] = &areas[..] else { unreachable!("four cuts make five") };
        let panels = Panels { reports, frame_rate, channels, codebooks: rows / channels };
        panels.spectrogram(spectrogram)?;
        panels.importance(importance)?;
        panels.codes(codes)?;
        panels.bitrate(bitrate)?;
        root.present()?;
        Ok(())
    };
    draw().map_err(failed)
}

/// Duration, rate, mean bitrate and late frames in words.
fn summary(reports: &[FrameReport], frame_rate: f64) -> String {
    let bits = reports.iter().map(|report| u64::from(report.bits())).sum();
    let mean = kilobits_per_second(bits, reports.len() as u64, frame_rate);
    let seconds = reports.len() as f64 / frame_rate;
    // Neighbours only: a level that moves and comes back is worth no more words.
    let mut rates: Vec<String> = reports.iter().map(|report| report.rate.to_string()).collect();
    rates.dedup();
    let rate = match &rates[..] {
        [] => String::new(),
        [only] => only.clone(),
        [first, .., last] => format!("{first} to {last}"),
    };
    let late = reports.iter().filter(|report| report.late).count();
    let late = if late > 0 { format!(", {late} late frames") } else { String::new() };
    format!("{seconds:.1} s, {rate}, mean {mean:.2} kb/s{late}")
}
