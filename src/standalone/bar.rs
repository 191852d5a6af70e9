//! The bar above the view: source, transport, devices, messages.

use super::args::HostChoice;
use super::devices::{Direction, system_name};
use super::meter::clock_text;
use super::session::{Session, Wanted};
use super::sound::{Running, Sound};
use crate::audio::AUDIO_EXTENSIONS;
use crate::container;
use crate::editor::dialog::{Chosen, FileDialog, NO_DIALOG};
use crate::editor::{names, theme};
use egui::{Align, Button, ComboBox, Layout, RichText, Slider, TextEdit, Ui, vec2};
use std::path::PathBuf;

/// Width of a device's name.
const DEVICE_WIDTH: f32 = 190.0;

/// State of the bar that the sound doesn't need.
#[derive(Default)]
pub struct Bar {
    settings_open: bool,
    path: String,
    dialog: FileDialog,
}

/// What the user did; done after drawing, when nothing is borrowed.
enum Action {
    Input,
    Bundled,
    File(PathBuf),
    Wanted(Wanted),
    System(HostChoice),
    Retry,
    Mute(bool),
    Close(usize),
}

impl Bar {
    /// Draws the bar and does what the user asks for.
    pub fn ui(&mut self, ui: &mut Ui, sound: &mut Sound) {
        let mut action = None;
        ui.add_space(3.0);
        ui.horizontal(|ui| self.first_row(ui, sound, &mut action));
        if self.settings_open {
            ui.horizontal_wrapped(|ui| self.settings(ui, sound, &mut action));
            if let Running::Devices(session) = &sound.running {
                ui.label(RichText::new(health(session)).color(theme::ink().faint).size(12.0))
                    .on_hover_text("Samples wait between input and output device so that neither has to wait.");
            }
        }
        match self.dialog.take() {
            Some(Chosen::File(path)) => action = Some(Action::File(path)),
            Some(Chosen::NoDialog) => {
                sound.say(NO_DIALOG.into());
                self.settings_open = true;
            }
            Some(Chosen::Nothing) | None => {}
        }
        messages(ui, sound, &mut action);
        ui.add_space(2.0);
        match action {
            None => {}
            Some(Action::Input) => sound.play_input(),
            Some(Action::Bundled) => sound.play_bundled(),
            Some(Action::File(path)) => sound.open_file(&path),
            Some(Action::Wanted(wanted)) => sound.set_wanted(wanted),
            Some(Action::System(system)) => sound.set_system(system),
            Some(Action::Retry) => sound.retry(),
            Some(Action::Mute(muted)) => sound.set_muted(muted),
            Some(Action::Close(index)) => {
                sound.messages.remove(index);
            }
        }
    }

    fn first_row(&mut self, ui: &mut Ui, sound: &Sound, action: &mut Option<Action>) {
        let has_input = sound.devices.as_ref().is_some_and(|devices| devices.find(Direction::Input, None).is_ok());
        let input_plays = sound.plays_input() && matches!(sound.running, Running::Devices(_));
        let input = ui.add_enabled(has_input || input_plays, Button::selectable(input_plays, "Microphone"));
        if input.on_disabled_hover_text("There is no input device.").clicked() && !input_plays {
            *action = Some(Action::Input);
        }
        let clip = sound.clip();
        let file = ui.add(Button::selectable(clip.is_some(), "File"));
        if file.on_hover_text("Play the bundled clip; drop a WAV or FLAC file on the window to play that.").clicked()
            && clip.is_none()
        {
            *action = Some(Action::Bundled);
        }
        let open = ui.add_enabled(!self.dialog.is_open(), Button::new("Open…"));
        if open.on_hover_text("Play a file: audio, or what this codec has encoded.").clicked() {
            let extensions: Vec<&str> = AUDIO_EXTENSIONS.iter().copied().chain([container::EXTENSION]).collect();
            self.dialog.open(ui.ctx(), "Play a file", ("Audio and .vrvq files", &extensions));
        }
        ui.separator();
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.toggle_value(&mut self.settings_open, "Sound settings");
            mute_button(ui, sound, action);
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| match sound.clip() {
                Some((clip, transport)) => {
                    let playing = transport.playing();
                    let text = if playing { "Pause" } else { "Play" };
                    if ui.add(Button::new(text).min_size(vec2(52.0, 0.0))).clicked() {
                        transport.set_playing(!playing);
                    }
                    let seconds = clip.seconds();
                    let mut position = transport.position() as f64 / f64::from(clip.sample_rate);
                    ui.label(RichText::new(clock_text(position)).monospace());
                    ui.spacing_mut().slider_width = (ui.available_width() - 190.0).clamp(60.0, 320.0);
                    let slider = ui.add(Slider::new(&mut position, 0.0..=seconds).show_value(false));
                    names::name(&slider, "Position in seconds");
                    // Whole ones, since each change is read out.
                    ui.ctx().accesskit_node_builder(slider.id, |node| node.set_numeric_value(position.floor()));
                    if slider.changed() {
                        transport.seek((position * f64::from(clip.sample_rate)) as usize);
                    }
                    ui.label(RichText::new(clock_text(seconds)).monospace().color(theme::ink().faint));
                    ui.add(egui::Label::new(&clip.name).truncate());
                }
                None => {
                    ui.add(egui::Label::new(RichText::new(describe(sound)).color(theme::ink().faint)).truncate());
                }
            });
        });
    }

    fn settings(&mut self, ui: &mut Ui, sound: &Sound, action: &mut Option<Action>) {
        let current = sound.devices.as_ref().map(|devices| devices.system).or(sound.system);
        let choice = ComboBox::from_id_salt("system").selected_text(current.map_or("System", system_name)).width(70.0);
        let choice = choice.show_ui(ui, |ui| {
            for system in [HostChoice::System, HostChoice::Jack] {
                if ui.selectable_label(current == Some(system), system_name(system)).clicked() {
                    *action = Some(Action::System(system));
                }
            }
        });
        names::name(&choice.response, "Sound system");
        for direction in [Direction::Input, Direction::Output] {
            device_choice(ui, sound, direction, action);
        }
        let session = match &sound.running {
            Running::Devices(session) => Some(session.as_ref()),
            _ => None,
        };
        number_choice(ui, "Sample rate", "Hz", session.map(|s| (s.sample_rate, s.rates.as_slice())), |rate| {
            *action = Some(Action::Wanted(Wanted { sample_rate: Some(rate), ..sound.wanted.clone() }));
        });
        number_choice(ui, "Buffer", "samples", session.map(|s| (s.block, s.blocks.as_slice())), |block| {
            *action = Some(Action::Wanted(Wanted { buffer_size: Some(block), ..sound.wanted.clone() }));
        });
        if ui.button("Look again").on_hover_text("Asks the system for its devices anew and starts them.").clicked() {
            *action = Some(Action::Retry);
        }
        let hint = "Path of a WAV or FLAC file";
        let field = ui.add(TextEdit::singleline(&mut self.path).hint_text(hint).desired_width(220.0));
        names::name(&field, hint);
        let entered = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
        if (ui.button("Play file").clicked() || entered) && !self.path.trim().is_empty() {
            *action = Some(Action::File(self.path.trim().into()));
        }
    }
}

fn mute_button(ui: &mut Ui, sound: &Sound, action: &mut Option<Action>) {
    if !matches!(sound.running, Running::Devices(_)) {
        return;
    }
    let muted = sound.parts.settings.muted();
    let text = if muted {
        RichText::new("Muted").color(theme::ink().second)
    } else {
        RichText::new("Sound on").color(theme::ink().accent)
    };
    let hint = if muted { "Lets the output sound." } else { "Mutes the output; the codec goes on." };
    if ui.button(text).on_hover_text(hint).clicked() {
        *action = Some(Action::Mute(!muted));
    }
}

fn device_choice(ui: &mut Ui, sound: &Sound, direction: Direction, action: &mut Option<Action>) {
    let entries = sound.devices.as_ref().map_or(&[][..], |devices| devices.entries(direction));
    let running = match (&sound.running, direction) {
        (Running::Devices(session), Direction::Input) => session.input.as_deref(),
        (Running::Devices(session), Direction::Output) => Some(session.output.as_str()),
        _ => None,
    };
    let none = match direction {
        Direction::Input if sound.clip().is_some() && !entries.is_empty() => "not in use",
        Direction::Input => "no input",
        Direction::Output => "no output",
    };
    ui.label(if direction == Direction::Input { "In" } else { "Out" });
    let choice = ComboBox::from_id_salt(("device", direction == Direction::Input))
        .selected_text(running.unwrap_or(none))
        .width(DEVICE_WIDTH)
        .truncate()
        .show_ui(ui, |ui| {
            if entries.is_empty() {
                ui.label("none found");
            }
            for entry in entries {
                let chosen = ui.selectable_label(running == Some(&entry.label), &entry.label);
                if chosen.on_hover_text(&entry.id).clicked() {
                    let mut wanted = sound.wanted.clone();
                    match direction {
                        Direction::Input => wanted.input = Some(entry.id.clone()),
                        Direction::Output => wanted.output = Some(entry.id.clone()),
                    }
                    *action = Some(Action::Wanted(wanted));
                }
            }
        });
    names::name(&choice.response, if direction == Direction::Input { "Input device" } else { "Output device" });
}

fn number_choice(ui: &mut Ui, title: &str, unit: &str, offer: Option<(u32, &[u32])>, mut choose: impl FnMut(u32)) {
    let text = offer.map_or("–".to_string(), |(current, _)| format!("{current} {unit}"));
    let choice = ComboBox::from_id_salt(title).selected_text(text).width(92.0).show_ui(ui, |ui| {
        for &value in offer.map_or(&[][..], |(_, values)| values) {
            if ui.selectable_label(offer.is_some_and(|(now, _)| now == value), format!("{value} {unit}")).clicked() {
                choose(value);
            }
        }
    });
    names::name(&choice.response, title);
}

fn describe(sound: &Sound) -> String {
    match &sound.running {
        Running::Devices(session) => {
            format!("{} to {}", session.input.as_deref().unwrap_or("no input"), session.output)
        }
        _ => "no sound device".to_string(),
    }
}

fn health(session: &Session) -> String {
    let stats = &session.stats;
    format!(
        "input waits {} samples · {} underruns · {} overruns · {} device xruns",
        stats.input_buffer(),
        stats.underruns(),
        stats.overruns(),
        stats.xruns()
    )
}

fn messages(ui: &mut Ui, sound: &Sound, action: &mut Option<Action>) {
    if !matches!(sound.running, Running::Devices(_)) {
        ui.horizontal_wrapped(|ui| {
            let what = sound
                .clip()
                .map_or("nothing runs".to_string(), |(clip, _)| format!("showing {} without sound", clip.name));
            ui.label(RichText::new(format!("No sound device: {what}.")).color(theme::ink().second));
            if ui.small_button("Look again").clicked() {
                *action = Some(Action::Retry);
            }
        });
    }
    if sound.muted_for_input() && matches!(sound.running, Running::Devices(_)) {
        ui.horizontal_wrapped(|ui| {
            let text = "Muted, because a microphone heard through speakers howls. With headphones on:";
            ui.label(RichText::new(text).color(theme::ink().second));
            if ui.small_button("Unmute").clicked() {
                *action = Some(Action::Mute(false));
            }
        });
    }
    for (index, text) in sound.messages.iter().enumerate() {
        ui.horizontal(|ui| {
            if ui.small_button("×").on_hover_text("Closes this message.").clicked() {
                *action = Some(Action::Close(index));
            }
            ui.add(egui::Label::new(RichText::new(text).color(theme::ink().second)).truncate()).on_hover_text(text);
        });
    }
}
