//! A view with the menu of models in a window of its own, over a folder of models that is empty at first.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use crate::view::{HARNESS_MARGIN, Settings, raster::Textures};
use egui::vec2;
use egui_kittest::{Harness, kittest::Queryable};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use vrvq::editor::View;
use vrvq::engine::{LoopState, ModelChoice, Telemetry, report_ring};
use vrvq::model::Library;

pub struct Window {
    pub harness: Harness<'static, (View, Settings)>,
    pub telemetry: Arc<Telemetry>,
    pub choice: Arc<ModelChoice>,
    textures: Textures,
}

impl Window {
    pub fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&folder);
        let (_, receiver) = report_ring(16);
        let (telemetry, _) = Telemetry::new();
        telemetry.update_status(|status| {
            status.state = LoopState::Running;
            status.model = "VRVQ live 1".into();
            status.runtime = "built-in (tract) · CPU".into();
            status.channels = 2;
        });
        let choice = ModelChoice::new(Library::new(folder), telemetry.clone());
        let view = View::new(receiver, telemetry.clone(), Arc::new(|_, _, _| String::new()));
        let view = view.with_models(choice.clone());
        let textures = Textures::default();
        let harness = Harness::builder()
            .renderer(textures.clone())
            .with_size(vec2(1000.0, 640.0) + 2.0 * HARNESS_MARGIN)
            .with_step_dt(1.0 / 60.0)
            .build_ui_state(
                |ui, (view, settings): &mut (View, Settings)| view.ui(ui, settings),
                (view, Settings::default()),
            );
        let mut window = Self { harness, telemetry, choice, textures };
        window.harness.run_steps(3);
        window
    }

    pub fn click(&mut self, label: &str) {
        self.harness.get_by_label(label).click();
        self.harness.run_steps(3);
    }

    pub fn shows(&self, part: &str) -> bool {
        self.harness.query_all_by_label_contains(part).next().is_some()
    }

    /// Waits for a thread: one that opens a model, or that of a dialog.
    pub fn wait_for(&mut self, what: impl Fn(&Self) -> bool) {
        let started = Instant::now();
        while !what(self) {
            assert!(started.elapsed() < Duration::from_secs(60), "it never came");
            std::thread::sleep(Duration::from_millis(5));
            self.harness.step();
        }
        self.harness.run_steps(3);
    }

    pub fn runs(&self, name: &str) -> bool {
        self.choice.model().is_ok_and(|model| model.card().name == name)
    }

    /// The menu as a user sees it, to be looked at.
    pub fn picture(&mut self, name: &str) {
        let size = self.harness.ctx.content_rect().size();
        let window = egui::Rect::from_min_size(egui::Pos2::ZERO, size).shrink2(HARNESS_MARGIN);
        let painted = self.textures.paint(&self.harness.ctx, self.harness.output(), window);
        std::fs::write(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name), painted.png()).unwrap();
    }
}
