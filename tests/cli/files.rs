//! Files by the command line as its user runs it: encode, decode, info and import.

use crate::user::{folder, program, text};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

fn run(arguments: &[&str]) -> (Output, String) {
    let output = program(arguments).output().expect("the program starts");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    (output, errors)
}

/// A second and some samples of two swept sines.
fn wav(path: &Path, rate: u32) -> u32 {
    let spec =
        hound::WavSpec { channels: 2, sample_rate: rate, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let length = rate + 77;
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for sample in 0..length {
        let t = f64::from(sample) / f64::from(rate);
        for pitch in [220.0, 330.0] {
            writer.write_sample((8000.0 * (std::f64::consts::TAU * pitch * t * (1.0 + t)).sin()) as i16).unwrap();
        }
    }
    writer.finalize().unwrap();
    length
}

#[test]
fn a_file_comes_back_at_its_length_and_info_counts_it() {
    let folder = folder("cli-file");
    let (input, coded, output) = (folder.join("in.wav"), folder.join("coded.vrvq"), folder.join("out.flac"));
    let length = wav(&input, 48_000);
    let (done, errors) = run(&["encode", text(&input), "-o", text(&coded), "--level", "20"]);
    assert!(done.status.success() && done.stdout.is_empty(), "{errors}");
    let (done, errors) = run(&["decode", text(&coded), "-o", text(&output)]);
    assert!(done.status.success() && done.stdout.is_empty(), "{errors}");
    let mut audio = vrvq::audio::AudioReader::open(&output).unwrap();
    assert_eq!((audio.sample_rate(), audio.channels()), (48_000, 2));
    let mut samples = 0;
    while let Some(planes) = audio.read().unwrap() {
        samples += planes[0].len();
    }
    assert_eq!(samples, length as usize);
    let (done, errors) = run(&["info", "--json", text(&coded)]);
    assert!(done.status.success(), "{errors}");
    let info: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(info["length"], length);
    assert_eq!(info["sample_rate"], 48_000);
    assert_eq!(info["rate"], "level 20.0");
    let histogram: u64 = info["count_histogram"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).sum();
    assert_eq!(histogram, 2 * info["frames"].as_u64().unwrap());
    let (coded_bits, plain) = (info["kilobits_per_second"].as_f64(), info["plain_kilobits_per_second"].as_f64());
    assert!(coded_bits.unwrap() > 1.0 && coded_bits < plain, "{coded_bits:?} {plain:?}");
}

#[test]
fn pipes_give_what_files_give() {
    let folder = folder("cli-pipe");
    let (input, coded) = (folder.join("in.wav"), folder.join("coded.vrvq"));
    wav(&input, 44_100);
    let (done, errors) = run(&["encode", text(&input), "-o", text(&coded), "-c", "3"]);
    assert!(done.status.success(), "{errors}");
    let through = |arguments: &[&str], bytes: &[u8]| {
        let mut child = program(arguments);
        child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = child.spawn().unwrap();
        let (mut stdin, bytes) = (child.stdin.take().unwrap(), bytes.to_vec());
        let feeder = std::thread::spawn(move || stdin.write_all(&bytes));
        let output = child.wait_with_output().unwrap();
        feeder.join().unwrap().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    let piped = through(&["encode", "-", "-o", "-", "-c", "3"], &std::fs::read(&input).unwrap());
    assert!(piped.starts_with(&std::fs::read(&coded).unwrap()[..4]));
    let sound = through(&["decode", "-", "-o", "-"], &piped);
    let (done, errors) = run(&["decode", text(&coded), "-o", "-"]);
    assert!(done.status.success(), "{errors}");
    let data = |wav: &[u8]| wav[wav.len() - 40_000..].to_vec();
    assert_eq!(data(&sound), data(&done.stdout));
}

#[test]
fn folders_resume_and_name_what_fails() {
    let folder = folder("cli-folder");
    let (from, to) = (folder.join("from"), folder.join("to"));
    std::fs::create_dir_all(from.join("below")).unwrap();
    wav(&from.join("a.wav"), 22_050);
    wav(&from.join("below/b.wav"), 22_050);
    let arguments = ["encode", text(&from), "-o", text(&to), "--jobs", "2"];
    let (done, errors) = run(&arguments);
    assert!(done.status.success(), "{errors}");
    let (a, b) = (to.join("a.vrvq"), to.join("below/b.vrvq"));
    let first = std::fs::metadata(&b).unwrap().modified().unwrap();
    // What is missing is made, what is finished stays.
    std::fs::remove_file(&a).unwrap();
    let (done, errors) = run(&arguments);
    assert!(done.status.success() && a.exists(), "{errors}");
    assert_eq!(std::fs::metadata(&b).unwrap().modified().unwrap(), first);
    // Other settings don't replace what is there unless they are told to.
    for other in [["--level", "4"], ["--search", "latent"], ["--search", "refined"]] {
        let (done, errors) = run(&[&arguments[..], &other].concat());
        assert_eq!(done.status.code(), Some(1));
        assert!(errors.contains("other settings") && errors.contains("--force"), "{errors}");
    }
    let (done, errors) = run(&[&arguments[..], &["--search", "sound"]].concat());
    assert!(done.status.success(), "it is what was made: {errors}");
    // What the header doesn't tell is known again too.
    let kbps = [&arguments[..], &["--kbps", "4"]].concat();
    let (done, errors) = run(&[&kbps[..], &["--force"]].concat());
    assert!(done.status.success(), "{errors}");
    let (done, errors) = run(&kbps);
    assert!(done.status.success(), "it is what was made: {errors}");
    let (done, _) = run(&[&arguments[..], &["--kbps", "5"]].concat());
    assert_eq!(done.status.code(), Some(1));
    let refined = [&arguments[..], &["--search", "refined"]].concat();
    let (done, errors) = run(&[&refined[..], &["--force"]].concat());
    assert!(done.status.success(), "{errors}");
    let (done, errors) = run(&refined);
    assert!(done.status.success(), "it is what was made: {errors}");
    let (done, _) = run(&["info", text(&a)]);
    let told = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(told.contains("--search refined"), "{told}");
    std::fs::write(from.join("c.wav"), "no audio").unwrap();
    let (done, errors) = run(&refined);
    assert_eq!(done.status.code(), Some(1));
    assert!(errors.contains("c.wav"), "{errors}");
    assert!(!to.join("c.vrvq").exists());
    let left: Vec<_> = std::fs::read_dir(&to).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn damage_is_told_and_counts_as_failed() {
    let folder = folder("cli-damage");
    let (input, coded) = (folder.join("in.wav"), folder.join("coded.vrvq"));
    wav(&input, 44_100);
    let (done, errors) = run(&["encode", text(&input), "-o", text(&coded)]);
    assert!(done.status.success(), "{errors}");
    let mut bytes = std::fs::read(&coded).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    std::fs::write(&coded, bytes).unwrap();
    let (done, errors) = run(&["decode", text(&coded), "-o", text(&folder.join("out.wav"))]);
    assert_eq!(done.status.code(), Some(1));
    assert!(errors.contains("damaged") && folder.join("out.wav").exists(), "{errors}");
    let (done, errors) = run(&["decode", text(&input), "-o", text(&folder.join("no.wav"))]);
    assert_eq!(done.status.code(), Some(1));
    assert!(errors.contains("no .vrvq file") && !folder.join("no.wav").exists(), "{errors}");
}

#[test]
fn an_imported_checkpoint_is_used_like_the_bundled_model() {
    let folder = folder("cli-import");
    let checkpoints = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/checkpoints");
    let import = |file: &str| {
        let path = checkpoints.join(file);
        program(&["import", text(&path), "--name", "tiny"]).env("XDG_DATA_HOME", &folder).output().unwrap()
    };
    let done = import("dac-24k.pth");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let model = PathBuf::from(String::from_utf8(done.stdout).unwrap().trim_end());
    if cfg!(target_os = "linux") {
        assert!(model.starts_with(&folder), "{}", model.display());
    }
    let (input, coded, output) = (folder.join("in.wav"), folder.join("coded.vrvq"), folder.join("out.wav"));
    let length = wav(&input, 24_000);
    // By its name too, and what it can't do is refused: it has no importance map.
    let named = |arguments: &[&str]| {
        let all = [&["encode", text(&input), "-o", text(&coded), "--force", "--model", "Tiny"], arguments].concat();
        let done = program(&all).env("XDG_DATA_HOME", &folder).output().unwrap();
        (done.status.code(), String::from_utf8_lossy(&done.stderr).into_owned())
    };
    if cfg!(target_os = "linux") {
        for variable in [["--level", "8"], ["--kbps", "3"]] {
            let (code, errors) = named(&variable);
            assert!(code == Some(1) && errors.contains("tiny has no importance map"), "{errors}");
        }
        for search in ["sound", "refined"] {
            let (code, errors) = named(&["--search", search]);
            assert!(code == Some(1) && errors.contains("tiny can't choose codes by their sound"), "{errors}");
        }
        let (code, errors) = named(&[]);
        assert!(code == Some(0), "{errors}");
        std::fs::remove_file(&coded).unwrap();
    }
    let (done, errors) = run(&["encode", text(&input), "-o", text(&coded), "-c", "5", "--model", text(&model)]);
    assert!(done.status.success(), "{errors}");
    let (done, errors) = run(&["decode", text(&coded), "-o", text(&output), "--model", text(&model)]);
    assert!(done.status.success(), "{errors}");
    assert_eq!(hound::WavReader::open(&output).unwrap().duration(), length);
    // Without a model named, the file's own is found, and where it isn't there, the file tells which one it was.
    let own = |data: &Path| {
        let again = folder.join("again.wav");
        let arguments = ["decode", text(&coded), "-o", text(&again), "--force"];
        let done = program(&arguments).env("XDG_DATA_HOME", data).output().unwrap();
        let told = program(&["info", text(&coded), "--json"]).env("XDG_DATA_HOME", data).output().unwrap();
        let told: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
        (done.status.code(), String::from_utf8(done.stderr).unwrap(), told["model"]["at_hand"].clone(), again)
    };
    if cfg!(target_os = "linux") {
        let (code, errors, at_hand, again) = own(&folder);
        assert_eq!((code, at_hand), (Some(0), true.into()), "{errors}");
        assert!(std::fs::read(again).unwrap() == std::fs::read(&output).unwrap());
    }
    // Elsewhere it lies in the user's own folder, and doesn't stay there.
    std::fs::remove_file(&model).unwrap();
    let (code, errors, at_hand, _) = own(&folder);
    assert_eq!((code, at_hand), (Some(1), false.into()));
    assert!(errors.contains("tiny") && errors.contains("--model"), "{errors}");
    let asked = run(&["decode", text(&coded), "-o", text(&folder.join("no.wav")), "--model", "Nothing"]);
    assert_eq!(asked.0.status.code(), Some(1));
    let done = import("dac-24k.json");
    assert_eq!(done.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&done.stderr).contains("dac-24k.json"));
}

/// Less delay than the model looks ahead: what it costs is measured, stated and kept.
#[test]
fn a_shorter_delay_is_measured_and_made() {
    let folder = folder("cli-delays");
    let checkpoint = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/checkpoints/vrvq-44k.pth");
    let run = |arguments: &[&str]| {
        let done = program(arguments).env("XDG_DATA_HOME", &folder).output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        (done.status.code(), out.into_owned(), err.into_owned())
    };
    let (code, out, err) = run(&["delays", text(&checkpoint), "--duration", "0.5", "--json"]);
    assert_eq!(code, Some(0), "{err}");
    let rows: serde_json::Value = serde_json::from_str(&out).unwrap();
    let rows = rows.as_array().unwrap();
    let of = |row: usize, value: &str| rows[row][value].as_f64().unwrap();
    let last = rows.len() - 1;
    assert!(last >= 8 && of(0, "codes_differing") == 0.0 && of(0, "samples") == 10_026.0, "{out}");
    assert!(of(last, "hops") <= 3.0 && of(last, "codes_differing") > 0.2, "{out}");
    assert!(of(last, "si_sdr_db") < of(0, "si_sdr_db"));
    let (code, out, err) = run(&["import", text(&checkpoint), "--delay", "6", "--name", "quick"]);
    assert_eq!(code, Some(0), "{err}");
    let card = vrvq::model::ModelCard::open(Path::new(out.trim_end())).unwrap();
    assert!(card.delay() <= 6 * card.hop && card.name == "quick");
    assert!(card.reduced.is_some_and(|reduced| reduced.codes_differing > 0.0), "{card:?}");
    let (code, _, err) = run(&["import", text(&checkpoint), "--delay", "1"]);
    assert!(code == Some(1) && err.contains("can't be shorter than"), "{err}");
}
