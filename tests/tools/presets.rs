//! Presets: those of the program, and those of a user as files.

use std::collections::HashSet;
use std::path::PathBuf;
use vrvq::codec::{Loss, RateMode};
use vrvq::engine::{Setting, StereoMode};
use vrvq::preset::{Folder, PresetError, factory};

struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("vrvq-presets-{name}-{}", std::process::id())))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_factory_presets_are_all_different_and_within_the_limits() {
    let names: HashSet<&str> = factory().iter().map(|preset| preset.name).collect();
    assert_eq!(names.len(), factory().len());
    for (index, preset) in factory().iter().enumerate() {
        assert_eq!(preset.setting, preset.setting.clamped(), "{}", preset.name);
        assert!(factory()[..index].iter().all(|other| other.setting != preset.setting), "{}", preset.name);
    }
}

#[test]
fn presets_are_kept_replaced_and_deleted() {
    let temporary = Temporary::new("keep");
    let folder = Folder::new(&temporary.0);
    assert!(folder.load().0.is_empty() && folder.load().1.is_empty(), "no folder, no presets, no complaint");
    let setting = Setting {
        mode: RateMode::Abr,
        stereo: StereoMode::Mono,
        loss: Loss { percent: 12.5, burst: 4, seed: 77 },
        ..Setting::default()
    };
    let path = folder.save("  My  narrow band: 1/2 ", &setting).unwrap();
    assert_eq!(path.file_name().unwrap(), "my-narrow-band-1-2.json");
    // Another name that would make the same file name is another preset.
    let other = folder.save("my narrow band 1-2", &Setting::default()).unwrap();
    assert_ne!(path, other);
    let (presets, errors) = folder.load();
    assert!(errors.is_empty());
    let named: Vec<(&str, Setting)> = presets.iter().map(|p| (p.name.as_str(), p.setting)).collect();
    assert_eq!(named, [("my narrow band 1-2", Setting::default()), ("My narrow band: 1/2", setting)]);

    let louder = Setting { level: 40.0, ..setting };
    assert_eq!(folder.save("My narrow band: 1/2", &louder).unwrap(), path, "the same name is the same preset");
    assert_eq!(folder.load().0[1].setting, louder);
    folder.remove("my narrow band 1-2").unwrap();
    folder.remove("never there").unwrap();
    assert_eq!(folder.load().0.len(), 1);
    assert!(matches!(folder.save("  ", &setting), Err(PresetError::Name)));
    assert!(folder.save("\u{1f3b5} \u{1f3b6}", &setting).unwrap().ends_with("preset.json"));
}

#[test]
fn a_bad_file_is_named_and_passed_over() {
    let temporary = Temporary::new("bad");
    let folder = Folder::new(&temporary.0);
    folder.save("good", &Setting::default()).unwrap();
    let good = std::fs::read_to_string(temporary.0.join("good.json")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(temporary.0.join(name), text).unwrap();
    write("empty.json", "");
    write("other.json", "{\"kind\": \"shopping list\", \"version\": 1}");
    write("later.json", &good.replace("\"version\": 1", "\"version\": 2"));
    write("short.json", &good.replace("\"codebooks\": 4,", ""));
    write("far.json", &good.replace("16.0", "1e9").replace("\"name\": \"good\"", "\"name\": \"far\""));
    write("notes.txt", "not a preset, and not asked");
    write("huge.json", &" ".repeat(1 << 17));
    let (presets, errors) = folder.load();
    assert_eq!(presets.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(), ["far", "good"]);
    assert_eq!(presets[0].setting.level, 48.0, "a number outside its range is held at the end");
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    for (file, why) in [
        ("empty.json", "EOF"),
        ("huge.json", "131072 bytes"),
        ("later.json", "version is 2"),
        ("other.json", "kind"),
        ("short.json", "codebooks"),
    ] {
        assert!(errors.iter().any(|error| error.contains(file) && error.contains(why)), "{file}: {errors:?}");
    }
    assert_eq!(errors.len(), 5);
    assert!(temporary.0.join("later.json").exists(), "what isn't understood stays");
    // A folder that can't be.
    let file = Folder::new(temporary.0.join("good.json"));
    let error = file.save("x", &Setting::default()).unwrap_err().to_string();
    assert!(error.contains("can't be written") && error.contains("good.json"), "{error}");
}
