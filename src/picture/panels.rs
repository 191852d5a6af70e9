//! The rows of a picture.

use super::{FONT, GAP};
use crate::codec::{PacketFormat, kilobits_per_second};
use crate::editor::{colours, theme};
use crate::engine::{FrameReport, SPECTRUM_BANDS, SPECTRUM_HIGH_HZ, SPECTRUM_LOW_HZ};
use egui::Color32;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::error::Error;
use std::ops::Range;

type Area<'a> = DrawingArea<BitMapBackend<'a>, Shift>;
type Drawn = Result<(), Box<dyn Error + Send + Sync>>;

/// Room for scales at the left, and at the right.
const LEFT: u32 = 92;
const MARGIN: u32 = 18;
const RIGHT: u32 = 30;
/// Room for the time axis.
const TIME: u32 = 62;
/// Frames that the bitrate is averaged over: a tenth of a second.
const SMOOTHING: usize = 9;

/// A colour of the view.
pub fn colour(colour: Color32) -> RGBColor {
    RGBColor(colour.r(), colour.g(), colour.b())
}

/// Type of a size in pixels.
pub fn text(size: u32, shade: Color32) -> TextStyle<'static> {
    let mut style = TextStyle::from((FONT, size).into_font());
    style.color = colour(shade).to_backend_color();
    style
}

/// What the rows show.
pub struct Panels<'a> {
    pub reports: &'a [FrameReport],
    pub frame_rate: f64,
    pub channels: usize,
    pub codebooks: usize,
}

impl Panels<'_> {
    fn seconds(&self) -> f32 {
        (self.reports.len() as f64 / self.frame_rate) as f32
    }

    /// Frames behind pixel `x` of `width`; at least one.
    fn frames(&self, x: i32, width: i32) -> Range<usize> {
        let at = |x: i32| (x as usize * self.reports.len()) / width as usize;
        at(x).min(self.reports.len() - 1)..at(x + 1).max(at(x) + 1).min(self.reports.len())
    }

    /// The input's spectrum, loudest frame of each pixel.
    pub fn spectrogram(&self, area: &Area<'_>) -> Drawn {
        let mut builder = ChartBuilder::on(area);
        builder.margin_left(MARGIN).margin_bottom(GAP).margin_right(RIGHT).y_label_area_size(LEFT);
        let range = (SPECTRUM_LOW_HZ..SPECTRUM_HIGH_HZ).log_scale();
        let mut chart = builder.build_cartesian_2d(0f32..self.seconds(), range)?;
        let plot = chart.plotting_area().strip_coord_spec();
        let (width, height) = size(&plot);
        for x in 0..width {
            let mut bands = [f32::MIN; SPECTRUM_BANDS];
            for report in &self.reports[self.frames(x, width)] {
                bands.iter_mut().zip(&report.spectrum).for_each(|(loudest, db)| *loudest = loudest.max(*db));
            }
            for y in 0..height {
                let band = (height - 1 - y) as f32 / (height - 1).max(1) as f32 * (SPECTRUM_BANDS - 1) as f32;
                let low = (band as usize).min(SPECTRUM_BANDS - 2);
                let db = bands[low] + (band - low as f32) * (bands[low + 1] - bands[low]);
                plot.draw_pixel((x, y), &colour(colours::loudness(db)))?;
            }
        }
        chart
            .configure_mesh()
            .disable_mesh()
            .axis_style(colour(theme::ink().grid))
            .y_desc("Input, Hz")
            .y_label_formatter(&|hz| if *hz >= 1000.0 { format!("{}k", hz / 1000.0) } else { format!("{hz}") })
            .axis_desc_style(text(18, theme::ink().text))
            .label_style(text(16, theme::ink().faint))
            .draw()?;
        self.late(&plot)
    }

    /// Importance of each channel.
    pub fn importance(&self, area: &Area<'_>) -> Drawn {
        let mut builder = ChartBuilder::on(area);
        builder.margin_left(MARGIN).margin_bottom(GAP).margin_right(RIGHT).y_label_area_size(LEFT);
        let mut chart = builder.build_cartesian_2d(0f32..self.seconds(), 0f32..1f32)?;
        chart.plotting_area().fill(&colour(theme::ink().panel))?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .y_desc("Importance")
            .y_labels(3)
            .y_label_formatter(&|p| p.to_string())
            .axis_style(colour(theme::ink().grid))
            .bold_line_style(colour(theme::ink().grid))
            .light_line_style(colour(theme::ink().panel))
            .axis_desc_style(text(18, theme::ink().text))
            .label_style(text(16, theme::ink().faint))
            .draw()?;
        for channel in (0..self.channels).rev() {
            let line = colour([theme::ink().accent, theme::ink().second][channel % 2]);
            let points = self.curve(|report| report.frames[channel].importance);
            if channel == 0 {
                chart.draw_series([under(&points, line)])?;
            }
            chart.draw_series([PathElement::new(points, line.stroke_width(2))])?;
        }
        self.late(&chart.plotting_area().strip_coord_spec())
    }

    /// The codebooks of each frame: lit where used, the code as the hue.
    pub fn codes(&self, area: &Area<'_>) -> Drawn {
        let rows = self.channels * self.codebooks;
        let mut builder = ChartBuilder::on(area);
        builder.margin_left(MARGIN).margin_bottom(GAP).margin_right(RIGHT).y_label_area_size(LEFT);
        let mut chart = builder.build_cartesian_2d(0f32..self.seconds(), 0f32..rows as f32)?;
        let plot = chart.plotting_area().strip_coord_spec();
        let (width, height) = size(&plot);
        let row_height = height as usize / rows;
        for x in 0..width {
            let frames = self.frames(x, width);
            let report = &self.reports[frames.start + frames.len() / 2];
            for y in 0..height {
                let row = (y as usize / row_height.max(1)).min(rows - 1);
                let (channel, codebook) = (row / self.codebooks, self.codebooks - 1 - row % self.codebooks);
                let frame = &report.frames[channel];
                let used = codebook < usize::from(frame.count) && !report.late;
                let shade = match frame.codes.get(codebook) {
                    _ if (y as usize).is_multiple_of(row_height.max(2)) => theme::ink().background,
                    Some(&code) if used => colours::code(code),
                    _ => theme::ink().unused,
                };
                plot.draw_pixel((x, y), &colour(shade))?;
            }
        }
        chart
            .configure_mesh()
            .disable_mesh()
            .axis_style(colour(theme::ink().grid))
            .y_desc("Codebooks")
            .y_labels(0)
            .axis_desc_style(text(18, theme::ink().text))
            .label_style(text(16, theme::ink().background))
            .draw()?;
        let right = Pos::new(HPos::Right, VPos::Center);
        for row in 0..rows {
            let codebook = self.codebooks - row % self.codebooks;
            let channel = if self.channels > 1 { ["L ", "R "][row / self.codebooks % 2] } else { "" };
            let at = ((MARGIN + LEFT) as i32 - 8, (row * row_height + row_height / 2) as i32);
            if row_height >= 14 {
                area.draw(&Text::new(format!("{channel}{codebook}"), at, text(16, theme::ink().faint).pos(right)))?;
            }
        }
        self.late(&plot)
    }

    /// The bitrate of all channels, and the time axis.
    pub fn bitrate(&self, area: &Area<'_>) -> Drawn {
        let format = PacketFormat::new(self.codebooks, colours::CODEBOOK_SIZE);
        let bits = format.map_or(0, |format| format.frame_bits(self.codebooks)) * self.channels;
        let full = kilobits_per_second(bits as u64, 1, self.frame_rate) as f32;
        let kbps: Vec<f32> = (0..self.reports.len())
            .map(|index| {
                let window = &self.reports[(index + 1).saturating_sub(SMOOTHING)..=index];
                let bits = window.iter().map(|report| u64::from(report.bits())).sum();
                kilobits_per_second(bits, window.len() as u64, self.frame_rate) as f32
            })
            .collect();
        let top = 1.05 * kbps.iter().fold(full.max(0.1), |top, &value| value.max(top));
        let mut builder = ChartBuilder::on(area);
        builder
            .margin_left(MARGIN)
            .margin_bottom(6)
            .margin_right(RIGHT)
            .x_label_area_size(TIME)
            .y_label_area_size(LEFT);
        let mut chart = builder.build_cartesian_2d(0f32..self.seconds(), 0f32..top)?;
        chart.plotting_area().fill(&colour(theme::ink().panel))?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .x_desc("Time, s")
            .y_desc("Bitrate, kb/s")
            .x_labels(16)
            .y_labels(5)
            .x_label_formatter(&|seconds| format!("{:.1}", seconds).trim_end_matches(".0").to_owned())
            .y_label_formatter(&|kbps| format!("{:.2}", kbps).trim_end_matches('0').trim_end_matches('.').to_owned())
            .axis_style(colour(theme::ink().grid))
            .bold_line_style(colour(theme::ink().grid))
            .light_line_style(colour(theme::ink().panel))
            .axis_desc_style(text(18, theme::ink().text))
            .label_style(text(16, theme::ink().faint))
            .draw()?;
        let line = colour(theme::ink().accent);
        let points: Vec<_> = kbps.iter().enumerate().map(|(index, &value)| (self.time(index), value)).collect();
        chart.draw_series([under(&points, line)])?;
        chart.draw_series([PathElement::new(points, line.stroke_width(2))])?;
        self.late(&chart.plotting_area().strip_coord_spec())
    }

    fn time(&self, frame: usize) -> f32 {
        ((frame as f64 + 0.5) / self.frame_rate) as f32
    }

    fn curve(&self, value: impl Fn(&FrameReport) -> f32) -> Vec<(f32, f32)> {
        self.reports.iter().enumerate().map(|(index, report)| (self.time(index), value(report))).collect()
    }

    /// Marks late frames.
    fn late(&self, plot: &Area<'_>) -> Drawn {
        let (width, height) = size(plot);
        for x in 0..width {
            if self.reports[self.frames(x, width)].iter().any(|report| report.late) {
                plot.draw(&Rectangle::new([(x, 0), (x + 1, height)], colour(theme::ink().warning).mix(0.5).filled()))?;
            }
        }
        Ok(())
    }
}

/// Width and height in pixels.
fn size(area: &Area<'_>) -> (i32, i32) {
    let (width, height) = area.dim_in_pixel();
    (width as i32, height as i32)
}

/// The area below a curve.
fn under(points: &[(f32, f32)], line: RGBColor) -> Polygon<(f32, f32)> {
    let ends = [points.last(), points.first()].into_iter().flatten().map(|&(time, _)| (time, 0.0));
    let outline: Vec<_> = points.iter().copied().chain(ends).collect();
    Polygon::new(outline, line.mix(0.25).filled())
}
