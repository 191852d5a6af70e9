//! How commands end that are interrupted, or that nobody reads any more; and playing, with and without a device.
#![cfg(unix)]

use crate::user::{folder, program, text};
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The program without a terminal.
fn piped(arguments: &[&str]) -> Command {
    let mut command = program(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Two swept sines of so many seconds.
fn wav(path: &Path, seconds: u32) {
    let sample_format = hound::SampleFormat::Int;
    let spec = hound::WavSpec { channels: 1, sample_rate: 44_100, bits_per_sample: 16, sample_format };
    let mut writer = hound::WavWriter::create(path, spec).unwrap();
    for sample in 0..seconds * 44_100 {
        let t = f64::from(sample) / 44_100.0;
        writer.write_sample((8000.0 * (std::f64::consts::TAU * 220.0 * t * (1.0 + 0.01 * t)).sin()) as i16).unwrap();
    }
    writer.finalize().unwrap();
}

fn names(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

fn wait(child: Child) -> (Option<i32>, Option<i32>, String) {
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), output.status.signal(), errors)
}

/// Interrupted in the middle of a long file: exit code 130, and neither half a file nor a temporary one is left.
#[test]
fn an_interruption_leaves_no_half_file() {
    let folder = folder("cli-interrupt");
    let (input, out) = (folder.join("in.wav"), folder.join("out"));
    let coded = out.join("coded.vrvq");
    wav(&input, 600);
    std::fs::create_dir(&out).unwrap();
    for signal in [libc::SIGINT, libc::SIGTERM] {
        let arguments = ["encode", text(&input), "-o", text(&coded)];
        let child = piped(&arguments).spawn().unwrap();
        let patience = Instant::now();
        // The temporary file says that encoding has begun.
        while names(&out).is_empty() {
            assert!(patience.elapsed() < Duration::from_secs(60), "nothing is written");
            std::thread::sleep(Duration::from_millis(20));
        }
        // SAFETY: the child has not been waited for, so the number is still its own.
        assert_eq!(unsafe { libc::kill(child.id() as i32, signal) }, 0);
        let (code, killed, errors) = wait(child);
        assert_eq!((code, killed), (Some(130), None), "{errors}");
        assert!(errors.contains("interrupted"), "{errors}");
        assert!(names(&out).is_empty(), "{:?}", names(&out));
    }
}

/// Whoever reads standard output goes away: exit code 141, as a shell tells of SIGPIPE, and no word about it.
#[test]
fn a_reader_that_goes_away_ends_the_command_quietly() {
    let folder = folder("cli-pipe-end");
    let (input, coded) = (folder.join("in.wav"), folder.join("coded.vrvq"));
    wav(&input, 20);
    let arguments = ["encode", text(&input), "-o", text(&coded)];
    let (code, _, errors) = wait(piped(&arguments).spawn().unwrap());
    assert_eq!(code, Some(0), "{errors}");
    for arguments in [["decode", text(&coded), "-o", "-"], ["encode", text(&input), "-o", "-"]] {
        let mut child = piped(&arguments).spawn().unwrap();
        let mut out = child.stdout.take().unwrap();
        out.read_exact(&mut [0; 8]).unwrap();
        drop(out);
        let (code, killed, errors) = wait(child);
        // What fits into the pipe may have been written before.
        assert!(matches!((code, killed), (Some(141) | Some(0), None)), "{code:?} {killed:?} {errors}");
        assert!(errors.is_empty(), "{errors}");
        if arguments[0] == "decode" {
            assert_eq!(code, Some(141), "a megabyte went into a pipe that nobody reads");
        }
    }
}

#[test]
fn a_bitrate_that_is_asked_for_is_met() {
    let folder = folder("cli-kbps");
    let (input, coded) = (folder.join("in.flac"), folder.join("coded.vrvq"));
    std::fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/demo.flac"), &input).unwrap();
    for wanted in [3.0, 7.0] {
        let kbps = wanted.to_string();
        let arguments = ["encode", text(&input), "-o", text(&coded), "--kbps", &kbps, "--force"];
        let (code, _, errors) = wait(piped(&arguments).spawn().unwrap());
        assert_eq!(code, Some(0), "{errors}");
        let output = piped(&["info", "--json", text(&coded)]).output().unwrap();
        let info: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let measured = info["kilobits_per_second"].as_f64().unwrap();
        assert!((measured / wanted - 1.0).abs() < 0.03, "{measured} kb/s instead of {wanted}");
        let [counts, plain] =
            ["count_kilobits_per_second", "plain_count_kilobits_per_second"].map(|n| info[n].as_f64());
        assert!(counts.unwrap() > 0.0 && counts < plain, "{counts:?} {plain:?}");
    }
}

#[test]
fn what_cannot_be_played_is_named() {
    let folder = folder("cli-play");
    let (input, coded) = (folder.join("in.wav"), folder.join("coded.vrvq"));
    wav(&input, 1);
    let (code, _, errors) = wait(piped(&["encode", text(&input), "-o", text(&coded)]).spawn().unwrap());
    assert_eq!(code, Some(0), "{errors}");
    // Whether or not there is sound here, there is no such device.
    for file in [&input, &coded] {
        let output = piped(&["play", text(file), "--output-device", "no such device"]).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{errors}");
        assert!(errors.contains("device"), "{errors}");
    }
    let output = piped(&["play", text(&folder.join("none.vrvq"))]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("none.vrvq"));
}

/// Through ALSA into a file: what is heard of a `.vrvq` file is what decoding it gives.
#[cfg(target_os = "linux")]
#[test]
fn a_coded_file_is_played_to_its_end() {
    let folder = folder("cli-play-alsa");
    let (input, coded, raw) = (folder.join("in.wav"), folder.join("coded.vrvq"), folder.join("heard.raw"));
    wav(&input, 1);
    let (code, _, errors) = wait(piped(&["encode", text(&input), "-o", text(&coded)]).spawn().unwrap());
    assert_eq!(code, Some(0), "{errors}");
    let configuration = format!(
        "pcm.!default {{\n type file\n slave.pcm null\n file \"{}\"\n format raw\n}}\nctl.!default {{ type hw card 0 }}\n",
        raw.display()
    );
    std::fs::write(folder.join(".asoundrc"), configuration).unwrap();
    let output = piped(&["play", text(&coded), "--host", "system"]).env("HOME", &folder).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0), "{errors}");
    assert!(std::fs::metadata(&raw).unwrap().len() > 44_100, "{errors}");
}
