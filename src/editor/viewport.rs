//! Which frames the map shows, and how wide: the newest ones, or older ones while it is frozen.

use super::scroll::MOST_COLUMNS;
use egui::Rect;
use std::ops::Range;

/// Seconds across the map: at first, fewest and most.
const SECONDS: f64 = 8.5;
const FEWEST_SECONDS: f64 = 2.0;
const MOST_SECONDS: f64 = 60.0;
/// What one step of the zoom multiplies the seconds by.
const ZOOM_STEP: f64 = 1.25;
/// Time constant in seconds that the right edge follows new frames with: bursts of frames (large host blocks) scroll
/// evenly.
const GLIDE: f32 = 0.04;

/// Where in time the map is.
pub struct Viewport {
    /// Seconds that it aims to show; whole pixels decide.
    seconds: f64,
    /// Frame after the newest one shown while it is live, gliding towards the newest.
    head: f64,
    frozen: Option<Frozen>,
}

/// A map that stands still.
struct Frozen {
    /// Frame after the newest one shown.
    edge: f64,
    /// The same at first.
    stopped: f64,
    /// Frames that had been received when it was frozen.
    since: u64,
}

impl Default for Viewport {
    fn default() -> Self {
        Self { seconds: SECONDS, head: 0.0, frozen: None }
    }
}

/// Frames in a column of the textures, and its width in pixels. Both whole: a texture that is neither stretched nor
/// squeezed scrolls without flicker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Scale {
    fold: u64,
    pixels: u64,
}

impl Scale {
    /// The scale that shows about `frames` over `width` pixels.
    fn new(frames: f64, width: f64) -> Self {
        let most = width.min(MOST_COLUMNS as f64).max(1.0);
        let fold = (frames / most).round().max(1.0);
        let least = (width / MOST_COLUMNS as f64).ceil().max(1.0);
        let pixels = (width * fold / frames).round().max(least);
        Self { fold: fold as u64, pixels: pixels as u64 }
    }

    fn pixels_per_frame(self) -> f64 {
        self.pixels as f64 / self.fold as f64
    }
}

/// What is on screen, and how wide.
#[derive(Debug, Clone)]
pub struct Span {
    /// Frames in sight, even by a part.
    pub frames: Range<u64>,
    /// Frame position of the right edge.
    pub edge: f64,
    /// Points a frame.
    pub step: f32,
    /// Frames in a column.
    pub fold: u64,
    /// Frames a second.
    pub rate: f64,
    /// Frame position that times are told from: the right edge, or the moment the map was frozen.
    pub origin: f64,
    pub frozen: bool,
}

impl Span {
    /// Where a frame position is.
    pub fn at(&self, rect: Rect, position: f64) -> f32 {
        rect.right() - ((self.edge - position) * f64::from(self.step)) as f32
    }

    /// Middle of a frame.
    pub fn x(&self, rect: Rect, frame: u64) -> f32 {
        self.at(rect, frame as f64 + 0.5)
    }

    /// The frame at a position, where there is one.
    pub fn frame(&self, rect: Rect, x: f32) -> Option<u64> {
        let frame = (self.edge - f64::from((rect.right() - x) / self.step)).floor();
        Some(frame as u64).filter(|frame_number| frame >= 0.0 && self.frames.contains(frame_number))
    }

    /// Columns in sight.
    pub fn columns(&self) -> Range<u64> {
        self.frames.start / self.fold..self.frames.end.div_ceil(self.fold)
    }

    /// Frames of a column that are there.
    pub fn frames_of(&self, column: u64) -> Range<u64> {
        column * self.fold..((column + 1) * self.fold).min(self.frames.end)
    }
}

impl Viewport {
    /// Moves the live edge on by `elapsed` seconds, unless `held`, and gives what is on screen when the frames `kept`
    /// are there and a map of `width` points has pixels of `pixel` points; true while the edge is on its way.
    pub fn look(
        &mut self,
        kept: Range<u64>,
        width: f32,
        pixel: f32,
        rate: f64,
        held: bool,
        elapsed: f32,
    ) -> (Span, bool) {
        let newest = kept.end as f64;
        if self.frozen.as_ref().is_some_and(|frozen| frozen.since > kept.end) {
            self.resume();
        }
        self.head = self.head.min(newest);
        if !held {
            self.head += (newest - self.head) * f64::from(1.0 - (-elapsed / GLIDE).exp());
            if newest - self.head < 0.5 {
                self.head = newest;
            }
        }
        let scale = self.scale(width, pixel, rate);
        let shown = f64::from(width / pixel) / scale.pixels_per_frame();
        // What is no longer kept can't be shown.
        let first = |across: f64| (kept.start as f64 + across).min(newest);
        self.head = self.head.max(first(shown));
        let edge = match &mut self.frozen {
            Some(frozen) => {
                // A map that was frozen before it was full stays so.
                frozen.edge = frozen.edge.clamp(first(shown.min(frozen.stopped)), newest);
                frozen.edge
            }
            None => self.head,
        };
        // On a whole pixel.
        let edge = (edge * scale.pixels_per_frame()).round() / scale.pixels_per_frame();
        let start = ((edge - shown).floor().max(0.0) as u64).max(kept.start);
        let end = (edge.ceil() as u64).min(kept.end);
        let span = Span {
            frames: start.min(end)..end,
            edge,
            step: scale.pixels_per_frame() as f32 * pixel,
            fold: scale.fold,
            rate,
            origin: self.frozen.as_ref().map_or(edge, |frozen| frozen.since as f64),
            frozen: self.frozen.is_some(),
        };
        (span, self.frozen.is_none() && self.head < newest && !held)
    }

    fn scale(&self, width: f32, pixel: f32, rate: f64) -> Scale {
        Scale::new(self.seconds * rate, f64::from(width / pixel))
    }

    /// Live, before the first frame, as close as before.
    pub fn restart(&mut self) {
        *self = Self { seconds: self.seconds, ..Self::default() };
    }

    /// Whether the map stands still.
    pub fn frozen(&self) -> bool {
        self.frozen.is_some()
    }

    /// Stops the map where it is, when `received` frames had come.
    pub fn freeze(&mut self, received: u64) {
        self.frozen.get_or_insert(Frozen { edge: self.head, stopped: self.head, since: received });
    }

    /// Back to the newest frames.
    pub fn resume(&mut self) {
        self.frozen = None;
    }

    /// Moves by `frames`, back in time where positive; stops a live map. Forward over the newest of `received` frames
    /// it is live again.
    pub fn scroll(&mut self, frames: f64, received: u64) {
        if frames == 0.0 || (frames < 0.0 && self.frozen.is_none()) {
            return;
        }
        self.freeze(received);
        let Some(frozen) = &mut self.frozen else { return };
        frozen.edge = (frozen.edge - frames).max(0.0);
        if frames < 0.0 && frozen.edge >= received as f64 {
            self.resume();
        }
    }

    /// Shows `factor` times as much detail; where the map is frozen, what is `share` of its width left of the right
    /// edge stays.
    pub fn zoom(&mut self, factor: f64, share: f64, rate: f64) {
        let before = self.seconds;
        self.seconds = (self.seconds / factor).clamp(FEWEST_SECONDS, MOST_SECONDS);
        if let Some(frozen) = &mut self.frozen {
            frozen.edge += (self.seconds - before) * rate * share;
        }
    }

    /// One step of the zoom in or out that can be seen on a map of `width` points with pixels of `pixel` points.
    pub fn zoom_step(&mut self, closer: bool, width: f32, pixel: f32, rate: f64) {
        let before = self.scale(width, pixel, rate);
        let factor = if closer { ZOOM_STEP } else { 1.0 / ZOOM_STEP };
        let least = if closer { FEWEST_SECONDS } else { MOST_SECONDS };
        while self.scale(width, pixel, rate) == before && self.seconds != least {
            self.zoom(factor, 0.5, rate);
        }
    }

    /// Seconds between the right edge and the newest of `received` frames.
    pub fn ago(&self, received: u64, rate: f64) -> f64 {
        self.frozen.as_ref().map_or(0.0, |frozen| (received as f64 - frozen.edge).max(0.0) / rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_are_whole_and_near_what_is_wanted() {
        for width in [600.0, 900.0, 1500.0, 3700.0, 7600.0] {
            for seconds in [2.0, 5.0, 8.5, 20.0, 60.0] {
                let frames = seconds * 86.13;
                let scale = Scale::new(frames, width);
                let shown = width / scale.pixels_per_frame();
                assert!(width / scale.pixels as f64 <= MOST_COLUMNS as f64, "{width}, {seconds}: {scale:?}");
                assert!((0.6..1.5).contains(&(shown / frames)), "{width}, {seconds}: {scale:?} shows {shown}");
            }
        }
    }

    #[test]
    fn a_frozen_map_stays_where_it_is_and_resumes_at_the_newest_frame() {
        let mut viewport = Viewport::default();
        let look = |viewport: &mut Viewport, received| viewport.look(0..received, 800.0, 1.0, 86.13, false, 1.0).0;
        let live = look(&mut viewport, 10_000);
        assert_eq!(live.frames.end, 10_000);
        viewport.freeze(10_000);
        viewport.scroll(2000.0, 10_000);
        let back = look(&mut viewport, 10_000);
        assert_eq!(back.frames.end, 8000);
        assert_eq!(look(&mut viewport, 11_000).frames, back.frames, "new frames don't move it");
        viewport.zoom(0.25, 0.0, 86.13);
        assert_eq!(look(&mut viewport, 11_000).frames.end, 8000, "the zoom holds its anchor");
        viewport.scroll(1e9, 11_000);
        assert_eq!(look(&mut viewport, 11_000).frames.start, 0, "not before the first");
        viewport.scroll(-1e9, 11_000);
        assert!(!viewport.frozen());
        assert_eq!(look(&mut viewport, 11_000).frames.end, 11_000);
    }
}
