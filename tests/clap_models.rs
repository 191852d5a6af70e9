//! Models in the CLAP plug-in, in a host nobody here wrote (clack-host): saved with the session, changed while audio
//! runs, missing.

mod common;
#[path = "common/clap.rs"]
mod host;
#[path = "common/models.rs"]
mod models;

use host::Host;
use models::{checkpoint, imported, open};
use std::path::Path;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};
use vrvq::model::{Library, Model, ModelId};

const RATE: f64 = 44_100.0;

/// What a session keeps of its models, one for each setting: `PluginState` as JSON behind its length.
fn models_of(state: &[u8]) -> [ModelId; 2] {
    let state: serde_json::Value = serde_json::from_slice(&state[8..]).unwrap();
    serde_json::from_str(state["fields"]["model"].as_str().unwrap()).unwrap()
}

/// The same session with other models.
fn with_models(state: &[u8], ids: [&ModelId; 2]) -> Vec<u8> {
    let mut state: serde_json::Value = serde_json::from_slice(&state[8..]).unwrap();
    state["fields"]["model"] = serde_json::to_string(&ids).unwrap().into();
    let json = serde_json::to_vec(&state).unwrap();
    [&(json.len() as u64).to_le_bytes()[..], &json].concat()
}

fn largest_step(samples: &[f32]) -> f32 {
    samples.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
}

/// One test, because the folder of the user's data is the process's.
#[test]
fn a_session_brings_its_model_also_while_audio_runs_and_says_where_it_is_missing() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clap-models");
    let _ = std::fs::remove_dir_all(&folder);
    // SAFETY: this is the only test of the program, and nothing else of it runs yet.
    unsafe { std::env::set_var("XDG_DATA_HOME", &folder) };
    if !Library::user().folder().starts_with(&folder) {
        return; // Only Linux keeps its data where it is told.
    }
    let paper = Library::user().add(&checkpoint("vrvq-44k.pth"), &Default::default()).unwrap();
    let audio = vec![common::demo_mono()[..88_200].to_vec()];

    let mut host = Host::offline(1, RATE, 512);
    host.deactivate();
    host.set(&[("Monitor", "Dry")]);
    host.activate(RATE, 512);
    let plain = host.save();
    let (bundled, exact) = (ModelId::of(&Model::builtin().unwrap()), ModelId::of(&paper));
    assert_eq!(models_of(&plain), [bundled.clone(), bundled.clone()]);
    let session = with_models(&plain, [&exact, &bundled]);

    // While it runs: nothing stops, the latency changes, the host is asked for a restart.
    let (mut output, before, asked) = (Vec::new(), host.latency(), host.asked.restarts.load(SeqCst));
    assert!(host.load(&session));
    let patience = Instant::now();
    while host.asked.restarts.load(SeqCst) == asked {
        output.extend(host.run(&audio, &[512]).remove(0));
        assert!(patience.elapsed() < Duration::from_secs(120), "the model never came");
    }
    let after = before + paper.card().delay() - Model::builtin().unwrap().card().delay();
    let usual = largest_step(&audio[0]).max((audio[0][0] - audio[0][88_199]).abs());
    assert!(largest_step(&output[before..]) < 1.5 * usual);
    // What is measured is what will be reported, and is then.
    let dry = |host: &mut Host| {
        host.reset();
        let output = host.run(&audio, &[512]).remove(0);
        assert_eq!(output[after..], audio[0][..audio[0].len() - after]);
    };
    dry(&mut host);
    host.deactivate();
    host.activate(RATE, 512);
    assert_eq!(host.latency(), after);
    dry(&mut host);
    assert_eq!(models_of(&host.save()), [exact, bundled.clone()]);

    // The other setting has its own model: the host's parameter changes to it.
    host.set(&[("Setting", "2")]);
    let (patience, asked) = (Instant::now(), host.asked.restarts.load(SeqCst));
    while host.asked.restarts.load(SeqCst) == asked {
        host.run(&audio, &[512]);
        assert!(patience.elapsed() < Duration::from_secs(120), "the other setting's model never came");
    }
    host.deactivate();
    host.activate(RATE, 512);
    assert_eq!(host.latency(), before);

    // Into a new instance, before it runs.
    let mut other = Host::new();
    assert!(other.load(&session));
    other.select_channels(1);
    other.activate(RATE, 512);
    assert_eq!(other.latency(), after);

    // A session whose model is gone opens with the bundled one, and keeps asking for it.
    let gone = ModelId { name: "gone".into(), hash: ModelId::of(&open(&imported("dac-24k.pth"))).hash };
    let mut other = Host::new();
    assert!(other.load(&with_models(&plain, [&gone, &bundled])));
    other.select_channels(1);
    other.activate(RATE, 512);
    assert_eq!(other.latency(), before);
    assert_eq!(models_of(&other.save()), [gone, bundled]);
}
