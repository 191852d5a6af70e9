//! What codes are chosen by.

use super::history::History;
use super::{Controls, chips, theme};
use crate::codec::CodeSearch;
use crate::engine::{Setting, Slot};
use egui::{Rect, Ui, pos2, vec2};

const NAME: &str = "Codes by sound";
const HINT: &str = "Of the eight best codes of each frame, the one is sent that the decoder makes nearest to the input: a \
                    better sound from the same model for the same bits, at about twice the load. Part of the setting, so that 1 \
                    and 2 can compare.";
const GIVEN_UP: &str = "The machine has no time for it now; it is tried again when the load is lower.";
/// Frames of the other kind after which it isn't just on its way.
const SURE: u64 = 40;

/// Draws the switch in the corner of the card `rect` and turns it.
pub fn show(ui: &Ui, rect: Rect, scale: f32, history: &History, controls: &mut dyn Controls) {
    let size = vec2(92.0, 16.0) * scale;
    let place = Rect::from_min_size(pos2(rect.right() - 6.0 - size.x, rect.top() + 4.0), size);
    let asked = controls.chosen().search == CodeSearch::Sound;
    // What was asked for takes a latency to show.
    let given_up = asked && is_given_up(history, controls.slot());
    let sure = ui.ctx().animate_bool_with_time(ui.scope_id().with((NAME, "given up")), given_up, 0.5) == 1.0;
    let fill = match (asked, sure && given_up) {
        (false, _) => None,
        (true, false) => Some(theme::ink().accent),
        (true, true) => Some(theme::ink().warning),
    };
    let response = chips::lit(ui, place, scale, ("codes by sound", NAME), fill);
    let response = response.on_hover_ui(|ui| {
        ui.label(HINT);
        if sure && given_up {
            ui.label(GIVEN_UP);
        }
    });
    if response.clicked() {
        let search = if asked { CodeSearch::Latent } else { CodeSearch::Sound };
        controls.replace_chosen(&Setting { search, ..controls.chosen() });
    }
}

/// Whether the last frames of the setting were chosen by the latent.
fn is_given_up(history: &History, slot: Slot) -> bool {
    let received = history.received();
    let mut last = history.range(received.saturating_sub(SURE)..received).peekable();
    received >= SURE
        && last.peek().is_some()
        && last.all(|report| report.setting == slot && report.search == CodeSearch::Latent)
}
