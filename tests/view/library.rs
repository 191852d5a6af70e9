//! The model's name in the view and the menu behind it, through the view's public surface; and what the view says of a
//! model without an importance map.

use crate::models::checkpoint;
use crate::view::{Bench, synthetic};
use crate::window::Window;
use egui_kittest::kittest::Queryable;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use vrvq::codec::{Rate, RateMode};
use vrvq::editor::Controls;
use vrvq::engine::Slot;
use vrvq::model::ModelId;

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
