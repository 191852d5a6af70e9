//! What figures are drawn on: a page in points, to PNG or SVG, and the axes that all of them share.

use super::FigureError;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontStyle, FontTransform, register_font};
use std::error::Error;
use std::path::Path;
use std::sync::LazyLock;

/// Pixels of a PNG for each point of the page.
const PNG_SCALE: f64 = 2.0;
/// The family that SVGs ask for; in PNGs it is the bundled font.
const FAMILY: &str = "sans-serif";

static FONT_READY: LazyLock<bool> =
    LazyLock::new(|| register_font(FAMILY, FontStyle::Normal, epaint_default_fonts::UBUNTU_LIGHT).is_ok());

pub const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
pub const FAINT: RGBColor = RGBColor(0x66, 0x66, 0x66);
pub const GRID: RGBColor = RGBColor(0xdd, 0xdd, 0xdd);
/// Of Okabe and Ito's palette: blue, vermilion, bluish green, reddish purple, orange, sky blue, black.
pub const PALETTE: [RGBColor; 7] = [
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0x22, 0x22, 0x22),
];

pub type Drawn = Result<(), Box<dyn Error + Send + Sync>>;

/// How a figure is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FigureFormat {
    Png,
    Svg,
}

impl FigureFormat {
    /// The format that a file name asks for.
    ///
    /// # Errors
    /// [`FigureError::Format`] where it asks for neither.
    pub fn of(path: &Path) -> Result<Self, FigureError> {
        match path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase).as_deref() {
            Some("png") => Ok(Self::Png),
            Some("svg") => Ok(Self::Svg),
            _ => Err(FigureError::Format { path: path.to_owned() }),
        }
    }
}

/// Draws a page of `width` by `height` points into the file `path`, which appears when it is whole. `drawing` is given
/// the page as one of the two kinds of [`Page`].
pub fn write(path: &Path, size: (f64, f64), drawing: &dyn Drawing) -> Result<(), FigureError> {
    let format = FigureFormat::of(path)?;
    if !*FONT_READY {
        return Err(FigureError::Font);
    }
    let draw = || -> Drawn {
        let scale = if format == FigureFormat::Png { PNG_SCALE } else { 1.0 };
        let pixels = ((size.0 * scale).round() as u32, (size.1 * scale).round() as u32);
        let mut output = crate::audio::Output::create(path)?;
        match format {
            FigureFormat::Png => {
                // The backend writes PNGs to names only.
                let drawn = tempfile::Builder::new().suffix(".png").tempfile()?.into_temp_path();
                let root = BitMapBackend::new(&drawn, pixels).into_drawing_area();
                drawing.png(&Page { root: root.clone(), scale })?;
                root.present()?;
                std::io::copy(&mut std::fs::File::open(&drawn)?, &mut output)?;
            }
            FigureFormat::Svg => {
                let mut text = String::new();
                let root = SVGBackend::with_string(&mut text, pixels).into_drawing_area();
                drawing.svg(&Page { root: root.clone(), scale })?;
                root.present()?;
                drop(root);
                // plotters-svg leaves out half of the type of embedded pictures; not every reader guesses it.
                let text = text.replace("\"data:png;base64,", "\"data:image/png;base64,");
                std::io::Write::write_all(&mut output, text.as_bytes())?;
            }
        }
        Ok(output.finish()?)
    };
    draw().map_err(|source| FigureError::Write { path: path.to_owned(), source })
}

/// Something that can be drawn on either kind of page.
pub trait Drawing {
    fn png(&self, page: &Page<BitMapBackend<'_>>) -> Drawn;
    fn svg(&self, page: &Page<SVGBackend<'_>>) -> Drawn;
}

/// A rectangle in points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
}

impl Area {
    pub fn right(&self) -> f64 {
        self.left + self.width
    }

    pub fn bottom(&self) -> f64 {
        self.top + self.height
    }
}

/// A page; all positions and lengths are in points.
pub struct Page<DB: DrawingBackend> {
    pub root: DrawingArea<DB, Shift>,
    pub scale: f64,
}

impl<DB: DrawingBackend> Page<DB>
where
    DB::ErrorType: 'static,
{
    pub fn pixel(&self, x: f64, y: f64) -> (i32, i32) {
        ((x * self.scale).round() as i32, (y * self.scale).round() as i32)
    }

    pub fn line(&self, points: &[(f64, f64)], width: f64, colour: RGBAColor) -> Drawn {
        let points: Vec<_> = points.iter().map(|&(x, y)| self.pixel(x, y)).collect();
        let width = (width * self.scale).round().max(1.0) as u32;
        Ok(self.root.draw(&PathElement::new(points, colour.stroke_width(width)))?)
    }

    pub fn polygon(&self, points: &[(f64, f64)], colour: RGBAColor) -> Drawn {
        let points: Vec<_> = points.iter().map(|&(x, y)| self.pixel(x, y)).collect();
        Ok(self.root.draw(&Polygon::new(points, colour.filled()))?)
    }

    pub fn rectangle(&self, area: Area, colour: RGBAColor, filled: bool) -> Drawn {
        let corners = [self.pixel(area.left, area.top), self.pixel(area.right(), area.bottom())];
        let width = (0.7 * self.scale).round().max(1.0) as u32;
        let style = if filled { colour.filled() } else { colour.stroke_width(width) };
        Ok(self.root.draw(&Rectangle::new(corners, style))?)
    }

    pub fn circle(&self, at: (f64, f64), radius: f64, colour: RGBColor, filled: bool) -> Drawn {
        let style = if filled { colour.filled() } else { colour.stroke_width((1.2 * self.scale).round() as u32) };
        Ok(self.root.draw(&Circle::new(self.pixel(at.0, at.1), (radius * self.scale).round() as i32, style))?)
    }

    pub fn text(&self, text: &str, at: (f64, f64), size: f64, colour: RGBColor, anchor: (HPos, VPos)) -> Drawn {
        self.turned_text(text, at, size, colour, anchor, FontTransform::None)
    }

    pub fn turned_text(
        &self,
        text: &str,
        at: (f64, f64),
        size: f64,
        colour: RGBColor,
        anchor: (HPos, VPos),
        turn: FontTransform,
    ) -> Drawn {
        let font = (FAMILY, size * self.scale).into_font().transform(turn);
        let style = TextStyle::from(font).color(&colour).pos(Pos::new(anchor.0, anchor.1));
        Ok(self.root.draw_text(text, &style, self.pixel(at.0, at.1))?)
    }

    /// A picture of `[height][width]` pixels of red, green and blue, which is as large as `area` on this page.
    pub fn picture(&self, area: Area, shade: &dyn Fn(f64, f64) -> RGBColor) -> Drawn {
        let (left, top) = self.pixel(area.left, area.top);
        let (right, bottom) = self.pixel(area.right(), area.bottom());
        let (width, height) = ((right - left).max(1) as u32, (bottom - top).max(1) as u32);
        let mut pixels = Vec::with_capacity((width * height * 3) as usize);
        for y in 0..height {
            for x in 0..width {
                let at = ((f64::from(x) + 0.5) / f64::from(width), (f64::from(y) + 0.5) / f64::from(height));
                let RGBColor(red, green, blue) = shade(at.0, at.1);
                pixels.extend([red, green, blue]);
            }
        }
        match BitMapElement::with_owned_buffer((left, top), (width, height), pixels) {
            Some(picture) => Ok(self.root.draw(&picture)?),
            None => Ok(()),
        }
    }
}

/// Round numbers, some `wanted` of them, within `range`.
pub fn ticks(range: (f64, f64), wanted: usize) -> Vec<f64> {
    let raw = (range.1 - range.0) / wanted.max(1) as f64;
    if raw <= 0.0 || !raw.is_finite() {
        return Vec::new();
    }
    let power = 10f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|m| m * power).find(|&s| s >= raw).unwrap_or(10.0 * power);
    let first = (range.0 / step - 1e-9).ceil() as i64;
    let last = (range.1 / step + 1e-9).floor() as i64;
    (first..=last).map(|index| index as f64 * step).collect()
}

/// A number without more digits than it has.
pub fn number(value: f64) -> String {
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// Text anchored in its middle, at its left, at its right.
pub const CENTRE_TOP: (HPos, VPos) = (HPos::Center, VPos::Top);
pub const CENTRE: (HPos, VPos) = (HPos::Center, VPos::Center);
pub const LEFT: (HPos, VPos) = (HPos::Left, VPos::Center);
pub const RIGHT: (HPos, VPos) = (HPos::Right, VPos::Center);
