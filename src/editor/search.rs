//! What codes are chosen by.

use super::history::History;
use super::{Controls, chips, theme};
use crate::codec::CodeSearch;
use crate::engine::{Setting, Slot};
use egui::{Rect, Ui, pos2, vec2};

/// What codes are chosen by, its short name, its name for screen readers, and what it means.
const CHOICES: [(CodeSearch, &str, &str, &str); 3] = [
    (
        CodeSearch::Latent,
        "latent",
        "Codes by latent",
        "Each frame sends the codes nearest to the encoder's latent: the least load.",
    ),
    (
        CodeSearch::Sound,
        "sound",
        "Codes by sound",
        "Of the eight best codes of each frame, the one is sent that the decoder makes nearest to the input: a better sound \
         from the same model for the same bits, at about twice the load.",
    ),
    (
        CodeSearch::Refined,
        "refined",
        "Codes refined",
        "As by sound, and the eight are searched near what the frame should be after the frames before it: a better sound \
         still, at three to four times the load of the latent.",
    ),
];
const PART: &str = "Part of the setting, so that 1 and 2 can compare.";
const GIVEN_UP: &str = "The machine has no time for it now; it is tried again when the load is lower.";
/// Frames of less after which it isn't just on its way.
const SURE: u64 = 40;

/// Width of a choice.
const WIDTH: f32 = 43.0;

/// Whether the card `rect` has room for its name beside the choice.
pub fn leaves_room(rect: Rect, scale: f32) -> bool {
    rect.width() > (CHOICES.len() as f32 * WIDTH + 60.0) * scale
}

/// Draws the choice in the corner of the card `rect` and turns it.
pub fn show(ui: &Ui, rect: Rect, scale: f32, history: &History, controls: &mut dyn Controls) {
    let size = vec2(WIDTH, 16.0) * scale;
    let left = rect.right() - 6.0 - CHOICES.len() as f32 * size.x;
    let asked = controls.chosen().search;
    // What was asked for takes a latency to show.
    let given_up = is_given_up(history, controls.slot(), asked);
    let sure = ui.ctx().animate_bool_with_time(ui.scope_id().with("given up"), given_up, 0.5) == 1.0;
    for (index, (search, text, name, hint)) in CHOICES.into_iter().enumerate() {
        let place = Rect::from_min_size(pos2(left + index as f32 * size.x, rect.top() + 4.0), size);
        let given_up = sure && given_up && search == asked;
        let colour = if given_up { theme::ink().warning } else { theme::ink().accent };
        let response = chips::switch(ui, place, scale, (text, name), (search == asked).then_some(colour));
        let response = response.on_hover_ui(|ui| {
            ui.label(hint);
            ui.label(PART);
            if given_up {
                ui.label(GIVEN_UP);
            }
        });
        if response.clicked() && search != asked {
            controls.replace_chosen(&Setting { search, ..controls.chosen() });
        }
    }
}

/// Whether the last frames of the setting were chosen by less than what is `asked`.
fn is_given_up(history: &History, slot: Slot, asked: CodeSearch) -> bool {
    let received = history.received();
    let mut last = history.range(received.saturating_sub(SURE)..received).peekable();
    received >= SURE && last.peek().is_some() && last.all(|report| report.setting == slot && report.search < asked)
}
