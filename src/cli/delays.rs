//! `vrvq delays` and `vrvq import --delay`: what a shorter delay of a checkpoint's model costs.

use super::args::{DelaysArgs, ImportArgs};
use super::failure::{Failure, interruption, print};
use crate::audio;
use crate::codec::{Rate, RateControl};
use crate::measure::{self, delay_cost, read_mono};
use crate::model::checkpoint::{Architecture, Dial, ImportError, StateDict, model_file_at, write_model};
use crate::model::{Library, Model, ModelCard, ModelError, ReducedCard};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Longer than the bundled clip, in seconds.
const WHOLE_CLIP: f64 = 60.0;

/// A row of the table.
#[derive(Debug, Serialize)]
struct Row {
    hops: usize,
    samples: usize,
    milliseconds: f64,
    #[serde(flatten)]
    cost: ReducedCard,
}

/// A checkpoint at places of its delay dial, on one piece of sound.
struct Bench {
    state: StateDict,
    architecture: Architecture,
    exact: Arc<Model>,
    samples: Vec<f32>,
    rate: Rate,
}

impl Bench {
    fn new(checkpoint: &Path, sample_rate: Option<u32>, sound: Option<&Path>, seconds: f64) -> Result<Self, Failure> {
        let about = |error: ImportError| Failure::about(checkpoint.display(), error);
        let state = StateDict::open(checkpoint).map_err(about)?;
        let architecture = Architecture::of(&state, sample_rate).map_err(about)?;
        let dial = Dial::within(&architecture, None).map_err(about)?;
        let exact = model(&state, &architecture, dial).map_err(about)?;
        let samples = match sound {
            Some(path) => read_mono(path, architecture.sample_rate, 0.0, seconds)?,
            None => {
                let demo = audio::demo().map_err(|error| Failure::Failed(error.to_string()))?;
                measure::mono(demo, architecture.sample_rate, 0.0, seconds)?
            }
        };
        let rate = rate(exact.card());
        Ok(Self { state, architecture, exact, samples, rate })
    }

    fn cost(&self, dial: Dial) -> Result<ReducedCard, Failure> {
        let reduced = model(&self.state, &self.architecture, dial).map_err(|e| Failure::Failed(e.to_string()))?;
        Ok(delay_cost(&self.exact, &reduced, &self.samples, self.rate)?)
    }
}

fn model(state: &StateDict, architecture: &Architecture, dial: Dial) -> Result<Arc<Model>, ImportError> {
    Ok(Arc::new(Model::from_bytes(&model_file_at(state, architecture, "delays", dial, None)?)?))
}

/// What the model is measured at.
fn rate(card: &ModelCard) -> Rate {
    match card.default_rate() {
        RateControl::Codebooks(number) => Rate::Codebooks(number),
        _ => Rate::Level(card.level.default),
    }
}

/// Runs `vrvq delays`: a row for each whole number of hops that the dial reaches.
///
/// # Errors
/// What is wrong with the checkpoint or the audio.
pub fn run(args: &DelaysArgs) -> Result<(), Failure> {
    let bench = Bench::new(&args.file, args.sample_rate, args.audio.as_deref(), args.duration)?;
    let (hop, sample_rate) = (bench.architecture.hop(), f64::from(bench.architecture.sample_rate));
    let mut places = Dial::places(&bench.architecture);
    // The most right context within as many hops.
    places.dedup_by_key(|place| place.delay.div_ceil(hop));
    let mut rows = Vec::new();
    for place in places {
        interruption()?;
        let Dial { delay: samples, .. } = place;
        let milliseconds = 1000.0 * samples as f64 / sample_rate;
        rows.push(Row { hops: samples.div_ceil(hop), samples, milliseconds, cost: bench.cost(place)? });
    }
    if args.json {
        return print(&serde_json::to_string_pretty(&rows).map_err(|error| Failure::about("JSON", error))?);
    }
    let seconds = bench.samples.len() as f64 / sample_rate;
    let rate = bench.rate;
    let mut text = format!(
        "{}, {seconds:.1} s of sound at {rate}; against the exact stream\n\n\
         | delay, hops | samples | ms | codes that differ | SI-SDR, dB |\n|---|---|---|---|---|\n",
        args.file.display()
    );
    for Row { hops, samples, milliseconds, cost } in &rows {
        let ReducedCard { codes_differing, si_sdr_db } = cost;
        let percent = 100.0 * codes_differing;
        text += &format!("| {hops} | {samples} | {milliseconds:.1} | {percent:.1} % | {si_sdr_db:.1} |\n");
    }
    print(text.trim_end())
}

/// Imports with a shorter delay: the card says what that costs on the bundled clip.
///
/// # Errors
/// What is wrong with the checkpoint, a delay that it can't have, or why nothing can be written.
pub fn import(args: &ImportArgs, hops: u32, name: &str) -> Result<PathBuf, Failure> {
    let about = |error: ImportError| Failure::about(args.file.display(), error);
    let bench = Bench::new(&args.file, args.sample_rate, None, WHOLE_CLIP)?;
    let dial = Dial::within(&bench.architecture, Some(hops)).map_err(about)?;
    let cost = bench.cost(dial)?;
    let bytes = model_file_at(&bench.state, &bench.architecture, name, dial, Some(cost)).map_err(about)?;
    Model::from_bytes(&bytes).map_err(|error: ModelError| Failure::Failed(error.to_string()))?;
    write_model(&bytes, name, Library::user().folder()).map_err(about)
}
