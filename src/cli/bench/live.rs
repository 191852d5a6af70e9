//! Hops as a live stream runs them: how long one takes, and how many streams run at once.

use super::super::failure::{Failure, interruption};
use super::together;
use crate::codec::{CodeSearch, Effort};
use crate::model::{DecoderStream, Encoded, EncoderStream, Model, Synthesis};
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Calls that aren't measured: the first ones allocate, and on a GPU they compile.
const WARM_UP: usize = 16;
/// One hop in so many may be late: machines that others use too pause now and then.
const LATE: u64 = 100;
/// Streams that are tried at most.
const MOST_STREAMS: u16 = 256;

/// How long calls of so many hops of one channel take, encoder and decoder.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Call {
    pub hops: usize,
    /// What codes are chosen by.
    pub search: String,
    /// Milliseconds of a call.
    pub median: f64,
    pub p99: f64,
    pub worst: f64,
    /// Of real time, by the median.
    pub share: f64,
}

/// Streams of one channel that kept up with real time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Streams {
    /// Most of them of which at most one hop in a hundred was late; 0 where one alone was later already.
    pub at_once: u16,
    /// The same where each runs alone, as offline.
    pub at_once_alone: u16,
}

/// A stream of both directions.
struct Codec<'a> {
    model: &'a Arc<Model>,
    encoder: EncoderStream,
    synthesis: Option<Synthesis>,
    decoder: DecoderStream,
    encoded: Encoded,
    decoded: Vec<f32>,
}

impl<'a> Codec<'a> {
    fn new(model: &'a Arc<Model>, hops: usize, search: CodeSearch, shared: bool) -> Result<Self, Failure> {
        let (mut encoder, mut decoder) = (EncoderStream::new(model, 1)?, DecoderStream::new(model, 1)?);
        encoder.share(shared);
        decoder.share(shared);
        let effort = Effort::from(search).within(model.most_candidates());
        encoder.keep_candidates(effort.candidates);
        let synthesis = if effort.candidates > 1 { Some(Synthesis::new(model, 1, effort)?) } else { None };
        let decoded = vec![0.0; hops * model.card().hop];
        Ok(Self { model, encoder, synthesis, decoder, encoded: Encoded::default(), decoded })
    }

    /// The next `hops` hops of `audio`, around and around.
    fn step(&mut self, audio: &[f32], call: usize, hops: usize) -> Result<(), Failure> {
        let size = hops * self.model.card().hop;
        let start = call * size % (audio.len() - size).max(1);
        self.encoder.step(&audio[start..start + size], hops, &mut self.encoded)?;
        let counts = vec![self.model.card().codebooks as u8; hops];
        let codes = match &mut self.synthesis {
            Some(synthesis) => {
                let mut codes = Vec::with_capacity(hops * self.model.card().codebooks);
                for hop in 0..hops {
                    codes.extend_from_slice(synthesis.choose(&self.encoded, |_| hop, &counts[..1])?);
                }
                codes
            }
            None => self.encoded.codes.sent(&counts),
        };
        self.decoder.step(&codes, &counts, hops, &mut self.decoded)?;
        Ok(())
    }
}

/// Times `runs` calls of `hops` hops each, with all codebooks, by a `search`.
///
/// # Errors
/// A model that can't run.
pub fn calls(model: &Arc<Model>, audio: &[f32], hops: usize, runs: usize, search: CodeSearch) -> Result<Call, Failure> {
    let mut codec = Codec::new(model, hops, search, false)?;
    let mut times = Vec::with_capacity(runs);
    for call in 0..runs + WARM_UP {
        interruption()?;
        let started = Instant::now();
        codec.step(audio, call, hops)?;
        if call >= WARM_UP {
            times.push(started.elapsed());
        }
    }
    times.sort();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1000.0;
    let share = at(0.5) / 1000.0 * model.card().frame_rate() / hops as f64;
    Ok(Call { hops, search: search.to_string(), median: at(0.5), p99: at(0.99), worst: at(1.0), share })
}

/// How many streams keep up for `seconds`.
///
/// # Errors
/// A model that can't run.
pub fn streams(model: &Arc<Model>, audio: &[f32], seconds: f64) -> Result<Streams, Failure> {
    let most = |shared| most(|number| keep_up(model, audio, number, seconds, shared));
    Ok(Streams { at_once: most(true)?, at_once_alone: most(false)? })
}

/// The largest number of streams that keep up, by doubling and halving.
fn most(keep_up: impl Fn(u16) -> Result<bool, Failure>) -> Result<u16, Failure> {
    let (mut good, mut bad) = (0, 1);
    while keep_up(bad)? {
        good = bad;
        if bad >= MOST_STREAMS {
            return Ok(good);
        }
        bad *= 2;
    }
    while bad - good > 1 {
        let middle = good.midpoint(bad);
        if keep_up(middle)? {
            good = middle;
        } else {
            bad = middle;
        }
    }
    Ok(good)
}

/// Whether `number` streams, whose hops come at the same time as in a host, make nearly each before the next one comes.
fn keep_up(model: &Arc<Model>, audio: &[f32], number: u16, seconds: f64, shared: bool) -> Result<bool, Failure> {
    interruption()?;
    let period = Duration::from_secs_f64(1.0 / model.card().frame_rate());
    let hops = (seconds / period.as_secs_f64()).ceil() as usize;
    let late = AtomicU64::new(0);
    let barrier = std::sync::Barrier::new(number.into());
    together(number, |_| -> Result<(), Failure> {
        // The barriers are reached whatever happens: others wait there.
        let codec = Codec::new(model, 1, CodeSearch::Latent, shared);
        barrier.wait();
        let warm = codec.and_then(|mut codec| {
            codec.encoder.warm_up()?;
            codec.decoder.warm_up()?;
            (0..WARM_UP).try_for_each(|call| codec.step(audio, call, 1))?;
            Ok(codec)
        });
        barrier.wait();
        let (mut codec, started) = (warm?, Instant::now());
        for call in 0..hops {
            let due = started + period * call as u32;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            codec.step(audio, call, 1)?;
            if Instant::now() > due + period {
                late.fetch_add(1, Relaxed);
            }
        }
        Ok(())
    })?;
    Ok(late.into_inner() * LATE <= hops as u64 * u64::from(number))
}
