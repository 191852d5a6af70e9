//! Where the codebooks go: the spectrogram of the input, its importance, and below it how many codebooks each frame
//! uses at levels from 4 to 26, as in the figures of the method's poster.

use super::FigureError;
use super::canvas::{self, Area, CENTRE, CENTRE_TOP, Drawing, Drawn, FAINT, GRID, INK, LEFT, PALETTE, Page, RIGHT};
use super::spectrogram::{RANGE_DB, Spectrogram};
use crate::codec::Rate;
use crate::measure::Analysis;
use plotters::prelude::*;
use plotters::style::FontTransform;
use plotters::style::colors::colormaps::ViridisRGB;
use std::path::Path;

/// Levels of the rows: those of the poster.
pub const LEVELS: [f32; 12] = [4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0, 18.0, 20.0, 22.0, 24.0, 26.0];

const WIDTH: f64 = 900.0;
const TITLE: f64 = 52.0;
const SPECTROGRAM: f64 = 170.0;
const IMPORTANCE: f64 = 52.0;
const ROW: f64 = 30.0;
const GAP: f64 = 7.0;
const BOTTOM: f64 = 46.0;
const LEFT_ROOM: f64 = 74.0;
const RIGHT_ROOM: f64 = 104.0;

/// Frequencies of the spectrogram: its ends and those that are marked.
const LOW_HZ: f64 = 60.0;
const HIGH_HZ: f64 = 18_000.0;
const MARKED_HZ: [f64; 8] = [100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10_000.0, 16_000.0];

/// What the figure shows.
pub struct UsageFigure<'a> {
    pub analysis: &'a Analysis,
    /// Title, e.g. the file's name.
    pub title: &'a str,
    /// What stands below the title, e.g. the model.
    pub subtitle: &'a str,
    /// Time in seconds of the first sample.
    pub start: f64,
    pub levels: &'a [f32],
    pub sample_rate: u32,
    pub codebooks: usize,
    pub frame_rate: f64,
    /// Samples by which the signal of a frame lies before the frame.
    pub delay: usize,
}

impl UsageFigure<'_> {
    /// Draws the figure into `path`, a `.png` or `.svg`.
    ///
    /// # Errors
    /// [`FigureError`] where there is nothing to draw or it can't be written.
    pub fn write(&self, path: &Path) -> Result<(), FigureError> {
        if self.analysis.samples.is_empty() || self.levels.is_empty() {
            return Err(FigureError::Empty);
        }
        let rows = self.levels.len() as f64 * (ROW + GAP);
        canvas::write(path, (WIDTH, TITLE + SPECTROGRAM + GAP + IMPORTANCE + GAP + rows + BOTTOM), self)
    }

    fn seconds(&self) -> f64 {
        self.analysis.samples.len() as f64 / f64::from(self.sample_rate)
    }

    fn draw<DB: DrawingBackend>(&self, page: &Page<DB>) -> Drawn
    where
        DB::ErrorType: 'static,
    {
        page.root.fill(&WHITE)?;
        page.text(self.title, (LEFT_ROOM, 18.0), 15.0, INK, LEFT)?;
        page.text(self.subtitle, (LEFT_ROOM, 37.0), 11.0, FAINT, LEFT)?;
        let width = WIDTH - LEFT_ROOM - RIGHT_ROOM;
        let mut area = Area { left: LEFT_ROOM, top: TITLE, width, height: SPECTROGRAM };
        self.spectrogram(page, area)?;
        area = Area { top: area.bottom() + GAP, height: IMPORTANCE, ..area };
        self.importance(page, area)?;
        let head = (area.right() + 8.0, area.bottom() - 4.0);
        page.text("mean n", head, 10.0, FAINT, LEFT)?;
        page.text("kb/s", (head.0 + 44.0, head.1), 10.0, FAINT, LEFT)?;
        let top = area.bottom() + GAP;
        for (index, &level) in self.levels.iter().rev().enumerate() {
            area = Area { top: top + index as f64 * (ROW + GAP), height: ROW, ..area };
            self.row(page, area, level)?;
        }
        let middle = (top + area.bottom()) / 2.0;
        let turn = FontTransform::Rotate270;
        page.turned_text("Codebooks used at level l", (16.0, middle), 12.0, INK, CENTRE, turn)?;
        self.time_axis(page, area)
    }

    fn spectrogram<DB: DrawingBackend>(&self, page: &Page<DB>, area: Area) -> Drawn
    where
        DB::ErrorType: 'static,
    {
        let high = HIGH_HZ.min(f64::from(self.sample_rate) / 2.0);
        let ratio = (high / LOW_HZ).ln();
        let columns = (area.width * page.scale).ceil() as usize;
        let spectrogram = Spectrogram::new(&self.analysis.samples, self.sample_rate, columns);
        let shade = |share: f64| ViridisRGB::get_color(share);
        page.picture(area, &|x, y| shade(spectrogram.loudness(x, LOW_HZ * (ratio * (1.0 - y)).exp())))?;
        page.rectangle(area, INK.into(), false)?;
        for hz in MARKED_HZ.into_iter().filter(|&hz| hz < high) {
            let y = area.bottom() - (hz / LOW_HZ).ln() / ratio * area.height;
            page.line(&[(area.left - 4.0, y), (area.left, y)], 0.7, INK.into())?;
            let text = if hz < 1000.0 { format!("{hz:.0}") } else { format!("{}k", hz / 1000.0) };
            page.text(&text, (area.left - 7.0, y), 10.5, INK, RIGHT)?;
        }
        let turn = FontTransform::Rotate270;
        page.turned_text("Frequency, Hz", (16.0, area.top + area.height / 2.0), 12.0, INK, CENTRE, turn)?;
        let bar = Area { left: area.right() + 14.0, top: area.top + 6.0, width: 9.0, height: area.height - 12.0 };
        page.picture(bar, &|_, y| shade(1.0 - y))?;
        page.rectangle(bar, INK.into(), false)?;
        for share in [0.0, 0.25, 0.5, 0.75, 1.0] {
            let y = bar.bottom() - share * bar.height;
            let db = spectrogram.loudest_db() - (1.0 - share) * RANGE_DB;
            page.line(&[(bar.right(), y), (bar.right() + 3.0, y)], 0.7, INK.into())?;
            let text = format!("{db:.0}{}", if share == 1.0 { " dBFS" } else { "" }).replace('-', "\u{2212}");
            page.text(&text, (bar.right() + 6.0, y), 10.5, INK, LEFT)?;
        }
        Ok(())
    }

    /// Time of the middle of a frame, 0 to 1 of the whole; what it codes lies before it by the codec's delay.
    fn x(&self, area: Area, frame: f64) -> f64 {
        let hop = f64::from(self.sample_rate) / self.frame_rate;
        let sample = frame * hop - self.delay as f64 / 2.0;
        area.left + (sample / self.analysis.samples.len() as f64).clamp(0.0, 1.0) * area.width
    }

    /// A step function of the frames, `value` 0 to 1, as the outline of the area below it.
    fn steps(&self, area: Area, value: impl Fn(usize) -> f64) -> Vec<(f64, f64)> {
        let frames = self.analysis.encoded.importance.len();
        let mut points: Vec<(f64, f64)> = vec![(area.left, area.bottom())];
        for frame in 0..frames {
            let y = area.bottom() - value(frame) * area.height;
            // Equal neighbours are one step.
            if frame + 1 < frames && frame > 0 && value(frame - 1) == value(frame) && value(frame + 1) == value(frame) {
                continue;
            }
            points.push((self.x(area, frame as f64), y));
            points.push((self.x(area, frame as f64 + 1.0), y));
        }
        points.push((area.right(), area.bottom()));
        points
    }

    fn importance<DB: DrawingBackend>(&self, page: &Page<DB>, area: Area) -> Drawn
    where
        DB::ErrorType: 'static,
    {
        let importance = &self.analysis.encoded.importance;
        let most = importance.iter().fold(0.1f32, |most, &p| most.max(p));
        let top = (f64::from(most) * 10.0).ceil() / 10.0;
        page.polygon(&self.steps(area, |frame| f64::from(importance[frame]) / top), PALETTE[1].mix(0.55))?;
        page.rectangle(area, INK.into(), false)?;
        for p in [0.0, top] {
            let y = area.bottom() - p / top * area.height;
            page.line(&[(area.left - 4.0, y), (area.left, y)], 0.7, INK.into())?;
            page.text(&canvas::number(p), (area.left - 7.0, y), 10.5, INK, RIGHT)?;
        }
        page.text("p", (area.left - 26.0, area.top + area.height / 2.0), 12.0, INK, RIGHT)?;
        page.text("importance", (area.left + 6.0, area.top + 9.0), 10.0, FAINT, LEFT)
    }

    fn row<DB: DrawingBackend>(&self, page: &Page<DB>, area: Area, level: f32) -> Drawn
    where
        DB::ErrorType: 'static,
    {
        let rate = Rate::Level(level);
        let counts = self.analysis.counts(rate);
        let codebooks = self.codebooks as f64;
        page.rectangle(area, RGBColor(0xf4, 0xf4, 0xf4).into(), true)?;
        let outline = self.steps(area, |frame| f64::from(counts[frame]) / codebooks);
        page.polygon(&outline, PALETTE[0].into())?;
        // A grid in the colour of paper parts the codebooks, so that they can be counted.
        for codebook in 1..self.codebooks {
            let y = area.bottom() - codebook as f64 / codebooks * area.height;
            page.line(&[(area.left, y), (area.right(), y)], 0.5, WHITE.mix(0.55))?;
        }
        page.rectangle(area, GRID.into(), false)?;
        let middle = area.top + area.height / 2.0;
        page.text(&format!("l = {}", canvas::number(level.into())), (area.left - 7.0, middle), 11.0, INK, RIGHT)?;
        let mean = counts.iter().map(|&count| f64::from(count)).sum::<f64>() / counts.len().max(1) as f64;
        page.text(&format!("{mean:.2}"), (area.right() + 8.0, middle), 11.0, INK, LEFT)?;
        let kilobits = self.analysis.kilobits(rate);
        page.text(&format!("{kilobits:.2}"), (area.right() + 52.0, middle), 11.0, INK, LEFT)
    }

    fn time_axis<DB: DrawingBackend>(&self, page: &Page<DB>, above: Area) -> Drawn
    where
        DB::ErrorType: 'static,
    {
        let y = above.bottom() + 3.0;
        page.line(&[(above.left, y), (above.right(), y)], 0.7, INK.into())?;
        let range = (self.start, self.start + self.seconds());
        for seconds in canvas::ticks(range, 10) {
            let x = above.left + (seconds - range.0) / (range.1 - range.0) * above.width;
            page.line(&[(x, y), (x, y + 4.0)], 0.7, INK.into())?;
            page.text(&canvas::number(seconds), (x, y + 7.0), 10.5, INK, CENTRE_TOP)?;
        }
        page.text("Time, s", (above.left + above.width / 2.0, y + 22.0), 12.0, INK, CENTRE_TOP)
    }
}

impl Drawing for UsageFigure<'_> {
    fn png(&self, page: &Page<BitMapBackend<'_>>) -> Drawn {
        self.draw(page)
    }

    fn svg(&self, page: &Page<SVGBackend<'_>>) -> Drawn {
        self.draw(page)
    }
}
