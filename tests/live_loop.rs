//! The live loop through its public surface: alignment, determinism, late frames, bits.

mod common;
#[path = "common/looped.rs"]
mod looped;

use looped::{config, delayed, drain, run, start};
use std::time::{Duration, Instant};
use vrvq::codec::{Rate, RateControl, Target, kilobits_per_second};
use vrvq::engine::{
    FrameReport, LiveLoop, LoopConfig, LoopState, Monitor, Setting, Slot, Source, StereoMode, Telemetry,
};
use vrvq::model::Model;

/// A chirp from 100 Hz to 3 kHz: real enough for the codec, and its correlation has one peak at any rate.
fn chirp(rate: f64, seconds: f64) -> Vec<f32> {
    let count = (rate * seconds) as usize;
    let phase = |t: f64| 2.0 * std::f64::consts::PI * (100.0 * t + 0.5 * 2900.0 / seconds * t * t);
    (0..count).map(|i| 0.4 * phase(i as f64 / rate).sin() as f32).collect()
}

/// As urgent as a host's audio thread: else a machine that is busy lets the codec thread go first each time, and nothing
/// is late. Without effect where the system refuses it.
fn become_audio_thread() {
    let _ = audio_thread_priority::promote_current_thread_to_real_time(512, 44_100);
}

fn wait_until_it_runs(telemetry: &Telemetry) {
    let patience = Instant::now();
    while telemetry.status().state != LoopState::Running {
        assert!(patience.elapsed() < Duration::from_secs(60), "the codec thread never ran");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// One block, and the time until the next one is due.
fn process_in_time(live: &mut LiveLoop, block: &mut [f32]) {
    let due = Instant::now() + Duration::from_secs_f64(block.len() as f64 / 44_100.0);
    live.process(&mut [block]);
    std::thread::sleep(due.saturating_duration_since(Instant::now()));
}

#[test]
fn dry_and_bypass_are_exact_after_the_reported_latency() {
    let audio = common::demo();
    let audio: Vec<Vec<f32>> = audio.iter().map(|c| c[..60_000].to_vec()).collect();
    for (bypass, monitor) in [(true, Monitor::Decoded), (false, Monitor::Dry)] {
        let (mut live, _, _) = start(config(44_100.0, 2, 777));
        live.set_bypass(bypass);
        live.set_monitor(monitor);
        live.reset();
        let output = run(&mut live, &audio, &[777, 1, 64]);
        for (input, output) in audio.iter().zip(&output) {
            assert_eq!(&delayed(input, live.latency() as usize), output);
        }
    }
}

#[test]
fn decoded_output_is_aligned_at_every_rate_and_block() {
    let usual =
        [(44_100.0, 512), (48_000.0, 64), (96_000.0, 1024), (22_050.0, 100), (192_000.0, 8192), (47_999.5, 333)];
    // Of DXD and of telephones, and as validators of plug-ins ask for.
    let unusual = [(352_800.0, 4096), (768_000.0, 2048), (8_000.0, 160), (1_234.5, 32), (1_234_567.8, 8192)];
    for (rate, block) in usual.into_iter().chain(unusual) {
        let input = chirp(rate, 1.5);
        let (mut live, telemetry, _) = start(config(rate, 1, block));
        let output = run(&mut live, std::slice::from_ref(&input), &[block, block / 3 + 1]);
        let latency = live.latency() as usize;
        assert_eq!(latency, telemetry.latency_samples() as usize);
        let (lag, likeness) = common::best_lag(&input, &output[0], latency.saturating_sub(300)..latency + 300);
        assert!(likeness > 0.7, "{rate} Hz: decoded resembles the input by {likeness} only");
        // The codec's own noise moves the peak of a chirp by a little; a hop would be hundreds.
        let tolerance = (rate / 44_100.0 * 2.0).ceil() as usize;
        assert!(lag.abs_diff(latency) <= tolerance, "{rate} Hz: decoded at {lag}, reported {latency}");
        assert_eq!(telemetry.late_frames(), 0);
    }
}

#[test]
fn difference_is_dry_less_decoded() {
    let audio = common::demo();
    let audio: Vec<Vec<f32>> = audio.iter().map(|c| c[..60_000].to_vec()).collect();
    let heard = |monitor, gain_db| {
        let (mut live, _, _) = start(config(48_000.0, 2, 512));
        live.set_monitor(monitor);
        live.set_difference_gain(gain_db);
        live.reset();
        (run(&mut live, &audio, &[512, 33]), live.latency() as usize)
    };
    let ((dry, latency), (decoded, _)) = (heard(Monitor::Dry, 0.0), heard(Monitor::Decoded, 0.0));
    for (gain_db, gain) in [(0.0, 1.0), (20.0, 10.0), (f32::NAN, 1.0), (1e9, 10.0f32.powf(1.2))] {
        let (difference, _) = heard(Monitor::Difference, gain_db);
        for ((difference, dry), decoded) in difference.iter().zip(&dry).zip(&decoded) {
            // The first samples of a stream fade in.
            let expected: Vec<f32> = dry.iter().zip(decoded).map(|(dry, decoded)| gain * (dry - decoded)).collect();
            let from = latency + 2048;
            let error = common::largest_difference(&difference[from..], &expected[from..]);
            assert!(error < 1e-4 * gain, "{gain_db} dB: off by {error}");
            assert!(difference[from..].iter().any(|sample| sample.abs() > 0.01 * gain));
        }
    }
}

/// Where nothing is decoded yet the difference would be the dry signal, up to 24 dB louder.
#[test]
fn difference_of_what_is_not_decoded_is_silent() {
    let (mut live, _, _) = start(LoopConfig { offline: false, ..config(44_100.0, 1, 64) });
    live.set_monitor(Monitor::Difference);
    live.set_difference_gain(24.0);
    live.reset();
    let input = vec![chirp(44_100.0, 1.0)];
    become_audio_thread();
    let mut output = input.clone();
    // A far longer block than agreed: hardly a frame comes in time.
    live.process(&mut [&mut output[0]]);
    let peak = output[0].iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
    let late = output[0].iter().filter(|sample| **sample == 0.0).count();
    assert!(late > input[0].len() / 4, "only {late} samples were late");
    assert!(peak < 0.4 * 10.0f32.powf(1.2), "{peak}: the dry signal was amplified");
}

#[test]
fn algorithmic_delay_is_two_hops() {
    let (live, _, _) = start(LoopConfig { safety_hops: 0, ..config(44_100.0, 1, 1) });
    // One hop to fill, one of overlap, and the one-sample block.
    assert_eq!(live.latency(), 2 * 512 + 1);
}

#[test]
fn a_bounce_is_the_same_every_time_whatever_the_blocks() {
    let audio = common::demo();
    let audio: Vec<Vec<f32>> = audio.iter().map(|c| c[..100_000].to_vec()).collect();
    let bounce = |blocks: &[usize]| {
        let (mut live, _, _) = start(config(48_000.0, 2, 8192));
        run(&mut live, &audio, blocks)
    };
    let first = bounce(&[512]);
    assert!(first[0].iter().any(|s| s.abs() > 0.1));
    assert_eq!(first, bounce(&[512]));
    assert_eq!(first, bounce(&[8192, 1, 17, 511]));
}

#[test]
fn a_level_takes_effect_at_its_frame() {
    let audio = [common::demo_mono()[..60_000].to_vec()];
    let (mut live, _, mut reports) = start(config(44_100.0, 1, 512));
    live.set_rate(RateControl::Level(1.0));
    run(&mut live, &[audio[0][..512 * 40 + 100].to_vec()], &[512]);
    live.set_rate(RateControl::Level(48.0));
    run(&mut live, &[audio[0][512 * 40 + 100..].to_vec()], &[512]);
    let reports = drain(&mut reports);
    assert!(reports.len() > 100);
    for report in &reports {
        // Frame 40 ends after sample 512 * 40 + 100, so it is the first to use the new level.
        let expected = if report.index < 40 { 1.0 } else { 48.0 };
        assert_eq!(report.rate, Rate::Level(expected), "frame {}", report.index);
    }
}

#[test]
fn constant_bitrate_uses_as_many_codebooks_in_every_frame() {
    let audio = [common::demo_mono()[..60_000].to_vec()];
    let (mut live, _, mut reports) = start(config(44_100.0, 1, 512));
    live.set_rate(RateControl::Codebooks(3));
    let three = run(&mut live, &audio, &[512]);
    let reports = drain(&mut reports);
    assert!(reports.len() > 100);
    for report in &reports {
        assert_eq!((report.rate, report.frames[0].count, report.bits()), (Rate::Codebooks(3), 3, 30));
    }
    let (mut live, _, _) = start(config(44_100.0, 1, 512));
    live.set_rate(RateControl::Codebooks(8));
    let (eight, latency) = (run(&mut live, &audio, &[512]), live.latency() as usize);
    let error = |output: &[f32]| -> f32 {
        output[latency..].iter().zip(&audio[0]).map(|(output, input)| (output - input).powi(2)).sum()
    };
    assert!(error(&eight[0]) < 0.8 * error(&three[0]), "more codebooks, less error");
}

#[test]
fn in_mid_side_equal_channels_cost_little_more_than_one() {
    let mono = common::demo_mono()[..60_000].to_vec();
    let audio = [mono.clone(), mono];
    let mean_bits = |stereo| {
        let (mut live, _, mut reports) = start(config(44_100.0, 2, 512));
        live.set_stereo(stereo);
        let output = run(&mut live, &audio, &[512]);
        let reports = drain(&mut reports);
        // The mode is reached within two frames.
        assert!(reports[2..].iter().all(|report| report.stereo == stereo));
        let bits = |channel: usize| {
            reports[2..].iter().map(|report| f64::from(report.frames[channel].bits)).sum::<f64>()
                / reports[2..].len() as f64
        };
        (output, bits(0), bits(1))
    };
    let (_, left, right) = mean_bits(StereoMode::LeftRight);
    let (output, mid, side) = mean_bits(StereoMode::MidSide);
    assert!((left - right).abs() < 0.5 && (mid - left).abs() < 0.5, "{left} {right} {mid}");
    assert!(side < 13.1, "an empty side costs {side} bits a frame");
    let apart = common::largest_difference(&output[0][4096..], &output[1][4096..]);
    assert!(apart < 0.01, "equal channels come out {apart} apart");
}

#[test]
fn the_mono_sum_is_one_channel_of_bits_heard_on_both_sides() {
    let [left, right] = common::demo();
    let audio = [left[..60_000].to_vec(), right[..60_000].to_vec()];
    let sum: Vec<f32> = audio[0].iter().zip(&audio[1]).map(|(left, right)| 0.5 * (left + right)).collect();
    let run_in = |audio: &[Vec<f32>], stereo| {
        let (mut live, _, mut reports) = start(config(44_100.0, audio.len(), 512));
        live.set_stereo(stereo);
        let output = run(&mut live, audio, &[512]);
        (output, drain(&mut reports))
    };
    let (output, reports) = run_in(&audio, StereoMode::Mono);
    let (mono, mono_reports) = run_in(&[sum], StereoMode::LeftRight);
    assert_eq!(output[0], output[1]);
    let error = common::largest_difference(&output[0], &mono[0]);
    assert!(error < 1e-4, "the sum sounds other than a mono stream of it: {error}");
    for (report, mono) in reports.iter().zip(&mono_reports) {
        assert_eq!((report.channels, report.stereo), (1, StereoMode::Mono));
        assert_eq!(report.bits(), mono.bits(), "frame {}", report.index);
    }
}

#[test]
fn split_plays_the_sums_of_dry_and_decoded_on_either_side() {
    let audio = common::demo().map(|channel| channel[..60_000].to_vec());
    let heard = |monitor| {
        let (mut live, _, _) = start(config(48_000.0, 2, 512));
        live.set_monitor(monitor);
        live.reset();
        run(&mut live, &audio, &[512, 33])
    };
    let sum = |sides: &[Vec<f32>]| -> Vec<f32> {
        sides[0].iter().zip(&sides[1]).map(|(left, right)| 0.5 * (left + right)).collect()
    };
    let [split, dry, decoded] = [Monitor::Split, Monitor::Dry, Monitor::Decoded].map(heard);
    for (side, whole) in split.iter().zip([dry, decoded]) {
        let error = common::largest_difference(side, &sum(&whole));
        assert!(error < 1e-6, "off by {error}");
    }
    assert_ne!(split[0], split[1]);
    // One channel has no sides.
    let mono = |monitor| {
        let (mut live, _, _) = start(config(44_100.0, 1, 512));
        live.set_monitor(monitor);
        run(&mut live, &audio[..1], &[512])
    };
    assert_eq!(mono(Monitor::Split), mono(Monitor::Decoded));
}

#[test]
fn the_stereo_mode_changes_without_a_click() {
    let modes = [
        StereoMode::LeftRight,
        StereoMode::MidSide,
        StereoMode::LeftRight,
        StereoMode::Mono,
        StereoMode::MidSide,
        StereoMode::Mono,
    ];
    let length = modes.len() * 44_000;
    let left: Vec<f32> = (0..length).map(|i| 0.5 * (i as f32 * 0.02).sin()).collect();
    let right: Vec<f32> = (0..length).map(|i| 0.3 * (i as f32 * 0.031).sin()).collect();
    let (mut live, telemetry, _) = start(config(44_100.0, 2, 512));
    let mut output = [Vec::new(), Vec::new()];
    for (index, mode) in modes.into_iter().enumerate() {
        live.set_stereo(mode);
        let part = index * 44_000..(index + 1) * 44_000;
        let part = run(&mut live, &[left[part.clone()].to_vec(), right[part].to_vec()], &[512]);
        output.iter_mut().zip(part).for_each(|(output, part)| output.extend(part));
    }
    assert_eq!(telemetry.late_frames(), 0);
    let latency = live.latency() as usize;
    for output in &output {
        let step =
            |range: std::ops::Range<usize>| output[range].windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
        let usual = step(20_000..42_000);
        for at in (1..modes.len()).map(|index| index * 44_000) {
            let around = step(at..at + latency + 4096);
            assert!(around < 1.5 * usual + 0.01, "a step of {around} at {at}, {usual} is usual");
            let energy = |from: usize| output[from..from + 4410].iter().map(|s| s * s).sum::<f32>();
            // The sum of two tones is quieter than the louder one.
            assert!(energy(at + latency + 4096) > 0.25 * energy(20_000), "the sound comes back");
        }
    }
}

#[test]
fn a_blind_test_lets_hear_its_choice_behind_one_and_the_same_pause() {
    let audio = [common::demo_mono()[300_000..].to_vec()];
    let hear = |choices: &[Option<Source>]| {
        let (mut live, telemetry, _) = start(config(44_100.0, 1, 256));
        let mut output = Vec::new();
        for (choice, part) in choices.iter().zip(audio[0].chunks(44_100)) {
            telemetry.set_blind(*choice);
            output.extend(run(&mut live, &[part.to_vec()], &[256]).remove(0));
        }
        output
    };
    let (a, b) = (Some(Source::Dry), Some(Source::Decoded(Slot::One)));
    let [dry, decoded] = [Monitor::Dry, Monitor::Decoded].map(|monitor| {
        let (mut live, _, _) = start(config(44_100.0, 1, 256));
        live.set_monitor(monitor);
        run(&mut live, &[audio[0][..220_500].to_vec()], &[256]).remove(0)
    });
    let output = hear(&[a, b, b, a, None]);
    let rest = |second: usize| second * 44_100 + 1024..(second + 1) * 44_100;
    for (second, expected) in [(0, &dry), (1, &decoded), (2, &decoded), (3, &dry), (4, &decoded)] {
        let start = if second == 0 { 8192 } else { rest(second).start };
        let range = start..rest(second).end;
        assert!(common::largest_difference(&output[range.clone()], &expected[range]) < 1e-6, "second {second}");
    }
    // The pause is there whether or not something else is heard after it, and as long.
    let silent = |second: usize| {
        let from = second * 44_100;
        (from..from + 1024).filter(|&at| output[at].abs() < 1e-9 && dry[at].abs() > 1e-6).count()
    };
    assert!(silent(1) > 16 && silent(1) == silent(2) && silent(2) == silent(3), "{:?}", [1, 2, 3].map(silent));
}

/// Integrated loudness in LUFS.
fn loudness(audio: &[f32]) -> f64 {
    let mut meter = ebur128::EbuR128::new(1, 44_100, ebur128::Mode::I).unwrap();
    meter.add_frames_f32(audio).unwrap();
    meter.loudness_global().unwrap()
}

#[test]
fn level_match_brings_decoded_to_the_loudness_of_dry() {
    // Twice: what is measured is the second time, when the material is known.
    let clip = common::demo_mono()[..8 * 44_100].to_vec();
    let audio = [&clip[..], &clip[..]].concat();
    let hear = |audio: &[f32], rate, monitor, on| {
        let (mut live, _, _) = start(config(44_100.0, 1, 512));
        live.set_rate(rate);
        live.set_monitor(monitor);
        live.set_level_match(on);
        (run(&mut live, &[audio.to_vec()], &[512]).remove(0), live.latency() as usize)
    };
    let level_8 = RateControl::Level(8.0);
    let (plain, latency) = hear(&audio, level_8, Monitor::Decoded, false);
    let dry = delayed(&audio, latency);
    let from = clip.len() + latency;
    let loudness = |output: &[f32]| loudness(&output[from..]) - loudness(&dry[from..]);
    let lost = loudness(&plain);
    assert!(lost < -0.5, "few codebooks lose loudness: {lost} dB");
    let mut matched = Vec::new();
    for rate in [RateControl::Codebooks(1), RateControl::Codebooks(8), level_8] {
        matched = hear(&audio, rate, Monitor::Decoded, true).0;
        let left = loudness(&matched);
        // At one codebook nearly 5 dB are lost, some passages more than others, and the gain is one for all.
        assert!(left.abs() < 0.35, "{left} dB are left at {rate:?}");
    }
    // The difference is that of the decoded signal as it is.
    let (difference, _) = hear(&clip[..132_300], level_8, Monitor::Difference, true);
    let rest = dry.iter().zip(&plain).map(|(dry, plain)| dry - plain);
    assert!(rest.zip(&difference).skip(4410).all(|(rest, difference)| (rest - difference).abs() < 1e-5));
    let step = |samples: &[f32]| samples.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
    assert!(step(&matched) < 2.0 * step(&plain), "the gain moves without a click");
}

#[test]
fn reports_carry_the_packed_bits() {
    let audio = common::demo();
    let audio: Vec<Vec<f32>> = audio.iter().map(|c| c[..80_000].to_vec()).collect();
    let (mut live, _, mut reports) = start(config(44_100.0, 2, 512));
    run(&mut live, &audio, &[512]);
    let reports = drain(&mut reports);
    // The last frames may still be under way: what is waited for is their output, which comes later.
    assert!(reports.len() >= 80_000 / 512 - 6, "{} reports", reports.len());
    for report in &reports {
        for frame in report.channel_frames() {
            assert_eq!(u32::from(frame.bits), 10 * u32::from(frame.count) + 3);
            assert!((0.0..=1.0).contains(&frame.importance));
            assert!(frame.codes[usize::from(frame.count)..].iter().all(|&c| c == 0), "unused codes aren't sent");
        }
    }
    assert!(reports.iter().any(|r| r.spectrum.iter().any(|&db| db > -40.0)));
}

#[test]
fn mean_bitrate_never_falls_as_the_level_rises() {
    let audio = vec![common::demo_mono()[..120_000].to_vec()];
    let mut last = 0.0;
    for level in [1.0, 2.0, 4.0, 8.0, 16.0, 24.0, 32.0, 48.0] {
        let (mut live, _, mut reports) = start(config(44_100.0, 1, 512));
        live.set_rate(RateControl::Level(level));
        run(&mut live, &audio, &[512]);
        let reports = drain(&mut reports);
        let bits: u64 = reports.iter().map(|r| u64::from(r.bits())).sum();
        let kbps = kilobits_per_second(bits, reports.len() as u64, 44_100.0 / 512.0);
        assert!(kbps >= last, "level {level}: {kbps} kb/s after {last}");
        last = kbps;
    }
    assert!(last > 5.0, "level 48 uses most codebooks: {last} kb/s");
}

#[test]
fn average_bitrate_meets_its_target() {
    let clip = common::demo_mono();
    let audio = vec![[&clip[..], &clip[..]].concat()];
    let (mut live, _, mut reports) = start(config(44_100.0, 1, 512));
    live.set_rate(RateControl::Target(Target { kilobits: 3.0, window: 10.0 }));
    run(&mut live, &audio, &[512]);
    let reports = drain(&mut reports);
    // A silence of more than 0.3 s is not made up for.
    let mut silent = 0;
    let half: Vec<&FrameReport> = reports[reports.len() / 2..]
        .iter()
        .filter(|report| {
            silent = if report.frames[0].importance * 48.0 < 1.0 { silent + 1 } else { 0 };
            silent <= 26
        })
        .collect();
    let bits: u64 = half.iter().map(|report| u64::from(report.bits())).sum();
    let mean = kilobits_per_second(bits, half.len() as u64, 44_100.0 / 512.0);
    assert!((mean / 3.0 - 1.0).abs() < 0.02, "{mean} kb/s");
    let counts: std::collections::HashSet<u8> = half.iter().map(|report| report.frames[0].count).collect();
    assert!(counts.len() > 2, "the map still decides");
}

#[test]
fn bad_samples_do_not_stay_in_the_stream() {
    let mut audio = vec![common::demo_mono()[..100_000].to_vec()];
    audio[0][5_000] = f32::NAN;
    audio[0][6_000] = f32::INFINITY;
    let (mut live, _, _) = start(config(44_100.0, 1, 512));
    let output = run(&mut live, &audio, &[512]);
    assert!(output[0].iter().all(|s| s.is_finite()));
    assert!(output[0][50_000..].iter().any(|s| s.abs() > 0.05));
}

#[test]
fn a_reset_forgets_the_past() {
    let audio = vec![common::demo_mono()[..40_000].to_vec()];
    let (mut live, _, _) = start(config(44_100.0, 1, 512));
    let first = run(&mut live, &audio, &[512]);
    live.reset();
    let second = run(&mut live, &audio, &[300]);
    assert!(common::largest_difference(&first[0], &second[0]) < 1e-6);
}

#[test]
fn the_safety_setting_adds_whole_hops_and_no_click() {
    let audio = [chirp(44_100.0, 4.0)];
    let (mut live, telemetry, _) = start(config(44_100.0, 1, 512));
    live.set_monitor(Monitor::Dry);
    let before = live.latency();
    let first = run(&mut live, &[audio[0][..44_100].to_vec()], &[512]);
    live.set_safety(3);
    let second = run(&mut live, &[audio[0][44_100..].to_vec()], &[512]);
    assert_eq!(live.latency(), before + 2 * 512);
    assert_eq!(telemetry.latency_samples(), live.latency());
    let output = [first[0].clone(), second[0].clone()].concat();
    let step = output.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
    let own_step = audio[0].windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
    assert!(step < own_step * 1.5, "a step of {step} where the signal's own are {own_step}");
}

/// In real time nothing is waited for: a host that comes with longer blocks than agreed gets late frames, counted and
/// without a click, and alignment comes back.
#[test]
fn late_frames_fade_and_are_counted() {
    let input = chirp(44_100.0, 6.0);
    let (mut live, telemetry, _) = start(LoopConfig { offline: false, ..config(44_100.0, 1, 512) });
    wait_until_it_runs(&telemetry);
    become_audio_thread();
    let mut output = input.clone();
    for (index, second) in output.chunks_mut(44_100).enumerate() {
        for block in second.chunks_mut(if index % 2 == 0 { 8192 } else { 512 }) {
            process_in_time(&mut live, block);
        }
    }
    assert!(telemetry.late_frames() > 0, "nothing was late");
    let step = output.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
    // A 3 kHz sine of amplitude 0.4 has steps up to 0.17; a cut would add up to 0.8.
    assert!(step < 0.45, "a step of {step}");
}

/// A host may render faster than the clock without saying so (Ardour's export, JACK's freewheeling): but for the first
/// moment, in which it can't be told from a burst, nothing is lost.
#[test]
fn a_host_that_runs_ahead_of_the_clock_is_waited_for() {
    let input = chirp(44_100.0, 6.0);
    let bounce = {
        let (mut live, telemetry, _) = start(config(44_100.0, 1, 256));
        wait_until_it_runs(&telemetry);
        run(&mut live, std::slice::from_ref(&input), &[256])
    };
    let (mut live, telemetry, _) = start(LoopConfig { offline: false, ..config(44_100.0, 1, 256) });
    wait_until_it_runs(&telemetry);
    become_audio_thread();
    let output = run(&mut live, std::slice::from_ref(&input), &[256]);
    let lost = telemetry.late_frames();
    // 4 or so, more on a busy machine; of 516.
    assert!(lost < 30, "{lost} frames were late");
    // What was lost at first lingers in the state of the codec.
    let after = 44_100;
    let error = output[0][after..].iter().zip(&bounce[0][after..]).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(error < 1e-3, "differs by {error}");
}

/// A host that sends long blocks: what waits goes through the codec in calls of several hops, and comes out as hop by hop,
/// with every turn of a knob at its frame.
#[test]
fn hops_that_wait_share_a_call_and_sound_the_same() {
    let audio = common::demo();
    let audio: Vec<Vec<f32>> = audio.iter().map(|c| c[..180_000].to_vec()).collect();
    let heard = |offline: bool, slot: Slot| {
        let config = LoopConfig { offline, safety_hops: 8, ..config(44_100.0, 2, 700) };
        let (mut live, telemetry, mut receiver) = start(config);
        live.set_setting(Slot::Two, &Setting { stereo: StereoMode::MidSide, ..Setting::default() });
        live.select(slot);
        let patience = Instant::now();
        while telemetry.status().state != LoopState::Running {
            assert!(patience.elapsed() < Duration::from_secs(60), "the codec thread never ran");
            std::thread::sleep(Duration::from_millis(10));
        }
        let (mut output, mut reports, mut most) = (audio.clone(), Vec::new(), 0.0f32);
        let started = Instant::now();
        for (burst, from) in (0..audio[0].len()).step_by(6 * 700).enumerate() {
            for (index, at) in (from..audio[0].len().min(from + 6 * 700)).step_by(700).enumerate() {
                live.set_rate(RateControl::Level(4.0 + 3.0 * ((burst + index) % 9) as f32));
                // What can't be taken along in a call, right behind what can.
                live.set_level_match(index % 3 == 2);
                let end = (at + 700).min(audio[0].len());
                let mut channels: Vec<&mut [f32]> = output.iter_mut().map(|c| &mut c[at..end]).collect();
                live.process(&mut channels);
                // Until this burst is coded, nothing of the next one is sent: so nothing is late. A report comes with what
                // the decoder made of its frame.
                let sent = if index == 5 { end / 512 - 2 } else { 0 };
                while reports.len() < sent {
                    assert!(patience.elapsed() < Duration::from_secs(120), "the codec thread came to a halt");
                    reports.extend(drain(&mut receiver));
                    std::thread::sleep(Duration::from_millis(2));
                }
            }
            most = most.max(telemetry.hops_per_call());
            // No faster than the clock, or it would be waited for hop by hop.
            let due = started + Duration::from_secs_f64((from + 6 * 700) as f64 / 44_100.0);
            std::thread::sleep(if offline { Duration::ZERO } else { due.saturating_duration_since(Instant::now()) });
        }
        assert_eq!(telemetry.late_frames(), 0);
        (output, reports, most)
    };
    for slot in Slot::ALL {
        let ((single, singles, one), (joint, joints, several)) = (heard(true, slot), heard(false, slot));
        assert_eq!(one, 1.0, "a bounce goes hop by hop");
        assert!(several > 1.3, "{several} hops a call");
        // The last ones may still be on their way.
        let frames = singles.len().min(joints.len());
        assert!(frames > 340, "{frames}");
        let levels = |reports: &[FrameReport]| reports[..frames].iter().map(|report| report.rate).collect::<Vec<_>>();
        assert_eq!(levels(&singles), levels(&joints));
        let other = singles.iter().zip(&joints).filter(|(a, b)| a.frames.map(|f| f.codes) != b.frames.map(|f| f.codes));
        assert_eq!(other.count(), 0, "frames with other codes");
        for (single, joint) in single.iter().zip(&joint) {
            assert!(single.iter().any(|sample| sample.abs() > 0.1));
            let error = common::largest_difference(single, joint);
            assert!(error < 1e-4, "off by {error}");
        }
    }
}

#[test]
fn wrong_setups_are_refused_by_name() {
    let (telemetry, _) = Telemetry::new();
    let model = Model::builtin().unwrap();
    for (config, word) in [
        (config(1.0, 1, 512), "sample rate"),
        (config(44_100.0, 3, 512), "channels"),
        (config(44_100.0, 1, 0), "block"),
    ] {
        let error = LiveLoop::start(config, model.clone(), telemetry.clone()).err().unwrap().to_string();
        assert!(error.contains(word), "{error}");
    }
}
