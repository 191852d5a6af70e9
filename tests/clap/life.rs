//! The CLAP plug-in's life in a host nobody here wrote (clack-host): automation, state, activation, latency changes.

use crate::common;
use crate::host::{self, Host};
use clack_extensions::render::RenderMode;
use clack_host::prelude::EventBuffer;
use std::sync::atomic::Ordering::SeqCst;

const RATE: f64 = 44_100.0;
const HOP: usize = 512;

fn clip(count: usize) -> Vec<Vec<f32>> {
    vec![common::demo_mono()[..count].to_vec()]
}

fn first_difference(a: &[Vec<f32>], b: &[Vec<f32>]) -> Option<usize> {
    a[0].iter().zip(&b[0]).position(|(a, b)| a != b)
}

/// Two bounces whose levels change at two different samples are equal up to the first frame that the levels differ
/// in, and differ there.
#[test]
fn level_automation_is_exact_to_the_frame() {
    let audio = clip(60_000);
    let bounce = |at: usize, block: usize| {
        let mut host = Host::offline(1, RATE, 8192);
        let latency = host.latency();
        (host.run_with(&audio, &[block], &[(0, "Level", "48"), (at, "Level", "1")]), latency)
    };
    // Inside one block of 8192, at the first and at the last sample of frame 60, and one later.
    let (first, last, next) = (60 * HOP, 61 * HOP - 1, 61 * HOP);
    let (at_first, latency) = bounce(first, 8192);
    let (at_last, _) = bounce(last, 8192);
    let (at_next, _) = bounce(next, 8192);
    assert_eq!(first_difference(&at_first, &at_last), None, "one frame has one level");
    let difference = first_difference(&at_last, &at_next).expect("another frame's level is another sound");
    // A frame's sound starts up to one hop of overlap before its own samples.
    let heard = latency + first - HOP..latency + next;
    assert!(heard.contains(&difference), "frame 60 is heard at {heard:?}, the difference at {difference}");
    // However the host cuts the blocks.
    assert_eq!(first_difference(&at_last, &bounce(last, 511).0), None);
    assert_eq!(first_difference(&at_last, &bounce(last, 1).0), None);
}

#[test]
fn a_ramp_of_levels_is_the_same_every_time() {
    let audio = clip(60_000);
    let levels: Vec<(usize, String)> =
        (0..120).map(|step| (step * 499, format!("{:.2}", 1.0 + 47.0 * step as f64 / 119.0))).collect();
    let changes: Vec<host::Change> = levels.iter().map(|(at, level)| (*at, "Level", level.as_str())).collect();
    let bounce = |block: usize| Host::offline(1, RATE, 8192).run_with(&audio, &[block], &changes);
    let first = bounce(8192);
    assert_eq!(first_difference(&first, &bounce(8192)), None);
    assert_eq!(first_difference(&first, &bounce(64)), None, "the blocks' lengths are heard");
    let steady = Host::offline(1, RATE, 8192).run_with(&audio, &[8192], &[(0, "Level", "1")]);
    assert!(first_difference(&first, &steady).is_some(), "the ramp isn't heard");
}

#[test]
fn monitor_automation_fades_without_a_click() {
    let tone: Vec<f32> = (0..90_000).map(|i| 0.5 * (i as f32 * 0.02).sin()).collect();
    let mut host = Host::offline(1, RATE, 512);
    let changes = [
        (30_000, "Monitor", "Dry"),
        (50_000, "Monitor", "Difference"),
        (60_000, "Monitor", "Decoded"),
        (70_000, "Bypass", "on"),
    ];
    assert_no_step(&host.run_with(std::slice::from_ref(&tone), &[512], &changes), &changes);
    let mut host = Host::offline(2, RATE, 512);
    let changes = [
        (30_000, "Monitor", "Split"),
        (40_000, "Monitor", "Dry"),
        (50_000, "Monitor", "Split"),
        (60_000, "Monitor", "Difference"),
        (70_000, "Stereo", "Mono sum"),
        (80_000, "Monitor", "Split"),
    ];
    let quieter = tone.iter().map(|sample| 0.6 * sample).collect();
    assert_no_step(&host.run_with(&[tone, quieter], &[512], &changes), &changes);
    assert_eq!(host.shown("Monitor"), "Split");
}

fn assert_no_step(output: &[Vec<f32>], changes: &[host::Change]) {
    let step =
        |range: std::ops::Range<usize>| output[0][range].windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
    let usual = step(20_000..29_000);
    for &(at, name, text) in changes {
        let around = step(at - 500..at + 1500);
        assert!(around < 1.5 * usual + 0.01, "{name} {text} at {at} makes a step of {around}; {usual} is usual");
    }
}

/// Both settings run in a host too: switched by automation, each sounds as in a bounce of its own.
#[test]
fn the_settings_are_switched_by_automation() {
    let audio = clip(90_000);
    let settings =
        [("Mode", "CBR"), ("Codebooks", "8"), ("Mode 2", "CBR"), ("Codebooks 2", "1"), ("Packet loss 2", "10")];
    let bounce = |changes: &[host::Change]| {
        let mut host = Host::offline(1, RATE, 512);
        host.set(&settings);
        host.run_with(&audio, &[512], changes)
    };
    let (one, two) = (bounce(&[(0, "Setting", "1")]), bounce(&[(0, "Setting", "2")]));
    let switched = bounce(&[(30_000, "Setting", "2"), (60_000, "Setting", "1")]);
    let fade = 442;
    for (range, expected) in [(0..30_000, &one), (30_000 + fade..60_000, &two), (60_000 + fade..90_000, &one)] {
        assert_eq!(switched[0][range.clone()], expected[0][range.clone()], "{range:?}");
    }
    let step = |samples: &[f32]| samples.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
    let usual = step(&one[0]).max(step(&two[0]));
    for at in [30_000, 60_000] {
        assert!(step(&switched[0][at - 10..at + fade]) < 1.2 * usual, "a click at {at}");
    }
    assert!(first_difference(&one, &two).is_some());
}

/// Whatever is chosen, bypass is the input and nothing else: what is left when it is taken away is silence.
#[test]
fn in_bypass_nothing_is_left_of_the_difference() {
    let audio = common::demo().map(|channel| channel[..60_000].to_vec());
    for monitor in ["Decoded", "Dry", "Difference", "Split"] {
        let mut host = Host::offline(2, RATE, 512);
        host.set(&[("Monitor", monitor), ("Bypass", "on"), ("Difference gain", "24"), ("Level match", "on")]);
        host.reset();
        let (latency, output) = (host.latency(), host.run(&audio, &[512]));
        for (input, output) in audio.iter().zip(&output) {
            let left = input.iter().zip(&output[latency..]).map(|(input, output)| (input - output).abs());
            assert_eq!(left.fold(0.0, f32::max), 0.0, "{monitor}");
        }
    }
}

/// Integrated loudness in LUFS.
fn loudness(audio: &[f32]) -> f64 {
    let mut meter = ebur128::EbuR128::new(1, 44_100, ebur128::Mode::I).unwrap();
    meter.add_frames_f32(audio).unwrap();
    meter.loudness_global().unwrap()
}

#[test]
fn both_settings_are_matched_to_the_loudness_of_dry() {
    // Twice: what is measured is the second time, when the material is known.
    let clip = common::demo_mono();
    let audio = vec![[&clip[..], &clip[..]].concat()];
    for setting in ["1", "2"] {
        let mut host = Host::offline(1, RATE, 512);
        host.set(&[("Mode", "CBR"), ("Codebooks", "2"), ("Level 2", "6"), ("Setting", setting), ("Level match", "on")]);
        let (latency, output) = (host.latency(), host.run(&audio, &[512]));
        let from = clip.len();
        let left = loudness(&output[0][from + latency..]) - loudness(&audio[0][from..audio[0].len() - latency]);
        assert!(left.abs() < 0.2, "setting {setting}: {left} dB are left");
    }
}

#[test]
fn state_is_saved_and_restored() {
    let wanted = [
        ("Level", "3.5"),
        ("Monitor", "Dry"),
        ("Bypass", "on"),
        ("Safety", "4"),
        ("Setting", "2"),
        ("Level 2", "30"),
        ("Mode 2", "ABR"),
        ("Target bitrate 2", "2.5"),
        ("Stereo 2", "Mono sum"),
        ("Packet loss 2", "5"),
        ("Loss seed", "9"),
    ];
    let mut host = Host::new();
    host.set(&wanted);
    let state = host.save();
    assert!(!state.is_empty());
    let names = wanted.map(|(name, _)| name);
    let shown = names.map(|name| host.shown(name));
    let mut other = Host::new();
    assert_ne!(names.map(|name| other.shown(name)), shown);
    assert!(other.load(&state));
    assert_eq!(names.map(|name| other.shown(name)), shown);
    // Into an active one too, where the safety setting is part of the latency.
    let mut active = Host::offline(1, RATE, 512);
    let before = active.latency();
    let safety: usize = active.shown("Safety").trim_end_matches(" hops").parse().unwrap();
    assert!(active.load(&state));
    active.deactivate();
    active.activate(RATE, 512);
    assert_eq!(active.latency(), before + (4 - safety) * HOP);
    assert!(!active.load(b"not a state"), "nonsense is refused");
    assert_eq!(names.map(|name| active.shown(name)), shown);
    active.run(&clip(20_000), &[512]);
}

#[test]
fn it_is_activated_again_and_again_while_the_host_processes() {
    let audio = clip(30_000);
    let mut host = Host::new();
    let setups = [(44_100.0, 64, true), (96_000.0, 8192, false), (22_050.0, 1, true), (48_000.0, 511, false)];
    for (round, (rate, block, offline)) in setups.into_iter().cycle().take(12).enumerate() {
        host.render(if offline { RenderMode::Offline } else { RenderMode::Realtime });
        let channels = 1 + round % 2;
        host.select_channels(channels);
        host.activate(rate, block);
        let audio = vec![audio[0][..if block == 1 { 3_000 } else { 30_000 }].to_vec(); channels];
        let output = host.run(&audio, &[block]);
        assert!(output.iter().flatten().all(|s| s.is_finite()));
        host.deactivate();
    }
    // What it went through left nothing behind.
    host.render(RenderMode::Offline);
    host.select_channels(1);
    host.activate(RATE, 512);
    let after = host.run(&audio, &[512]);
    let fresh = Host::offline(1, RATE, 512).run(&audio, &[512]);
    assert_eq!(first_difference(&after, &fresh), None);
}

/// Audio on its own thread, while the main thread does what hosts do there.
#[test]
fn the_main_thread_may_ask_while_audio_runs() {
    let audio = clip(60_000);
    let mut host = Host::offline(1, RATE, 512);
    let expected = Host::offline(1, RATE, 512).run(&audio, &[512]);
    let latency = host.latency();
    let mut processor = host.take_processor();
    let output = std::thread::scope(|scope| {
        let audio_thread = scope.spawn(|| {
            let mut output = audio.clone();
            for from in (0..audio[0].len()).step_by(512) {
                let to = (from + 512).min(audio[0].len());
                host::process(&mut processor, &audio, &mut output, from..to, &EventBuffer::new());
            }
            output
        });
        while !audio_thread.is_finished() {
            assert_eq!(host.latency(), latency);
            assert!(!host.save().is_empty());
            assert_eq!(host.shown("Monitor"), "Decoded");
        }
        audio_thread.join().unwrap()
    });
    host.return_processor(processor);
    assert_eq!(first_difference(&output, &expected), None);
}

#[test]
fn safety_adds_whole_hops_and_the_host_is_told() {
    let audio = clip(30_000);
    for rate in [44_100.0, 48_000.0] {
        let hop = (HOP as f64 * rate / RATE).ceil() as usize;
        let mut host = Host::offline(1, rate, 512);
        host.run(&audio, &[512]);
        let before = host.latency();
        let asked = host.asked.restarts.load(SeqCst);
        let told = host.asked.latency_changes.load(SeqCst);
        host.run_with(&audio, &[512], &[(100, "Safety", "6")]);
        assert!(host.asked.restarts.load(SeqCst) > asked, "a changed latency takes a restart");
        host.deactivate();
        host.call_back();
        assert_eq!(host.asked.latency_changes.load(SeqCst), told, "only an activation may change the latency");
        host.activate(rate, 512);
        assert!(host.asked.latency_changes.load(SeqCst) > told, "the host isn't told");
        assert_eq!(host.latency(), before + 5 * hop);
        host.set(&[("Monitor", "Dry")]);
        host.reset();
        let (latency, output) = (host.latency(), host.run(&audio, &[512]));
        assert_eq!(output[0][latency..], audio[0][..audio[0].len() - latency], "{rate} Hz");
    }
}

/// The mode may change while the plug-in is active; it then asks for a restart.
#[test]
fn offline_mode_can_come_late() {
    let audio = clip(40_000);
    let mut host = Host::new();
    host.select_channels(1);
    host.activate(RATE, 512);
    host.run(&audio, &[512]);
    host.render(RenderMode::Offline);
    assert!(host.asked.restarts.load(SeqCst) > 0);
    host.deactivate();
    host.activate(RATE, 512);
    let output = host.run(&audio, &[512]);
    assert_eq!(first_difference(&output, &Host::offline(1, RATE, 512).run(&audio, &[512])), None);
}

#[test]
fn several_instances_do_not_meet() {
    let audio = clip(40_000);
    let expected = Host::offline(1, RATE, 512).run(&audio, &[512]);
    let mut hosts: Vec<Host> = (0..4).map(|_| Host::offline(1, RATE, 512)).collect();
    let mut outputs = vec![vec![Vec::new()]; hosts.len()];
    for block in audio[0].chunks(512) {
        for (host, output) in hosts.iter_mut().zip(&mut outputs) {
            output[0].extend(host.run(&[block.to_vec()], &[512]).remove(0));
        }
    }
    for output in &outputs {
        assert_eq!(first_difference(output, &expected), None);
    }
}
