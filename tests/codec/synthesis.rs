//! Codes chosen by what the decoder makes of them.

use crate::common;
use crate::looped;
use crate::models;
use std::sync::Arc;
use vrvq::codec::{CodeSearch, Effort, RateControl, RateMode, StereoMode, count};
use vrvq::coding::{CodedFrame, EncodeSettings, FrameEncoder, decode, encode};
use vrvq::engine::{FrameReport, LiveLoop, Setting, Slot};
use vrvq::measure::{MelDistance, si_sdr};
use vrvq::model::{Encoded, EncoderStream, Model, Synthesis};

#[derive(serde::Deserialize)]
struct Reference {
    level: f32,
    sent: Vec<Vec<u16>>,
    chosen: Vec<Vec<u16>>,
    refined: Vec<Vec<u16>>,
}

/// Codes of the clip's frames at the reference's level, twice.
fn chosen(reference: &Reference, effort: Effort) -> [Vec<Vec<u16>>; 2] {
    let model = Model::builtin().unwrap();
    let (hop, codebooks) = (model.card().hop, model.card().codebooks);
    let frames = reference.chosen.len();
    let mut encoder = EncoderStream::new(&model, 1).unwrap();
    encoder.keep_candidates(effort.candidates);
    let mut encoded = Encoded::default();
    encoder.step(&common::demo_mono()[..frames * hop], frames, &mut encoded).unwrap();
    let mut synthesis = Synthesis::new(&model, 1, effort).unwrap();
    assert_eq!(synthesis.candidates(), effort.candidates);
    [(); 2].map(|()| {
        let mut of_frame = |frame: usize| {
            let used = count(encoded.importance[frame], reference.level, codebooks);
            synthesis.choose(&encoded, |_| frame, &[used as u8]).unwrap()[..used].to_vec()
        };
        let chosen = (0..frames).map(&mut of_frame).collect();
        synthesis.restart(1).unwrap();
        chosen
    })
}

/// Chosen by Python's own implementation, from the bundled clip.
#[test]
fn they_are_those_that_training_chooses() {
    let reference: Reference = serde_json::from_str(include_str!("../data/reference.json")).unwrap();
    let [first, again] = chosen(&reference, Effort::SOUND);
    let frames = first.len();
    let differing = |one: &[Vec<u16>], other: &[Vec<u16>]| one.iter().zip(other).filter(|(a, b)| a != b).count();
    let wrong = differing(&first, &reference.chosen);
    assert!(wrong * 50 <= frames, "the codes of {wrong} of {frames} frames differ");
    let others = differing(&first, &reference.sent);
    assert!(others > frames / 2, "{others} of {frames} frames are others than the latent's nearest");
    assert_eq!(again, first, "reset, it starts anew");
}

/// What leads to the goal differs in the last digits, so that where two candidates are nearly as good the other one may win; what
/// follows depends on it.
#[test]
fn refined_they_are_those_that_training_chooses() {
    let reference: Reference = serde_json::from_str(include_str!("../data/reference.json")).unwrap();
    let [first, again] = chosen(&reference, Effort::REFINED);
    let frames = first.len();
    let same = |one: &[Vec<u16>], other: &[Vec<u16>]| one.iter().zip(other).filter(|(a, b)| a == b).count();
    let right = same(&first, &reference.refined);
    assert!(right * 10 >= frames * 9, "the codes of {} of {frames} frames differ", frames - right);
    assert!(same(&first, &reference.chosen) * 2 < frames, "they are others than those of the first choice");
    assert_eq!(again, first, "reset, it starts anew");
}

fn frames(model: &Arc<Model>, sound: &[&[f32]], rate: RateControl, effort: Effort, piece: usize) -> Vec<CodedFrame> {
    let encoder = FrameEncoder::new(model, model.card().sample_rate, sound.len(), rate, StereoMode::LeftRight).unwrap();
    let mut encoder = encoder.with_effort(effort).unwrap();
    for from in (0..sound[0].len()).step_by(piece) {
        let pieces: Vec<&[f32]> = sound.iter().map(|channel| &channel[from..channel.len().min(from + piece)]).collect();
        encoder.push(&pieces).unwrap();
    }
    encoder.finish().unwrap();
    std::iter::from_fn(|| encoder.next()).collect()
}

/// At any rate, from as many codes, the sound is nearer, and no spectrum is: wrong levels would show in the mel bands.
#[test]
fn what_is_sent_sounds_nearer() {
    let model = Model::builtin().unwrap();
    let rate = model.card().sample_rate;
    let clip = common::demo_mono()[..44_100 * 3].to_vec();
    let mel = MelDistance::new(rate);
    for control in [RateControl::Codebooks(1), RateControl::Codebooks(8), RateControl::Level(8.0)] {
        let more = Effort { candidates: 32, rounds: 0 };
        let [latent, sound, more] =
            [Effort::LATENT, Effort::SOUND, more].map(|effort| nearness(&model, &clip, control, effort, &mel));
        let gain = sound.0 - latent.0;
        assert!(
            gain > 0.1 && sound.1 < latent.1 - 0.002,
            "{control}: by the latent {latent:?}, by the sound {sound:?}"
        );
        assert!(more.0 > sound.0 + 0.01, "{control}: of 8 {sound:?}, of 32 {more:?}");
    }
}

/// SI-SDR in dB and log-mel distance of what is decoded.
fn nearness(model: &Arc<Model>, clip: &[f32], rate: RateControl, effort: Effort, mel: &MelDistance) -> (f64, f64) {
    let settings = EncodeSettings { rate: Some(rate), effort, ..EncodeSettings::default() };
    let decoded =
        decode(model, &encode(model, model.card().sample_rate, &[clip], settings).unwrap()).unwrap().channels.remove(0);
    (si_sdr(clip, &decoded), mel.distance(clip, &decoded))
}

/// More than by four times as many candidates; live's single round is between.
#[test]
fn refined_it_is_nearer_still() {
    let model = Model::builtin().unwrap();
    let clip = common::demo_mono()[..44_100 * 2].to_vec();
    let mel = MelDistance::new(model.card().sample_rate);
    let more = Effort { candidates: 32, rounds: 0 };
    let [sound, more, live, refined] = [Effort::SOUND, more, Effort::REFINED_LIVE, Effort::REFINED]
        .map(|effort| nearness(&model, &clip, RateControl::Codebooks(8), effort, &mel));
    assert!(live.0 > sound.0 + 0.1, "by the sound {sound:?}, refined as live {live:?}");
    assert!(
        refined.0 > live.0 + 0.1 && refined.0 > more.0 + 0.1,
        "as live {live:?}, of 32 {more:?}, refined {refined:?}"
    );
    assert!(refined.1 < live.1 && live.1 < sound.1, "by the sound {sound:?}, as live {live:?}, refined {refined:?}");
}

#[test]
fn counts_stay_and_pieces_do_not_matter() {
    let model = Model::builtin().unwrap();
    let [left, right] = common::demo();
    let sound = [&left[..44_100 * 2], &right[..44_100 * 2]];
    let level = RateControl::Level(12.0);
    let whole = frames(&model, &sound, level, Effort::SOUND, sound[0].len());
    assert_eq!(frames(&model, &sound, level, Effort::SOUND, 1000), whole);
    let latent = frames(&model, &sound, level, Effort::LATENT, 4096);
    let counts = |frames: &[CodedFrame]| -> Vec<usize> {
        frames.iter().flat_map(|frame| frame.codes.iter().map(Vec::len)).collect()
    };
    assert_eq!(counts(&latent), counts(&whole));
    // Each channel is chosen by its own sound.
    for (channel, samples) in sound.iter().enumerate() {
        let alone = frames(&model, &[samples], level, Effort::SOUND, 4096);
        let differing = alone.iter().zip(&whole).filter(|(a, b)| a.codes[0] != b.codes[channel]).count();
        assert!(differing * 20 <= whole.len(), "channel {channel}: {differing} of {} frames differ", whole.len());
    }
}

/// The graphs of such a model choose their codes themselves.
#[test]
fn a_model_that_cannot_is_as_it_was() {
    let model = models::open(&models::imported("vrvq-44k.pth"));
    assert_eq!(model.most_candidates(), 1);
    let sound = &common::demo_mono()[..44_100];
    let level = RateControl::Level(16.0);
    let [latent, asked] =
        [Effort::LATENT, Effort::REFINED].map(|effort| frames(&model, &[sound], level, effort, 10_000));
    assert_eq!(latent, asked);
    // Nor does a graph whose basis is none for the hop of its card.
    let other = models::with_entry(&models::bundled(), "codebooks.f16", |bytes| bytes);
    assert_eq!(models::open(&other).most_candidates(), 64);
    let hop = models::with_card(&models::bundled(), |card| card["hop"] = 256.into());
    assert_eq!(models::open(&hop).most_candidates(), 1);
}

/// What is heard live of a setting, and its reports.
fn live(audio: &[f32], setting: Setting) -> (Vec<f32>, Vec<FrameReport>) {
    let (mut live, _, mut reports) = looped::start(looped::config(44_100.0, 1, 512));
    live.set_setting(Slot::One, &setting);
    live.reset();
    let output = looped::run(&mut live, &[audio.to_vec()], &[512]).remove(0);
    let delay = live.latency() as usize;
    (output[delay..].to_vec(), looped::drain(&mut reports))
}

#[test]
fn live_they_sound_nearer_too() {
    let audio = &common::demo_mono()[..44_100 * 4];
    let setting = Setting { mode: RateMode::Cbr, codebooks: 6, ..Setting::default() };
    assert_eq!(setting.search, CodeSearch::Latent);
    let (latent, before) = live(audio, setting);
    let by_sound = Setting { search: CodeSearch::Sound, ..setting };
    let (sound, after) = live(audio, by_sound);
    // The last frame may be on its way still.
    assert!(before.len().abs_diff(after.len()) <= 1 && before.len() > 300);
    assert!(before.iter().chain(&after).all(|report| report.bits() == 60));
    assert!(before.iter().all(|report| report.search == CodeSearch::Latent));
    assert!(after.iter().all(|report| report.search == CodeSearch::Sound));
    let [far, near] = [&latent, &sound].map(|output| si_sdr(&audio[..output.len()], output));
    assert!(near > far + 0.2, "{near:.2} dB by the sound, {far:.2} dB by the latent");
    assert_eq!(live(audio, by_sound).0, sound, "a bounce repeats");
    let (refined, reports) = live(audio, Setting { search: CodeSearch::Refined, ..setting });
    assert!(reports.iter().all(|report| report.search == CodeSearch::Refined && report.bits() == 60));
    let nearer = si_sdr(&audio[..refined.len()], &refined);
    assert!(nearer > near + 0.1, "{nearer:.2} dB refined, {near:.2} dB by the sound");
}

/// Two settings that differ in nothing else run side by side, and each has its own codes; a change takes hold while it runs.
#[test]
fn live_it_is_compared_and_switched() {
    let audio = &common::demo_mono()[..44_100 * 10];
    let (mut live, telemetry, mut reports) = looped::start(looped::config(44_100.0, 1, 512));
    let latent = Setting { level: 12.0, ..Setting::default() };
    let sound = Setting { search: CodeSearch::Sound, ..latent };
    live.set_setting(Slot::One, &latent);
    live.set_setting(Slot::Two, &sound);
    live.reset();
    let part = |from: f64, to: f64| -> Vec<Vec<f32>> {
        vec![audio[(from * 44_100.0) as usize..(to * 44_100.0) as usize].to_vec()]
    };
    let mut searches = |live: &mut LiveLoop, part: Vec<Vec<f32>>| -> Vec<CodeSearch> {
        looped::run(live, &part, &[512]);
        looped::drain(&mut reports).iter().map(|report| report.search).collect()
    };
    assert!(searches(&mut live, part(0.0, 2.0)).iter().all(|&search| search == CodeSearch::Latent));
    assert!(telemetry.switches_at_once(), "both run");
    live.select(Slot::Two);
    let heard = searches(&mut live, part(2.0, 4.0));
    assert!(heard[20..].iter().all(|&search| search == CodeSearch::Sound), "{heard:?}");
    live.set_setting(Slot::Two, &latent);
    let heard = searches(&mut live, part(4.0, 6.0));
    assert!(heard[20..].iter().all(|&search| search == CodeSearch::Latent), "{heard:?}");
    // One by the sound and the other refined: one batch serves both.
    live.set_setting(Slot::One, &sound);
    live.set_setting(Slot::Two, &Setting { search: CodeSearch::Refined, ..latent });
    let heard = searches(&mut live, part(6.0, 8.0));
    assert!(heard[20..].iter().all(|&search| search == CodeSearch::Refined), "{heard:?}");
    live.select(Slot::One);
    let heard = searches(&mut live, part(8.0, 10.0));
    assert!(heard[20..].iter().all(|&search| search == CodeSearch::Sound), "{heard:?}");
}
