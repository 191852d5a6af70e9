//! Saving what is on screen, in the background, and notes on how that and other things went.

use super::{names, theme};
use crate::engine::FrameReport;
use egui::{Align2, Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::{Duration, Instant};

/// Saves frames at a frame rate under a title and tells in words how that went; called on a thread of its own.
pub type Exporter = Arc<dyn Fn(&[FrameReport], f64, &str) -> String + Send + Sync>;

/// How long a note stays.
const SHOWN: Duration = Duration::from_secs(10);

/// The exporter and what it last said.
pub struct Notes {
    exporter: Exporter,
    pending: Option<Receiver<String>>,
    said: Option<(String, Instant)>,
}

impl Notes {
    pub fn new(exporter: Exporter) -> Self {
        Self { exporter, pending: None, said: None }
    }

    /// Tells `text`.
    pub fn say(&mut self, text: String) {
        self.said = Some((text, Instant::now()));
    }

    /// Saves `reports`, unless a save is under way.
    pub fn export(&mut self, context: &egui::Context, reports: Vec<FrameReport>, frame_rate: f64, title: String) {
        if self.pending.is_some() {
            return;
        }
        let (sender, receiver) = channel();
        let (exporter, context) = (self.exporter.clone(), context.clone());
        let bright = theme::ink().bright;
        let work = move || {
            theme::set(bright);
            // Nobody may be listening any more, which is no loss.
            let _ = sender.send(exporter(&reports, frame_rate, &title));
            context.request_repaint();
        };
        match std::thread::Builder::new().name("vrvq export".into()).spawn(work) {
            Ok(_) => self.pending = Some(receiver),
            Err(error) => self.said = Some((format!("Nothing was saved: {error}"), Instant::now())),
        }
    }

    /// Draws the last note over the bottom of the map `rect`; a click takes it away.
    pub fn show(&mut self, ui: &Ui, rect: Rect, scale: f32) {
        match self.pending.as_ref().map(Receiver::try_recv) {
            Some(Ok(text)) => (self.said, self.pending) = (Some((text, Instant::now())), None),
            Some(Err(TryRecvError::Disconnected)) => self.pending = None,
            Some(Err(TryRecvError::Empty)) | None => {}
        }
        self.said.take_if(|(_, since)| since.elapsed() > SHOWN);
        let Some((text, _)) = &self.said else { return };
        let width = (rect.width() - 120.0 * scale).min(640.0 * scale);
        let body = ui.painter().layout(text.clone(), theme::text(13.0 * scale), theme::ink().text, width - 24.0);
        let size = body.size() + vec2(24.0, 16.0);
        let panel =
            Rect::from_min_size(pos2(rect.center().x - size.x / 2.0, rect.bottom() - size.y - 22.0 * scale), size);
        ui.painter().rect_filled(panel, 6.0, theme::ink().background.gamma_multiply(0.94));
        ui.painter().rect_stroke(panel, 6.0, Stroke::new(1.0, theme::ink().accent), StrokeKind::Inside);
        ui.painter().galley(
            Align2::LEFT_TOP.anchor_size(panel.min + vec2(12.0, 8.0), body.size()).min,
            body,
            theme::ink().text,
        );
        let response = ui.interact(panel, ui.scope_id().with("note"), Sense::click());
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text.as_str()));
        names::announce(&response);
        if response.clicked() {
            self.said = None;
        }
    }
}
