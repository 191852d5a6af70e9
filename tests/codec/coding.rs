//! Sound to a `.vrvq` file and back: exact length, aligned, the same however it is pushed, sought or damaged.

use crate::common;
use std::io::Cursor;
use vrvq::codec::{RateControl, StereoMode};
use vrvq::coding::{CodingError, Decoder, EncodeSettings, Encoder, decode, encode};
use vrvq::container::{DamageKind, Payload, Tags};
use vrvq::model::Model;

/// `seconds` of the bundled clip at another sample rate, by the sinc of its neighbours.
fn at_rate(sound: &[f32], rate: u32, seconds: f64) -> Vec<f32> {
    let ratio = 44_100.0 / f64::from(rate);
    // Going down, what the lower rate can't hold is left out.
    let band = (1.0 / ratio).min(1.0);
    (0..(seconds * f64::from(rate)) as usize)
        .map(|i| {
            let at = i as f64 * ratio;
            let reach = 32.0 / band;
            let (from, to) = ((at - reach).ceil().max(0.0) as usize, (at + reach) as usize);
            (from..=to.min(sound.len() - 1))
                .map(|j| {
                    let x = at - j as f64;
                    let y = std::f64::consts::PI * x * band;
                    let sinc = if y.abs() < 1e-9 { 1.0 } else { y.sin() / y };
                    let window = 0.5 + 0.5 * (std::f64::consts::PI * x / reach).cos();
                    f64::from(sound[j]) * sinc * window * band
                })
                .sum::<f64>() as f32
        })
        .collect()
}

fn settings(level: f32) -> EncodeSettings {
    EncodeSettings { rate: Some(RateControl::Level(level)), ..EncodeSettings::default() }
}

/// Mean and difference of two signals of one length: how much of `a` is in `b`, and the lag in samples (parabola
/// through the cross-correlation).
fn lag(a: &[f32], b: &[f32]) -> f64 {
    let product = |shift: i64| -> f64 {
        (100..a.len() as i64 - 100).map(|i| f64::from(a[i as usize]) * f64::from(b[(i + shift) as usize])).sum()
    };
    let best = (-20..=20).max_by(|&x, &y| product(x).total_cmp(&product(y))).unwrap();
    let (left, middle, right) = (product(best - 1), product(best), product(best + 1));
    best as f64 + 0.5 * (left - right) / (left - 2.0 * middle + right)
}

#[test]
fn length_and_alignment_are_exact_at_any_rate() {
    let model = Model::builtin().unwrap();
    let [left, right] = common::demo();
    for rate in [22_050, 44_100, 48_000, 96_000] {
        for channels in [1, 2] {
            let sound: Vec<Vec<f32>> =
                [&left, &right][..channels].iter().map(|channel| at_rate(channel, rate, 1.3)).collect();
            let sound: Vec<&[f32]> = sound.iter().map(|channel| &channel[..channel.len() - 17]).collect();
            let settings = EncodeSettings { stereo: StereoMode::MidSide, ..settings(48.0) };
            let file = encode(&model, rate, &sound, settings).unwrap();
            let decoded = decode(&model, &file).unwrap();
            assert_eq!((decoded.sample_rate, decoded.channels.len()), (rate, channels));
            assert_eq!(decoded.damage, []);
            for (channel, sound) in decoded.channels.iter().zip(&sound) {
                assert_eq!(channel.len(), sound.len(), "{rate} Hz");
                let lag = lag(sound, channel);
                assert!(lag.abs() < 0.5, "{rate} Hz, {channels} channels: {lag} samples late");
            }
        }
    }
}

#[test]
fn lengths_from_nothing_to_a_hop_come_back() {
    let model = Model::builtin().unwrap();
    let sound = common::demo_mono();
    for rate in [44_100, 48_000] {
        for length in [0, 1, 511, 512, 513, 1025] {
            let file = encode(&model, rate, &[&sound[..length]], settings(8.0)).unwrap();
            assert_eq!(decode(&model, &file).unwrap().channels[0].len(), length, "{rate} Hz");
        }
    }
}

#[test]
fn pieces_of_any_size_make_the_same_file() {
    let model = Model::builtin().unwrap();
    let sound = &common::demo_mono()[..60_000];
    let whole = encode(&model, 48_000, &[sound], settings(16.0)).unwrap();
    let known = EncodeSettings { length: Some(60_000), ..settings(16.0) };
    let mut encoder = Encoder::new(Vec::new(), &model, 48_000, 1, known).unwrap();
    for piece in sound.chunks(777) {
        encoder.push(&[piece]).unwrap();
    }
    assert!(encoder.finish().unwrap() == whole);
}

#[test]
fn entropy_coding_loses_nothing_and_saves() {
    let model = Model::builtin().unwrap();
    let [left, right] = common::demo();
    let sound = [&left[..44_100 * 8], &right[..44_100 * 8]];
    let with = |payload| {
        let settings = EncodeSettings { payload, ..settings(16.0) };
        let file = encode(&model, 44_100, &sound, settings).unwrap();
        (decode(&model, &file).unwrap().channels, file.len())
    };
    let (plain, plain_bytes) = with(Payload::Plain);
    let (entropy, entropy_bytes) = with(Payload::Entropy);
    assert_eq!(plain, entropy);
    println!("plain {plain_bytes} bytes, entropy-coded {entropy_bytes}");
    assert!((entropy_bytes as f64) < 0.94 * plain_bytes as f64, "{plain_bytes} bytes become {entropy_bytes}");
}

#[test]
fn seeking_gives_what_playing_on_gives() {
    let model = Model::builtin().unwrap();
    let sound = common::demo_mono();
    for rate in [44_100, 48_000] {
        let file =
            encode(&model, rate, &[&sound[..44_100 * 6]], EncodeSettings { block_seconds: 1.0, ..settings(16.0) })
                .unwrap();
        let whole = decode(&model, &file).unwrap().channels.remove(0);
        let mut decoder = Decoder::open(Cursor::new(&file), &model).unwrap();
        assert_eq!(decoder.length(), Some(44_100 * 6));
        let mut piece = Vec::new();
        for sample in [200_001, 0, 12_345, 99_999, 264_599, 264_600] {
            decoder.seek(sample).unwrap();
            assert_eq!(decoder.position(), sample);
            let mut played: Vec<f32> = Vec::new();
            while played.len() < 5000 && decoder.read(&mut piece).unwrap() > 0 {
                played.extend_from_slice(&piece[0]);
            }
            let expected = &whole[sample as usize..];
            let length = played.len().min(expected.len());
            assert!(length == expected.len() || length >= 5000, "{length} samples from {sample} on");
            let difference = common::largest_difference(&played[..length], &expected[..length]);
            assert!(difference < 1e-3, "{rate} Hz, from {sample} on: {difference}");
        }
    }
}

#[test]
fn damage_is_silence_in_its_place_and_named() {
    let model = Model::builtin().unwrap();
    let sound = &common::demo_mono()[..44_100 * 4];
    let file = encode(&model, 44_100, &[sound], EncodeSettings { block_seconds: 0.5, ..settings(16.0) }).unwrap();
    let whole = decode(&model, &file).unwrap().channels.remove(0);
    let mut damaged = file.clone();
    damaged[file.len() / 2] ^= 1;
    let decoded = decode(&model, &damaged).unwrap();
    let [damage] = decoded.damage[..] else { panic!("{:?}", decoded.damage) };
    assert_eq!((damage.kind, damage.frames), (DamageKind::Bytes, 43));
    let channel = &decoded.channels[0];
    assert_eq!(channel.len(), whole.len());
    let at = |frame: u64| (frame * 512) as usize - model.card().delay();
    let (first, last) = (at(damage.first), at(damage.first + damage.frames));
    assert!(channel[first..last].iter().all(|&sample| sample == 0.0));
    assert!(channel[first - 1024..first - 512].iter().any(|&sample| sample != 0.0));
    // Once the decoder's memory of the gap is gone, all is as it was.
    let difference = common::largest_difference(&channel[last + 64 * 512..], &whole[last + 64 * 512..]);
    assert!(difference < 1e-3, "{difference}");
}

#[test]
fn what_cant_be_is_refused() {
    let model = Model::builtin().unwrap();
    let none: [&[f32]; 0] = [];
    assert!(encode(&model, 44_100, &none, settings(8.0)).is_err());
    assert!(encode(&model, 44_100, &vec![[0.0; 4]; 33], settings(8.0)).is_err());
    assert!(encode(&model, 10, &[[0.0; 4]], settings(8.0)).is_err());
    let mut encoder = Encoder::new(Vec::new(), &model, 44_100, 2, settings(8.0)).unwrap();
    assert!(matches!(encoder.push(&[[0.0; 4]]), Err(CodingError::Channels(_))));
    assert!(matches!(encoder.push(&[&[0.0; 4][..], &[0.0; 5][..]]), Err(CodingError::Channels(_))));
    encoder.push(&[[f32::NAN; 600], [f32::INFINITY; 600]]).unwrap();
    let file = encoder.finish().unwrap();
    assert!(decode(&model, &file).unwrap().channels.iter().flatten().all(|sample| sample.is_finite()));

    // Another model's file: its hash stands behind version and flags of the first block.
    let mut tags = Tags::default();
    tags.push("ARTIST", "nobody").unwrap();
    let file = encode(&model, 44_100, &[[0.0; 100]], EncodeSettings { tags, ..settings(8.0) }).unwrap();
    let mut other = file.clone();
    other[10] ^= 1;
    let end = 8 + usize::from(u16::from_le_bytes([file[5], file[6]]));
    let checksum = crc32fast::hash(&other[4..end]).to_le_bytes();
    other[end..end + 4].copy_from_slice(&checksum);
    assert!(matches!(Decoder::new(&other[..], &model), Err(CodingError::OtherModel { .. })));
    let mut decoder = Decoder::new(&file[..], &model).unwrap();
    decoder.read(&mut Vec::new()).unwrap();
    assert_eq!(decoder.tags().get("artist"), Some("nobody"));
}
