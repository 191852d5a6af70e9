//! How often screen readers are told what the window shows. Its figures change with every frame, and each change is an event that they
//! work on: some hundred a second would keep them from what their user does.

use egui::{Context, Event};
use std::time::Duration;

/// Between two times where nothing is done.
const PAUSE: Duration = Duration::from_millis(250);
/// Frames in which what was done shows: hosts take what is turned a little later.
const HURRY: u8 = 3;

/// Says of each frame whether it is told, while something reads the window.
#[derive(Debug, Default)]
pub struct Telling {
    /// When the last one was told, in seconds.
    last: Option<f64>,
    /// Frames to be told in any case.
    hurry: u8,
}

impl Telling {
    /// Has the frame to come, at `time` in seconds and after `events`, made for screen readers where it is due: at once where
    /// something was done. Where it isn't, another one comes that is.
    pub fn prepare(&mut self, egui: &Context, time: f64, events: &[Event]) {
        if events.iter().any(is_done) {
            self.hurry = HURRY;
        }
        let past = self.last.map_or(f64::INFINITY, |last| time - last);
        // A clock may start anew with a window.
        if self.hurry > 0 || past >= PAUSE.as_secs_f64() || past < 0.0 {
            egui.enable_accesskit();
            (self.last, self.hurry) = (Some(time), self.hurry.saturating_sub(1));
        } else {
            egui.disable_accesskit();
            egui.request_repaint_after(PAUSE);
        }
    }
}

/// Whether the user did something, beside moving the pointer.
fn is_done(event: &Event) -> bool {
    !matches!(event, Event::PointerMoved(_) | Event::MouseMoved(_) | Event::PointerGone)
}
