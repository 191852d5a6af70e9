//! The menu of presets: those of the program, those of the user, and the present setting under a new name.

use super::Controls;
use super::chips::button;
use super::names;
use super::note::Notes;
use super::theme;
use crate::engine::Setting;
use crate::preset::{Factory, Folder, Preset, factory};
use egui::{Button, Label, Popup, PopupCloseBehavior, Rect, RichText, ScrollArea, TextEdit, Ui};

const HINT: &str = "Presets of the codec's setting. They replace the setting that is heard; what you hear (dry, decoded, \
                    difference) stays.";
const NEW_NAME: &str = "Name of a new preset";
/// Characters of a name that fit the chip.
const SHOWN: usize = 14;

/// The menu and what it knows of the user's folder.
pub struct Presets {
    folder: Folder,
    loaded: Option<(Vec<Preset>, Vec<String>)>,
    name: String,
    /// The preset that a second click deletes.
    deleting: Option<String>,
}

/// What the user did.
enum Action {
    Take(String, Setting),
    Save,
    Delete(String),
}

impl Presets {
    /// A menu of the presets in `folder`, which is read when the menu opens.
    pub fn new(folder: Folder) -> Self {
        Self { folder, loaded: None, name: String::new(), deleting: None }
    }

    fn loaded(&mut self) -> &(Vec<Preset>, Vec<String>) {
        let folder = &self.folder;
        self.loaded.get_or_insert_with(|| {
            let (presets, errors) = folder.load();
            (presets, errors.iter().map(ToString::to_string).collect())
        })
    }

    /// Draws the button in `rect` and the menu below it.
    pub fn show(&mut self, ui: &mut Ui, rect: Rect, scale: f32, notes: &mut Notes, controls: &mut dyn Controls) {
        let setting = controls.chosen();
        let users = self.loaded.iter().flat_map(|(presets, _)| presets);
        let users = users.map(|preset| (preset.name.as_str(), preset.setting));
        let mut all = factory().into_iter().map(|Factory { name, setting, .. }| (name, setting)).chain(users);
        let current = all.find(|(_, of)| *of == setting).map_or("Presets", |(name, _)| name);
        let mut text: String = current.chars().take(SHOWN).collect();
        if text.len() < current.len() {
            text.push('…');
        }
        let response = button(ui, rect, scale, (&text, "Presets")).on_hover_text(HINT);
        if response.clicked() {
            // Files may have come and gone since.
            (self.loaded, self.deleting) = (None, None);
        }
        let mut action = None;
        Popup::menu(&response).close_behavior(PopupCloseBehavior::CloseOnClickOutside).show(|ui| {
            ui.set_width(250.0);
            for Factory { name, hint, setting: of } in factory() {
                if ui.add(Button::selectable(of == setting, name)).on_hover_text(hint).clicked() {
                    action = Some(Action::Take(name.into(), of));
                }
            }
            ui.separator();
            self.users(ui, &setting, &mut action);
            self.entry(ui, &mut action);
        });
        match action {
            Some(Action::Take(name, setting)) => {
                controls.replace_chosen(&setting);
                notes.say(format!("Setting {} is now: {name} ({setting}).", controls.slot().name()));
            }
            Some(Action::Save) => self.save(&setting, notes),
            Some(Action::Delete(name)) => {
                if let Err(error) = self.folder.remove(&name) {
                    notes.say(error.to_string());
                }
                (self.loaded, self.deleting) = (None, None);
            }
            None => {}
        }
    }

    fn save(&mut self, setting: &Setting, notes: &mut Notes) {
        match self.folder.save(&self.name, setting) {
            Ok(path) => {
                notes.say(format!("Saved {}", path.display()));
                self.name.clear();
            }
            Err(error) => notes.say(error.to_string()),
        }
        self.loaded = None;
    }

    fn users(&mut self, ui: &mut Ui, setting: &Setting, action: &mut Option<Action>) {
        let deleting = self.deleting.clone();
        let mut clicked = None;
        let (presets, errors) = self.loaded();
        ScrollArea::vertical().max_height(140.0).show(ui, |ui| {
            for preset in presets {
                let sure = deleting.as_deref() == Some(preset.name.as_str());
                ui.horizontal(|ui| {
                    let delete = ui.add(Button::new(if sure { "Delete?" } else { "×" }).small());
                    names::name(&delete, &format!("Delete {}", preset.name));
                    let hint = format!("Deletes {}; asks once more.", preset.name);
                    if delete.on_hover_text(hint).clicked() {
                        clicked = Some((preset.name.clone(), sure));
                    }
                    let entry = Button::selectable(preset.setting == *setting, &preset.name).truncate();
                    if ui.add(entry).on_hover_text(preset.setting.to_string()).clicked() {
                        *action = Some(Action::Take(preset.name.clone(), preset.setting));
                    }
                });
            }
            for error in errors {
                let text = RichText::new(error).size(11.0).color(theme::ink().second);
                ui.add(Label::new(text).truncate()).on_hover_text(error);
            }
        });
        match clicked {
            Some((name, true)) => *action = Some(Action::Delete(name)),
            Some((name, false)) => self.deleting = Some(name),
            None => {}
        }
    }

    fn entry(&mut self, ui: &mut Ui, action: &mut Option<Action>) {
        let name = self.name.trim().to_owned();
        let known = self.loaded().0.iter().any(|preset| preset.name == name);
        ui.horizontal(|ui| {
            let field = ui.add(TextEdit::singleline(&mut self.name).hint_text(NEW_NAME).desired_width(150.0));
            names::name(&field, NEW_NAME);
            let entered = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
            let save = ui.add_enabled(
                !self.name.trim().is_empty(),
                Button::new(if known { "Replace preset" } else { "Save preset" }),
            );
            let hint = format!("Keeps the setting that is heard as a file in {}.", self.folder.path().display());
            if save.on_hover_text(hint).clicked() || (entered && !self.name.trim().is_empty()) {
                *action = Some(Action::Save);
            }
        });
    }
}
