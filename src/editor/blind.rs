//! The blind test in place of the switches: what is heard, the answer, and the score. What X is shows nowhere.

use super::switches::{Switch, button};
use super::{Controls, chips, names, theme};
use crate::blind::{BlindTest, Pair, Side, save};
use crate::engine::{Source, Telemetry};
use crate::saved;
use egui::{Align2, Key, Rect, Ui, pos2};

/// What is listened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    A,
    B,
    X,
}

/// A test and what is heard of it.
pub struct Panel {
    test: BlindTest,
    heard: Heard,
    /// X was listened to since it was drawn; before, an answer would be a guess.
    listened: bool,
    /// Whether the level was matched before.
    level_match: bool,
    /// Where the log went, or why not.
    note: Option<String>,
}

const START: [chips::Choice<bool>; 1] = [(
    true,
    "ABX",
    "Blind test: X is one of two, drawn at random: dry or decoded, or the two settings. Listen, compare, say which, and \
     see whether you do better than guessing. The level is matched meanwhile.",
)];

const PAIRS: [chips::Choice<Pair>; 3] = [
    (Pair::ALL[0], "Dry 1", "Compares the dry signal (A) with setting 1 (B)."),
    (Pair::ALL[1], "Dry 2", "Compares the dry signal (A) with setting 2 (B)."),
    (Pair::ALL[2], "1  2", "Compares setting 1 (A) with setting 2 (B)."),
];

/// The switch in the card `rect` that starts a test.
pub fn start(ui: &Ui, rect: Rect, scale: f32, telemetry: &Telemetry, controls: &mut dyn Controls) -> Option<Panel> {
    chips::choose(ui, rect, scale, &START, None)?;
    let level_match = controls.level_match();
    controls.set_level_match(true);
    let test = BlindTest::new(Pair::dry_and(controls.slot()));
    let panel = Panel { test, heard: Heard::A, listened: false, level_match, note: None };
    telemetry.set_blind(Some(Source::Dry));
    Some(panel)
}

/// A source in words.
fn describe(source: Source, controls: &dyn Controls) -> String {
    match source {
        Source::Dry => "dry".to_owned(),
        Source::Decoded(slot) => format!("setting {}: {}", slot.name(), controls.setting(slot)),
    }
}

impl Panel {
    /// Draws the test in the card `rect` and takes its keys; false when it has ended. `model` is named in the log.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        rect: Rect,
        scale: f32,
        model: &str,
        telemetry: &Telemetry,
        controls: &mut dyn Controls,
    ) -> bool {
        let inner = theme::card(ui, rect, scale, "ABX");
        let heard = match self.heard {
            Heard::A => "A",
            Heard::B => "B",
            Heard::X => "X",
        };
        names::say(ui, rect, scale, &format!("Listening to {heard}"));
        if let Some(pair) = chips::choose(ui, rect, scale, &PAIRS, Some(self.test.pair())) {
            // One model runs at a time, and warming up the other one would tell which is which.
            if telemetry.models_differ() && pair != Pair::dry_and(controls.slot()) {
                self.note = Some("The settings' models differ: compare each with dry.".to_owned());
            } else {
                self.test.compare(pair);
                (self.listened, self.note) = (false, None);
                self.listen(Heard::A, telemetry);
            }
        }
        let gap = 4.0;
        let height = (inner.height() - 3.0 * gap) / 4.0;
        let cell = |row: usize, column: usize, columns: usize| {
            let width = (inner.width() - (columns - 1) as f32 * gap) / columns as f32;
            let (left, top) = (column as f32 * (width + gap), row as f32 * (height + gap));
            let min = inner.min + egui::vec2(left, top);
            Rect::from_min_size(min, egui::vec2(width, height))
        };
        for (column, (heard, name, colour, hint)) in [
            (Heard::A, "A", theme::ink().second, "The first of the two. Key: A."),
            (Heard::B, "B", theme::ink().accent, "The second of the two. Key: B."),
            (Heard::X, "X", theme::ink().text, "One of the two, drawn at random for each trial. Key: X."),
        ]
        .into_iter()
        .enumerate()
        {
            let switch = Switch { key: "", name, hint, on: Some(self.heard == heard), colour };
            if button(ui, cell(0, column, 3), scale, 16.0, &switch) {
                self.listen(heard, telemetry);
            }
        }
        for (column, (side, name, hint)) in [
            (Side::A, "X is A", "X sounds as A. Listen to X first. Key: 1."),
            (Side::B, "X is B", "X sounds as B. Listen to X first. Key: 2."),
        ]
        .into_iter()
        .enumerate()
        {
            let switch = Switch { key: "", name, hint, on: None, colour: theme::ink().text };
            ui.scope(|ui| {
                ui.set_opacity(if self.listened { 1.0 } else { 0.45 });
                if button(ui, cell(1, column, 2), scale, 13.5, &switch) {
                    self.answer(side, telemetry, controls);
                }
            });
        }
        self.score(ui, cell(2, 0, 1), scale);
        let (save_switch, end_switch) = (
            Switch {
                key: "",
                name: "Save log",
                hint: "Writes all trials to a CSV file in your documents.",
                on: None,
                colour: theme::ink().text,
            },
            Switch { key: "", name: "End", hint: "Ends the test. Key: Escape.", on: None, colour: theme::ink().text },
        );
        if button(ui, cell(3, 0, 2), scale, 12.5, &save_switch) {
            self.note = Some(match save(&self.test, model, &saved::folder()) {
                Ok(path) => format!("saved to {}", path.display()),
                Err(error) => error.to_string(),
            });
        }
        let ended = button(ui, cell(3, 1, 2), scale, 12.5, &end_switch) || self.keys(ui, telemetry, controls);
        if ended {
            self.end(telemetry, controls);
        }
        !ended
    }

    /// Gives back what the test took: the monitor is heard again, and the level match is as it was.
    pub fn end(&self, telemetry: &Telemetry, controls: &mut dyn Controls) {
        telemetry.set_blind(None);
        controls.set_level_match(self.level_match);
    }

    fn listen(&mut self, heard: Heard, telemetry: &Telemetry) {
        self.heard = heard;
        let side = match heard {
            Heard::A => Side::A,
            Heard::B => Side::B,
            Heard::X => {
                self.listened = true;
                self.test.x()
            }
        };
        telemetry.set_blind(Some(self.test.pair().source(side)));
    }

    fn answer(&mut self, side: Side, telemetry: &Telemetry, controls: &dyn Controls) {
        if self.listened {
            self.note = None;
            let Pair(a, b) = self.test.pair();
            self.test.answer(side, [a, b].map(|source| describe(source, controls)));
            // The next X is another one: it is to be listened to anew, from a known side.
            self.listened = false;
            self.listen(Heard::A, telemetry);
        }
    }

    fn score(&self, ui: &Ui, rect: Rect, scale: f32) {
        let (right, trials) = (self.test.right(), self.test.count());
        let last = self.test.trials().last().filter(|_| trials > 0);
        let (text, colour) = match (&self.note, last) {
            (Some(note), _) => (note.clone(), theme::ink().faint),
            (None, None) => ("Which one is X?".to_owned(), theme::ink().faint),
            (None, Some(last)) => {
                let text = format!("{right} of {trials} right, p = {:.3}", self.test.chance());
                (text, if last.right() { theme::ink().accent } else { theme::ink().second })
            }
        };
        let response = ui.interact(rect, ui.scope_id().with("score"), egui::Sense::hover());
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &text));
        names::announce(&response);
        let hint = format!(
            "{text}\n\np is the probability of so many right answers by guessing: below 0.05 you very likely hear it."
        );
        let painter = ui.painter_at(rect);
        let font = theme::text(if self.note.is_some() { 10.0 } else { 12.5 } * scale);
        painter.text(pos2(rect.center().x, rect.center().y), Align2::CENTER_CENTER, &text, font, colour);
        response.on_hover_text(hint);
    }

    /// A, B and X listen, 1 and 2 answer; true for Escape.
    fn keys(&mut self, ui: &Ui, telemetry: &Telemetry, controls: &dyn Controls) -> bool {
        if ui.ctx().text_edit_focused() {
            return false;
        }
        let pressed = |key| ui.input(|i| i.modifiers.is_none() && i.key_pressed(key));
        for (key, heard) in [(Key::A, Heard::A), (Key::B, Heard::B), (Key::X, Heard::X)] {
            if pressed(key) {
                self.listen(heard, telemetry);
            }
        }
        for (key, side) in [(Key::Num1, Side::A), (Key::Num2, Side::B)] {
            if pressed(key) {
                self.answer(side, telemetry, controls);
            }
        }
        pressed(Key::Escape)
    }
}
