//! The command line as its user runs it: figures, comparison, manual, messages and exit codes.

use crate::user::folder;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn run(arguments: &[&str], environment: &[(&str, &str)]) -> (Output, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vrvq"));
    command.env("VRVQ_ONNXRUNTIME", "builtin").args(arguments).envs(environment.iter().copied());
    let output = command.output().expect("the program starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    (output, out, err)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Two short coded clips as a folder of audio.
fn clips(folder: &Path) -> PathBuf {
    let clips = folder.join("clips");
    std::fs::create_dir_all(clips.join("below")).unwrap();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    std::fs::copy(data.join("clip.mp3"), clips.join("a.mp3")).unwrap();
    std::fs::copy(data.join("clip.opus"), clips.join("below/b.opus")).unwrap();
    std::fs::write(clips.join("notes.txt"), "no audio").unwrap();
    clips
}

#[test]
fn figures_are_drawn_and_their_table_is_data() {
    let folder = folder("cli-figures");
    let clips = clips(&folder);
    let file = clips.join("a.mp3");
    for name in ["usage.png", "usage.svg"] {
        let path = folder.join(name);
        let (output, out, err) = run(&["figure", "usage", text(&file), "-o", text(&path)], &[]);
        assert!(output.status.success() && out.is_empty() && err.is_empty(), "{out}{err}");
        let bytes = std::fs::read(&path).unwrap();
        let head: &[u8] = if name.ends_with("png") { b"\x89PNG" } else { b"<svg" };
        assert!(bytes.starts_with(head) && (10_000..2_000_000).contains(&bytes.len()), "{name}: {}", bytes.len());
    }
    let svg = std::fs::read_to_string(folder.join("usage.svg")).unwrap();
    assert!(svg.contains("l = 26") && svg.contains("Time, s") && svg.contains("data:image/png;base64,"));
    let path = folder.join("rd.svg");
    let levels = ["figure", "rd", text(&clips), "-o", text(&path), "--levels", "4,16", "--json"];
    let (output, out, err) = run(&levels, &[]);
    assert!(output.status.success() && err.is_empty(), "{out}{err}");
    let rows: serde_json::Value = serde_json::from_str(&out).unwrap();
    let rows = rows.as_array().unwrap();
    assert_eq!(rows.len(), 2 + 8);
    assert!(rows.iter().all(|row| row["files"] == 2), "{out}");
    // More codebooks, more bits and less distortion.
    let of = |point: &str, value: &str| rows.iter().find(|row| row["point"] == point).unwrap()[value].as_f64().unwrap();
    assert!((of("n = 8", "kilobits_per_second") / of("n = 1", "kilobits_per_second") - 8.0).abs() < 1e-6);
    assert!(of("n = 8", "si_sdr_db") > of("n = 2", "si_sdr_db") + 1.0);
    assert!(of("n = 8", "log_mel") < of("n = 1", "log_mel"));
    assert!(std::fs::read_to_string(&path).unwrap().contains("SI-SDR, dB"));
}

#[test]
fn what_is_missing_for_a_comparison_is_said_and_the_rest_is_measured() {
    let folder = folder("cli-compare");
    let clips = clips(&folder);
    let picture = folder.join("compare.png");
    let nothing = [("PATH", ""), ("VRVQ_PYTHON", "/no/such/python")];
    let arguments = ["compare", text(&clips), "-o", text(&picture), "--levels", "8,32", "--csv"];
    let (output, out, err) = run(&arguments, &nothing);
    assert!(output.status.success(), "{err}");
    for missing in ["Opus is left out", "Codec2 is left out", "MP3 is left out", "PESQ, ESTOI and ViSQOL are left out"]
    {
        assert!(err.contains(missing), "{missing}: {err}");
    }
    assert!(out.starts_with("codec,point,kilobits_per_second,si_sdr_db"), "{out}");
    assert_eq!(out.lines().count(), 3, "{out}");
    assert!(std::fs::read(&picture).unwrap().starts_with(b"\x89PNG"));
    let (output, _, err) = run(&["compare", text(&clips), "--codecs", "gramophone"], &nothing);
    assert_eq!(output.status.code(), Some(2));
    assert!(err.contains("gramophone"), "{err}");
}

#[test]
fn speed_is_measured() {
    let (output, out, err) = run(&["bench", "--seconds", "2", "--jobs", "1,2", "--json"], &[]);
    assert!(output.status.success() && err.is_empty(), "{err}");
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    let speeds = report["speeds"].as_array().unwrap();
    assert_eq!(speeds.len(), 2);
    assert!(
        speeds
            .iter()
            .all(|speed| ["encode", "encode_by_sound", "decode"].iter().all(|way| speed[way].as_f64() > Some(0.0)))
    );
}

#[test]
fn completions_and_manual_pages_know_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let (output, out, _) = run(&["completions", shell], &[]);
        assert!(output.status.success() && out.contains("compare") && out.contains("figure"), "{shell}: {out}");
    }
    let folder = folder("cli-man");
    let (output, out, err) = run(&["man", text(&folder.join("man1"))], &[]);
    assert!(output.status.success() && out.is_empty(), "{err}");
    for page in ["vrvq.1", "vrvq-figure-usage.1", "vrvq-compare.1", "vrvq-bench.1"] {
        let page = std::fs::read_to_string(folder.join("man1").join(page)).unwrap_or_else(|e| panic!("{page}: {e}"));
        assert!(page.contains(".TH"), "{page}");
    }
}

#[test]
fn what_cannot_be_is_named_with_an_exit_code() {
    let folder = folder("cli-errors");
    let clips = clips(&folder);
    let (file, png, gif) = (clips.join("a.mp3"), folder.join("x.png"), folder.join("x.gif"));
    let (notes, absent) = (clips.join("notes.txt"), folder.join("absent.wav"));
    let empty = folder.join("empty");
    std::fs::create_dir(&empty).unwrap();
    let usage = ["figure", "usage"];
    let cases: [(&[&str], i32, &str); 8] = [
        (&[text(&notes), "-o", text(&png)], 1, "notes.txt"),
        (&[text(&absent), "-o", text(&png)], 1, "absent.wav"),
        (&[text(&file), "-o", text(&gif)], 1, "x.gif"),
        (&[text(&file), "-o", text(&png), "--device", "cuda"], 1, "cuda"),
        (&[text(&file), "-o", text(&png), "--model", text(&notes)], 1, "notes.txt"),
        (&[text(&file), "-o", text(&png), "--levels", "99"], 2, "levels"),
        (&[text(&file), "-o", "/no-such-folder/x.png"], 1, "/no-such-folder/x.png"),
        (&[text(&file)], 2, "--output"),
    ];
    for (arguments, code, named) in cases {
        let (output, out, err) = run(&[&usage[..], arguments].concat(), &[]);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {err}");
        assert!(out.is_empty() && err.contains(named) && !err.contains("panicked"), "{arguments:?}: {out}{err}");
    }
    let coded = folder.join("x.vrvq");
    for arguments in [["encode", text(&file), text(&coded)], ["decode", text(&coded), text(&absent)]] {
        let (output, _, err) = run(&arguments, &[]);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {err}");
        assert!(err.contains(&format!("{} would be read", arguments[2])) && err.contains("--output"), "{err}");
    }
    let (output, _, err) = run(&["figure", "rd", text(&empty), "-o", text(&png)], &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(err.contains("holds no"), "{err}");
    assert!(!png.exists());
}

#[test]
fn devices_are_told_and_one_that_is_not_there_is_refused() {
    let (output, out, err) = run(&["devices"], &[]);
    assert!(output.status.success(), "{err}");
    assert!(out.contains("inference by built-in (tract)") && out.contains("cores"), "{out}");
    // The built-in runtime has no GPU, whatever the machine has, and nothing falls back without a word.
    assert!(out.contains("cuda:0 can't be used") && out.contains("cargo xtask runtime --gpu"), "{out}");
    for arguments in [&["bench", "--device", "cuda:3"][..], &["--headless", "--device", "cuda:3"]] {
        let (output, out, err) = run(arguments, &[]);
        assert_eq!(output.status.code(), Some(1), "{out}{err}");
        assert!(err.contains("cuda:3 can't be used") && err.contains("processor only"), "{err}");
    }
    let (output, _, err) = run(&["bench", "--device", "cpu:2"], &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(err.contains("CPU, 2 threads can't be used") && err.contains("has one thread"), "{err}");
    let (output, _, err) = run(&["bench", "--device", "gpu"], &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(err.contains("cuda:N"), "{err}");
}
