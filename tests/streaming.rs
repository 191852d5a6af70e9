//! The model steps exactly: any number of hops at a time gives the same codes and samples.

mod common;

use std::sync::{PoisonError, RwLock};
use vrvq::codec::count;
use vrvq::model::{
    DecoderStream, Device, DeviceChoice, Encoded, EncoderStream, Model, ModelError, choose_device, device_choice,
    runtime,
};

/// The device is the whole process's: one test changes it, and no other runs meanwhile, since its sums are made in another order.
static DEVICE: RwLock<()> = RwLock::new(());

/// Codes, importance and decoded samples of `audio` (one channel), stepped `hops` at a time.
fn run(audio: &[f32], hops: usize) -> (Vec<u16>, Vec<f32>, Vec<f32>) {
    let model = Model::builtin().unwrap();
    let (hop, codebooks) = (model.card().hop, model.card().codebooks);
    let mut encoder = EncoderStream::new(&model, 1).unwrap();
    let mut decoder = DecoderStream::new(&model, 1).unwrap();
    let (mut codes, mut importance, mut decoded) = (Vec::new(), Vec::new(), Vec::new());
    let mut encoded = Encoded::default();
    for chunk in audio.chunks(hops * hop) {
        let hops = chunk.len() / hop;
        encoder.step(chunk, hops, &mut encoded).unwrap();
        assert_eq!((encoded.codes.frames(), encoded.codes.codebooks()), (hops, codebooks));
        let counts: Vec<u8> = encoded.importance.iter().map(|&p| count(p, 16.0, codebooks) as u8).collect();
        let mut samples = vec![0.0; chunk.len()];
        decoder.step(&encoded.codes.sent(&counts), &counts, hops, &mut samples).unwrap();
        codes.extend(encoded.codes.all());
        importance.extend_from_slice(&encoded.importance);
        decoded.extend_from_slice(&samples);
    }
    (codes, importance, decoded)
}

#[test]
fn any_number_of_hops_at_a_time_gives_the_same() {
    let _same = DEVICE.read().unwrap_or_else(PoisonError::into_inner);
    let audio = common::demo_mono();
    let audio = &audio[..512 * 140];
    let whole = run(audio, 140);
    assert!(whole.2.iter().any(|s| s.abs() > 0.05), "the decoder is heard");
    for hops in [1, 2, 7] {
        let stepped = run(audio, hops);
        // Codes may part only at numerical ties: the nearest two entries equally far to rounding.
        let differing = stepped.0.iter().zip(&whole.0).filter(|(a, b)| a != b).count();
        assert!(
            differing * 1000 <= whole.0.len(),
            "{hops} hops at a time: {differing} of {} codes differ",
            whole.0.len()
        );
        let p = common::largest_difference(&stepped.1, &whole.1);
        assert!(p < 1e-4, "{hops} hops at a time: importance differs by {p}");
        if differing == 0 {
            let s = common::largest_difference(&stepped.2, &whole.2);
            assert!(s < 1e-4, "{hops} hops at a time: samples differ by {s}");
        }
    }
}

#[test]
fn two_channels_of_one_batch_are_two_streams() {
    let _same = DEVICE.read().unwrap_or_else(PoisonError::into_inner);
    let audio = common::demo_mono();
    let (left, right) = (&audio[..512 * 20], &audio[512 * 500..512 * 520]);
    let model = Model::builtin().unwrap();
    let codebooks = model.card().codebooks;
    let mut stereo = EncoderStream::new(&model, 2).unwrap();
    let mut encoded = Encoded::default();
    stereo.step(&[left, right].concat(), 20, &mut encoded).unwrap();
    for (channel, audio) in [left, right].into_iter().enumerate() {
        let (codes, importance, _) = run(audio, 20);
        let both = encoded.codes.all();
        let half = &both[channel * 20 * codebooks..][..20 * codebooks];
        let differing = codes.iter().zip(half).filter(|(a, b)| a != b).count();
        assert!(differing <= 1, "channel {channel}: {differing} codes differ");
        let p = common::largest_difference(&importance, &encoded.importance[channel * 20..][..20]);
        assert!(p < 1e-4, "channel {channel}: importance differs by {p}");
    }
}

#[test]
fn more_threads_give_the_same_or_are_refused() {
    let _alone = DEVICE.write().unwrap_or_else(PoisonError::into_inner);
    let audio = common::demo_mono();
    let audio = &audio[..512 * 60];
    let one = run(audio, 4);
    let threads = DeviceChoice::Only(Device::Cpu(2));
    if runtime().unwrap().is_builtin() {
        let Err(ModelError::Device { reason, .. }) = choose_device(threads) else { panic!("it has one thread only") };
        assert!(reason.contains("one thread"), "{reason}");
        assert_eq!(device_choice(), DeviceChoice::Auto, "nothing is changed");
        return;
    }
    choose_device(threads).unwrap();
    let model = Model::builtin().unwrap();
    let encoder = EncoderStream::new(&model, 1).unwrap();
    assert!(encoder.runtime().contains("2 threads"), "{}", encoder.runtime());
    let two = run(audio, 4);
    choose_device(DeviceChoice::Auto).unwrap();
    let differing = one.0.iter().zip(&two.0).filter(|(a, b)| a != b).count();
    assert!(differing * 1000 <= one.0.len(), "{differing} of {} codes differ", one.0.len());
    assert!(differing > 0 || common::largest_difference(&one.2, &two.2) < 1e-4);
}

#[test]
fn a_reset_stream_starts_anew() {
    let _same = DEVICE.read().unwrap_or_else(PoisonError::into_inner);
    let audio = common::demo_mono();
    let model = Model::builtin().unwrap();
    let mut encoder = EncoderStream::new(&model, 1).unwrap();
    let (mut first, mut second) = (Encoded::default(), Encoded::default());
    encoder.step(&audio[..512 * 30], 30, &mut first).unwrap();
    encoder.reset().unwrap();
    encoder.step(&audio[..512 * 30], 30, &mut second).unwrap();
    assert_eq!(first, second);
}

#[derive(serde::Deserialize)]
struct Reference {
    level: f32,
    every: usize,
    codes: Vec<Vec<u16>>,
    sent: Vec<Vec<u16>>,
    importance: Vec<f32>,
    decoded: Vec<f32>,
}

#[test]
fn it_is_the_model_that_was_trained() {
    let _same = DEVICE.read().unwrap_or_else(PoisonError::into_inner);
    // Written by the export from PyTorch's own forward pass over the bundled clip.
    let reference: Reference = serde_json::from_str(include_str!("data/reference.json")).unwrap();
    let model = Model::builtin().unwrap();
    let (hop, codebooks) = (model.card().hop, model.card().codebooks);
    let frames = reference.codes.len();
    let (codes, importance, _) = run(&common::demo_mono()[..frames * hop], 1);
    let expected: Vec<u16> = reference.codes.concat();
    let differing = codes.iter().zip(&expected).filter(|(a, b)| a != b).count();
    assert!(differing * 1000 <= expected.len(), "{differing} of {} codes differ", expected.len());
    let p = common::largest_difference(&importance, &reference.importance);
    assert!(p < 1e-3, "importance differs by {p}");

    // What is sent at a level, where the search ends at the count.
    let counts: Vec<u8> = reference.importance.iter().map(|&p| count(p, reference.level, codebooks) as u8).collect();
    assert!(reference.sent.iter().zip(&counts).all(|(codes, &count)| codes.len() == usize::from(count)));
    let mut encoded = Encoded::default();
    let most = |_, importance| count(importance, reference.level, codebooks);
    let audio = common::demo_mono();
    EncoderStream::new(&model, 1).unwrap().step_up_to(&audio[..frames * hop], frames, most, &mut encoded).unwrap();
    let of_frame = |frame: usize| encoded.codes.of(frame, counts[frame].into());
    let differing = (0..frames).filter(|&frame| of_frame(frame) != reference.sent[frame]).count();
    assert!(differing * 200 <= frames, "the codes of {differing} of {frames} frames differ");
    let starts = reference.sent.iter().zip(&reference.codes).filter(|(sent, all)| all.starts_with(sent)).count();
    assert!(starts < frames / 2, "what is sent is the start of all codes in {starts} of {frames} frames");

    // Decoded from the same codes, so that a tie in the search doesn't count twice.
    let mut sent = vec![0; frames * codebooks];
    let slots = sent.chunks_exact_mut(codebooks).zip(&reference.sent);
    slots.for_each(|(slots, codes)| slots[..codes.len()].copy_from_slice(codes));
    let mut decoded = vec![0.0; frames * hop];
    DecoderStream::new(&model, 1).unwrap().step(&sent, &counts, frames, &mut decoded).unwrap();
    let kept: Vec<f32> = decoded.iter().step_by(reference.every).copied().collect();
    let s = common::largest_difference(&kept, &reference.decoded);
    assert!(s < 1e-4, "samples differ by {s}");
    assert!(kept.iter().any(|s| s.abs() > 0.05), "the decoder is heard");
}
