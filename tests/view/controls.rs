//! The view through its public surface, with a ring of reports and settings of its own.

use crate::view::{Bench, FRAME_RATE, synthetic, talk};
use egui::accesskit::{Action, ActionData, ActionRequest, Role};
use egui::{Context, Event, Key, Modifiers, RawInput, pos2, vec2};
use egui_kittest::kittest::{NodeT, Queryable};
use vrvq::codec::{RateMode, count, kilobits_per_second};
use vrvq::editor::{Controls, Telling, Value};
use vrvq::engine::{FrameReport, LoopState, Monitor, Slot, Source, StereoMode};

#[test]
fn the_knob_turns_by_drag_keys_and_double_click_in_whole_gestures() {
    let mut bench = Bench::new(700.0, 450.0);
    bench.harness.run_steps(2);
    let knob = bench.knob();
    bench.harness.hover_at(knob);
    bench.harness.drag_at(knob);
    bench.harness.hover_at(knob - vec2(0.0, 40.0));
    bench.harness.hover_at(knob - vec2(0.0, 60.0));
    bench.harness.run_steps(1);
    let dragged = bench.settings().level();
    assert!(dragged > 25.0 && dragged < 48.0, "{dragged}");
    bench.harness.drop_at(knob - vec2(0.0, 60.0));
    bench.harness.run_steps(2);
    assert_eq!((bench.settings().gestures, bench.settings().open), (1, None));

    bench.press(&[Key::ArrowDown, Key::ArrowDown]);
    let lowered = bench.settings().level();
    assert!(lowered < dragged, "{lowered}");
    bench.harness.key_press_modifiers(Modifiers::SHIFT, Key::ArrowUp);
    bench.harness.run_steps(3);
    let raised = bench.settings().level();
    assert!(raised > lowered && raised < dragged, "Shift moves finely: {lowered} to {raised}");
    assert_eq!(bench.settings().gestures, 4);

    bench.double_click_at(knob);
    assert_eq!(bench.settings().level(), 16.0, "a double click goes back to the default");
}

#[test]
fn variable_and_constant_bitrate_are_switched_at_equal_bitrate() {
    let mut bench = Bench::new(700.0, 450.0);
    let frames: Vec<FrameReport> = (0..800).map(|i| synthetic::report(i, 16.0, 1)).collect();
    let mean_bits = |level: f32| {
        let counts: usize = frames.iter().map(|report| count(report.frames[0].importance, level, 8)).sum();
        3.0 + 10.0 * counts as f64 / frames.len() as f64
    };
    bench.send(frames.clone());
    bench.click("CBR");
    let number = bench.settings().codebooks();
    assert_eq!(bench.settings().mode(), RateMode::Cbr);
    assert!((f64::from(number) * 10.0 - mean_bits(16.0)).abs() <= 5.0, "{number} codebooks for {}", mean_bits(16.0));

    let centre = bench.harness.get_by_role_and_label(Role::Slider, "Codebooks").rect().center();
    bench.harness.drag_at(centre);
    bench.harness.drop_at(centre);
    bench.harness.run_steps(2);
    bench.press(&[Key::ArrowUp, Key::ArrowUp, Key::ArrowDown]);
    assert_eq!(bench.settings().codebooks(), number + 1);

    bench.click("VBR");
    let level = bench.settings().level();
    assert_eq!((bench.settings().mode(), bench.settings().gestures), (RateMode::Vbr, 5));
    let error = mean_bits(level) / (10.0 * f64::from(number + 1)) - 1.0;
    assert!(error.abs() < 0.02, "level {level} is {:.1} % off", 100.0 * error);
}

#[test]
fn a_target_starts_at_the_bitrate_of_now_and_leaves_its_level() {
    let mut bench = Bench::new(700.0, 450.0);
    let frames: Vec<FrameReport> = (0..800).map(|i| synthetic::report(i, 16.0, 2)).collect();
    let bits: u64 = frames.iter().map(|report| u64::from(report.bits())).sum();
    bench.send(frames);
    bench.click("ABR");
    let mean = kilobits_per_second(bits, 800, FRAME_RATE) as f32;
    assert_eq!(bench.settings().mode(), RateMode::Abr);
    assert!(
        (bench.settings().target().kilobits / mean - 1.0).abs() < 0.01,
        "{:?} for {mean}",
        bench.settings().target()
    );

    let centre = bench.harness.get_by_role_and_label(Role::Slider, "Target").rect().center();
    bench.harness.drag_at(centre);
    bench.harness.drop_at(centre);
    bench.harness.run_steps(2);
    bench.press(&[Key::ArrowUp]);
    assert!(bench.settings().target().kilobits > mean);
    bench.enter("Window", "30");
    assert_eq!(bench.settings().target().window, 30.0);
    // Not the second click of what was before.
    bench.harness.run_steps(60);
    bench.double_click("Window");
    assert_eq!(bench.settings().target().window, 10.0);

    bench.send((800..900).map(|i| synthetic::report(i, 21.0, 2)));
    bench.click("VBR");
    assert_eq!((bench.settings().mode(), bench.settings().level()), (RateMode::Vbr, 21.0));
}

#[test]
fn two_channels_can_be_coded_as_mid_and_side() {
    let mut bench = Bench::new(700.0, 450.0);
    bench.telemetry.update_status(|status| status.channels = 1);
    bench.send((0..50).map(|i| synthetic::report(i, 16.0, 1)));
    for label in ["M/S", "Mono", "S Split"] {
        assert!(bench.harness.query_by_label(label).is_none(), "one channel has no sides: {label}");
    }
    bench.press(&[Key::S]);
    assert_eq!(bench.settings().monitor, Monitor::Decoded);
    bench.telemetry.update_status(|status| status.channels = 2);
    bench.send((50..100).map(|i| synthetic::report(i, 16.0, 2)));
    bench.click("M/S");
    assert_eq!(bench.settings().stereo(), StereoMode::MidSide);
    bench.click("Mono");
    assert_eq!(bench.settings().stereo(), StereoMode::Mono);
    bench.send((100..150).map(|i| synthetic::report(i, 16.0, 1)));
    assert!(!bench.shows("left "), "one coded channel has one bitrate");
    bench.click("L/R");
    assert_eq!(bench.settings().stereo(), StereoMode::LeftRight);
    bench.click("S Split");
    assert_eq!(bench.settings().monitor, Monitor::Split);
    bench.press(&[Key::A, Key::S]);
    assert_eq!(bench.settings().monitor, Monitor::Split);
}

#[test]
fn a_and_b_bypass_and_safety_are_switched_by_mouse_and_keys() {
    let mut bench = Bench::new(700.0, 450.0);
    bench.harness.run_steps(2);
    bench.click("A Dry");
    assert_eq!(bench.settings().monitor, Monitor::Dry);
    bench.press(&[Key::B]);
    assert_eq!(bench.settings().monitor, Monitor::Decoded);
    bench.press(&[Key::A]);
    assert_eq!(bench.settings().monitor, Monitor::Dry);
    bench.click("B Decoded");
    assert_eq!(bench.settings().monitor, Monitor::Decoded);
    bench.press(&[Key::D]);
    assert_eq!(bench.settings().monitor, Monitor::Difference);
    bench.enter("Difference gain", "18");
    assert_eq!(bench.settings().difference_gain, 18.0);
    bench.enter("Difference gain", "99");
    assert_eq!(bench.settings().difference_gain, 24.0);
    assert_eq!(bench.settings().monitor, Monitor::Difference, "the chip leaves the monitor alone");
    bench.click("B Decoded");
    bench.click("D Difference");
    assert_eq!(bench.settings().monitor, Monitor::Difference);
    bench.click("Level match");
    assert!(bench.settings().level_match);
    bench.press(&[Key::L]);
    assert!(!bench.settings().level_match);
    bench.click("B Decoded");
    bench.click("Bypass");
    assert!(bench.settings().bypass);
    bench.click("Bypassed");
    assert!(!bench.settings().bypass);
    bench.click("More safety");
    assert_eq!(bench.settings().safety, 2);
    bench.click("Less safety");
    bench.click("Less safety");
    assert_eq!(bench.settings().safety, 0);
    bench.click("Less safety");
    assert_eq!(bench.settings().safety, 0, "none below none");
}

#[test]
fn the_bitrate_shown_is_the_bits_over_the_time() {
    let mut bench = Bench::new(700.0, 450.0);
    let reports = talk(500, 16.0, 2);
    let rate = |reports: &[FrameReport]| {
        let bits = reports.iter().map(|report| u64::from(report.bits())).sum();
        kilobits_per_second(bits, reports.len() as u64, FRAME_RATE)
    };
    bench.send(reports.clone());
    let half_second = (FRAME_RATE / 2.0).round() as usize;
    let peak = reports.windows(half_second).map(rate).fold(0.0, f64::max);
    let current = format!("current {:.2} kb/s", rate(&reports[500 - half_second..]));
    let total = format!("mean {:.2} peak {peak:.2} kb/s", rate(&reports));
    assert!(bench.shows(&current), "{current}");
    let channel = |index: usize| {
        let bits = reports[500 - half_second..].iter().map(|report| u64::from(report.frames[index].bits)).sum();
        kilobits_per_second(bits, half_second as u64, FRAME_RATE)
    };
    let channels = format!("left {:.2}, right {:.2}", channel(0), channel(1));
    assert!(bench.shows(&channels), "{channels}");
    bench.click(&total);
    assert!(bench.shows("mean 0.00 peak 0.00 kb/s"), "a click counts from zero");
}

#[test]
fn hovering_a_frame_tells_its_numbers() {
    for (width, height, channels) in [(700.0, 450.0, 1), (1600.0, 900.0, 2)] {
        let mut bench = Bench::new(width, height);
        let reports = talk(1500, 20.0, channels);
        bench.send(reports.clone());
        // The right edge of the map is the newest frame.
        bench.harness.hover_at(pos2(width - 0.5, height * 0.25));
        bench.harness.run_steps(4);
        let newest = reports.last().unwrap();
        assert!(bench.shows("0.00 s ago, packed at level 20.0"));
        for frame in newest.channel_frames() {
            let codes: Vec<String> = frame.codes[..usize::from(frame.count)].iter().map(u16::to_string).collect();
            let figures = [
                format!("{:.3}", frame.importance),
                format!("{} of 8", frame.count),
                frame.bits.to_string(),
                codes.join(" "),
            ];
            figures.iter().for_each(|figure| assert!(bench.shows(figure), "{figure} at {width} x {height}"));
        }
        let late = FrameReport { late: true, channels: channels as u8, index: 1500, ..FrameReport::default() };
        bench.send([late]);
        assert!(bench.shows("Late: "), "the newest frame is late now");
    }
}

#[test]
fn states_are_told_in_words() {
    let mut bench = Bench::new(700.0, 450.0);
    bench.harness.run_steps(2);
    assert!(bench.shows("Running") && bench.shows("Waiting for sound"));
    bench.harness.run_steps(150);
    assert!(bench.shows("Idle") && bench.shows("monitors the track"), "no block for 2.5 s");
    bench.telemetry.count_block();
    bench.harness.run_steps(2);
    assert!(bench.shows("Running") && bench.shows("on their way"));
    let reason = "the model file talk.vrvqmodel can't be read: its card names no hop";
    bench.telemetry.update_status(|status| status.state = LoopState::Failed(reason.into()));
    bench.harness.run_steps(2);
    assert!(bench.shows("Failed") && bench.shows(reason) && bench.shows("You hear the dry signal."));
    bench.telemetry.update_status(|status| status.state = LoopState::Loading);
    bench.harness.run_steps(2);
    assert!(bench.shows("Loading the model"));
}

#[test]
fn a_blind_test_is_answered_scored_and_ended() {
    let mut bench = Bench::new(700.0, 450.0);
    bench.send((0..50).map(|i| synthetic::report(i, 16.0, 2)));
    bench.click("ABX");
    assert_eq!(bench.telemetry.blind(), Some(Source::Dry));
    assert!(bench.settings().level_match, "the level is matched meanwhile");
    bench.press(&[Key::B]);
    assert_eq!(bench.telemetry.blind(), Some(Source::Decoded(Slot::One)));
    bench.click("X is A");
    assert!(bench.shows("Which one is X?"), "X must be listened to first");
    for trial in 1..=5 {
        bench.press(&[Key::X]);
        let x = bench.telemetry.blind();
        bench.press(&[if x == Some(Source::Dry) { Key::Num1 } else { Key::Num2 }]);
        assert!(bench.shows(&format!("{trial} of {trial} right")));
        assert_eq!(bench.telemetry.blind(), Some(Source::Dry));
    }
    assert!(bench.shows("p = 0.031"));
    assert_eq!(bench.settings().monitor, Monitor::Decoded, "no parameter moves");
    bench.press(&[Key::Escape]);
    assert_eq!(bench.telemetry.blind(), None);
    assert!(!bench.settings().level_match);
    bench.click("A Dry");
    assert_eq!(bench.settings().monitor, Monitor::Dry);

    bench.click("ABX");
    bench.harness.state_mut().0.closed();
    assert_eq!(bench.telemetry.blind(), None, "nobody could end a test that nobody sees");
}

#[test]
fn nothing_in_the_view_betrays_x() {
    let mut bench = Bench::new(1000.0, 640.0);
    bench.send((0..300).map(|i| synthetic::report(i, 16.0, 2)));
    bench.click("ABX");
    let mut pictures = [None, None];
    for _ in 0..64 {
        bench.press(&[Key::A, Key::X]);
        // What the loop would tell of a loud and a soft output.
        let x = bench.telemetry.blind().unwrap();
        bench.telemetry.raise_output_peak(0, if x == Source::Dry { 0.9 } else { 0.1 });
        bench.telemetry.count_block();
        bench.harness.run_steps(40);
        let shapes = format!("{:?}", bench.harness.output().shapes);
        let settings = (bench.settings().monitor, bench.settings().bypass, bench.settings().level());
        let picture = (shapes, settings);
        let known = &mut pictures[usize::from(x == Source::Dry)];
        match known {
            Some(known) => assert!(*known == picture, "the same X looks the same"),
            None => *known = Some(picture),
        }
        if pictures.iter().all(Option::is_some) {
            assert!(pictures[0] == pictures[1], "X can be seen");
            return;
        }
        // A new X.
        bench.press(&[Key::Num1]);
        bench.press(&[Key::Escape]);
        bench.click("ABX");
    }
    panic!("X never changed");
}

#[test]
fn what_is_on_screen_is_saved_and_how_it_went_is_told() {
    let mut bench = Bench::new(700.0, 450.0);
    bench.send((0..300).map(|i| synthetic::report(i, 16.0, 2)));
    bench.click("Save");
    let note = "kept 300 frames of Test model at 86.13";
    for _ in 0..100 {
        if bench.shows(note) {
            bench.click(note);
            assert!(!bench.shows(note), "a click takes the note away");
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
        bench.harness.run_steps(2);
    }
    panic!("nothing was saved");
}

#[test]
fn the_codebooks_of_every_level_are_shown_on_demand() {
    let mut bench = Bench::new(1000.0, 640.0);
    bench.send((0..400).map(|i| synthetic::report(i, 16.0, 2)));
    bench.click("Show by level");
    bench.harness.run_steps(3);
    assert!(bench.harness.query_by_label("Show codes").is_some());
    bench.press(&[Key::K]);
    assert!(bench.harness.query_by_label("Show by level").is_some());
}

#[test]
fn costs_are_shown_and_late_frames_cleared() {
    let mut bench = Bench::new(700.0, 450.0);
    bench.telemetry.set_load(0.23, 1.0);
    bench.telemetry.add_late_frames(7);
    bench.harness.run_steps(2);
    assert!(bench.shows("Latency 59.5 ms") && bench.shows("in samples 2624") && bench.shows("Load 23 %"));
    bench.click("Late frames 7");
    assert_eq!(bench.telemetry.late_frames(), 0);
}

#[test]
fn hops_that_share_a_call_are_told_of() {
    let mut bench = Bench::new(700.0, 450.0);
    bench.telemetry.set_load(0.97, 3.6);
    bench.harness.run_steps(2);
    bench.harness.get_by_label("Load 97 %").hover();
    bench.harness.run_steps(30);
    assert!(bench.harness.query_by_label_contains("3.6 in a call").is_some());
}

#[test]
fn what_a_slow_model_needs_is_told_at_its_late_frames() {
    for (needed, told) in [(Some(6), "needs 6 safety hops"), (None, "is too slow for this machine")] {
        let mut bench = Bench::new(700.0, 450.0);
        bench.telemetry.add_late_frames(7);
        bench.harness.run_steps(2);
        let hint = |bench: &mut Bench| {
            bench.harness.get_by_label("Late frames 7").hover();
            bench.harness.run_steps(30);
            bench.harness.query_by_label_contains(told).is_some()
        };
        assert!(!hint(&mut bench), "not known yet");
        bench.telemetry.set_safety_needed(needed);
        assert!(hint(&mut bench));
        bench.harness.state_mut().1.safety = 8;
        assert_eq!(hint(&mut bench), needed.is_none());
    }
}

#[test]
fn a_codec_thread_like_any_other_is_told_of_at_its_late_frames() {
    let mut bench = Bench::new(700.0, 450.0);
    for refused in [false, true] {
        bench.telemetry.set_priority_refused(refused);
        bench.harness.get_by_label("Late frames 0").hover();
        bench.harness.run_steps(30);
        assert_eq!(bench.harness.query_by_label_contains("refused the codec thread").is_some(), refused);
    }
}

#[test]
fn what_computes_is_told_and_what_would_be_faster() {
    for (runtime, faster) in [("built-in (tract) · CPU", true), ("ONNX Runtime · CPU", false)] {
        let mut bench = Bench::new(1000.0, 640.0);
        bench.telemetry.update_status(|status| status.runtime = runtime.into());
        bench.harness.run_steps(2);
        bench.harness.get_by_label(runtime).hover();
        bench.harness.run_steps(30);
        assert!(bench.harness.query_by_label_contains("What computes the model").is_some());
        assert_eq!(bench.harness.query_by_label_contains("cargo xtask runtime").is_some(), faster);
    }
}

#[test]
fn a_closed_view_asks_for_no_reports() {
    let mut bench = Bench::new(700.0, 450.0);
    bench.send(talk(100, 16.0, 1));
    assert!(bench.telemetry.view_open());
    bench.harness.state_mut().0.closed();
    assert!(!bench.telemetry.view_open());
    bench.send(talk(100, 16.0, 2));
    assert!(bench.telemetry.view_open(), "shown again");
}

#[test]
fn meters_show_what_is_loud_now_not_while_the_window_was_closed() {
    let mut bench = Bench::new(700.0, 450.0);
    bench.send(talk(100, 16.0, 1));
    bench.telemetry.raise_input_peak(0, 0.5);
    bench.harness.step();
    assert!(bench.harness.query_by_label_contains("input -6 dBFS").is_some());
    bench.harness.state_mut().0.closed();
    bench.telemetry.raise_input_peak(0, 0.5);
    bench.telemetry.raise_output_peak(0, 0.5);
    bench.harness.step();
    assert!(bench.harness.query_by_label_contains("input silent, output silent").is_some());
}

#[test]
fn nothing_leaves_the_window_at_any_size() {
    for (width, height) in [(700.0, 450.0), (1000.0, 450.0), (1600.0, 900.0)] {
        let mut bench = Bench::new(width, height);
        bench.send(talk(1200, 48.0, 2));
        let window = bench.window();
        for label in ["current ", "mean ", "Latency ", "Late frames ", "Safety ", "Peak level", "Running", "Bypass"] {
            for node in bench.harness.query_all_by_label_contains(label) {
                assert!(window.contains_rect(node.rect()), "{label} at {width} x {height}: {:?}", node.rect());
            }
        }
    }
}

#[test]
fn a_screen_reader_turns_the_knob_in_each_mode() {
    fn ask(bench: &mut Bench, action: Action, number: Option<f64>) {
        let knob = bench.harness.get_by_role(Role::Slider);
        let (target_node, target_tree) = knob.accesskit_node().locate();
        let data = number.map(ActionData::NumericValue);
        let request = ActionRequest { action, target_node, target_tree, data };
        bench.harness.event(Event::AccessKitActionRequest(request));
        bench.harness.run_steps(3);
    }
    let mut bench = Bench::new(1000.0, 640.0);
    bench.harness.run_steps(2);
    ask(&mut bench, Action::SetValue, Some(30.0));
    assert!((bench.settings().level() - 30.0).abs() < 1e-3, "{}", bench.settings().level());
    ask(&mut bench, Action::Increment, None);
    let raised = bench.settings().level();
    assert!(raised > 30.0 && raised < 40.0, "{raised}");
    ask(&mut bench, Action::SetValue, Some(1000.0));
    assert!((bench.settings().level() - 48.0).abs() < 1e-3, "no further than the range");
    bench.click("ABR");
    ask(&mut bench, Action::SetValue, Some(6.0));
    assert!((bench.settings().value(Value::Target) - 6.0).abs() < 1e-3);
    bench.click("CBR");
    ask(&mut bench, Action::SetValue, Some(3.0));
    assert_eq!(bench.settings().codebooks(), 3);
    ask(&mut bench, Action::Decrement, None);
    assert_eq!(bench.settings().codebooks(), 2);
}

#[test]
fn screen_readers_are_told_of_what_is_done_at_once_and_of_figures_now_and_then() {
    let (egui, mut telling) = (Context::default(), Telling::default());
    let mut told = |frame: u32, events: Vec<Event>| {
        let time = f64::from(frame) / 60.0;
        telling.prepare(&egui, time, &events);
        let input = RawInput { time: Some(time), events, ..RawInput::default() };
        let mut output = egui.run_ui(input, |ui| _ = ui.label(format!("{time:.2} s")));
        output.textures_delta.clear();
        output.platform_output.accesskit_update.is_some()
    };
    let figures = (0..600).filter(|&frame| told(frame, vec![Event::PointerMoved(pos2(1.0, 1.0))])).count();
    assert!((30..=41).contains(&figures), "{figures} times in ten seconds");
    let quiet = (600..).find(|&frame| !told(frame, Vec::new())).unwrap();
    assert!(told(quiet + 1, vec![Event::Text("a".to_owned())]));
}
