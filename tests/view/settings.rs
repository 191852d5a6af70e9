//! The view's two settings, numbers, the simulated line and presets, through its public surface.

use crate::view::{Bench, synthetic};
use egui::{Key, vec2};
use egui_kittest::kittest::Queryable;
use vrvq::codec::{CodeSearch, Loss, RateMode};
use vrvq::editor::{Controls, Value};
use vrvq::engine::{FrameReport, Monitor, Setting, Slot, Source, StereoMode};
use vrvq::preset::{Folder, factory};

fn bench() -> Bench {
    let mut bench = Bench::new(700.0, 450.0);
    bench.send((0..50).map(|i| synthetic::report(i, 16.0, 2)));
    bench
}

#[test]
fn the_settings_are_chosen_turned_and_copied_each_on_its_own() {
    let mut bench = bench();
    bench.click("Setting 2");
    assert_eq!(bench.settings().slot, Slot::Two);
    bench.click("CBR");
    bench.click("Mono");
    bench.enter("Codebooks, exactly", "3");
    let two = bench.settings().setting(Slot::Two);
    assert_eq!((two.mode, two.stereo, two.codebooks), (RateMode::Cbr, StereoMode::Mono, 3));
    assert_eq!(bench.settings().setting(Slot::One), Setting::default());
    for (key, slot) in [(Key::Num1, Slot::One), (Key::T, Slot::Two), (Key::T, Slot::One), (Key::Num2, Slot::Two)] {
        bench.press(&[key]);
        assert_eq!(bench.settings().slot, slot, "{key:?}");
    }
    bench.click("Copy setting 2 to 1");
    assert_eq!(bench.settings().setting(Slot::One), two);
    assert!(bench.shows("Setting 1 is now the same as setting 2."));
    bench.click("Setting 1");
    assert_eq!(bench.settings().slot, Slot::One);
    assert!(bench.harness.query_by_label("Copy setting 1 to 2").is_some());
    assert_eq!(bench.settings().monitor, Monitor::Decoded, "the monitor stays");
}

#[test]
fn a_switch_that_takes_its_time_is_announced() {
    let mut bench = bench();
    bench.telemetry.set_alone(true);
    bench.press(&[Key::T]);
    assert!(bench.shows("Setting 2 in 60 ms: the machine is too busy to run both."));
    bench.telemetry.set_alone(false);
    bench.press(&[Key::T]);
    assert!(!bench.shows("Setting 1 in"));
}

#[test]
fn every_number_is_typed_dragged_and_reset_in_whole_gestures() {
    let mut bench = bench();
    bench.click("D Difference");
    bench.click("ABR");
    for (name, value, text, number) in [
        ("Target, exactly", Value::Target, "2.5", 2.5),
        ("Window", Value::Window, "5", 5.0),
        ("Difference gain", Value::DifferenceGain, "7", 7.0),
        ("Safety, exactly", Value::Safety, "3", 3.0),
    ] {
        let gestures = bench.settings().gestures;
        bench.enter(name, text);
        assert_eq!(bench.settings().value(value), number, "{name}");
        assert_eq!(bench.settings().gestures, gestures + 1, "{name}");
        let centre = bench.harness.get_by_label(name).rect().center();
        bench.harness.hover_at(centre);
        bench.harness.drag_at(centre);
        for right in [8.0, 16.0, 24.0, 32.0] {
            bench.harness.hover_at(centre + vec2(right, 0.0));
            bench.harness.run_steps(1);
        }
        assert!(bench.settings().value(value) > number, "{name} is dragged to {}", bench.settings().value(value));
        bench.harness.drop_at(centre + vec2(32.0, 0.0));
        bench.harness.run_steps(3);
        assert_eq!((bench.settings().gestures, bench.settings().open), (gestures + 2, None), "{name}");
        // Not the second click of what was before.
        bench.harness.run_steps(60);
        bench.double_click(name);
        assert_eq!(bench.settings().value(value), value.default(), "{name}");
        bench.press(&[Key::Escape]);
        assert_eq!(bench.settings().value(value), value.default(), "{name}");
    }
}

#[test]
fn the_line_is_set_in_its_menu() {
    let mut bench = bench();
    bench.click("Packet loss");
    bench.enter("Packets lost, exactly", "12.5");
    bench.enter("Mean burst, exactly", "4");
    bench.enter("Seed, exactly", "42");
    assert_eq!(bench.settings().chosen().loss, Loss { percent: 12.5, burst: 4, seed: 42 });
    for _ in 0..3 {
        bench.telemetry.add_lost_frame();
    }
    bench.harness.run_steps(2);
    assert!(bench.shows("3 frames lost so far"));
    bench.click("Count anew");
    assert_eq!(bench.telemetry.lost_frames(), 0);
    assert_eq!(bench.settings().setting(Slot::Two), Setting::default());
}

#[test]
fn presets_are_taken_saved_and_deleted() {
    let mut bench = bench();
    let folder = Folder::new(&bench.presets);
    bench.click("Presets");
    let preset = factory()[5];
    let gestures = bench.settings().gestures;
    bench.click(preset.name);
    assert_eq!(bench.settings().chosen(), preset.setting);
    assert_eq!(bench.settings().gestures, gestures + 1, "one step to undo");
    bench.harness.get_by_role(egui::accesskit::Role::TextInput).focus();
    bench.harness.run_steps(2);
    bench.harness.event(egui::Event::Text("My own".into()));
    bench.harness.run_steps(2);
    assert_eq!(bench.settings().slot, Slot::One, "typing is no shortcut");
    bench.click("Save preset");
    let (presets, errors) = folder.load();
    assert!(errors.is_empty());
    assert_eq!((presets.len(), presets[0].name.as_str(), presets[0].setting), (1, "My own", preset.setting));

    std::fs::write(bench.presets.join("broken.json"), "{").unwrap();
    bench.click("Setting 2");
    bench.click("Presets");
    if bench.harness.query_by_label("My own").is_none() {
        bench.click("Presets");
    }
    assert!(bench.shows("broken.json"), "a bad file is named");
    bench.click("My own");
    assert_eq!(bench.settings().setting(Slot::Two), preset.setting);
    bench.click("Delete My own");
    assert_eq!(folder.load().0.len(), 1, "it asks first");
    bench.click("Delete My own");
    assert!(folder.load().0.is_empty());
}

#[test]
fn a_blind_test_compares_any_two() {
    let mut bench = bench();
    bench.press(&[Key::Num2]);
    bench.click("ABX");
    bench.press(&[Key::B]);
    assert_eq!(bench.telemetry.blind(), Some(Source::Decoded(Slot::Two)), "the chosen setting");
    bench.click("1  2");
    assert_eq!(bench.telemetry.blind(), Some(Source::Decoded(Slot::One)));
    bench.press(&[Key::B]);
    assert_eq!(bench.telemetry.blind(), Some(Source::Decoded(Slot::Two)));
    bench.press(&[Key::X]);
    let x = bench.telemetry.blind();
    bench.press(&[if x == Some(Source::Decoded(Slot::One)) { Key::Num1 } else { Key::Num2 }]);
    assert!(bench.shows("1 of 1 right"));
    assert_eq!(bench.settings().slot, Slot::Two, "keys that answer choose no setting");
    bench.click("Dry 1");
    assert!(bench.shows("Which one is X?"), "another pair has its own score");
    bench.press(&[Key::B]);
    assert_eq!(bench.telemetry.blind(), Some(Source::Decoded(Slot::One)));
    // Two models don't run at once, and a pause would tell which is which.
    bench.telemetry.set_models_differ(true);
    bench.click("1  2");
    assert!(bench.shows("models differ"));
    assert_eq!(bench.telemetry.blind(), Some(Source::Decoded(Slot::One)), "nothing else is compared");
    bench.click("Dry 2");
    assert!(bench.shows("Which one is X?"));
    bench.press(&[Key::Escape]);
    assert_eq!((bench.telemetry.blind(), bench.settings().slot), (None, Slot::Two));
}

#[test]
fn codes_by_their_sound_are_a_part_of_the_setting() {
    let mut bench = bench();
    assert!(!bench.shows("Codes by sound"), "this model can't");
    bench.telemetry.update_status(|status| status.by_sound = true);
    bench.harness.run_steps(3);
    bench.click("Setting 2");
    bench.click("Codes by sound");
    assert_eq!(bench.settings().setting(Slot::Two).search, CodeSearch::Sound);
    assert_eq!(bench.settings().setting(Slot::One).search, CodeSearch::Latent);
    // The hint tells where the machine has no time for it.
    let frame = |index: u64, search| FrameReport { setting: Slot::Two, search, ..synthetic::report(index, 16.0, 2) };
    let hint = |bench: &mut Bench, first: u64, search| {
        bench.send((first..first + 50).map(|index| frame(index, search)));
        bench.harness.get_by_label("Codes by sound").hover();
        bench.harness.run_steps(90);
        (bench.shows("better sound"), bench.shows("no time for it"))
    };
    assert_eq!(hint(&mut bench, 50, CodeSearch::Sound), (true, false));
    assert_eq!(hint(&mut bench, 100, CodeSearch::Latent), (true, true));
    assert_eq!(hint(&mut bench, 150, CodeSearch::Sound), (true, false));
    bench.click("Codes refined");
    assert_eq!(bench.settings().setting(Slot::Two).search, CodeSearch::Refined);
    // Of less than what was asked for the hint of that tells.
    bench.send((200..250).map(|index| frame(index, CodeSearch::Sound)));
    bench.harness.get_by_label("Codes refined").hover();
    bench.harness.run_steps(90);
    assert!(bench.shows("no time for it"));
    bench.click("Codes by latent");
    assert_eq!(bench.settings().setting(Slot::Two).search, CodeSearch::Latent);
}
