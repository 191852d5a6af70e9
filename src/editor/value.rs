//! A number that is dragged or typed, and reset by a double click; each is one gesture.

use super::{Controls, Value, names, theme};
use egui::{DragValue, Rect, TextStyle, Ui, UiBuilder, vec2};

/// How a number looks.
pub struct Look<'a> {
    /// What a screen reader calls it.
    pub name: &'a str,
    pub hint: &'a str,
    pub prefix: &'a str,
    pub suffix: &'a str,
    pub decimals: usize,
    /// Size of type.
    pub size: f32,
    /// Change of the value by a point of dragging.
    pub speed: f64,
    /// Highest, where that is less than the value's own.
    pub most: Option<f32>,
}

/// Draws the number in `rect` and lets it be turned.
pub fn show(ui: &mut Ui, rect: Rect, value: Value, look: &Look<'_>, controls: &mut dyn Controls) {
    ui.scope_builder(UiBuilder::new().max_rect(rect), |ui| {
        ui.style_mut().text_styles.insert(TextStyle::Button, theme::digits(look.size));
        ui.style_mut().drag_value_text_style = TextStyle::Button;
        ui.spacing_mut().button_padding = vec2(3.0, 0.0);
        ui.spacing_mut().interact_size = rect.size();
        let (low, high) = value.range();
        let mut number = controls.value(value);
        let entry = DragValue::new(&mut number)
            .range(low..=look.most.unwrap_or(high))
            .speed(look.speed)
            .update_while_editing(false)
            .prefix(look.prefix)
            .suffix(look.suffix)
            .custom_formatter(|number, _| {
                // Two figures behind the point tell little of a large number.
                let decimals = if look.decimals == 2 && number >= 9.95 { 1 } else { look.decimals };
                format!("{number:.decimals$}")
            });
        let response = ui.put(rect, entry);
        names::name(&response, look.name);
        let held = response.id.with("held");
        if response.drag_started() && !response.has_focus() {
            controls.begin(value);
            ui.data_mut(|data| data.insert_temp(held, true));
        }
        let holding = ui.data(|data| data.get_temp(held)).unwrap_or(false);
        if response.changed() {
            if holding { controls.set(value, number) } else { controls.turn(value, number) }
        }
        if holding && !response.dragged() {
            controls.end(value);
            ui.data_mut(|data| data.insert_temp(held, false));
        }
        if response.double_clicked() {
            controls.turn(value, value.default().min(look.most.unwrap_or(high)));
            response.surrender_focus();
        }
        response.on_hover_text(format!("{}\nDrag, or click to type; double click: {}.", look.hint, {
            let decimals = if value.default().fract() == 0.0 { 0 } else { look.decimals };
            format!("{:.decimals$}{}", value.default(), look.suffix)
        }));
    });
}
