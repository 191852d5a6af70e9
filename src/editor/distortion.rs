//! What the bitrate buys: the model's own rate-distortion curves, and where the sound of now stands.

use super::axes::ticks;
use super::chips::{self, Choice};
use super::history::History;
use super::theme;
use super::viewport::Span;
use crate::codec::kilobits_per_second;
use crate::engine::{DISTORTION_SECONDS, DistortionSum};
use crate::model::{CurvePoint, Curves};
use egui::{Align2, Color32, Painter, Pos2, Rect, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};
use std::collections::VecDeque;

/// Where the dot was, once every so many frames.
const TRAIL_FRAMES: u64 = 12;
const TRAIL: usize = 40;

/// What distortion is told as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Measure {
    /// Scale-invariant signal-to-distortion ratio: more is better.
    #[default]
    SiSdr,
    /// Log-spectral distance: less is better.
    LogSpectral,
    /// Noise-to-mask ratio: less is better.
    NoiseToMask,
}

const MEASURES: [Choice<Measure>; 3] = [
    (
        Measure::SiSdr,
        "SI-SDR",
        "How much louder the sound is than what the codec got wrong in its waveform, in dB (scale-invariant \
         signal-to-distortion ratio). Higher is better.",
    ),
    (
        Measure::LogSpectral,
        "LSD",
        "How far the loudness of the decoded sound is from that of the input, over all frequencies, in dB \
         (log-spectral distance). Lower is better; the waveform may differ.",
    ),
    (
        Measure::NoiseToMask,
        "NMR",
        "How far what the codec got wrong stands above what the sound itself masks, in dB (noise-to-mask ratio, by the \
         ear model of ITU-R BS.1387). Lower is better; below 0 the ear hears hardly any of it.",
    ),
];

const CHART_HINT: &str = "To the right: more bits. Lines: what this model reaches on average, in variable (solid) and \
                          constant bitrate (dashed). Dot: the last three seconds on the map, measured, with the way it \
                          came. Turn the knob and watch it. Where the dot stands beside the lines, the sound of now is \
                          easier or harder than the average.";

/// The chart and the way of its dot.
#[derive(Default)]
pub struct Chart {
    measure: Measure,
    trail: VecDeque<Figures>,
    /// The frame that the trail ends at.
    last: u64,
}

/// Rate and distortion of some frames.
#[derive(Debug, Clone, Copy)]
struct Figures {
    /// kb/s of a channel.
    kilobits: f64,
    si_sdr_db: f64,
    log_spectral_db: f64,
    noise_to_mask_db: f64,
}

impl Figures {
    /// Of the frames before the right edge; `None` where there is no sound.
    fn of(history: &History, span: &Span) -> Option<Self> {
        let window = (DISTORTION_SECONDS * span.rate).round() as u64;
        let frames = span.frames.end.saturating_sub(window)..span.frames.end;
        let reports = || history.range(frames.clone()).filter(|report| !report.late);
        let sum: DistortionSum = reports().map(|report| &report.distortion).collect();
        let bits = reports().map(|report| u64::from(report.bits())).sum();
        let count = reports().map(|report| report.channel_frames().len() as u64).sum();
        Some(Self {
            kilobits: kilobits_per_second(bits, count, span.rate),
            si_sdr_db: sum.si_sdr_db()?,
            log_spectral_db: sum.log_spectral_db()?,
            noise_to_mask_db: sum.noise_to_mask_db()?,
        })
    }

    fn distortion(&self, measure: Measure) -> f64 {
        match measure {
            Measure::SiSdr => self.si_sdr_db,
            Measure::LogSpectral => self.log_spectral_db,
            Measure::NoiseToMask => self.noise_to_mask_db,
        }
    }
}

/// Where rates and distortions are in the plot.
struct Scales {
    plot: Rect,
    kilobits: f64,
    distortion: (f64, f64),
}

impl Scales {
    fn at(&self, rate: f64, distortion: f64) -> Pos2 {
        let (low, high) = self.distortion;
        let x = self.plot.left() + (rate / self.kilobits) as f32 * self.plot.width();
        let y = self.plot.bottom() - ((distortion - low) / (high - low)) as f32 * self.plot.height();
        pos2(x, y)
    }

    fn of(&self, figures: &Figures, measure: Measure) -> Pos2 {
        let at = self.at(figures.kilobits, figures.distortion(measure));
        at.clamp(self.plot.min + vec2(3.0, 3.0), self.plot.max - vec2(3.0, 3.0))
    }
}

impl Chart {
    /// Draws the chart of `curves` over `rect`, and the dot of the seconds before the right edge of `span`.
    pub fn show(&mut self, ui: &Ui, rect: Rect, scale: f32, history: &History, span: &Span, curves: Option<&Curves>) {
        let head = Rect::from_min_max(rect.min, pos2(rect.left() + 168.0 * scale, rect.top() + 20.0 * scale));
        if let Some(measure) = chips::fill(ui, head.translate(vec2(-6.0, -4.0)), scale, &MEASURES, Some(self.measure)) {
            self.measure = measure;
        }
        let now = Figures::of(history, span);
        self.follow(now, span);
        let bottom = rect.bottom() - 34.0 * scale;
        let plot =
            Rect::from_min_max(pos2(rect.left() + 26.0 * scale, head.bottom() + 4.0), pos2(rect.right(), bottom));
        let most = curves.into_iter().flat_map(|curves| curves.vbr.iter().chain(&curves.cbr));
        let most = most.map(|point| point.kilobits).fold(7.5, f64::max);
        let distortion = match self.measure {
            Measure::SiSdr => (-6.0, 18.0),
            Measure::LogSpectral => (0.0, 24.0),
            Measure::NoiseToMask => (-6.0, 12.0),
        };
        let scales = Scales { plot, kilobits: 1.04 * most, distortion };
        let painter = ui.painter_at(rect);
        painter.rect_filled(plot, 0.0, theme::ink().unused);
        grid(&painter, &scales, scale);
        if let Some(curves) = curves {
            self.curve(&painter, &scales, &curves.cbr, theme::ink().second, true);
            self.curve(&painter, &scales, &curves.vbr, theme::ink().accent, false);
        }
        legend(&painter, plot, scale, self.measure, curves.is_some());
        for (index, figures) in self.trail.iter().enumerate() {
            let share = (index + 1) as f32 / TRAIL as f32;
            let colour = theme::ink().text.gamma_multiply(0.35 * share);
            painter.circle_filled(scales.of(figures, self.measure), 2.0 * scale, colour);
        }
        if let Some(now) = &now {
            let at = scales.of(now, self.measure);
            painter.circle(at, 5.0 * scale, theme::ink().text, Stroke::new(2.0, theme::ink().background));
        }
        self.figures(ui, Rect::from_min_max(pos2(rect.left(), bottom + 14.0 * scale), rect.max), scale, now.as_ref());
        let response = ui.interact(plot, ui.scope_id().with("chart"), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, "Rate and distortion"));
        let source = curves.map_or("This model brings no curves.".to_owned(), |curves| {
            format!("Lines measured on {}.", curves.measured_on)
        });
        response.on_hover_text(format!("{CHART_HINT}\n\n{source}"));
    }

    /// Keeps the way of the dot.
    fn follow(&mut self, now: Option<Figures>, span: &Span) {
        if span.frames.end < self.last || span.frozen {
            self.trail.clear();
            self.last = span.frames.end;
        } else if span.frames.end >= self.last + TRAIL_FRAMES {
            self.last = span.frames.end;
            self.trail.extend(now);
            while self.trail.len() > TRAIL {
                self.trail.pop_front();
            }
        }
    }

    fn curve(&self, painter: &Painter, scales: &Scales, points: &[CurvePoint], colour: Color32, dashed: bool) {
        let points: Vec<Pos2> = points
            .iter()
            .filter_map(|point| {
                let distortion = match self.measure {
                    Measure::SiSdr => point.si_sdr_db,
                    Measure::LogSpectral => point.log_spectral_db?,
                    Measure::NoiseToMask => point.noise_to_mask_db?,
                };
                Some(scales.at(point.kilobits, distortion))
            })
            .collect();
        if points.is_empty() {
            return;
        }
        let stroke = Stroke::new(1.5, colour);
        if dashed {
            painter.extend(Shape::dashed_line(&points, stroke, 5.0, 4.0));
            points.iter().for_each(|&point| {
                painter.circle_filled(point, 2.0, colour);
            });
        } else {
            painter.add(Shape::line(points, stroke));
        }
    }

    /// The figures of the dot in words.
    fn figures(&self, ui: &Ui, row: Rect, scale: f32, now: Option<&Figures>) {
        let text = now.map_or("no sound in these three seconds".to_owned(), |now| {
            format!(
                "{:.2} kb/s a channel, SI-SDR {:.1} dB, LSD {:.1}, NMR {:.1}",
                now.kilobits, now.si_sdr_db, now.log_spectral_db, now.noise_to_mask_db
            )
        });
        ui.painter().text(row.left_center(), Align2::LEFT_CENTER, &text, theme::text(11.0 * scale), theme::ink().text);
        let response = ui.interact(row, ui.scope_id().with("dot"), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &text));
        response.on_hover_text("The last three seconds on the map: all channels together, bits for one of them.");
    }
}

fn grid(painter: &Painter, scales: &Scales, scale: f32) {
    let font = theme::text(10.5 * scale);
    let line = Stroke::new(1.0, theme::ink().grid);
    let (low, high) = scales.distortion;
    let step = 6.0;
    let mut value = low;
    while value <= high {
        let at = scales.at(0.0, value);
        painter.hline(scales.plot.x_range(), at.y, line);
        let y = at.y.clamp(scales.plot.top() + 5.0 * scale, scales.plot.bottom() - 5.0 * scale);
        painter.text(
            pos2(at.x - 4.0, y),
            Align2::RIGHT_CENTER,
            format!("{value:.0}"),
            font.clone(),
            theme::ink().faint,
        );
        value += step;
    }
    for rate in ticks(scales.kilobits as f32) {
        let at = scales.at(f64::from(rate), low);
        painter.vline(at.x, scales.plot.y_range(), line);
        painter.text(at + vec2(0.0, 2.0), Align2::CENTER_TOP, format!("{rate}"), font.clone(), theme::ink().faint);
    }
    let unit = scales.plot.right_bottom() + vec2(0.0, 2.0);
    painter.text(unit, Align2::RIGHT_TOP, "kb/s", font, theme::ink().faint);
}

/// Which line is which, where the lines leave room.
fn legend(painter: &Painter, plot: Rect, scale: f32, measure: Measure, curves: bool) {
    if !curves {
        return;
    }
    let font = theme::text(11.0 * scale);
    let top = match measure {
        Measure::SiSdr => plot.bottom() - 32.0 * scale,
        Measure::LogSpectral | Measure::NoiseToMask => plot.top() + 4.0 * scale,
    };
    for (row, (name, colour)) in [("VBR", theme::ink().accent), ("CBR", theme::ink().second)].into_iter().enumerate() {
        let y = top + (8.0 + 14.0 * row as f32) * scale;
        let ends = [pos2(plot.right() - 62.0 * scale, y), pos2(plot.right() - 34.0 * scale, y)];
        let stroke = Stroke::new(1.5, colour);
        match row {
            0 => painter.add(Shape::line_segment(ends, stroke)),
            _ => {
                painter.extend(Shape::dashed_line(&ends, stroke, 5.0, 4.0));
                painter.circle_filled(ends[0].lerp(ends[1], 0.5), 2.0, colour)
            }
        };
        painter.text(pos2(plot.right() - 28.0 * scale, y), Align2::LEFT_CENTER, name, font.clone(), theme::ink().text);
    }
}
