//! What a bit buys: curves of measures against bitrate, a panel for each measure.

use super::FigureError;
use super::canvas::{self, Area, CENTRE, CENTRE_TOP, Drawing, Drawn, FAINT, GRID, INK, LEFT, PALETTE, Page, RIGHT};
use plotters::prelude::*;
use plotters::style::FontTransform;
use plotters::style::text_anchor::{HPos, VPos};
use std::path::Path;

const PANEL: (f64, f64) = (400.0, 300.0);
const TITLE: f64 = 54.0;
const LEFT_ROOM: f64 = 66.0;
const RIGHT_ROOM: f64 = 18.0;
const BOTTOM: f64 = 46.0;
/// Height of a line of the legend.
const LEGEND: f64 = 17.0;

/// One operating point of a curve.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// In kb/s.
    pub kilobits: f64,
    /// A value for each panel; none where it wasn't measured.
    pub values: Vec<Option<f64>>,
    /// What stands beside the point, e.g. "8".
    pub label: String,
}

/// A curve, in order of bitrate.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    pub name: String,
    pub points: Vec<Point>,
    /// Drawn dashed.
    pub dashed: bool,
}

/// Curves of several measures.
#[derive(Debug, Clone, PartialEq)]
pub struct CurvesFigure {
    pub title: String,
    pub subtitle: String,
    /// Names of the measures with units, one a panel.
    pub measures: Vec<String>,
    pub curves: Vec<Curve>,
}

impl CurvesFigure {
    /// Draws the figure into `path`, a `.png` or `.svg`.
    ///
    /// # Errors
    /// [`FigureError`] where there is nothing to draw or it can't be written.
    pub fn write(&self, path: &Path) -> Result<(), FigureError> {
        if self.measures.is_empty() || self.curves.iter().all(|curve| curve.points.is_empty()) {
            return Err(FigureError::Empty);
        }
        let (columns, rows) = self.grid();
        let width = columns as f64 * (LEFT_ROOM + PANEL.0 + RIGHT_ROOM);
        let height = TITLE + rows as f64 * (PANEL.1 + BOTTOM) + LEGEND * self.legend_rows() as f64 + 14.0;
        canvas::write(path, (width, height), self)
    }

    /// Panels beside each other and below each other.
    fn grid(&self) -> (usize, usize) {
        let columns = self.measures.len().min(2);
        (columns, self.measures.len().div_ceil(columns.max(1)))
    }

    fn legend_columns(&self) -> usize {
        2 * self.grid().0
    }

    fn legend_rows(&self) -> usize {
        self.curves.len().div_ceil(self.legend_columns())
    }

    fn draw<DB: DrawingBackend>(&self, page: &Page<DB>) -> Drawn
    where
        DB::ErrorType: 'static,
    {
        page.root.fill(&WHITE)?;
        page.text(&self.title, (LEFT_ROOM, 17.0), 15.0, INK, LEFT)?;
        page.text(&self.subtitle, (LEFT_ROOM, 36.0), 11.0, FAINT, LEFT)?;
        let (columns, rows) = self.grid();
        for (index, measure) in self.measures.iter().enumerate() {
            let (column, row) = (index % columns, index / columns);
            let area = Area {
                left: LEFT_ROOM + column as f64 * (LEFT_ROOM + PANEL.0 + RIGHT_ROOM),
                top: TITLE + row as f64 * (PANEL.1 + BOTTOM),
                width: PANEL.0,
                height: PANEL.1,
            };
            self.panel(page, area, index, measure)?;
        }
        let top = TITLE + rows as f64 * (PANEL.1 + BOTTOM) + 8.0;
        let width = (columns as f64 * (LEFT_ROOM + PANEL.0 + RIGHT_ROOM) - LEFT_ROOM) / self.legend_columns() as f64;
        for (index, curve) in self.curves.iter().enumerate() {
            let at = (
                LEFT_ROOM + (index % self.legend_columns()) as f64 * width,
                top + (index / self.legend_columns()) as f64 * LEGEND,
            );
            stroke(page, &[at, (at.0 + 26.0, at.1)], index, curve.dashed)?;
            marker(page, (at.0 + 13.0, at.1), index)?;
            page.text(&curve.name, (at.0 + 33.0, at.1), 11.0, INK, LEFT)?;
        }
        Ok(())
    }

    fn panel<DB: DrawingBackend>(&self, page: &Page<DB>, area: Area, measure: usize, name: &str) -> Drawn
    where
        DB::ErrorType: 'static,
    {
        let points = |curve: &Curve| -> Vec<(f64, f64)> {
            let there = curve.points.iter().filter_map(|p| Some((p.kilobits, p.values.get(measure).copied()??)));
            there.filter(|(x, y)| x.is_finite() && y.is_finite()).collect()
        };
        let all: Vec<(f64, f64)> = self.curves.iter().flat_map(points).collect();
        let (x, y) = (reach(all.iter().map(|p| p.0), Some(0.0)), reach(all.iter().map(|p| p.1), None));
        let place = |(kilobits, value): (f64, f64)| {
            let across = (kilobits - x.0) / (x.1 - x.0);
            let up = (value - y.0) / (y.1 - y.0);
            (area.left + across * area.width, area.bottom() - up * area.height)
        };
        for kilobits in canvas::ticks(x, 8) {
            let at = place((kilobits, y.0)).0;
            page.line(&[(at, area.top), (at, area.bottom())], 0.5, GRID.into())?;
            page.line(&[(at, area.bottom()), (at, area.bottom() + 4.0)], 0.7, INK.into())?;
            page.text(&canvas::number(kilobits), (at, area.bottom() + 7.0), 10.5, INK, CENTRE_TOP)?;
        }
        for value in canvas::ticks(y, 6) {
            let at = place((x.0, value)).1;
            page.line(&[(area.left, at), (area.right(), at)], 0.5, GRID.into())?;
            page.line(&[(area.left - 4.0, at), (area.left, at)], 0.7, INK.into())?;
            let text = canvas::number(value).replace('-', "\u{2212}");
            page.text(&text, (area.left - 7.0, at), 10.5, INK, RIGHT)?;
        }
        page.rectangle(area, INK.into(), false)?;
        let below = (area.left + area.width / 2.0, area.bottom() + 22.0);
        page.text("Bitrate, kb/s", below, 12.0, INK, CENTRE_TOP)?;
        let beside = (area.left - 46.0, area.top + area.height / 2.0);
        page.turned_text(name, beside, 12.0, INK, CENTRE, FontTransform::Rotate270)?;
        for (index, curve) in self.curves.iter().enumerate() {
            let placed: Vec<_> = points(curve).into_iter().map(place).collect();
            stroke(page, &placed, index, curve.dashed)?;
        }
        for (index, curve) in self.curves.iter().enumerate() {
            for point in &curve.points {
                let Some(value) = point.values.get(measure).copied().flatten() else { continue };
                let at = place((point.kilobits, value));
                marker(page, at, index)?;
                // Labels of every other curve go below, so that two curves that run together can both be read.
                let (dy, anchor) = if index % 2 == 0 { (-6.0, VPos::Bottom) } else { (6.0, VPos::Top) };
                let colour = PALETTE[index % PALETTE.len()];
                page.text(&point.label, (at.0, at.1 + dy), 9.0, colour, (HPos::Center, anchor))?;
            }
        }
        Ok(())
    }
}

/// The range of some values with a margin around them, from `from` where it is given.
fn reach(values: impl Iterator<Item = f64>, from: Option<f64>) -> (f64, f64) {
    let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)));
    if low > high {
        return (0.0, 1.0);
    }
    let low = from.unwrap_or(low);
    let margin = (0.08 * (high - low)).max(1e-3);
    (if from.is_some() { low } else { low - margin }, high + margin)
}

fn stroke<DB: DrawingBackend>(page: &Page<DB>, points: &[(f64, f64)], index: usize, dashed: bool) -> Drawn
where
    DB::ErrorType: 'static,
{
    let colour: RGBAColor = PALETTE[index % PALETTE.len()].into();
    if !dashed {
        return if points.len() < 2 { Ok(()) } else { page.line(points, 1.6, colour) };
    }
    // Dashes of 5 points with gaps of 3 along the whole line.
    let (dash, period): (f64, f64) = (5.0, 8.0);
    let mut walked = 0.0f64;
    for pair in points.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        let at = |d: f64| (from.0 + (to.0 - from.0) * d / length, from.1 + (to.1 - from.1) * d / length);
        let mut start = (walked / period).floor() * period - walked;
        while start < length && length > 0.0 {
            let (low, high) = (start.max(0.0), (start + dash).min(length));
            if low < high {
                page.line(&[at(low), at(high)], 1.6, colour)?;
            }
            start += period;
        }
        walked += length;
    }
    Ok(())
}

/// A marker of the curve's own shape.
fn marker<DB: DrawingBackend>(page: &Page<DB>, at: (f64, f64), index: usize) -> Drawn
where
    DB::ErrorType: 'static,
{
    let colour = PALETTE[index % PALETTE.len()];
    let corners = |turn: f64, number: usize, radius: f64| -> Vec<(f64, f64)> {
        let angle = |corner: usize| turn + std::f64::consts::TAU * corner as f64 / number as f64;
        (0..number).map(|c| (at.0 + radius * angle(c).cos(), at.1 + radius * angle(c).sin())).collect()
    };
    let quarter = std::f64::consts::FRAC_PI_2;
    match index % 5 {
        0 => page.circle(at, 3.4, colour, true),
        1 => page.polygon(&corners(quarter / 2.0, 4, 4.4), colour.into()),
        2 => page.polygon(&corners(-quarter, 3, 4.6), colour.into()),
        3 => page.polygon(&corners(0.0, 4, 4.6), colour.into()),
        _ => page.polygon(&corners(quarter, 3, 4.6), colour.into()),
    }
}

impl Drawing for CurvesFigure {
    fn png(&self, page: &Page<BitMapBackend<'_>>) -> Drawn {
        self.draw(page)
    }

    fn svg(&self, page: &Page<SVGBackend<'_>>) -> Drawn {
        self.draw(page)
    }
}
