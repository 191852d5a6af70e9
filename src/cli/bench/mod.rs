//! `vrvq bench`: how many times faster than real time this machine encodes and decodes.

mod live;

use super::args::BenchArgs;
use super::failure::{Failure, interruption, print};
use crate::audio;
use crate::codec::{CodeSearch, Effort, Rate, RateControl, StereoMode};
use crate::coding::{CodingError, FrameEncoder};
use crate::measure::{self, Analysis};
use crate::model::{DecoderStream, Encoded, EncoderStream, Model};
use serde::Serialize;
use std::sync::Arc;
use std::time::Instant;

/// Level that is measured: all codes are searched at any level, so it hardly matters.
const LEVEL: f32 = 16.0;

/// Speeds with a number of workers, each with a stream of its own.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Speed {
    workers: u16,
    /// Seconds of one channel that are coded in a second, all workers together.
    encode: f64,
    /// With codes chosen by their sound, of a model that can.
    #[serde(skip_serializing_if = "Option::is_none")]
    encode_by_sound: Option<f64>,
    /// With the search refined, of a model that can.
    #[serde(skip_serializing_if = "Option::is_none")]
    encode_refined: Option<f64>,
    decode: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Report {
    runtime: String,
    model: String,
    seconds: f64,
    speeds: Vec<Speed>,
    /// Of each further stream of both directions, in MiB; unknown where the system doesn't tell.
    memory: Option<f64>,
    /// Single hops, where they were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    calls: Vec<live::Call>,
    #[serde(skip_serializing_if = "Option::is_none")]
    streams: Option<live::Streams>,
}

/// Runs the command.
///
/// # Errors
/// A model that can't run.
pub fn run(args: &BenchArgs) -> Result<(), Failure> {
    let model = args.model.open()?;
    let rate = model.card().sample_rate;
    let demo = audio::demo().map_err(|error| Failure::Failed(error.to_string()))?;
    let clip = measure::mono(demo, rate, 0.0, args.seconds)?;
    // More than the longest call takes, whatever the model's hop.
    let longest = usize::from(args.hops.iter().copied().max().unwrap_or(1)) * model.card().hop;
    let samples = ((args.seconds.max(1.0) * f64::from(rate)) as usize).max(2 * longest);
    let audio: Vec<f32> = clip.iter().copied().cycle().take(samples).collect();
    // The first run of a graph is slower; it isn't measured.
    let warm = Analysis::new(&model, audio[..rate as usize].to_vec(), Effort::LATENT)?;
    warm.decode(Rate::Level(LEVEL))?;
    let mut speeds = Vec::new();
    for &workers in &args.jobs {
        interruption()?;
        speeds.push(measure(&model, &audio, workers)?);
    }
    let memory = memory(&model)?;
    let (mut calls, mut streams) = (Vec::new(), None);
    if args.live {
        for &hops in &args.hops {
            let searches = match (model.most_candidates() > 1, model.can_refine()) {
                (false, _) => &CodeSearch::ALL[..1],
                (true, false) => &CodeSearch::ALL[..2],
                (true, true) => &CodeSearch::ALL,
            };
            for &search in searches {
                calls.push(live::calls(&model, &audio, hops.into(), args.runs as usize, search)?);
            }
        }
        if args.stream_seconds > 0.0 {
            streams = Some(live::streams(&model, &audio, args.stream_seconds)?);
        }
    }
    let report = Report {
        memory,
        calls,
        streams,
        runtime: EncoderStream::new(&model, 1)?.runtime(),
        model: model.card().name.clone(),
        seconds: samples as f64 / f64::from(rate),
        speeds,
    };
    if args.json {
        return print(&serde_json::to_string_pretty(&report).map_err(|error| Failure::about("JSON", error))?);
    }
    let mut text = format!(
        "{}, {}; {:.0} s of one channel for each worker\n\n\
         | workers | encode, x real time | by sound | refined | decode |\n|---|---|---|---|---|\n",
        report.model, report.runtime, report.seconds
    );
    for Speed { workers, encode, encode_by_sound, encode_refined, decode } in &report.speeds {
        let [by_sound, refined] = [encode_by_sound, encode_refined]
            .map(|speed| speed.map_or("–".to_owned(), |speed| format!("{speed:.1}")));
        text += &format!("| {workers} | {encode:.1} | {by_sound} | {refined} | {decode:.1} |\n");
    }
    if let Some(memory) = report.memory {
        text += &format!("\nEach further stream takes {memory:.1} MiB.\n");
    }
    if !report.calls.is_empty() {
        text += "\n| hops a call, codes by | median | p99 | worst | share of real time |\n|---|---|---|---|---|\n";
    }
    for live::Call { hops, search, median, p99, worst, share } in &report.calls {
        text +=
            &format!("| {hops}, {search} | {median:.2} ms | {p99:.2} ms | {worst:.2} ms | {:.1} % |\n", 100.0 * share);
    }
    if let Some(live::Streams { at_once, at_once_alone }) = report.streams {
        text += &format!(
            "\n{at_once} streams keep up at once, 99 of 100 hops made before the next one comes; {at_once_alone} where none \
             are batched.\n"
        );
    }
    print(text.trim_end())
}

/// Streams whose memory is measured.
const STREAMS: usize = 4;

/// MiB that a further stream of both directions takes beside one that runs.
fn memory(model: &Arc<Model>) -> Result<Option<f64>, Failure> {
    // Those that were measured before left sessions, which are used again: more streams than those.
    let hop = model.card().hop;
    let mut streams = Vec::new();
    let mut resident = Vec::new();
    for _ in 0..3 {
        for _ in 0..STREAMS {
            let (mut encoder, mut decoder) = (EncoderStream::new(model, 1)?, DecoderStream::new(model, 1)?);
            let mut encoded = Encoded::default();
            encoder.step(&vec![0.0; hop], 1, &mut encoded)?;
            decoder.step(&encoded.codes.sent(&[1]), &[1], 1, &mut vec![0.0; hop])?;
            streams.push((encoder, decoder));
        }
        resident.push(resident_bytes());
    }
    let growth = resident[1].zip(resident[2]).map(|(before, after)| after.saturating_sub(before));
    Ok(growth.map(|bytes| bytes as f64 / STREAMS as f64 / f64::from(1 << 20)))
}

/// Memory of this process that is in use, where Linux tells.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

fn measure(model: &Arc<Model>, audio: &[f32], workers: u16) -> Result<Speed, Failure> {
    let seconds = audio.len() as f64 / f64::from(model.card().sample_rate) * f64::from(workers);
    let started = Instant::now();
    let analyses = together(workers, |_| Analysis::new(model, audio.to_vec(), Effort::LATENT))?;
    let encode = seconds / started.elapsed().as_secs_f64();
    // The most effort takes about as long as the sound lasts, so less of it will do.
    let by = |effort: Effort, share: usize| -> Result<f64, Failure> {
        let started = Instant::now();
        together(workers, |_| encode_by_sound(model, &audio[..audio.len() / share], effort))?;
        Ok(seconds / share as f64 / started.elapsed().as_secs_f64())
    };
    let encode_by_sound = (model.most_candidates() > 1).then(|| by(Effort::SOUND, 1)).transpose()?;
    let encode_refined = model.can_refine().then(|| by(Effort::REFINED, 6)).transpose()?;
    let started = Instant::now();
    together(workers, |worker| analyses[worker].decode(Rate::Level(LEVEL)))?;
    let decode = seconds / started.elapsed().as_secs_f64();
    Ok(Speed { workers, encode, encode_by_sound, encode_refined, decode })
}

fn encode_by_sound(model: &Arc<Model>, audio: &[f32], effort: Effort) -> Result<(), CodingError> {
    let (rate, level) = (model.card().sample_rate, RateControl::Level(LEVEL));
    let mut encoder = FrameEncoder::new(model, rate, 1, level, StereoMode::default())?.with_effort(effort)?;
    for piece in audio.chunks(rate as usize) {
        encoder.push(&[piece])?;
        while encoder.next().is_some() {}
    }
    encoder.finish()
}

/// Runs `work` on so many threads at once.
fn together<T: Send, E: Send + Into<Failure>>(
    workers: u16,
    work: impl Fn(usize) -> Result<T, E> + Sync,
) -> Result<Vec<T>, Failure> {
    std::thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = (0..usize::from(workers)).map(|worker| scope.spawn(move || work(worker))).collect();
        let join = |thread: std::thread::ScopedJoinHandle<'_, Result<T, E>>| match thread.join() {
            Ok(result) => result.map_err(Into::into),
            Err(_) => Err(Failure::Failed("a worker broke off".into())),
        };
        threads.into_iter().map(join).collect()
    })
}
