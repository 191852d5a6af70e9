//! Models in the live loop: imported ones at their own rate and delay, changed while audio runs, failing.

use crate::common;
use crate::looped::{config, delayed, drain, run, start_with};
use crate::models;
use crate::models::{bundled, imported, open, with_card, with_entry};
use serde::Deserialize;
use std::sync::Arc;
use std::time::{Duration, Instant};
use vrvq::codec::{Rate, RateControl};
use vrvq::engine::{LiveLoop, LoopState, ModelChoice, Monitor, Slot, Telemetry};
use vrvq::model::{Library, Model, ModelId};

#[derive(Deserialize)]
struct Reference {
    audio: Vec<f32>,
    /// `[frames][codebooks]`.
    codes: Vec<Vec<u16>>,
    decoded: Vec<f32>,
}

/// What PyTorch makes of the whole file comes out of the loop at the reported latency, to the sample: the delay that the
/// structure tells is the one that is measured. Constant bitrate is all that such a model knows.
#[test]
fn an_imported_model_sounds_as_in_pytorch_at_the_reported_latency() {
    for (file, rate, codebooks) in [("dac-24k.pth", 24_000.0, 5), ("dac-16k.safetensors", 16_000.0, 3)] {
        let model = open(&imported(file));
        let json = std::fs::read(models::checkpoint(file).with_extension("json")).unwrap();
        let reference: Reference = serde_json::from_slice(&json).unwrap();
        let (mut live, telemetry, mut reports) = start_with(config(rate, 1, 256), model.clone());
        // An importance map is asked for, and there is none.
        live.set_rate(RateControl::Codebooks(codebooks));
        live.set_rate(RateControl::Level(48.0));
        let (lead, latency) = (model.card().lead(), live.latency() as usize);
        let mut audio = vec![0.0; lead];
        audio.extend(&reference.audio);
        audio.resize(audio.len() + latency, 0.0);
        let output = run(&mut live, &[audio], &[256, 100]).remove(0);
        assert_eq!(telemetry.latency_samples() as usize, latency);
        // The end of a live signal isn't known, so its last frames are those of one that goes on.
        let sure = reference.decoded.len() - model.card().delay();
        let error = common::largest_difference(&output[lead + latency..][..sure], &reference.decoded[..sure]);
        assert!(error < 1e-4, "{file}: off by {error}");
        assert!(reference.decoded[..sure].iter().any(|sample| sample.abs() > 0.01));
        let reports = drain(&mut reports);
        assert!(!reports.is_empty() && reports.iter().all(|report| report.rate == Rate::Codebooks(codebooks)));
        assert!(reports.iter().all(|report| report.codebooks == codebooks));
        // Each report is about one frame: its codes, and the sound of the very samples that they stand for.
        let (first, hop) = (model.card().span.unwrap().decoder_begin() as usize, model.card().hop);
        let about = |frame: usize| reports.iter().find(|report| report.index as usize == frame + first);
        // Those that look beyond the end of the file see another end here.
        let sure = reference.codes.len() - (model.card().latency_samples.encoder as usize).div_ceil(hop);
        let known = (0..sure).filter_map(|frame| Some((frame, about(frame)?)));
        let mut seen = 0;
        for (frame, report) in known {
            assert_eq!(report.frames[0].codes[..codebooks.into()], reference.codes[frame], "{file}, frame {frame}");
            let energy = reference.audio[frame * hop..][..hop].iter().map(|s| f64::from(*s).powi(2)).sum::<f64>();
            let told = report.distortion.dry;
            assert!((told / energy - 1.0).abs() < 1e-3, "{file}, frame {frame}: {told} where there is {energy}");
            seen += 1;
        }
        assert!(seen > 16, "{seen} frames were told of");
        let status = telemetry.status();
        assert!(status.constant && status.model == file && status.state == LoopState::Running);
        assert_eq!(status.frame_rate, rate / 320.0);
    }
}

/// Runs audio through, over and over, until `until`, and gives what came in and out.
fn run_until(live: &mut LiveLoop, audio: &[f32], mut until: impl FnMut(&LiveLoop) -> bool) -> (Vec<f32>, Vec<f32>) {
    let (mut input, mut output) = (Vec::new(), Vec::new());
    let started = Instant::now();
    for block in audio.chunks_exact(512).cycle() {
        input.extend_from_slice(block);
        let start = output.len();
        output.extend_from_slice(block);
        live.process(&mut [&mut output[start..]]);
        if until(live) {
            return (input, output);
        }
        assert!(started.elapsed() < Duration::from_secs(120), "it never came");
    }
    unreachable!("the audio is repeated")
}

fn largest_step(samples: &[f32]) -> f32 {
    samples.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
}

fn changed(telemetry: &Telemetry, live: &LiveLoop, to: &Arc<Model>) -> bool {
    let status = telemetry.status();
    // The new codec's own thread tells the view, a moment after it has been heard.
    let told = status.coming.is_none() && status.model == to.card().name;
    live.is_settled() && told && live.model().hash() == to.hash()
}

/// A tone whose every moment sounds alike, so that a gap, a step or a change of loudness is plain; five periods to a hop, and whole
/// hops, so that it goes on without a step where it is played again.
fn tone() -> Vec<f32> {
    (0..86 * 512).map(|i| 0.4 * (std::f32::consts::TAU * 5.0 * i as f32 / 512.0).sin()).collect()
}

#[test]
fn a_model_is_changed_while_audio_runs_without_a_gap_or_a_step() {
    let audio = tone();
    // The same weights under another name: what is heard before and after is the same sound.
    let another = open(&with_card(&bundled(), |card| card["name"] = "another".into()));
    let (mut live, telemetry, _) = start_with(config(44_100.0, 1, 512), Model::builtin().unwrap());
    let first = run(&mut live, std::slice::from_ref(&audio), &[512]).remove(0);
    let usual = largest_step(&first[20_000..]);
    live.switch().to(another.clone());
    assert_eq!(telemetry.status().coming.as_deref(), Some("another"));
    let (_, output) = run_until(&mut live, &audio, |live| changed(&telemetry, live, &another));
    assert!(largest_step(&output) < 1.3 * usual, "a step of {}, {usual} is usual", largest_step(&output));
    let loudness = |samples: &[f32]| (samples.iter().map(|s| s * s).sum::<f32>() / samples.len() as f32).sqrt();
    let whole = loudness(&first[30_000..]);
    for (index, part) in output.chunks_exact(441).enumerate() {
        // Two decodings of one tone differ in phase by next to nothing.
        assert!((loudness(part) / whole - 1.0).abs() < 0.25, "10 ms at {}: {}", index * 441, loudness(part) / whole);
    }
    assert_eq!(telemetry.late_frames(), 0);
    let status = telemetry.status();
    assert_eq!((status.model.as_str(), status.state, status.notice), ("another", LoopState::Running, None));
}

#[test]
fn dry_is_aligned_anew_to_the_latency_of_the_new_model() {
    let clip = common::demo_mono();
    let audio = &clip[..88_200];
    let exact = open(&imported("vrvq-44k.pth"));
    let (mut live, telemetry, mut reports) = start_with(config(44_100.0, 1, 512), Model::builtin().unwrap());
    live.set_monitor(Monitor::Dry);
    live.reset();
    let before = live.latency();
    live.switch().to(exact.clone());
    let (input, output) = run_until(&mut live, audio, |live| changed(&telemetry, live, &exact));
    assert_eq!(live.latency() as usize, before as usize + exact.card().delay() - 512);
    assert_eq!(telemetry.latency_samples(), live.latency());
    assert!(largest_step(&output) < 1.5 * largest_step(audio));
    // Exact to the bit before, and again after.
    assert_eq!(output[..8192], delayed(&input, before as usize)[..8192]);
    let (more, after) = run_until(&mut live, audio, {
        let mut blocks = 0;
        move |_| {
            blocks += 1;
            blocks == 100
        }
    });
    let latency = live.latency() as usize;
    assert_eq!(after[latency..], more[..more.len() - latency]);
    // The view is told of the frames of the model that is heard.
    let frames = drain(&mut reports);
    let at = frames.iter().position(|report| report.codebooks == 4).expect("frames of the new model");
    assert!(at > 0 && frames[..at].iter().all(|report| report.codebooks == 8));
    assert!(frames[at..].iter().all(|report| report.codebooks == 4));
}

#[test]
fn a_model_that_cannot_load_changes_nothing() {
    let clip = common::demo_mono();
    let audio = [clip[..66_150].to_vec()];
    let broken = open(&with_entry(&imported("dac-24k.pth"), "decoder.onnx", |bytes| bytes[..bytes.len() / 3].to_vec()));
    let undisturbed = run(&mut start_with(config(44_100.0, 1, 512), Model::builtin().unwrap()).0, &audio, &[512]);
    let (mut live, telemetry, _) = start_with(config(44_100.0, 1, 512), Model::builtin().unwrap());
    live.switch().to(broken);
    let output = run(&mut live, &audio, &[512]);
    let patience = Instant::now();
    while telemetry.status().coming.is_some() && patience.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let status = telemetry.status();
    let notice = status.notice.expect("it is said");
    assert!(notice.contains("dac-24k.pth") && notice.contains("decoder"), "{notice}");
    assert_eq!((status.state, status.coming), (LoopState::Running, None));
    assert_eq!(output, undisturbed);
}

/// A codec that breaks down while it is heard: dry at once, and the bundled model as soon as it can.
#[test]
fn the_bundled_model_goes_on_where_another_fails() {
    let audio = &common::demo_mono()[..88_200];
    // Its graph gives codes that its card says it doesn't have, as soon as it hears more than silence.
    let failing = open(&with_card(&imported("vrvq-44k.pth"), |card| card["codebook_size"] = 2.into()));
    let (mut live, telemetry, _) = start_with(config(44_100.0, 1, 512), failing);
    let builtin = Model::builtin().unwrap();
    let (_, output) = run_until(&mut live, audio, |live| changed(&telemetry, live, &builtin));
    assert!(largest_step(&output) < 1.0);
    let status = telemetry.status();
    assert_eq!((status.state, status.model.as_str()), (LoopState::Running, builtin.card().name.as_str()));
    let notice = status.notice.expect("it is said");
    assert!(notice.contains("vrvq-44k.pth failed") && notice.contains(&builtin.card().name), "{notice}");
    let latency = live.latency() as usize;
    let (input, after) = run_until(&mut live, audio, {
        let mut blocks = 0;
        move |_| {
            blocks += 1;
            blocks == 150
        }
    });
    let (lag, likeness) = common::best_lag(&input, &after, latency - 100..latency + 100);
    assert!(likeness > 0.7 && lag.abs_diff(latency) <= 2, "decoded at {lag}, reported {latency}, alike by {likeness}");
}

#[test]
fn a_loop_ends_while_its_model_is_changed() {
    let exact = open(&imported("vrvq-44k.pth"));
    let (mut live, telemetry, _) = start_with(config(44_100.0, 1, 512), Model::builtin().unwrap());
    run(&mut live, &[vec![0.1; 4096]], &[512]);
    let switch = live.switch().clone();
    switch.to(exact.clone());
    drop(live);
    let status = telemetry.status();
    assert_eq!((status.state, status.coming), (LoopState::Stopped, None));
    // What was its switch has no effect any more.
    switch.to(exact);
    assert_eq!(telemetry.status().coming, None);
}

/// A and B are two whole settings: each has its own model, and where one is heard its model runs.
#[test]
fn each_setting_has_its_own_model() {
    let audio = tone();
    let another = open(&with_card(&bundled(), |card| card["name"] = "another".into()));
    let builtin = Model::builtin().unwrap();
    let (mut live, telemetry, _) = start_with(config(44_100.0, 1, 512), builtin.clone());
    let choice = ModelChoice::new(Library::new(std::env::temp_dir().join("vrvq-no-models")), telemetry.clone());
    choice.attach(live.switch());
    assert!(!telemetry.models_differ() && telemetry.status().coming.is_none());
    let first = run(&mut live, std::slice::from_ref(&audio), &[512]).remove(0);
    let usual = largest_step(&first[20_000..]);
    live.select(Slot::Two);
    choice.choose(another.clone());
    assert!(telemetry.models_differ() && !telemetry.switches_at_once());
    let (_, chosen) = run_until(&mut live, &audio, |live| changed(&telemetry, live, &another));
    // The host's parameter, or a key: nothing else tells the codec.
    live.select(Slot::One);
    let (_, back) = run_until(&mut live, &audio, |live| changed(&telemetry, live, &builtin));
    live.select(Slot::Two);
    let (_, again) = run_until(&mut live, &audio, |live| changed(&telemetry, live, &another));
    for (turn, output) in [chosen, back, again].iter().enumerate() {
        let step = largest_step(output);
        assert!(step < 1.3 * usual, "turn {turn}: a step of {step}, {usual} is usual");
    }
    let ids = choice.ids();
    assert_eq!(ids[0], Some(ModelId::of(&builtin)));
    assert_eq!(ids[1], Some(ModelId::of(&another)));
    choice.copy(Slot::Two);
    assert!(!telemetry.models_differ());
    live.select(Slot::One);
    run(&mut live, std::slice::from_ref(&audio), &[512]);
    assert!(changed(&telemetry, &live, &another), "the same model goes on");
    assert_eq!(telemetry.late_frames(), 0);
}
