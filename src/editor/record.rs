//! Recording what is coded: a button beside the settings, and how long and how large the take is.

use super::chips::button;
use super::note::Notes;
use crate::engine::{LoopState, Status, Telemetry};
use crate::recording::{Progress, RecordError, Recorder, size_text};
use egui::{Color32, Rect, Ui, pos2, vec2};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Red on both grounds.
const RED: Color32 = Color32::from_rgb(232, 72, 72);
/// Widths of the button at rest and while it counts.
const WIDTH: f32 = 40.0;
const COUNTING: f32 = 104.0;

const HINT: &str =
    "Records what is coded as .vrvq, and what is decoded as a WAV beside it, in your music folder or documents.";

/// The recorder of a view.
pub struct Recording {
    recorder: Recorder,
}

impl Recording {
    pub fn new(telemetry: Arc<Telemetry>, folder: PathBuf) -> Self {
        Self { recorder: Recorder::new(telemetry, folder) }
    }

    /// Starts to record to `path`.
    pub fn start_at(&mut self, path: &Path) -> Result<(), RecordError> {
        self.recorder.start_at(path, None)
    }

    /// Draws the button to the left of `strip` and tells where it begins; how a recording ended is told by `notes`.
    pub fn show(&mut self, ui: &Ui, strip: Rect, scale: f32, status: &Status, notes: &mut Notes) -> f32 {
        match self.recorder.poll() {
            Some(Ok(recorded)) => notes.say(recorded.to_string()),
            Some(Err(error)) => notes.say(error.to_string()),
            None => {}
        }
        let progress = self.recorder.progress();
        let width = if progress.is_some() { COUNTING } else { WIDTH } * scale;
        let right = strip.left() - 8.0 * scale;
        let place = Rect::from_center_size(pos2(right - width / 2.0, strip.center().y), vec2(width, 19.0 * scale));
        if progress.is_none() && status.state != LoopState::Running {
            // Nothing to record; the room stays, so that nothing moves when there is.
            return place.left();
        }
        let (text, name, hint) = match progress {
            None => ("    Rec".to_owned(), "Record", HINT.to_owned()),
            Some(progress) => (count(&progress), "Stop recording", told(&progress)),
        };
        let response = button(ui, place, scale, (&text, name));
        let centre = pos2(place.left() + 9.0 * scale, place.center().y);
        if progress.is_some() {
            ui.painter().rect_filled(Rect::from_center_size(centre, vec2(8.0, 8.0) * scale), 1.0, RED);
        } else {
            ui.painter().circle_filled(centre, 4.0 * scale, RED);
        }
        if response.on_hover_text(hint).clicked() {
            if progress.is_some() {
                self.recorder.stop();
            } else if let Err(error) = self.recorder.start() {
                notes.say(format!("Nothing is recorded: {error}"));
            }
        }
        place.left()
    }
}

/// Length and size, short.
fn count(progress: &Progress) -> String {
    let seconds = progress.seconds as u64;
    let missing = if progress.missing > 0 { " !" } else { "" };
    format!("    {}:{:02}  {}{missing}", seconds / 60, seconds % 60, size_text(progress.bytes))
}

/// The same in words.
fn told(progress: &Progress) -> String {
    let Progress { seconds, bytes, wav_bytes, missing } = *progress;
    let sizes = format!("{} coded, {} decoded", size_text(bytes), size_text(wav_bytes));
    let gaps = if missing > 0 { format!(" {missing} frames came too late and are gaps.") } else { String::new() };
    format!("Recording: {seconds:.1} s, {sizes}.{gaps} Click to stop.")
}
