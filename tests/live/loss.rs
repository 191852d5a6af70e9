//! Simulated packet loss: the line's statistics, what is told of it, and what is heard.

use crate::common;
use crate::looped::{config, drain, run, start};
use vrvq::codec::{Loss, LossProcess};
use vrvq::engine::{FrameReport, Setting, Slot};

const HOP: usize = 512;

fn line(percent: f32, burst: u8, seed: u16) -> LossProcess {
    let mut process = LossProcess::default();
    process.set(Loss { percent, burst, seed });
    process
}

fn frames(process: &mut LossProcess, count: usize) -> Vec<bool> {
    (0..count).map(|_| process.advance()).collect()
}

/// Lengths of the bursts of losses.
fn bursts(lost: &[bool]) -> Vec<usize> {
    lost.split(|lost| !lost).map(<[bool]>::len).filter(|&length| length > 0).collect()
}

#[test]
fn the_line_loses_as_many_and_in_such_bursts_as_asked() {
    for (percent, burst) in [(1.0, 1), (5.0, 1), (10.0, 3), (30.0, 2), (50.0, 1), (50.0, 20)] {
        let lost = frames(&mut line(percent, burst, 7), 400_000);
        let share = lost.iter().filter(|lost| **lost).count() as f32 / lost.len() as f32 * 100.0;
        assert!((share / percent - 1.0).abs() < 0.06, "{share} % lost of {percent} %");
        let bursts = bursts(&lost);
        let mean = bursts.iter().sum::<usize>() as f32 / bursts.len() as f32;
        assert!((mean / f32::from(burst) - 1.0).abs() < 0.06, "bursts of {mean} for {burst} at {percent} %");
    }
    assert!(!frames(&mut line(0.0, 20, 1), 10_000).contains(&true));
    let held = Loss { percent: f32::NAN, burst: 0, seed: 9999 }.clamped();
    assert_eq!(held, Loss { percent: 0.0, burst: 1, seed: 999 });
    assert_eq!(Loss { percent: 99.0, burst: 99, seed: 0 }.clamped(), Loss { percent: 50.0, burst: 20, seed: 0 });
}

#[test]
fn a_seed_loses_the_same_packets_whenever_it_is_set() {
    let first = frames(&mut line(20.0, 3, 5), 5000);
    assert_eq!(first, frames(&mut line(20.0, 3, 5), 5000));
    assert_ne!(first, frames(&mut line(20.0, 3, 6), 5000));
    let mut late = line(40.0, 10, 1);
    frames(&mut late, 1000);
    late.set(Loss { percent: 20.0, burst: 3, seed: 5 });
    let rest = frames(&mut late, 4000);
    assert_eq!(rest[200..], first[1200..], "they lose the same ones soon");
    late.reset();
    assert_eq!(frames(&mut late, 5000), first);
}

fn hear(audio: &[Vec<f32>], loss: Loss) -> (Vec<Vec<f32>>, Vec<FrameReport>, u64, usize) {
    let (mut live, telemetry, mut reports) = start(config(44_100.0, audio.len(), 512));
    live.set_setting(Slot::One, &Setting { loss, ..Setting::default() });
    let output = run(&mut live, audio, &[512, 77]);
    // The frames' own output comes one hop of overlap before what they sound like.
    (output, drain(&mut reports), telemetry.lost_frames(), live.latency() as usize - HOP)
}

#[test]
fn lost_frames_are_told_counted_and_repeat_by_seed() {
    let audio = common::demo().map(|channel| channel[..100_000].to_vec());
    let loss = Loss { percent: 20.0, burst: 2, seed: 3 };
    let (output, reports, counted, _) = hear(&audio, loss);
    let expected = frames(&mut line(20.0, 2, 3), reports.len());
    assert_eq!(reports.iter().map(|report| report.lost).collect::<Vec<_>>(), expected);
    assert!(counted.abs_diff(expected.iter().filter(|lost| **lost).count() as u64) <= 3, "{counted} counted");
    for report in &reports {
        for frame in report.channel_frames() {
            assert_eq!(u32::from(frame.bits), 10 * u32::from(frame.count) + 3, "a lost packet's bits were spent");
        }
    }
    let (again, ..) = hear(&audio, loss);
    assert_eq!(output, again);
    let (other, ..) = hear(&audio, Loss { seed: 4, ..loss });
    assert_ne!(output, other);
    let (whole, _, none, _) = hear(&audio, Loss { percent: 0.0, ..loss });
    assert_eq!(none, 0);
    // Up to the first loss nothing is other than without.
    let first = expected.iter().position(|lost| *lost).unwrap() * HOP;
    assert_eq!(output[0][..first], whole[0][..first]);
    assert_ne!(output, whole);
}

#[test]
fn what_is_missing_is_repeated_and_fades_without_a_click() {
    let tone: Vec<f32> = (0..400_000).map(|i| 0.5 * (i as f32 * 0.02).sin()).collect();
    let (plain, _, _, _) = hear(std::slice::from_ref(&tone), Loss::default());
    let (output, reports, _, shift) = hear(&[tone], Loss { percent: 30.0, burst: 12, seed: 2 });
    let step = |samples: &[f32]| samples.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
    let usual = step(&plain[0][20_000..]);
    assert!(step(&output[0]) < 2.0 * usual, "a step of {} where {usual} is usual", step(&output[0]));
    let lost: Vec<bool> = reports.iter().map(|report| report.lost).collect();
    let level = |frame: usize| {
        let samples = &output[0][frame * HOP + shift..][..HOP];
        samples.iter().map(|sample| sample.abs()).fold(0.0, f32::max)
    };
    let (mut silent, mut repeated) = (0, 0);
    let mut missing = 0;
    for (frame, is_lost) in lost.iter().enumerate().take_while(|(frame, _)| (frame + 1) * HOP + shift < output[0].len())
    {
        missing = if *is_lost { missing + 1 } else { 0 };
        if missing > 6 {
            silent += 1;
            assert!(level(frame) < 1e-6, "frame {frame}, {missing} after the last packet, plays at {}", level(frame));
        }
        if missing == 1 && frame > 40 && !lost[frame - 20..frame].contains(&true) {
            repeated += 1;
            assert!(level(frame) > 0.2, "the first lost frame {frame} repeats the last one: {}", level(frame));
        }
    }
    assert!(silent > 20 && repeated > 2, "{silent} {repeated}");
}
