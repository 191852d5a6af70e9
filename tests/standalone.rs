//! The app as its user starts it, without a window: what it writes, what it says, how it ends.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
#[cfg(unix)]
use std::time::{Duration, Instant};

const RATE: u32 = 48_000;

/// The loop runs in real time: one at a time, or a small machine makes late frames.
fn one_at_a_time() -> MutexGuard<'static, ()> {
    static LOCK: Mutex<()> = Mutex::new(());
    LOCK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A folder of its own for each test, emptied.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    folder
}

fn vrvq() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vrvq"));
    command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY").env_remove("WAYLAND_SOCKET");
    command
}

fn run(command: &mut Command) -> (Output, String, String) {
    let output = command.output().expect("the app starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    (output, out, err)
}

/// A falling chord, `seconds` long.
fn signal(seconds: f64) -> Vec<f32> {
    (0..(seconds * f64::from(RATE)) as usize)
        .map(|i| {
            let t = i as f64 / f64::from(RATE);
            let turn = std::f64::consts::TAU * (220.0 * t - 12.0 * t * t);
            let tones: f64 = (1..=8).map(|k| (turn * f64::from(k)).sin() / f64::from(k)).sum();
            (0.25 * tones * (0.7 + 0.3 * (t * 9.0).sin())) as f32
        })
        .collect()
}

fn write_wav(path: &Path, samples: &[f32]) {
    let sample_format = hound::SampleFormat::Float;
    let spec = hound::WavSpec { channels: 1, sample_rate: RATE, bits_per_sample: 32, sample_format };
    let mut wav = hound::WavWriter::create(path, spec).expect("a WAV file");
    samples.iter().for_each(|sample| wav.write_sample(*sample).expect("a sample"));
    wav.finalize().expect("a WAV file");
}

fn read_wav(path: &Path) -> (hound::WavSpec, Vec<f32>) {
    let mut wav = hound::WavReader::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let spec = wav.spec();
    (spec, wav.samples().collect::<Result<_, _>>().expect("samples"))
}

/// Normalized correlation of two signals, the second one `lag` samples later.
fn likeness(a: &[f32], b: &[f32], lag: i64) -> f64 {
    let range = 2000..a.len() - 2000;
    let (mut product, mut of_a, mut of_b) = (0.0, 1e-12, 1e-12);
    for i in range {
        let (x, y) = (f64::from(a[i]), f64::from(b[(i as i64 + lag) as usize]));
        product += x * y;
        of_a += x * x;
        of_b += y * y;
    }
    product / (of_a * of_b).sqrt()
}

#[test]
fn a_file_is_decoded_to_a_wav_of_the_same_length_in_line_with_it() {
    let _one = one_at_a_time();
    let folder = folder("headless");
    let file = folder.join("chord.wav");
    let input = signal(3.0);
    write_wav(&file, &input);
    let mut command = vrvq();
    command.arg("--headless").arg("--file").arg(&file).arg("--out").arg(folder.join("out"));
    command.arg("--record").arg(folder.join("take.vrvq"));
    let (output, out, err) = run(command.args(["--level", "24", "--safety", "3"]));
    assert!(output.status.success(), "{out}{err}");
    let wav = folder.join("out").join("chord-decoded.wav");
    assert!(out.contains(&wav.display().to_string()), "the file isn't named: {out}");
    assert!(out.contains("kb/s") && out.contains("latency") && out.contains("late"), "{out}");
    let (spec, decoded) = read_wav(&wav);
    assert_eq!((spec.channels, spec.sample_rate), (1, RATE));
    assert_eq!(decoded.len(), input.len());
    let (lag, best) = (-300..=300)
        .map(|lag| (lag, likeness(&input, &decoded, lag)))
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .expect("lags");
    assert!(best > 0.6, "what is written isn't what was played: {best} at {lag}");
    assert!(lag.abs() <= 1, "{lag} samples off");
    // The recording begins and ends with the file, and holds the same sound in line with it.
    assert!(out.contains("Recorded 3.0 s"), "{out}");
    let (_, recorded) = read_wav(&folder.join("take.wav"));
    assert_eq!(recorded.len(), input.len());
    let alike = likeness(&decoded, &recorded, 0);
    // A busy machine may have played a frame too late, which is recorded all the same.
    assert!(alike > 0.95, "{alike}");
    let (done, _, err) =
        run(vrvq().arg("decode").arg(folder.join("take.vrvq")).arg("-o").arg(folder.join("again.wav")));
    assert!(done.status.success(), "{err}");
    let again = hound::WavReader::open(folder.join("again.wav")).expect("a WAV file");
    assert_eq!(again.duration() as usize, input.len());
    let picture = std::fs::read(folder.join("out/chord-decoded.png")).expect("the picture is written");
    assert!(picture.starts_with(b"\x89PNG"));
}

/// Other systems always have one.
#[cfg(target_os = "linux")]
#[test]
fn without_a_display_it_says_so_and_runs_the_bundled_clip() {
    let _one = one_at_a_time();
    let folder = folder("no-display");
    let (output, out, err) = run(vrvq().args(["--duration", "1.5", "--out"]).arg(&folder));
    assert!(output.status.success(), "{out}{err}");
    assert!(out.contains("no display"), "{out}");
    let (spec, samples) = read_wav(&folder.join("demo-decoded.wav"));
    let frames = f64::from(spec.sample_rate) * 1.5;
    assert_eq!(samples.len(), frames as usize * usize::from(spec.channels));
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_cleanly_and_keeps_what_there_is() {
    let _one = one_at_a_time();
    let folder = folder("interrupt");
    let mut command = vrvq();
    command.args(["--headless", "--duration", "600", "--out"]).arg(&folder).stdout(Stdio::piped());
    let mut child: Child = command.spawn().expect("the app starts");
    let wav = folder.join("demo-decoded.wav");
    let started = Instant::now();
    while std::fs::metadata(&wav).map_or(0, |data| data.len()) < 200_000 {
        assert!(started.elapsed() < Duration::from_secs(60), "nothing is written");
        std::thread::sleep(Duration::from_millis(50));
    }
    // SAFETY: the child has not been waited for, so the number is still its own.
    assert_eq!(unsafe { libc::kill(child.id() as i32, libc::SIGINT) }, 0);
    let status = child.wait().expect("the app ends");
    assert!(status.success(), "{status}");
    assert!(read_wav(&wav).1.len() > 10_000);
}

#[test]
fn a_reader_that_goes_away_stops_nothing() {
    let _one = one_at_a_time();
    let folder = folder("reader");
    let mut command = vrvq();
    command.args(["--headless", "--duration", "2.5", "--out"]).arg(&folder).stdout(Stdio::piped());
    let mut child: Child = command.spawn().expect("the app starts");
    drop(child.stdout.take());
    assert!(child.wait().expect("the app ends").success());
    let (spec, samples) = read_wav(&folder.join("demo-decoded.wav"));
    assert_eq!(samples.len(), (2.5 * f64::from(spec.sample_rate)) as usize * usize::from(spec.channels));
}

#[test]
fn bad_files_are_named_with_the_reason() {
    let folder = folder("bad-files");
    let garbage = folder.join("garbage.wav");
    std::fs::write(&garbage, b"this is no audio at all").expect("a file");
    let truncated = folder.join("header-only.wav");
    write_wav(&truncated, &[]);
    // What the system says, in its own words.
    let [absent, directory] = if cfg!(unix) { ["No such file", "directory"] } else { ["os error 2", "os error"] };
    for (path, reason) in [
        (garbage, "WAV nor FLAC"),
        (truncated, "no audio"),
        (folder.join("absent.flac"), absent),
        (folder.clone(), directory),
    ] {
        let (output, out, err) = run(vrvq().arg("--headless").arg("--out").arg(&folder).arg("--file").arg(&path));
        assert_eq!(output.status.code(), Some(1), "{out}{err}");
        assert!(err.contains(&path.display().to_string()), "{err}");
        assert!(err.contains(reason), "{reason}: {err}");
        assert!(!err.contains("panicked"), "{err}");
    }
    let (output, _, err) = run(vrvq().arg("encoed"));
    assert_eq!(output.status.code(), Some(1));
    assert!(err.contains("encoed") && err.contains("nor is it a command"), "{err}");
}

#[test]
fn what_cannot_be_used_is_named() {
    let folder = folder("unusable");
    let model = folder.join("broken.vrvqmodel");
    std::fs::write(&model, b"not a model").expect("a file");
    let file = folder.join("file");
    std::fs::write(&file, b"").expect("a file");
    let below = Path::new("file").join("below").display().to_string();
    let cases: [(&[&str], &str); 3] = [
        (&["--no-window", "--output-device", "a device nobody has"], "a device nobody has"),
        (&["--headless", "--model", &model.display().to_string()], "model"),
        (&["--headless", "--out", &file.join("below").display().to_string()], &below),
    ];
    for (flags, named) in cases {
        let (output, out, err) = run(vrvq().args(flags));
        assert_eq!(output.status.code(), Some(1), "{flags:?}: {out}{err}");
        assert!(err.contains(named), "{flags:?}: {err}");
        assert!(!err.contains("panicked") && !err.contains("ALSA lib"), "{err}");
    }
}

#[test]
fn flags_are_checked_and_devices_are_listed() {
    for flags in [&["--level", "0.5"][..], &["--safety", "99"], &["--headless", "--no-window"], &["--what"]] {
        assert_eq!(run(vrvq().args(flags)).0.status.code(), Some(2), "{flags:?}");
    }
    let (output, out, err) = run(vrvq().arg("devices"));
    assert!(output.status.success(), "{err}");
    assert!(out.contains("output devices") || out.contains("not available"), "{out}");
}
