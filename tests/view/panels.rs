//! What explains beside the map: the use of the codebooks, rate and distortion; colours, and the way round by keyboard.

use crate::view::{Bench, FRAME_RATE, synthetic, talk};
use egui::{Key, Modifiers, accesskit::Action};
use egui_kittest::kittest::{NodeT, Queryable};
use std::collections::BTreeSet;
use std::sync::Arc;
use vrvq::codec::{Usage, kilobits_per_second};
use vrvq::editor::{Look, LookMemory, ThemeChoice};
use vrvq::engine::{DISTORTION_SECONDS, DistortionSum, FrameReport};
use vrvq::model::{CurvePoint, Curves};
use vrvq::preferences::Preferences;

#[test]
fn the_use_of_the_codebooks_is_told_in_bits() {
    let mut bench = Bench::new(700.0, 450.0);
    // As many as fit beside the open panel.
    let reports = talk(200, 16.0, 2);
    bench.send(reports.clone());
    bench.press(&[Key::H]);
    let mut usage = Usage::new(8, 1024);
    let frames = || reports.iter().flat_map(|report| report.channel_frames());
    frames().for_each(|frame| usage.push(&frame.codes[..usize::from(frame.count)]));
    for k in 0..8 {
        let Some(bits) = usage.entropy_bits(k) else { continue };
        let told = format!("Codebook {}: entropy {bits:.1} bits", k + 1);
        assert!(bench.shows(&told), "{told}");
        assert!(bench.shows(&format!("sent by {:.0} % of frames", 100.0 * usage.sent(k))));
    }
    let sent = frames().map(|frame| f64::from(frame.bits)).sum::<f64>() / usage.frames() as f64;
    let sum = format!("{:.1} bits a frame by entropy, {sent:.1} sent", usage.frame_entropy_bits().unwrap());
    assert!(bench.shows(&sum), "{sum}");
    assert!(bench.shows(&format!("1: {:.0} %, 2:", 100.0 * usage.share_of_count(1))));
    bench.click("Close the panel");
    assert!(!bench.shows(&sum));
    bench.click("Codebooks in use");
    assert!(bench.shows(&sum));
}

#[test]
fn rate_and_distortion_are_measured_over_the_last_seconds() {
    let mut bench = Bench::new(1000.0, 640.0);
    let curve = |lift: f64| {
        let point = |n: f64| CurvePoint {
            setting: n as f32,
            kilobits: 0.9 * n,
            si_sdr_db: 1.5 * n + lift,
            log_spectral_db: Some(16.0 - n),
            noise_to_mask_db: Some(12.0 - n),
        };
        (1..=8).map(|n| point(f64::from(n))).collect()
    };
    bench.send(talk(1200, 16.0, 2));
    bench.press(&[Key::R]);
    let window = (DISTORTION_SECONDS * FRAME_RATE).round() as usize;
    let told = |reports: &[FrameReport]| {
        let last = &reports[reports.len() - window..];
        let sum: DistortionSum = last.iter().map(|report| &report.distortion).collect();
        let bits = last.iter().map(|report| u64::from(report.bits())).sum();
        let rate = kilobits_per_second(bits, 2 * window as u64, FRAME_RATE);
        let (ratio, distance) = (sum.si_sdr_db().unwrap(), sum.log_spectral_db().unwrap());
        let noise = sum.noise_to_mask_db().unwrap();
        format!("{rate:.2} kb/s a channel, SI-SDR {ratio:.1} dB, LSD {distance:.1}, NMR {noise:.1}")
    };
    let before = told(&talk(1200, 16.0, 2));
    assert!(bench.shows(&before), "{before}");
    let alone = bench.paint();
    let (fingerprint, measured_on) = (String::new(), "a test".into());
    let curves = Curves { fingerprint, measured_on, vbr: curve(1.0), cbr: curve(0.0) };
    bench.telemetry.update_status(|status| status.curves = Some(Arc::new(curves)));
    bench.harness.run_steps(2);
    assert!(bench.paint() != alone, "the curves are drawn");
    // The knob is turned up: the dot moves.
    let louder: Vec<FrameReport> = (1200..1500).map(|index| synthetic::report(index, 40.0, 2)).collect();
    bench.send(louder.clone());
    let after = told(&louder);
    assert_ne!(before, after);
    assert!(bench.shows(&after), "{after}");
    bench.click("LSD");
    let by_level = bench.paint();
    bench.click("NMR");
    assert!(bench.shows(&after));
    assert!(bench.paint() != by_level, "each measure has its curves");
    bench.press(&[Key::H]);
    assert!(!bench.shows(&after) && bench.shows("Codebook 1: "), "one panel at a time");
}

#[test]
fn the_colours_are_switched_and_kept() {
    let path = std::env::temp_dir().join(format!("vrvq-look-{}/view.json", std::process::id()));
    let mut memory = Preferences::at(&path);
    assert_eq!(memory.recall(), Look::default());
    let mut bench = Bench::with_memory(Preferences::at(&path));
    bench.send(talk(800, 16.0, 2));
    let dark = bench.paint().lightness();
    assert!(dark < 0.4, "{dark}");
    bench.click("Colours: as the system");
    bench.harness.run_steps(3);
    let bright = bench.paint().lightness();
    assert!(bright > 0.6, "{bright}");
    assert_eq!(memory.recall().theme, ThemeChoice::Bright);
    let mut again = Bench::with_memory(Preferences::at(&path));
    again.send(talk(800, 16.0, 2));
    assert!(again.paint().lightness() > 0.6, "another window has the same colours");
    bench.press(&[Key::C]);
    assert!(bench.shows("Colours: dark") && bench.paint().lightness() < 0.4);
    std::fs::write(&path, "not JSON").unwrap();
    assert_eq!(memory.recall(), Look::default(), "a damaged file is no look");
    memory.keep(Look { theme: ThemeChoice::Dark }).unwrap();
    assert_eq!(memory.recall().theme, ThemeChoice::Dark);
    std::fs::remove_dir_all(path.parent().unwrap()).unwrap();
}

/// Names of what can be clicked, where it is enabled.
fn clickable(bench: &Bench) -> BTreeSet<String> {
    let nodes = bench.harness.root().children_recursive();
    nodes
        .map(|node| node.accesskit_node())
        .filter(|node| node.data().supports_action(Action::Click))
        .map(name)
        .collect()
}

fn name(node: egui_kittest::kittest::AccessKitNode<'_>) -> String {
    format!("{:?} {}", node.role(), node.label().or_else(|| node.value()).unwrap_or_default())
}

#[test]
fn the_keyboard_reaches_every_control_and_shows_where_it_is() {
    for panel in [None, Some(Key::H), Some(Key::R)] {
        let mut bench = Bench::new(700.0, 450.0);
        bench.send(talk(300, 16.0, 2));
        bench.press(&[Key::F]);
        panel.iter().for_each(|&key| bench.press(&[key]));
        let wanted = clickable(&bench);
        assert!(wanted.len() > 20, "{wanted:?}");
        let (mut reached, mut before) = (BTreeSet::new(), bench.paint());
        for _ in 0..wanted.len() + 8 {
            bench.harness.key_press(Key::Tab);
            bench.harness.run_steps(2);
            let focused = bench.harness.root().children_recursive().find(|node| node.is_focused());
            let Some(focused) = focused.map(|node| name(node.accesskit_node())) else { continue };
            let now = bench.paint();
            assert!(now != before, "{focused} has the focus, and nothing shows it");
            before = now;
            reached.insert(focused);
        }
        let missed: Vec<&String> = wanted.difference(&reached).collect();
        assert!(missed.is_empty(), "Tab doesn't lead to {missed:?}");
    }
}

#[test]
fn what_has_the_focus_is_worked_by_keys() {
    let mut bench = Bench::new(700.0, 450.0);
    bench.send(talk(1600, 16.0, 2));
    bench.harness.get_by_label("Freeze").focus();
    bench.press(&[Key::Enter]);
    assert!(bench.shows("back to live"));
    bench.harness.get_by_label("Map, frozen").focus();
    bench.harness.run_steps(2);
    bench.press(&[Key::ArrowLeft, Key::ArrowLeft]);
    assert!(!bench.shows("Frozen, 0.0 s"), "arrows go back in time");
    bench.press(&[Key::Space]);
    assert!(!bench.shows("back to live"));
    let level = bench.settings().settings[0].level;
    bench.harness.get_by_role_and_label(egui::accesskit::Role::Slider, "Level").focus();
    bench.harness.run_steps(2);
    bench.harness.key_press_modifiers(Modifiers::NONE, Key::ArrowUp);
    bench.harness.run_steps(3);
    assert!(bench.settings().settings[0].level > level);
}

#[test]
fn the_built_in_model_brings_the_curves_that_were_measured_of_it() {
    let curves = vrvq::model::Model::builtin().unwrap().curves();
    let curves =
        curves.expect("assets/live.curves.json is of another model: make them by python -m vrvq_training curves");
    for curve in [&curves.vbr, &curves.cbr] {
        assert!(curve.len() >= 4);
        assert!(
            curve.windows(2).all(|pair| pair[1].kilobits > pair[0].kilobits && pair[1].si_sdr_db > pair[0].si_sdr_db)
        );
    }
}
