//! What several tests need: the bundled clip and a few measures.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use symphonia::core::codecs::audio::AudioDecoderOptions;
use symphonia::core::formats::{FormatOptions, TrackType, probe::Hint};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;

/// The bundled clip: left and right at 44.1 kHz.
pub fn demo() -> [Vec<f32>; 2] {
    let bytes: &[u8] = include_bytes!("../../assets/demo.flac");
    let stream = MediaSourceStream::new(Box::new(std::io::Cursor::new(bytes)), Default::default());
    let mut reader = symphonia::default::get_probe()
        .probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default())
        .unwrap();
    let track = reader.default_track(TrackType::Audio).unwrap();
    let parameters = track.codec_params.as_ref().unwrap().audio().unwrap().clone();
    let mut decoder =
        symphonia::default::get_codecs().make_audio_decoder(&parameters, &AudioDecoderOptions::default()).unwrap();
    let mut interleaved: Vec<f32> = Vec::new();
    while let Some(packet) = reader.next_packet().unwrap() {
        let buffer = decoder.decode(&packet).unwrap();
        let start = interleaved.len();
        interleaved.resize(start + buffer.samples_interleaved(), 0.0);
        buffer.copy_to_slice_interleaved(&mut interleaved[start..]);
    }
    let channel = |c: usize| interleaved.iter().skip(c).step_by(2).copied().collect();
    [channel(0), channel(1)]
}

/// The bundled clip, left channel.
pub fn demo_mono() -> Vec<f32> {
    let [left, _] = demo();
    left
}

/// Largest absolute difference of two slices of one length.
pub fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// The lag in samples, within `range`, at which `output` resembles `input` most (normalised cross-correlation), and
/// how much (1 = equal but for gain).
pub fn best_lag(input: &[f32], output: &[f32], range: std::ops::Range<usize>) -> (usize, f32) {
    let length = input.len().min(output.len().saturating_sub(range.end));
    let input = &input[..length];
    let energy: f32 = input.iter().map(|x| x * x).sum();
    range
        .map(|lag| {
            let output = &output[lag..lag + length];
            let product: f32 = input.iter().zip(output).map(|(a, b)| a * b).sum();
            let other: f32 = output.iter().map(|x| x * x).sum();
            (lag, product / (energy * other).sqrt().max(1e-12))
        })
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .unwrap()
}
