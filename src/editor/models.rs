//! The model's name in the header, and the menu behind it: the models to choose from, and a file to open.

use super::dialog::{Chosen, FileDialog, NO_DIALOG};
use super::{names, theme};
use crate::engine::{ModelChoice, Slot, Status};
use crate::model::{
    CHECKPOINT_EXTENSIONS, Device, DeviceChoice, Library, Listed, MODEL_EXTENSION, Model, ModelCard, ReducedCard,
};
use crate::model::{device_choice, working_gpus};
use egui::WidgetInfo;
use egui::{Align2, Button, Label, Popup, PopupCloseBehavior, Rect, RichText, Role, ScrollArea, Sense, TextEdit, Ui};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

const HINT: &str = "The model that encodes and decodes. Click to choose another one: the sound goes on meanwhile.";

/// A device to choose, its name in the menu, and what it is.
type DeviceEntry = (DeviceChoice, String, String);

/// Devices to choose from; `gpus` are those that work.
fn devices(gpus: &[Device]) -> Vec<DeviceEntry> {
    let entry = |device, name: &str, hint: &str| (device, name.to_owned(), hint.to_owned());
    let one = DeviceChoice::Only(Device::Cpu(1));
    let most = DeviceChoice::Only(Device::most_of_cpu());
    let auto = "One core for small models; for others a GPU that is faster, or else all cores but one.";
    let mut all = vec![
        entry(DeviceChoice::Auto, "Auto", auto),
        entry(one, "CPU", "One core of the processor, for every model of this program."),
    ];
    // Two cores less one are one.
    if most != one {
        all.push(entry(most, "Cores", "All cores of the processor but one, for every model."));
    }
    all.extend(gpus.iter().map(|&gpu| {
        let hint = "This GPU, for every model of this program.";
        (DeviceChoice::Only(gpu), gpu.to_string(), hint.to_owned())
    }));
    all
}

/// The menu, and what it knows of the user's folder.
#[derive(Default)]
pub struct Models {
    choice: Option<Arc<ModelChoice>>,
    loaded: Option<(Vec<Listed>, Vec<String>)>,
    path: String,
    dialog: FileDialog,
    /// The notice that was told last.
    told: Option<String>,
    /// GPUs that work, once they have been looked for.
    gpus: Option<Arc<OnceLock<&'static [Device]>>>,
}

impl Models {
    /// A menu that turns `choice`.
    pub fn new(choice: Arc<ModelChoice>) -> Self {
        Self { choice: Some(choice), ..Self::default() }
    }

    /// What went otherwise than asked, where that is new.
    pub fn news(&mut self, status: &Status) -> Option<String> {
        let new = (status.notice != self.told).then(|| status.notice.clone()).flatten();
        self.told.clone_from(&status.notice);
        new
    }

    /// The setting that isn't `slot` gets the same model.
    pub fn copy(&self, slot: Slot) {
        if let Some(choice) = &self.choice {
            choice.copy(slot);
        }
    }

    /// Takes files that are dropped on the window, unless they are something else, and the one that was chosen in the
    /// dialog. Gives what is to be said.
    pub fn take_files(&mut self, ui: &Ui) -> Option<&'static str> {
        let choice = self.choice.as_ref()?;
        let dropped = ui.ctx().input(|input| {
            let mut paths = input.raw.dropped_files.iter().map(|file| file.path().to_owned());
            paths.find(|path| Library::takes(path))
        });
        let chosen = self.dialog.take();
        let path = dropped.or(match chosen {
            Some(Chosen::File(path)) => Some(path),
            Some(Chosen::NoDialog) => return Some(NO_DIALOG),
            Some(Chosen::Nothing) | None => None,
        });
        if let Some(path) = path {
            choice.open(Some(path));
        }
        None
    }

    /// Draws the name of the model that runs, and of the one on its way, as the button of the menu.
    pub fn show(&mut self, ui: &mut Ui, scale: f32, status: &Status) {
        let name = if status.model.is_empty() { "No model" } else { &status.model };
        let text = match &status.coming {
            Some(coming) if coming != name => format!("{name}, then {coming}…"),
            _ => name.to_owned(),
        };
        let text = RichText::new(text).size(14.0 * scale);
        let Some(choice) = self.choice.clone() else {
            ui.add(Label::new(text).truncate()).on_hover_text("The model that encodes and decodes.");
            return;
        };
        let response = ui.add(Button::new(text).truncate()).on_hover_text(HINT);
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Model: {name}")));
        if response.clicked() {
            // Files may have come and gone since.
            self.loaded = None;
        }
        Popup::menu(&response).close_behavior(PopupCloseBehavior::CloseOnClickOutside).show(|ui| {
            ui.set_width(330.0);
            self.menu(ui, &choice, status);
        });
    }

    /// The GPUs that work; looking for them takes up to seconds, so it is done on a thread, once the menu is opened.
    fn gpus(&mut self) -> &'static [Device] {
        let found = self.gpus.get_or_insert_with(|| {
            let found = Arc::new(OnceLock::new());
            let looking = found.clone();
            // Without a thread there is no GPU to choose, which is what the menu says then.
            let _ = std::thread::Builder::new().name("vrvq GPUs".into()).spawn(move || looking.set(working_gpus()));
            found
        });
        found.get().copied().unwrap_or_default()
    }

    fn menu(&mut self, ui: &mut Ui, choice: &Arc<ModelChoice>, status: &Status) {
        let (models, errors) = self.loaded.get_or_insert_with(|| {
            let (models, errors) = choice.library().list();
            (models, errors.iter().map(ToString::to_string).collect())
        });
        let mut open = None;
        if let Ok(builtin) = Model::builtin()
            && entry(ui, builtin.card(), status)
        {
            open = Some(None);
        }
        ScrollArea::vertical().max_height(180.0).show(ui, |ui| {
            for model in models.iter() {
                if entry(ui, &model.card, status) {
                    open = Some(Some(model.path.clone()));
                }
            }
            for error in errors.iter() {
                let text = RichText::new(error).size(11.5).color(theme::ink().warning);
                ui.add(Label::new(text).truncate()).on_hover_text(error);
            }
        });
        ui.separator();
        ui.horizontal(|ui| {
            ui.label(RichText::new("Runs on").size(12.0));
            let current = device_choice();
            for (device, name, hint) in devices(self.gpus()) {
                if ui.add(Button::selectable(current == device, name).small()).on_hover_text(hint).clicked() {
                    choice.run_on(device);
                }
            }
            ui.add(Label::new(RichText::new(&status.runtime).size(11.5).color(theme::ink().faint)).truncate());
        });
        ui.horizontal(|ui| {
            let hint = format!(".{MODEL_EXTENSION}, .{}", CHECKPOINT_EXTENSIONS.join(", ."));
            let field = ui.add(TextEdit::singleline(&mut self.path).hint_text(hint).desired_width(190.0));
            let entered = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
            names::name(&field, "Path of a model");
            let path = self.path.trim().trim_matches('"').to_owned();
            if (ui.add_enabled(!path.is_empty(), Button::new("Open")).clicked() || entered) && !path.is_empty() {
                open = Some(Some(PathBuf::from(path)));
                self.path.clear();
            }
            let browse = ui.add_enabled(!self.dialog.is_open(), Button::new("Browse…"));
            if browse.on_hover_text("Choose the file in a dialog.").clicked() {
                let extensions: Vec<&str> = [MODEL_EXTENSION].into_iter().chain(CHECKPOINT_EXTENSIONS).collect();
                self.dialog.open(ui.ctx(), "Open a model", ("Models and checkpoints", &extensions));
                Popup::close_all(ui.ctx());
            }
        });
        let text = "A model, or a checkpoint of VRVQ or DAC, which is imported. It can be dropped on the window too.";
        ui.label(RichText::new(text).size(12.0).color(theme::ink().faint));
        let folder = choice.library().folder().display().to_string();
        ui.add(Label::new(RichText::new(&folder).size(11.5).color(theme::ink().faint)).truncate())
            .on_hover_text(&folder);
        if let Some(notice) = &status.notice {
            ui.label(RichText::new(notice).size(12.0).color(theme::ink().warning));
        }
        if let Some(path) = open {
            self.loaded = None;
            choice.open(path);
            Popup::close_all(ui.ctx());
        }
    }
}

/// A model of the menu; whether it was chosen.
fn entry(ui: &mut Ui, card: &ModelCard, status: &Status) -> bool {
    let delay = 1000.0 * card.delay() as f64 / f64::from(card.sample_rate);
    let mut kind = if card.importance { String::new() } else { ", constant bitrate only".into() };
    if let Some(ReducedCard { codes_differing, si_sdr_db }) = card.reduced {
        kind += &format!(", {:.0} % of codes differ, {si_sdr_db:.0} dB", 100.0 * codes_differing);
    }
    let (rate, codebooks) = (f64::from(card.sample_rate) / 1000.0, card.codebooks);
    let figures = format!("{rate} kHz, {codebooks} codebooks, {delay:.0} ms{kind}");
    let button = Button::selectable(card.name == status.model, &card.name).truncate();
    let chosen = ui.add(button).on_hover_text(&card.description).clicked();
    ui.add(Label::new(RichText::new(figures).size(11.5).color(theme::ink().faint)));
    chosen
}

/// Says over the row of the importance map that there is none.
pub fn no_importance(ui: &Ui, row: Rect, scale: f32) {
    ui.painter().rect_filled(row, 0.0, theme::ink().panel);
    let text = "No importance map: this model is for constant bitrate";
    ui.painter().text(row.center(), Align2::CENTER_CENTER, text, theme::text(12.0 * scale), theme::ink().faint);
    let response = ui.interact(row, ui.scope_id().with("no importance"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
}
