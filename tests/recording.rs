//! The live stream recorded: what the files hold is what was packed and heard.

mod common;
#[path = "common/looped.rs"]
mod looped;
#[path = "common/models.rs"]
mod models;
#[path = "common/view.rs"]
mod view;

use looped::{config, drain, run, start};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use vrvq::coding::{Decoded, decode};
use vrvq::container::{Part, Reader};
use vrvq::engine::{FrameReport, LiveLoop, LoopConfig, StereoMode, Telemetry};
use vrvq::model::Model;
use vrvq::recording::{RecordError, Recorded, Recorder};

/// Most bytes of a file in this process: where the test of a full disk has it full.
#[cfg(unix)]
const DISK: u64 = 2_000_000;

/// A folder of its own for each test, emptied, on a small disk where the system can have one.
fn folder(name: &str) -> PathBuf {
    #[cfg(unix)]
    small_disk();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("recording").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[cfg(unix)]
fn small_disk() {
    static LIMIT: std::sync::Once = std::sync::Once::new();
    LIMIT.call_once(|| {
        let limit = libc::rlimit { rlim_cur: DISK, rlim_max: DISK };
        // SAFETY: plain calls; what is too large for a file then is an error and no signal.
        unsafe {
            libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
            libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit);
        }
    });
}

/// Samples `from..to` of the clip, over and over.
fn clip(from: usize, to: usize) -> Vec<Vec<f32>> {
    common::demo().map(|channel| channel.iter().copied().cycle().skip(from).take(to - from).collect()).into()
}

fn decoded(recorded: &Recorded, model: &Arc<Model>) -> Decoded {
    decode(model, &std::fs::read(&recorded.vrvq).unwrap()).unwrap()
}

/// Planar samples of the WAV.
fn wav(recorded: &Recorded) -> Vec<Vec<f32>> {
    let mut wav = hound::WavReader::open(&recorded.wav).unwrap();
    let channels = usize::from(wav.spec().channels);
    let samples: Vec<f32> = wav.samples().map(Result::unwrap).collect();
    (0..channels).map(|channel| samples.iter().skip(channel).step_by(channels).copied().collect()).collect()
}

/// The codes of each frame and channel, and the gaps' frames.
fn contents(recorded: &Recorded) -> (Vec<Vec<Vec<u16>>>, Vec<u64>) {
    let mut reader = Reader::open(File::open(&recorded.vrvq).unwrap()).unwrap();
    let (mut codes, mut gaps) = (Vec::new(), Vec::new());
    while let Some(part) = reader.next().unwrap() {
        match part {
            Part::Frames(frames) => {
                for frame in 0..frames.len() {
                    codes.push((0..frames.channels()).map(|channel| frames.codes(frame, channel).to_vec()).collect());
                }
            }
            Part::Gap { frames, .. } => gaps.push(frames),
            Part::Damage(damage) => panic!("{damage}"),
        }
    }
    (codes, gaps)
}

fn codes(report: &FrameReport) -> Vec<Vec<u16>> {
    report.channel_frames().iter().map(|frame| frame.codes[..usize::from(frame.count)].to_vec()).collect()
}

/// The WAV is what decoding the other file gives.
fn assert_alike(recorded: &Recorded) -> Vec<Vec<f32>> {
    assert_alike_by(recorded, &Model::builtin().unwrap())
}

fn assert_alike_by(recorded: &Recorded, model: &Arc<Model>) -> Vec<Vec<f32>> {
    let (wav, decoded) = (wav(recorded), decoded(recorded, model));
    assert!(decoded.damage.is_empty(), "{:?}", decoded.damage);
    assert_eq!(wav.len(), decoded.channels.len());
    for (wav, decoded) in wav.iter().zip(&decoded.channels) {
        assert_eq!(wav.len(), decoded.len());
        let difference = common::largest_difference(wav, decoded);
        assert!(difference < 1e-4, "WAV and decoded file differ by {difference}");
    }
    wav
}

#[test]
fn files_hold_what_was_packed_and_what_was_heard_from_any_frame_on() {
    let folder = folder("packed");
    for (rate, seconds_before) in [(44_100.0, 0.0), (48_000.0, 0.0), (48_000.0, 1.0), (96_000.0, 0.3)] {
        let audio = clip(0, (rate * 1.5) as usize);
        let before = clip(0, (rate * seconds_before) as usize);
        let (mut live, telemetry, mut reports) = start(config(rate, 2, 512));
        let mut recorder = Recorder::new(telemetry, folder.clone());
        let mut output = run(&mut live, &before, &[512]);
        recorder.start_at(&folder.join(format!("{rate}-{seconds_before}.vrvq")), None).unwrap();
        for (output, more) in output.iter_mut().zip(run(&mut live, &audio, &[512, 100])) {
            output.extend(more);
        }
        let recorded = recorder.finish().unwrap().unwrap();
        let wav = assert_alike(&recorded);

        let (written, gaps) = contents(&recorded);
        let packed: Vec<_> = drain(&mut reports).iter().map(codes).collect();
        assert!(gaps.is_empty(), "{gaps:?}");
        // Reports wait for the sound that they are about, so the last few are missing.
        let told = &written[..written.len() - 8];
        assert!(told.len() > 110, "{}", told.len());
        assert!(packed.windows(told.len()).any(|packed| packed == told), "the file has other codes than were packed");

        // What is heard lags by the latency; the codec thread was a few hops behind when the recording began.
        let latency = live.latency() as usize;
        let (at, hop) = (before[0].len(), (rate / 44_100.0 * 512.0) as usize);
        let behind = if at == 0 { 1 } else { 4 * hop };
        let range = at + latency - behind..at + latency + 2;
        let piece = &wav[0][..wav[0].len() - 4 * hop];
        let (lag, likeness) = common::best_lag(piece, &output[0], range);
        assert!(likeness > 0.999, "{rate} Hz: {likeness} at {lag}, latency {latency}");
        let progress = recorded.progress;
        assert_eq!(progress.missing, 0);
        assert!((progress.seconds - wav[0].len() as f64 / rate).abs() < 1e-3);
    }
}

/// A host's reset and a switch of the stereo mode: the file has a gap, and a mode of its own in each block.
#[test]
fn gaps_and_stereo_modes_are_in_the_file() {
    let folder = folder("gaps");
    let (mut live, telemetry, _reports) = start(config(48_000.0, 2, 512));
    let mut recorder = Recorder::new(telemetry, folder.clone());
    recorder.start_at(&folder.join("take.vrvq"), None).unwrap();
    run(&mut live, &clip(0, 30_000), &[512]);
    live.set_stereo(StereoMode::MidSide);
    run(&mut live, &clip(30_000, 60_000), &[512]);
    live.reset();
    live.set_stereo(StereoMode::Mono);
    run(&mut live, &clip(60_000, 90_000), &[512]);
    let recorded = recorder.finish().unwrap().unwrap();
    assert_alike(&recorded);
    let (written, gaps) = contents(&recorded);
    assert_eq!(gaps, [1]);
    assert_eq!(recorded.progress.missing, 1);
    assert!(recorded.to_string().contains("gaps"), "{recorded}");
    assert_eq!((written[0].len(), written.last().unwrap().len()), (2, 1));
}

/// A new loop of the same kind, as a host makes it for another latency, goes on; one of another kind can't.
#[test]
fn a_recording_outlives_the_loop_where_the_sound_stays_the_same() {
    let folder = folder("anew");
    let (telemetry, _reports) = Telemetry::new();
    let mut recorder = Recorder::new(telemetry.clone(), folder.clone());
    assert!(matches!(recorder.start(), Err(RecordError::NoStream)));
    let start = |config| LiveLoop::start(config, Model::builtin().unwrap(), telemetry.clone()).unwrap();
    let mut live = start(config(48_000.0, 2, 512));
    recorder.start_at(&folder.join("take.vrvq"), None).unwrap();
    run(&mut live, &clip(0, 24_000), &[512]);
    drop(live);
    let mut live = start(LoopConfig { safety_hops: 3, ..config(48_000.0, 2, 512) });
    run(&mut live, &clip(24_000, 48_000), &[512]);
    assert!(recorder.poll().is_none());
    drop(live);
    let mut live = start(config(44_100.0, 2, 512));
    run(&mut live, &clip(0, 24_000), &[512]);
    let patience = Instant::now();
    let recorded = loop {
        match recorder.poll() {
            Some(recorded) => break recorded.unwrap(),
            None => assert!(patience.elapsed() < Duration::from_secs(30), "it goes on at another rate"),
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    assert!(recorded.to_string().contains("set up anew"), "{recorded}");
    assert_eq!(contents(&recorded).1, [1]);
    let seconds = assert_alike(&recorded)[0].len() as f64 / 48_000.0;
    assert!((0.9..1.0).contains(&seconds), "{seconds}");
}

/// An imported model, of another rate and a long delay, from the start and from the middle on; another model ends the
/// recording, since a file has one.
#[test]
fn models_are_recorded_each_in_a_file_of_its_own() {
    let folder = folder("models");
    let model = models::open(&models::imported("dac-24k.pth"));
    let (mut live, telemetry, _reports) = looped::start_with(config(48_000.0, 1, 512), model.clone());
    let mut recorder = Recorder::new(telemetry.clone(), folder.clone());
    let audio = &clip(0, 72_000)[..1];
    recorder.start_at(&folder.join("whole.vrvq"), None).unwrap();
    run(&mut live, audio, &[512]);
    let wav = assert_alike_by(&recorder.finish().unwrap().unwrap(), &model);
    assert!(wav[0].iter().any(|sample| sample.abs() > 0.01));
    recorder.start_at(&folder.join("part.vrvq"), None).unwrap();
    run(&mut live, audio, &[512]);
    live.switch().to(Model::builtin().unwrap());
    let patience = Instant::now();
    let recorded = loop {
        run(&mut live, &[audio[0][..4096].to_vec()], &[512]);
        match recorder.poll() {
            Some(recorded) => break recorded.unwrap(),
            None => assert!(patience.elapsed() < Duration::from_secs(60), "another model is recorded into the file"),
        }
    };
    assert!(recorded.to_string().contains("set up anew"), "{recorded}");
    assert_alike_by(&recorded, &model);
}

/// Whoever reads too slowly loses frames, which are counted; the loop goes on.
#[test]
fn a_full_ring_costs_frames_and_not_the_sound() {
    let (mut live, telemetry, mut reports) = start(LoopConfig { offline: false, ..config(44_100.0, 1, 512) });
    let mut tap = telemetry.open_tap(0.1).unwrap();
    let audio = common::demo_mono();
    // One hop at a time, as soon as the last one is told, which the first is with the second: nothing is late.
    live.process(&mut [&mut audio[..512].to_vec()]);
    for hop in 1..41 {
        live.process(&mut [&mut audio[hop * 512..][..512].to_vec()]);
        let patience = Instant::now();
        while reports.receive().is_none() {
            assert!(patience.elapsed() < Duration::from_secs(30), "hop {hop} isn't told");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    // The last one was told just before it comes to the tap.
    std::thread::sleep(Duration::from_millis(100));
    let mut sound = Vec::new();
    let room = std::iter::from_fn(|| tap.receive(&mut sound)).inspect(|frame| assert_eq!(frame.missing, 0)).count();
    assert_eq!(room, (0.1f64 * 44_100.0 / 512.0).ceil() as usize);
    live.process(&mut [&mut audio[41 * 512..][..512].to_vec()]);
    let patience = Instant::now();
    let frame = loop {
        match tap.receive(&mut sound) {
            Some(frame) => break frame,
            None => assert!(patience.elapsed() < Duration::from_secs(30)),
        }
    };
    assert_eq!(frame.missing, 41 - room as u64);
    assert_eq!(sound.len(), 512);
    assert!(!tap.is_over());
    drop(live);
    drop(telemetry);
    assert!(tap.is_over());
}

#[cfg(unix)]
#[test]
fn what_cannot_be_written_is_told_and_the_sound_goes_on() {
    let folder = folder("disk");
    let (mut live, telemetry, _reports) = start(config(48_000.0, 2, 512));
    let mut recorder = Recorder::new(telemetry.clone(), folder.join("file/below"));
    std::fs::write(folder.join("file"), "").unwrap();
    let error = recorder.start().unwrap_err();
    assert!(matches!(error, RecordError::Create { .. }) && error.to_string().contains("below"), "{error}");
    let error = recorder.start_at(&folder.join("file"), None).unwrap_err();
    assert!(matches!(error, RecordError::Create { .. }), "a file that was there is gone");
    assert!(recorder.start_at(&folder.join("take.wav"), None).is_err());

    // The WAV is full after five seconds.
    recorder.start_at(&folder.join("take.vrvq"), None).unwrap();
    let output = run(&mut live, &clip(0, 320_000), &[512]);
    let error = recorder.finish().unwrap().unwrap_err();
    assert!(matches!(error, RecordError::Wav(_)) && error.to_string().contains("take.wav"), "{error}");
    assert!(output[0][310_000..].iter().any(|sample| sample.abs() > 0.01));
    let kept = Recorded {
        vrvq: folder.join("take.vrvq"),
        wav: folder.join("take.wav"),
        progress: Default::default(),
        notes: Vec::new(),
    };
    let decoded = decoded(&kept, &Model::builtin().unwrap());
    assert!(decoded.damage.is_empty() && decoded.channels[0].len() > 200_000, "{}", decoded.channels[0].len());
    assert!(wav(&kept)[0].len() > 200_000);
}

#[test]
fn the_button_records_and_tells_how_long() {
    let mut bench = view::Bench::new(700.0, 450.0);
    let mut live =
        LiveLoop::start(config(44_100.0, 2, 512), Model::builtin().unwrap(), bench.telemetry.clone()).unwrap();
    run(&mut live, &clip(0, 8192), &[512]);
    bench.harness.run_steps(3);
    bench.click("Record");
    run(&mut live, &clip(0, 100_000), &[512]);
    std::thread::sleep(Duration::from_millis(100));
    bench.harness.run_steps(3);
    bench.click("Stop recording");
    let patience = Instant::now();
    while !bench.shows("Recorded") {
        assert!(patience.elapsed() < Duration::from_secs(30), "no note tells of the recording");
        std::thread::sleep(Duration::from_millis(5));
        bench.harness.run_steps(1);
    }
    let files = std::fs::read_dir(bench.presets.join("recordings")).unwrap();
    let mut endings: Vec<_> = files.map(|file| file.unwrap().path().extension().unwrap().to_owned()).collect();
    endings.sort();
    assert_eq!(endings, ["vrvq", "wav"]);
}
