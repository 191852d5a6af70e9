//! Both settings of the codec on the live loop: each sounds as it does alone, and switching is heard at once.

use crate::common;
use crate::looped::{config, drain, run, start};
use vrvq::codec::{Loss, Rate, RateMode};
use vrvq::engine::{FrameReport, LoopConfig, LoopState, Monitor, Setting, Slot, Source, StereoMode};

const RATE: f64 = 44_100.0;
/// Half of the audio, and the cross-fade that follows a switch.
const HALF: usize = 66_150;
const FADE: usize = 442;

fn audio(channels: usize) -> Vec<Vec<f32>> {
    common::demo()[..channels].iter().map(|channel| channel[300_000..300_000 + 2 * HALF].to_vec()).collect()
}

fn constant(codebooks: u8) -> Setting {
    Setting { mode: RateMode::Cbr, codebooks, ..Setting::default() }
}

fn part(audio: &[Vec<f32>], range: std::ops::Range<usize>) -> Vec<Vec<f32>> {
    audio.iter().map(|channel| channel[range.clone()].to_vec()).collect()
}

/// What one setting sounds like alone.
fn alone(audio: &[Vec<f32>], setting: &Setting) -> Vec<Vec<f32>> {
    let (mut live, ..) = start(config(RATE, audio.len(), 512));
    Slot::ALL.into_iter().for_each(|slot| live.set_setting(slot, setting));
    run(&mut live, audio, &[512])
}

fn step(samples: &[f32]) -> f32 {
    samples.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max)
}

/// Samples that a numerical tie in one frame's codes reaches: batches of other sizes round differently, and the decoder
/// remembers 16 hops.
const TIE: usize = 17 * 512;

/// How many samples differ.
fn off(a: &[f32], b: &[f32]) -> usize {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).filter(|(a, b)| (*a - *b).abs() > 1e-3).count()
}

#[test]
fn each_setting_sounds_as_it_does_alone_and_is_switched_at_once() {
    let loss = Loss { percent: 20.0, burst: 2, seed: 1 };
    for (channels, one, two) in [
        (1, constant(8), Setting { level: 4.0, ..Setting::default() }),
        (2, constant(8), Setting { stereo: StereoMode::MidSide, ..constant(2) }),
        (2, Setting { stereo: StereoMode::Mono, ..constant(3) }, Setting { loss, ..Setting::default() }),
    ] {
        let audio = audio(channels);
        let (mut live, telemetry, mut reports) = start(config(RATE, channels, 512));
        live.set_setting(Slot::One, &one);
        live.set_setting(Slot::Two, &two);
        let first = run(&mut live, &part(&audio, 0..HALF), &[512]);
        assert!(telemetry.switches_at_once());
        live.select(Slot::Two);
        let second = run(&mut live, &part(&audio, HALF..2 * HALF), &[512]);
        let (of_one, of_two) = (alone(&audio, &one), alone(&audio, &two));
        for channel in 0..channels {
            let before = off(&first[channel], &of_one[channel][..HALF]);
            assert!(before <= TIE, "setting 1 is off in {before} samples: {one}");
            let after = off(&second[channel][FADE..], &of_two[channel][HALF + FADE..]);
            assert!(after <= TIE, "setting 2 is off in {after} samples: {two}");
            let apart = common::largest_difference(&of_one[channel], &of_two[channel]);
            assert!(apart > 0.05, "the settings differ: {apart}");
            let whole = [&first[channel][..], &second[channel]].concat();
            let usual = step(&of_one[channel]).max(step(&of_two[channel]));
            assert!(step(&whole[HALF - 100..HALF + 1000]) < 1.2 * usual, "the switch clicks");
        }
        let reports = drain(&mut reports);
        let (ones, twos): (Vec<&FrameReport>, Vec<_>) = reports.iter().partition(|report| report.setting == Slot::One);
        assert!(ones.len() > 100 && twos.len() > 100);
        assert!(ones.iter().all(|report| report.index < twos[0].index && report.stereo == one.stereo));
        assert!(twos.iter().all(|report| report.stereo == two.stereo));
    }
}

#[test]
fn what_the_other_setting_is_turned_to_is_not_heard() {
    let audio = audio(2);
    let one = Setting { level: 12.0, ..Setting::default() };
    let (mut live, ..) = start(config(RATE, 2, 512));
    Slot::ALL.into_iter().for_each(|slot| live.set_setting(slot, &one));
    let turns = [
        constant(1),
        Setting { stereo: StereoMode::Mono, ..one },
        Setting { stereo: StereoMode::MidSide, ..constant(5) },
        one,
        Setting { loss: Loss { percent: 50.0, ..Loss::default() }, ..one },
        one,
    ];
    let mut output = [Vec::new(), Vec::new()];
    for (index, turn) in turns.iter().enumerate() {
        live.set_setting(Slot::Two, turn);
        let from = index * 20_000;
        let more = run(&mut live, &part(&audio, from..from + 20_000), &[512]);
        output.iter_mut().zip(more).for_each(|(output, more)| output.extend(more));
    }
    for (output, alone) in output.iter().zip(alone(&audio, &one)) {
        let off = common::largest_difference(output, &alone[..output.len()]);
        assert!(off < 1e-3, "off by {off}");
    }
}

#[test]
fn a_copied_setting_soon_sounds_the_same() {
    let audio = audio(2);
    let target = Setting { mode: RateMode::Abr, stereo: StereoMode::MidSide, ..Setting::default() };
    let (mut live, telemetry, _) = start(config(RATE, 2, 512));
    live.set_setting(Slot::One, &target);
    live.set_setting(Slot::Two, &constant(1));
    run(&mut live, &part(&audio, 0..HALF), &[512]);
    live.set_setting(Slot::Two, &target);
    run(&mut live, &part(&audio, 0..HALF), &[512]);
    assert!(telemetry.switches_at_once());
    // Split shows nothing but one setting's sums, so both are heard in turn on the same audio.
    let (mut of_one, mut of_two) = (Vec::new(), Vec::new());
    for (slot, heard) in [(Slot::One, &mut of_one), (Slot::Two, &mut of_two)] {
        live.reset();
        live.select(slot);
        *heard = run(&mut live, &part(&audio, 0..HALF), &[512]);
    }
    let off = common::largest_difference(&of_one[0], &of_two[0]);
    assert!(off < 1e-3, "off by {off}");
}

#[test]
fn a_bounce_with_both_settings_is_the_same_every_time_whatever_the_blocks() {
    let audio = audio(2);
    let bounce = |blocks: &[usize]| {
        let (mut live, ..) = start(config(48_000.0, 2, 8192));
        live.set_setting(Slot::One, &constant(6));
        live.set_setting(Slot::Two, &Setting { stereo: StereoMode::MidSide, ..Setting::default() });
        live.set_monitor(Monitor::Difference);
        let mut output = run(&mut live, &part(&audio, 0..HALF), blocks);
        live.select(Slot::Two);
        output.extend(run(&mut live, &part(&audio, HALF..2 * HALF), blocks));
        output
    };
    let first = bounce(&[512]);
    assert_eq!(first, bounce(&[512]));
    assert_eq!(first, bounce(&[8192, 1, 17, 511]));
}

#[test]
fn a_blind_test_hears_either_setting_whatever_is_chosen() {
    let audio = audio(1);
    let (one, two) = (constant(8), constant(1));
    let (mut live, telemetry, mut reports) = start(config(RATE, 1, 512));
    live.set_setting(Slot::One, &one);
    live.set_setting(Slot::Two, &two);
    telemetry.set_blind(Some(Source::Decoded(Slot::Two)));
    let first = run(&mut live, &part(&audio, 0..HALF), &[512]);
    telemetry.set_blind(Some(Source::Decoded(Slot::One)));
    let second = run(&mut live, &part(&audio, HALF..2 * HALF), &[512]);
    let (of_one, of_two) = (alone(&audio, &one), alone(&audio, &two));
    let from = 2048;
    assert!(common::largest_difference(&first[0][from..], &of_two[0][from..HALF]) < 1e-3);
    assert!(common::largest_difference(&second[0][from..], &of_one[0][HALF + from..]) < 1e-3);
    // The frames that are told are those of the chosen setting, whatever is heard.
    assert!(drain(&mut reports).iter().all(|report| report.rate == Rate::Codebooks(8) && report.setting == Slot::One));
}

/// A machine that is too slow runs one setting, says so, and still switches.
#[test]
fn where_one_setting_runs_alone_a_switch_is_announced_and_comes() {
    let audio = audio(1);
    let (mut live, telemetry, mut reports) = start(LoopConfig { offline: false, ..config(RATE, 1, 512) });
    live.set_setting(Slot::One, &constant(8));
    live.set_setting(Slot::Two, &constant(1));
    let patience = std::time::Instant::now();
    while telemetry.status().state != LoopState::Running {
        assert!(patience.elapsed().as_secs() < 60, "the codec thread never ran");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    // Far longer blocks than agreed: frames come late, and what the machine can't do twice it does once.
    let mut long = part(&audio, 0..8192).remove(0);
    let mut block = part(&audio, 0..512).remove(0);
    for _ in 0..40 {
        live.process(&mut [&mut long]);
        std::thread::sleep(std::time::Duration::from_secs_f64(8192.0 / RATE));
        // Before the codec thread has had its first turn, nothing is late yet and one setting runs.
        if telemetry.late_frames() > 0 && !telemetry.switches_at_once() {
            break;
        }
    }
    let late = telemetry.late_frames();
    assert!(late > 0, "nothing is late: {:?}", telemetry.status());
    assert!(!telemetry.switches_at_once(), "two settings run on a machine that is late with them: {late} frames");
    live.select(Slot::Two);
    let (mut heard, mut on_time, mut of_two) = (false, 0, 0);
    for _ in 0..400 {
        live.process(&mut [&mut block]);
        std::thread::sleep(std::time::Duration::from_millis(12));
        for report in drain(&mut reports).iter().filter(|report| !report.late) {
            on_time += 1;
            of_two += usize::from(report.setting == Slot::Two);
            heard |= report.setting == Slot::Two && report.frames[0].count == 1;
        }
        if heard {
            break;
        }
    }
    let late = (late, telemetry.late_frames());
    assert!(heard, "setting 2 never ran: {on_time} frames on time, {of_two} of them of setting 2; late ones {late:?}");
}
