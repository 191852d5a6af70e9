//! The CLAP plug-in in a host nobody here wrote (clack-host): layouts, rates and blocks; alignment; bounces.

use crate::common;
use crate::host::Host;
use clack_extensions::params::ParamInfoFlags;
use clack_extensions::render::RenderMode;
use std::time::Duration;

const BLOCKS: [usize; 5] = [1, 17, 64, 511, 8192];

/// A second and a half of the bundled clip. At another rate it plays at another speed, which is as real to a codec.
fn clip(channels: usize, seconds: f64, rate: f64) -> Vec<Vec<f32>> {
    let count = (seconds * rate) as usize;
    common::demo().into_iter().take(channels).map(|channel| channel[..count].to_vec()).collect()
}

fn delayed(audio: &[Vec<f32>], delay: usize) -> Vec<Vec<f32>> {
    let one = |channel: &Vec<f32>| {
        let mut output = vec![0.0; delay.min(channel.len())];
        output.extend_from_slice(&channel[..channel.len() - output.len()]);
        output
    };
    audio.iter().map(one).collect()
}

/// A chirp that every rate can hold, for rates at which the clip would be out of the codec's band.
fn chirp(rate: f64, seconds: f64) -> Vec<f32> {
    let phase = |t: f64| std::f64::consts::TAU * (150.0 * t + 0.5 * 3000.0 / seconds * t * t);
    (0..(rate * seconds) as usize).map(|i| 0.4 * phase(i as f64 / rate).sin() as f32).collect()
}

/// Decoded output resembles the input most at the reported latency.
fn assert_decoded_aligned(audio: &[f32], output: &[f32], latency: usize, rate: f64, what: &str) {
    let (lag, likeness) = common::best_lag(audio, output, latency.saturating_sub(200)..latency + 200);
    assert!(likeness > 0.6, "{what}: decoded resembles the input by {likeness} only");
    // The codec's noise moves the peak by little; a hop would be hundreds.
    let tolerance = (rate / 44_100.0 * 2.0).ceil() as usize;
    assert!(lag.abs_diff(latency) <= tolerance, "{what}: decoded at {lag}, reported {latency}");
}

/// The whole matrix on one set-up: decoded, dry and bypassed.
fn check(channels: usize, rate: f64, block: usize, audio: &[Vec<f32>]) {
    let what = format!("{channels} channels, {rate} Hz, blocks of {block}");
    let mut host = Host::offline(channels, rate, block);
    let latency = host.latency();
    let decoded = host.run(audio, &[block]);
    for (input, output) in audio.iter().zip(&decoded) {
        assert!(output[..latency / 2].iter().all(|&s| s == 0.0), "{what}: sound before any can have come through");
        assert_decoded_aligned(input, output, latency, rate, &what);
    }
    let part: Vec<_> = audio.iter().map(|channel| channel[..(latency + channel.len()) / 2].to_vec()).collect();
    for setting in [("Monitor", "Dry"), ("Bypass", "on")] {
        host.deactivate();
        host.set(&[("Monitor", "Decoded"), ("Bypass", "off"), setting]);
        host.activate(rate, block);
        assert_eq!(host.latency(), latency, "{what}: {setting:?} must not change the latency");
        let dry = host.run(&part, &[block]);
        assert!(dry == delayed(&part, latency), "{what}: {setting:?} isn't exact to the bit");
        assert!(dry.iter().flatten().any(|sample| sample.abs() > 0.01), "{what}: {setting:?} is silent");
    }
    assert_ne!(decoded, delayed(audio, latency), "{what}: nothing was coded");
}

#[test]
fn mono_at_common_rates_and_all_blocks() {
    for (rate, seconds) in [(44_100.0, 1.0), (48_000.0, 1.0), (96_000.0, 0.8)] {
        let audio = clip(1, seconds, rate);
        BLOCKS.iter().for_each(|&block| check(1, rate, block, &audio));
    }
}

#[test]
fn stereo_at_common_rates_and_all_blocks() {
    for (rate, seconds) in [(44_100.0, 1.0), (48_000.0, 1.0), (96_000.0, 0.8)] {
        let audio = clip(2, seconds, rate);
        BLOCKS.iter().for_each(|&block| check(2, rate, block, &audio));
    }
}

#[test]
fn the_outermost_rates() {
    for (rate, block) in [(22_050.0, 64), (22_050.0, 8192), (192_000.0, 17), (192_000.0, 8192)] {
        check(1, rate, block, &[chirp(rate, 1.0)]);
    }
}

#[test]
fn two_channels_stay_apart() {
    let mut audio = clip(2, 1.5, 44_100.0);
    audio[1].fill(0.0);
    let mut host = Host::offline(2, 44_100.0, 512);
    let output = host.run(&audio, &[512]);
    let peak = |channel: &[f32]| channel.iter().fold(0.0_f32, |peak, s| peak.max(s.abs()));
    assert!(peak(&output[0]) > 0.1);
    assert!(peak(&output[1]) < 0.01, "the silent side plays at {}", peak(&output[1]));
}

#[test]
fn block_sizes_may_change_from_call_to_call() {
    let audio = clip(2, 2.0, 48_000.0);
    let mut seed = 1_u64;
    let blocks: Vec<usize> = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Small ones as often as large ones.
        1 << (seed >> 60).min(13) | ((seed >> 33) as usize & 0x1f)
    })
    .map(|length: usize| length.min(8192))
    .take(200)
    .collect();
    let bounce = |blocks: &[usize]| Host::offline(2, 48_000.0, 8192).run(&audio, blocks);
    assert!(bounce(&[512]) == bounce(&blocks), "the blocks' lengths are heard");
}

#[test]
fn a_bounce_is_the_same_every_time() {
    let audio = clip(2, 2.0, 44_100.0);
    let bounce = || Host::offline(2, 44_100.0, 511).run(&audio, &[511]);
    let first = bounce();
    assert!(first[0].iter().any(|s| s.abs() > 0.1));
    assert!(first == bounce(), "two instances bounce differently");
    let mut host = Host::offline(2, 44_100.0, 511);
    assert!(first == host.run(&audio, &[511]));
    host.reset();
    assert!(first == host.run(&audio, &[511]), "a reset leaves something behind");
}

#[test]
fn silence_stays_silent() {
    for level in ["1", "48"] {
        let mut host = Host::offline(2, 44_100.0, 512);
        host.set(&[("Level", level)]);
        let output = host.run(&vec![vec![0.0; 60_000]; 2], &[512]);
        let peak = output.iter().flatten().fold(0.0_f32, |peak, s| peak.max(s.abs()));
        assert!(peak < 1e-3, "silence plays at {peak} at level {level}");
    }
}

/// Nothing is waited for in real time, so a host that is faster than the clock now and then may hear gaps; but what it
/// hears is where it belongs.
#[test]
fn real_time_is_aligned_or_silent() {
    let audio = clip(2, 3.0, 44_100.0);
    let mut host = Host::new();
    host.render(RenderMode::Realtime);
    host.activate(44_100.0, 512);
    let latency = host.latency();
    // The model is loaded while the first blocks go by.
    std::thread::sleep(Duration::from_secs(2));
    let mut output = vec![Vec::new(), Vec::new()];
    for (index, from) in (0..audio[0].len()).step_by(512).enumerate() {
        let to = (from + 512).min(audio[0].len());
        let block: Vec<Vec<f32>> = audio.iter().map(|channel| channel[from..to].to_vec()).collect();
        for (all, block) in output.iter_mut().zip(host.run(&block, &[512])) {
            all.extend(block);
        }
        // Half of the time far too fast, half of the time slower than the clock.
        if index % 100 >= 50 {
            std::thread::sleep(Duration::from_millis(18));
        }
    }
    for (input, output) in audio.iter().zip(&output) {
        assert!(output.iter().all(|s| s.is_finite() && s.abs() < 2.0));
        if output.iter().any(|s| s.abs() > 0.05) {
            // On a busy machine much of it is late and faded out; what there is has to be where it belongs.
            let (lag, likeness) = common::best_lag(input, output, latency - 200..latency + 200);
            assert!(likeness < 0.3 || lag.abs_diff(latency) <= 2, "decoded at {lag}, reported {latency}");
        }
    }
    // Dry needs no codec: exact however fast the host runs.
    host.deactivate();
    host.set(&[("Monitor", "Dry")]);
    host.activate(44_100.0, 512);
    assert!(host.run(&audio, &[512]) == delayed(&audio, latency));
}

#[test]
fn parameters_are_what_sessions_rely_on() {
    let mut host = Host::new();
    let by_name = |host: &Host, name: &str| host.parameters().iter().find(|p| p.name == name).unwrap().clone();
    let (level, bypass, safety) = (by_name(&host, "Level"), by_name(&host, "Bypass"), by_name(&host, "Safety"));
    assert!(level.flags.contains(ParamInfoFlags::IS_AUTOMATABLE));
    assert!(bypass.flags.contains(ParamInfoFlags::IS_BYPASS));
    assert!(!safety.flags.contains(ParamInfoFlags::IS_AUTOMATABLE));
    // The ids that sessions and automation are stored under.
    let hash =
        |id: &str| id.bytes().fold(0_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into())) & !(1 << 31);
    let of_both = [
        ("Level", "level"),
        ("Mode", "mode"),
        ("Codebooks", "codebooks"),
        ("Stereo", "stereo"),
        ("Target bitrate", "target"),
        ("Target window", "window"),
        ("Packet loss", "loss"),
        ("Loss burst", "loss_burst"),
        ("Loss seed", "loss_seed"),
        ("Search", "search"),
    ];
    let rest = [
        ("Setting", "setting"),
        ("Monitor", "monitor"),
        ("Bypass", "bypass"),
        ("Safety", "safety"),
        ("Difference gain", "difference_gain"),
        ("Level match", "level_match"),
    ];
    for (name, id) in of_both.into_iter().chain(rest) {
        assert_eq!(by_name(&host, name).id.get(), hash(id), "{name}");
    }
    for (name, id) in of_both {
        assert_eq!(by_name(&host, &format!("{name} 2")).id.get(), hash(&format!("two_{id}")), "{name} 2");
    }
    assert_eq!(host.parameters().len(), 2 * of_both.len() + rest.len());
    for (text, part) in [("1", 0.0), ("48", 1.0), ("6.9282", 0.5)] {
        let value = host.value_of("Level", text);
        assert!((value - part).abs() < 1e-4, "level {text} is {value} of the range");
        host.set(&[("Level", text)]);
        let shown: f64 = host.shown("Level").parse().unwrap();
        assert!((shown / text.parse::<f64>().unwrap() - 1.0).abs() < 0.01, "level {text} is shown as {shown}");
    }
    for (name, choices) in [
        ("Monitor", &["Dry", "Difference", "Split", "Decoded"][..]),
        ("Stereo", &["Mid/Side", "Mono sum", "Left/Right"]),
        ("Stereo 2", &["Mono sum"]),
        ("Mode 2", &["CBR", "ABR", "VBR"]),
        ("Setting", &["2", "1"]),
        ("Packet loss", &["12.5 %", "0.0 %"]),
        ("Loss burst 2", &["7 packets"]),
        ("Search", &["By sound", "By latent"]),
    ] {
        for choice in choices {
            host.set(&[(name, choice)]);
            assert_eq!(host.shown(name), *choice);
        }
    }
}
