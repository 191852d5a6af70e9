//! The model's name in the view and the menu behind it, through the view's public surface; and what the view says of a
//! model without an importance map.

#[path = "common/models.rs"]
mod models;
#[path = "common/view.rs"]
mod view;

use egui::vec2;
use egui_kittest::{Harness, kittest::Queryable};
use models::checkpoint;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use view::{Bench, Settings, raster::Textures, synthetic};
use vrvq::codec::{Rate, RateMode};
use vrvq::editor::{Controls, View};
use vrvq::engine::{LoopState, ModelChoice, Slot, Telemetry, report_ring};
use vrvq::model::{Library, ModelId};

struct Window {
    harness: Harness<'static, (View, Settings)>,
    telemetry: Arc<Telemetry>,
    choice: Arc<ModelChoice>,
    textures: Textures,
}

impl Window {
    fn new(name: &str) -> Self {
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
            .with_size(vec2(1000.0, 640.0) + 2.0 * view::HARNESS_MARGIN)
            .with_step_dt(1.0 / 60.0)
            .build_ui_state(
                |ui, (view, settings): &mut (View, Settings)| view.ui(ui, settings),
                (view, Settings::default()),
            );
        let mut window = Self { harness, telemetry, choice, textures };
        window.harness.run_steps(3);
        window
    }

    fn click(&mut self, label: &str) {
        self.harness.get_by_label(label).click();
        self.harness.run_steps(3);
    }

    fn shows(&self, part: &str) -> bool {
        self.harness.query_all_by_label_contains(part).next().is_some()
    }

    /// Waits for the thread that opens a model.
    fn wait_for(&mut self, what: impl Fn(&Self) -> bool) {
        let started = Instant::now();
        while !what(self) {
            assert!(started.elapsed() < Duration::from_secs(60), "it never came");
            std::thread::sleep(Duration::from_millis(5));
        }
        self.harness.run_steps(3);
    }

    fn runs(&self, name: &str) -> bool {
        self.choice.model().is_ok_and(|model| model.card().name == name)
    }

    /// The menu as a user sees it, to be looked at.
    fn picture(&mut self, name: &str) {
        let size = self.harness.ctx.content_rect().size();
        let window = egui::Rect::from_min_size(egui::Pos2::ZERO, size).shrink2(view::HARNESS_MARGIN);
        let painted = self.textures.paint(&self.harness.ctx, self.harness.output(), window);
        std::fs::write(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name), painted.png()).unwrap();
    }
}

/// A file in the user's hand.
#[derive(Debug)]
struct Dropped(PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.0).map_err(|error| error.to_string())
    }
}

#[test]
fn models_are_chosen_opened_by_path_and_dropped() {
    let mut window = Window::new("view-models");
    window.click("Model: VRVQ live 1");
    assert!(window.shows("44.1 kHz, 8 codebooks, 12 ms"));
    // A path in the field imports a checkpoint and chooses it.
    let field = window.harness.get_by_label("Path of a model");
    field.focus();
    field.type_text(checkpoint("vrvq-44k.pth").to_str().unwrap());
    window.harness.run_steps(3);
    window.click("Open");
    window.wait_for(|window| window.runs("vrvq-44k"));
    assert_eq!(window.choice.ids()[0], Some(ModelId::of(&window.choice.model().unwrap())));
    // So does a file that is dropped.
    window.harness.input_mut().dropped_files.push(Arc::new(Dropped(checkpoint("dac-24k.pth"))));
    window.harness.run_steps(2);
    window.wait_for(|window| window.runs("dac-24k"));
    assert_eq!(window.choice.library().list().0.len(), 2);
    // Both are in the menu now, with what they are.
    window.click("Model: VRVQ live 1");
    assert!(window.shows("24 kHz, 5 codebooks") && window.shows("constant bitrate only"));
    window.picture("view-models.png");
    window.click("vrvq-44k");
    window.wait_for(|window| window.runs("vrvq-44k"));
    // The loop that follows tells what is on its way, and what is wrong with another file.
    window.telemetry.update_status(|status| status.coming = Some("vrvq-44k".into()));
    window.harness.run_steps(3);
    window.telemetry.update_status(|status| status.coming = None);
    let bad = window.choice.library().folder().join("bad.safetensors");
    std::fs::write(&bad, b"nothing").unwrap();
    window.harness.input_mut().dropped_files.push(Arc::new(Dropped(bad)));
    window.harness.run_steps(2);
    window.wait_for(|window| window.telemetry.status().notice.is_some());
    assert!(window.shows("bad.safetensors") && window.shows("not a checkpoint"));
    assert!(window.runs("vrvq-44k"), "what can't be opened changes nothing");
}

#[test]
fn without_an_importance_map_other_modes_are_refused_with_the_reason() {
    let mut bench = Bench::new(700.0, 450.0);
    bench.telemetry.update_status(|status| status.constant = true);
    bench.send((0..50).map(|i| {
        let mut report = synthetic::report(i, 16.0, 2);
        report.rate = Rate::Codebooks(4);
        report
    }));
    assert!(bench.shows("No importance map: this model is for constant bitrate"));
    for mode in ["VBR", "ABR"] {
        bench.click(mode);
        assert!(bench.shows("it knows constant bitrate only"), "{mode}");
    }
    // What is turned is the number of codebooks, and the mode is kept for the next model.
    bench.enter("Codebooks, exactly", "3");
    bench.click("M/S");
    let setting = bench.settings().setting(Slot::One);
    assert_eq!((setting.mode, setting.codebooks), (RateMode::Vbr, 3));
    bench.telemetry.update_status(|status| status.constant = false);
    bench.harness.run_steps(3);
    assert!(!bench.shows("No importance map") && bench.shows("Level, exactly"));
}
