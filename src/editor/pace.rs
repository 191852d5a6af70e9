//! When the view draws next.
//!
//! A graphics driver in hardware paces a moving view by the screen: it is asked for the next frame at once. One that
//! doesn't wait for the screen is held to [`STEADY`]. A driver in software (llvmpipe, SwiftShader, WARP) paints on the
//! processor that the codec needs, at some ten nanoseconds a pixel: there the view takes a share of one core at most, at
//! an even lower rate.

use egui::{PaintCallback, Ui};
use egui_glow::CallbackFn;
use egui_glow::glow::{self, HasContext};
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Duration;

/// Seconds of a frame where nothing else sets the pace.
const STEADY: f64 = 1.0 / 60.0;
/// A frame shorter than this didn't wait for a screen; so many in a row show that none do.
const NO_WAIT: f64 = 0.004;
const SHOWN_AFTER: u32 = 20;
/// Share of a core for a driver in software, and its slowest pace in seconds.
const SOFTWARE_SHARE: f64 = 0.27;
const SLOWEST: f64 = 1.0 / 8.0;
/// Seconds between two measurements of what a frame costs, and the weight of a new one.
const MEASURE_SECONDS: f64 = 2.0;
const MEASURE_WEIGHT: f64 = 0.3;
/// Cores that a driver in software is taken to use, eight at most. Asked for once: the answer comes from files.
static CORES: LazyLock<usize> = LazyLock::new(|| std::thread::available_parallelism().map_or(1, usize::from).min(8));

/// What paints a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Painting {
    /// A graphics processor.
    #[default]
    Hardware,
    /// This processor.
    Software,
}

impl Painting {
    /// What the name of an OpenGL driver (`GL_RENDERER`) tells.
    fn of_driver(renderer: &str) -> Self {
        let renderer = renderer.to_lowercase();
        let software = ["llvmpipe", "softpipe", "swrast", "swiftshader", "software", "gdi generic", "basic render"];
        if software.iter().any(|name| renderer.contains(name)) { Self::Software } else { Self::Hardware }
    }
}

/// Asks the OpenGL driver of a window for its name, which can be done only while the window is painted.
#[derive(Default)]
pub struct Driver(Arc<OnceLock<Painting>>);

impl Driver {
    /// What paints the window, once a frame was painted.
    pub(super) fn painting(&self, ui: &Ui) -> Option<Painting> {
        if self.0.get().is_none() {
            let found = self.0.clone();
            let ask = move |_, painter: &egui_glow::Painter| {
                // SAFETY: a query without memory of ours; the context is current while it paints.
                let name = unsafe { painter.gl().get_parameter_string(glow::RENDERER) };
                let _ = found.set(Painting::of_driver(&name));
            };
            let (rect, callback) = (ui.max_rect(), Arc::new(CallbackFn::new(ask)));
            ui.painter().add(PaintCallback { rect, callback });
        }
        self.0.get().copied()
    }
}

/// The pace of one window.
#[derive(Debug, Default)]
pub struct Pace {
    pub(super) painting: Painting,
    /// Frames in a row that didn't wait.
    unpaced: u32,
    /// When the last frame started.
    last: Option<f64>,
    /// Seconds of painting a frame, once known, and when that was last measured.
    cost: Option<f64>,
    measured: f64,
    measuring: bool,
}

impl Pace {
    /// A frame starts at `now` in seconds.
    pub fn start(&mut self, now: f64) {
        let took = self.last.map_or(STEADY, |last| now - last);
        self.last = Some(now);
        if !self.unheld() {
            self.unpaced = if took < NO_WAIT { self.unpaced + 1 } else { 0 };
        }
        if std::mem::take(&mut self.measuring) {
            let took = took.min(SLOWEST);
            self.cost = Some(self.cost.map_or(took, |cost| cost + MEASURE_WEIGHT * (took - cost)));
        }
    }

    /// Whether no screen holds the frames back.
    fn unheld(&self) -> bool {
        self.unpaced >= SHOWN_AFTER
    }

    /// How long after this frame a view that moves asks for the next; zero: as soon as this one is painted.
    pub fn next(&mut self) -> Duration {
        let now = self.last.unwrap_or_default();
        let due = self.cost.is_none() || now - self.measured > MEASURE_SECONDS;
        if self.painting == Painting::Software && due {
            // The next frame comes when this one is painted, which tells how long that takes.
            (self.measured, self.measuring) = (now, true);
            return Duration::ZERO;
        }
        self.interval()
    }

    /// The same for a frame that nothing is measured by, because it may be asked for later than that.
    pub fn interval(&self) -> Duration {
        Duration::from_secs_f64(match self.painting {
            Painting::Hardware if self.unheld() => STEADY,
            Painting::Hardware => 0.0,
            // What is measured is time, in which such a driver uses all cores.
            Painting::Software => (self.cost.unwrap_or(STEADY) * *CORES as f64 / SOFTWARE_SHARE).clamp(STEADY, SLOWEST),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames in ten seconds of a moving view when painting takes `cost` seconds and the screen at least `wait`; and the
    /// share of the time that is spent painting.
    fn run(pace: &mut Pace, cost: f64, wait: f64) -> (usize, f64) {
        let (mut now, mut count) = (0.0, 0);
        while now < 10.0 {
            pace.start(now);
            now += pace.next().as_secs_f64().max(cost).max(wait);
            count += 1;
        }
        (count, count as f64 * cost / now)
    }

    #[test]
    fn a_screen_sets_the_pace_and_without_one_the_view_holds_itself_back() {
        let (count, _) = run(&mut Pace::default(), 0.001, 1.0 / 144.0);
        assert!((1430..1450).contains(&count), "{count}");
        let (count, _) = run(&mut Pace::default(), 0.001, 0.0);
        assert!((590..640).contains(&count), "{count}");
    }

    #[test]
    fn a_driver_in_software_is_known_and_takes_its_share_only() {
        assert_eq!(Painting::of_driver("llvmpipe (LLVM 15.0.6, 256 bits)"), Painting::Software);
        assert_eq!(Painting::of_driver("NVIDIA GeForce RTX 3060/PCIe/SSE2"), Painting::Hardware);
        for cost in [0.002, 0.008, 0.015] {
            let mut pace = Pace { painting: Painting::of_driver("llvmpipe"), ..Pace::default() };
            let (count, share) = run(&mut pace, cost, 0.0);
            assert!(share < 0.3 && count > 70, "{share} of the time in {count} frames of {cost} s");
        }
    }
}
