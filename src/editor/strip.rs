//! The two settings in the header: which is heard, copying one to the other, the simulated line, and presets.

use super::chips::{button, switch};
use super::note::Notes;
use super::presets::Presets;
use super::value::{self, Look};
use super::{Controls, Value, theme};
use crate::engine::{Slot, Telemetry};
use egui::{Align, Key, Layout, Popup, PopupCloseBehavior, Rect, RichText, Ui, pos2, vec2};

const COPY_HINT: &str = "Copies the setting that is heard over the other one.";
const LOSS_HINT: &str = "Simulated packet loss between encoder and decoder: the last packet that arrived is repeated and \
                         faded. Part of the setting.";

/// What a setting's chip tells.
fn slot_hint(slot: Slot, telemetry: &Telemetry) -> String {
    let name = slot.name();
    let switch = if telemetry.models_differ() {
        "The other setting has another model, so a switch is heard when that has warmed up.".to_owned()
    } else if telemetry.switches_at_once() {
        "Both run, so switching is heard at once.".to_owned()
    } else {
        format!("This machine is too busy to run both, so a switch is heard {:.0} ms later.", telemetry.latency_ms())
    };
    format!(
        "Setting {name} of the codec: mode, level or target, model, stereo and loss; what you turn is turned in it. {switch}\n\
         Keys: {name}, or T for the other one."
    )
}

/// Draws the strip in `rect`; whether the setting that is heard was copied over the other one. With `keys`, 1 and 2 choose a setting and T the other one, unless text is being typed.
#[allow(clippy::too_many_arguments, reason = "one call, and what it turns has that many parts")]
pub fn show(
    ui: &mut Ui,
    rect: Rect,
    scale: f32,
    keys: bool,
    telemetry: &Telemetry,
    notes: &mut Notes,
    presets: &mut Presets,
    controls: &mut dyn Controls,
) -> bool {
    let mut left = rect.left();
    let mut place = |width: f32, gap: f32| {
        let place =
            Rect::from_min_max(pos2(left, rect.center().y - 9.5 * scale), pos2(left, rect.center().y + 9.5 * scale));
        left += (width + gap) * scale;
        place.with_max_x(place.left() + width * scale)
    };
    let slot = controls.slot();
    let mut wanted = None;
    for (of, gap) in Slot::ALL.into_iter().zip([1.0, 4.0]) {
        let name = format!("Setting {}", of.name());
        // A dot where a switch takes its time.
        let text = if of == slot || telemetry.switches_at_once() {
            of.name().to_owned()
        } else {
            format!("{} …", of.name())
        };
        let response = switch(ui, place(26.0, gap), scale, (&text, &name), (of == slot).then_some(theme::ink().accent));
        if response.on_hover_text(slot_hint(of, telemetry)).clicked() {
            wanted = Some(of);
        }
    }
    if keys && !ui.ctx().text_edit_focused() {
        let pressed = |key| ui.input(|i| i.modifiers.is_none() && i.key_pressed(key));
        let choices = [(Key::Num1, Slot::One), (Key::Num2, Slot::Two), (Key::T, slot.other())];
        wanted = choices.into_iter().find(|(key, _)| pressed(*key)).map(|(_, slot)| slot).or(wanted);
    }
    if let Some(wanted) = wanted.filter(|wanted| *wanted != slot) {
        if !telemetry.switches_at_once() {
            let (name, delay) = (wanted.name(), telemetry.latency_ms());
            notes.say(if telemetry.models_differ() {
                format!("Setting {name} has another model: heard when that has warmed up.")
            } else {
                format!("Setting {name} in {delay:.0} ms: the machine is too busy to run both.")
            });
        }
        controls.select(wanted);
    }
    let text = format!("{} > {}", slot.name(), slot.other().name());
    let name = format!("Copy setting {} to {}", slot.name(), slot.other().name());
    let copied = button(ui, place(34.0, 8.0), scale, (&text, &name)).on_hover_text(COPY_HINT).clicked();
    if copied {
        controls.replace(slot.other(), &controls.chosen());
        notes.say(format!("Setting {} is now the same as setting {}.", slot.other().name(), slot.name()));
    }
    loss(ui, place(62.0, 4.0), scale, telemetry, controls);
    presets.show(ui, place(82.0, 0.0), scale, notes, controls);
    copied
}

fn loss(ui: &mut Ui, rect: Rect, scale: f32, telemetry: &Telemetry, controls: &mut dyn Controls) {
    let percent = controls.value(Value::Loss);
    let text = if percent > 0.0 { format!("Loss {percent:.0} %") } else { "Loss".to_owned() };
    let response = switch(ui, rect, scale, (&text, "Packet loss"), (percent > 0.0).then_some(theme::ink().accent));
    let response = response.on_hover_text(LOSS_HINT);
    Popup::menu(&response).close_behavior(PopupCloseBehavior::CloseOnClickOutside).show(|ui| {
        ui.set_width(210.0);
        for (value, name, suffix, speed, hint) in [
            (Value::Loss, "Packets lost", " %", 0.1, "How many of a hundred packets get lost."),
            (
                Value::LossBurst,
                "Mean burst",
                " packets",
                0.05,
                "How many get lost in a row, on average: networks lose in bursts.",
            ),
            (Value::LossSeed, "Seed", "", 0.5, "Which packets get lost: the same seed loses the same ones again."),
        ] {
            ui.horizontal(|ui| {
                ui.label(RichText::new(name).size(13.0));
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let place = ui.allocate_exact_size(vec2(96.0, 20.0), egui::Sense::hover()).0;
                    let decimals = usize::from(value == Value::Loss);
                    let spoken = format!("{name}, exactly");
                    let look =
                        Look { name: &spoken, hint, prefix: "", suffix, decimals, size: 13.0, speed, most: None };
                    value::show(ui, place, value, &look, controls);
                });
            });
        }
        let lost = telemetry.lost_frames();
        ui.horizontal(|ui| {
            ui.label(RichText::new(format!("{lost} frames lost so far")).size(12.0).color(theme::ink().faint));
            if lost > 0 && ui.small_button("Count anew").clicked() {
                telemetry.clear_lost_frames();
            }
        });
    });
}
