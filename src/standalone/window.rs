//! The window: a bar for source and sound, and below it the view that the plug-in has too.

use super::args::RunArgs;
use super::bar::Bar;
use super::kept::{Keeper, Kept};
use super::session::Parts;
use super::settings::SettingsControls;
use super::sound::Sound;
use crate::editor::{Telling, View, hovering};
use crate::engine::ReportReceiver;
use crate::export;
use crate::interrupt;
use crate::model::Library;
use crate::preferences::Preferences;
use eframe::{App, Frame, NativeOptions};
use egui::{CentralPanel, Context, Panel, RawInput, Ui, ViewportBuilder, ViewportCommand, accesskit_root_id};
use std::sync::Arc;

/// Title of the window.
pub const TITLE: &str = "VRVQ live";

/// What stands for the app where the system shows it, 256 x 256.
const ICON: &[u8] = include_bytes!("../../assets/icon.png");

/// Size of the window at first, least, and most of what was kept, in points.
const SIZE: (f32, f32) = (1100.0, 740.0);
const LEAST: (f32, f32) = (700.0, 450.0);
const MOST: f32 = 8192.0;

/// Why there is no display; `None` where there may be one.
pub fn missing_display() -> Option<&'static str> {
    #[cfg(all(unix, not(target_os = "macos")))]
    {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        if !["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"].into_iter().any(set) {
            return Some("no display (neither DISPLAY nor WAYLAND_DISPLAY is set)");
        }
    }
    None
}

/// Opens the window and runs until it is closed.
///
/// # Errors
/// Where no window or graphics context can be made; nothing has been started then.
pub fn run(args: &RunArgs, parts: Parts, reports: ReportReceiver) -> eframe::Result {
    let file = Preferences::of_app();
    let kept: Kept = file.read();
    let (width, height) = kept.window.unwrap_or(SIZE);
    let icon = eframe::icon_data::from_png_bytes(ICON).expect("the icon is a picture");
    let viewport = ViewportBuilder::default()
        .with_title(TITLE)
        .with_app_id("org.vrvq.live")
        .with_icon(icon)
        .with_inner_size([width.clamp(LEAST.0, MOST), height.clamp(LEAST.1, MOST)])
        .with_min_inner_size([LEAST.0, LEAST.1])
        .with_drag_and_drop(true);
    // The view has no long gradients that dithering would help.
    let options = NativeOptions { viewport, dithering: false, ..NativeOptions::default() };
    let args = args.clone();
    eframe::run_native(
        TITLE,
        options,
        Box::new(move |context| {
            let mut sound = Sound::new(parts.clone(), &args, kept.clone());
            let mut view = View::new(reports, parts.telemetry.clone(), Arc::new(export::save_for_user))
                .with_models(parts.models.clone())
                .with_memory(Preferences::of_user());
            view.painted_by_opengl();
            let controls = SettingsControls(parts.settings.clone());
            if let Some(path) = &args.record
                && let Err(error) = view.record_to(path)
            {
                sound.say(error.to_string());
            }
            Ok(Box::new(Window {
                size: kept.window,
                telling: None,
                keeper: Keeper::new(file, kept),
                sound,
                bar: Bar::default(),
                view,
                controls,
                background: View::background(&context.egui_ctx),
            }))
        }),
    )
}

struct Window {
    sound: Sound,
    bar: Bar,
    view: View,
    controls: SettingsControls,
    background: [f32; 4],
    keeper: Keeper,
    /// Size of the window in points, once known.
    size: Option<(f32, f32)>,
    /// Once a screen reader was there: eframe doesn't say so, nor when it goes.
    telling: Option<Telling>,
}

impl Window {
    fn kept(&self) -> Kept {
        Kept { window: self.size, ..self.sound.kept() }
    }
}

impl App for Window {
    fn on_exit(&mut self, _: Option<&eframe::glow::Context>) {
        let now = self.kept();
        self.keeper.keep(now);
    }

    fn clear_color(&self, _: &egui::Visuals) -> [f32; 4] {
        self.background
    }

    fn raw_input_hook(&mut self, context: &Context, input: &mut RawInput) {
        if let Some(telling) = &mut self.telling {
            telling.prepare(context, input.time.unwrap_or(0.0), &input.events);
        }
    }

    fn ui(&mut self, ui: &mut Ui, _: &mut Frame) {
        if self.telling.is_none() && ui.ctx().has_accesskit_node(accesskit_root_id()) {
            self.telling = Some(Telling::default());
        }
        if interrupt::requested() {
            ui.ctx().send_viewport_cmd(ViewportCommand::Close);
        }
        self.background = View::background(ui.ctx());
        self.sound.poll();
        self.size =
            ui.input(|input| input.viewport().inner_rect).map(|rect| (rect.width(), rect.height())).or(self.size);
        let now = || Kept { window: self.size, ..self.sound.kept() };
        if let Some(text) = self.keeper.poll(now) {
            self.sound.say(text);
        }
        let (dropped, held) =
            ui.ctx().input(|input| (input.raw.dropped_files.clone(), !input.raw.hovered_files.is_empty()));
        // A model is the view's.
        if let Some(file) = dropped.iter().find(|file| !Library::takes(file.path())) {
            self.sound.open_file(file.path());
        }
        Panel::top("sound").show(ui, |ui| self.bar.ui(ui, &mut self.sound));
        CentralPanel::no_frame().show(ui, |ui| self.view.ui(ui, &mut self.controls));
        if held {
            hovering(ui.ctx(), "Drop an audio or .vrvq file to play it, a model or checkpoint to run it");
        }
    }
}
