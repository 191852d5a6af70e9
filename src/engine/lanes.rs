//! Both settings of the codec, on one stream of input.
//!
//! A setting that runs has a *lane*: its own rate control, stereo mode, packets and losses. What costs time is shared:
//! the model's batch holds the channels of all lanes, so that two lanes take one pass over the weights, and the encoder
//! runs once for both where they code the same channels.
//!
//! As long as both settings are the same, or where the machine is too slow for two, one lane runs and stands for both. A
//! lane that starts goes on from the state of the one that runs, so it sounds right from its first frame. Lanes whose
//! settings have become the same are one again when their states are, which takes no longer than the model remembers.

use super::EngineError;
use super::backlog::MOST_HOPS;
use super::by_sound::BySound;
use super::report::{FrameReport, MAX_CHANNELS};
use super::settings::{Slot, StereoMode};
use super::stereo::{self, Fade, Stereo};
use super::wire::{Concealment, Wire};
use crate::codec::{CodeSearch, Loss, LossProcess, Rate, RateControl, TargetControl};
use crate::model::{DecoderStream, Encoded, EncoderStream, Model};
use std::sync::Arc;
use std::time::Instant;

/// Time that lanes of equal settings must have packed frames alike before one of them ends, in seconds: several times
/// what the model's state remembers.
const ALIKE_SECONDS: f64 = 1.0;
/// Steps of each number of hops on silence before the loop goes live, on the processor and on a GPU.
const WARM_UP_ROUNDS: usize = 2;
const GPU_WARM_UP_ROUNDS: usize = 4;

/// What of a setting is in force.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct InForce {
    pub rate: RateControl,
    pub stereo: StereoMode,
    pub loss: Loss,
    pub search: CodeSearch,
}

/// From hop `hop` of a step on, the setting of `slot` is `asked`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Turn {
    pub hop: usize,
    pub slot: Slot,
    pub asked: InForce,
}

/// What a setting has for itself.
#[derive(Clone)]
struct Lane {
    asked: InForce,
    target: TargetControl,
    stereo: Stereo,
    loss: LossProcess,
    wire: Wire,
}

impl Lane {
    fn ask(&mut self, asked: InForce) {
        self.asked = asked;
        if let RateControl::Target(target) = asked.rate {
            self.target.aim(target);
        }
        self.stereo.set(asked.stereo);
        self.loss.set(asked.loss);
    }

    /// What the next frame is packed at.
    fn rate(&mut self) -> Rate {
        match self.asked.rate {
            RateControl::Level(level) => Rate::Level(level),
            RateControl::Codebooks(number) => Rate::Codebooks(number),
            RateControl::Target(_) => Rate::Level(self.target.level()),
        }
    }
}

/// Which lanes run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Running {
    /// This one, for both settings.
    One(Slot),
    Both,
}

/// The batch's rows of `lanes` of some channels each, one after the other.
fn rows(channels: usize, lanes: &[usize]) -> Vec<usize> {
    lanes.iter().flat_map(|lane| lane * channels..(lane + 1) * channels).collect()
}

/// The codec with its lanes.
pub(super) struct Lanes {
    encoder: EncoderStream,
    decoder: DecoderStream,
    encoded: Encoded,
    by_sound: BySound,
    /// The machine has time for it.
    most: CodeSearch,
    lanes: [Lane; 2],
    running: Running,
    /// The encoder has rows for each lane, because they code other channels.
    encoders_apart: bool,
    /// Codes are searched for every count, as if all of them were sent: what a hop takes at most.
    thorough: bool,
    /// Frames that both lanes packed alike since their settings are the same.
    alike: u32,
    enough_alike: u32,
    channels: usize,
    hop: usize,
    /// `[rows, hops * hop]`, with room for both lanes.
    input: Vec<f32>,
    output: Vec<f32>,
    /// `[rows, hops, codebooks]` and `[rows, hops]`.
    codes: Vec<u16>,
    counts: Vec<u8>,
    /// Of each hop and lane of a step.
    concealments: [[Concealment; 2]; MOST_HOPS],
}

impl Lanes {
    /// Whether a GPU computes them.
    pub fn on_gpu(&self) -> bool {
        self.encoder.on_gpu()
    }

    /// Lanes of 1 or 2 channels, both of the same setting. Loads the model's graphs unless an earlier stream left them.
    ///
    /// # Errors
    /// [`EngineError::Model`] where the graphs can't be loaded.
    pub fn new(model: &Arc<Model>, channels: usize) -> Result<Self, EngineError> {
        let card = model.card();
        let format = model.packet_format();
        let (stereo, loss) = (StereoMode::default(), Loss::default());
        let asked = InForce { rate: card.default_rate(), stereo, loss, search: CodeSearch::Latent };
        let lane = Lane {
            asked,
            target: TargetControl::new(format, card.frame_rate(), channels, card.level.default),
            stereo: Stereo::new(),
            loss: LossProcess::default(),
            wire: Wire::new(format, channels),
        };
        let decoder = DecoderStream::new(model, channels)?;
        Ok(Self {
            encoder: EncoderStream::new(model, channels)?,
            encoded: Encoded::default(),
            by_sound: BySound::new(&decoder, model, channels)?,
            decoder,
            most: CodeSearch::Refined,
            lanes: [lane.clone(), lane],
            running: Running::One(Slot::One),
            encoders_apart: false,
            thorough: false,
            alike: 0,
            enough_alike: (ALIKE_SECONDS * card.frame_rate()).ceil() as u32,
            channels,
            hop: card.hop,
            input: vec![0.0; MOST_HOPS * 2 * channels * card.hop],
            output: vec![0.0; MOST_HOPS * 2 * channels * card.hop],
            codes: vec![0; MOST_HOPS * 2 * channels * card.codebooks],
            counts: vec![1; MOST_HOPS * 2 * channels],
            concealments: [[Concealment::default(); 2]; MOST_HOPS],
        })
    }

    /// The runtime and the device that compute it, for people: of each graph, where they differ.
    pub fn runtime(&self) -> String {
        let [encoder, decoder] = [self.encoder.runtime(), self.decoder.runtime()];
        if encoder == decoder { encoder } else { format!("Encoder: {encoder}. Decoder: {decoder}") }
    }

    /// Whether hops may run together with those of other instances: not where a result has to repeat to the bit.
    pub fn share(&mut self, shared: bool) {
        self.encoder.share(shared);
        self.decoder.share(shared);
    }

    /// Runs steps of each number of hops on silence, with one lane and with two, and by their sound: the first ones allocate
    /// and are up to twice as slow. What steps of 1, 2, ... hops take with one lane, by the latent, in seconds. A GPU goes hop
    /// by hop: it compiles each shape (TensorRT for minutes), and has time for them.
    ///
    /// # Errors
    /// Those of [`Self::step`].
    pub fn warm_up(&mut self) -> Result<Vec<f32>, EngineError> {
        let (most, rounds) = if self.on_gpu() { (1, GPU_WARM_UP_ROUNDS) } else { (MOST_HOPS, WARM_UP_ROUNDS) };
        let silence = vec![0.0; most * self.channels * self.hop];
        let mut output = vec![0.0; 2 * silence.len()];
        self.encoder.warm_up()?;
        self.decoder.warm_up()?;
        let mut seconds = vec![0.0; most];
        self.thorough = true;
        for both in [false, true] {
            if both {
                self.start_both()?;
            }
            for hops in (1..=most).cycle().take(rounds * most) {
                let size = hops * self.channels * self.hop;
                let mut reports = [[FrameReport::default(); 2]; MOST_HOPS];
                let started = Instant::now();
                self.step(&silence[..size], &[], &mut output[..2 * size], &mut reports[..hops])?;
                if !both {
                    seconds[hops - 1] = started.elapsed().as_secs_f32();
                }
            }
            self.lanes.iter_mut().for_each(|lane| lane.asked.search = CodeSearch::Refined);
            for _ in 0..rounds {
                let size = self.channels * self.hop;
                self.step(&silence[..size], &[], &mut output[..2 * size], &mut [[FrameReport::default(); 2]])?;
            }
            self.lanes.iter_mut().for_each(|lane| lane.asked.search = CodeSearch::Latent);
        }
        self.thorough = false;
        self.end_other(Slot::One)?;
        self.reset()?;
        Ok(seconds)
    }

    /// The streams start anew, in the modes that are asked for.
    ///
    /// # Errors
    /// [`EngineError::Model`] where the runtime fails.
    pub fn reset(&mut self) -> Result<(), EngineError> {
        self.encoder.reset()?;
        self.decoder.reset()?;
        self.by_sound.reset();
        for lane in &mut self.lanes {
            lane.target.reset();
            lane.stereo.restart();
            lane.loss.reset();
            lane.wire.reset();
        }
        Ok(())
    }

    /// As [`Self::reset`] for a frame that the machine has no time to code: modes and losses go on. What it would have
    /// been packed at is written to `reports`.
    ///
    /// # Errors
    /// [`EngineError::Model`] where the runtime fails.
    pub fn pass_over(&mut self, reports: &mut [FrameReport; 2]) -> Result<(), EngineError> {
        self.encoder.reset()?;
        self.decoder.reset()?;
        self.by_sound.reset();
        for (lane, report) in self.lanes.iter_mut().zip(reports) {
            lane.wire.reset();
            report.rate = lane.rate();
            report.channels = self.channels.min(lane.asked.stereo.channel_names().len()) as u8;
        }
        Ok(())
    }

    /// From the next frame on the setting of `slot` is `asked`; `start` where nothing was coded before, so that nothing
    /// has to be faded.
    pub fn ask(&mut self, slot: Slot, asked: InForce, start: bool) {
        let [lane, other] = self.pair(slot);
        if asked == other.asked {
            // Alike in what it has spent too, or the level would find its own way.
            lane.target = other.target.clone();
        }
        lane.ask(asked);
        if start {
            lane.stereo.restart();
        }
        self.alike = 0;
    }

    fn pair(&mut self, slot: Slot) -> [&mut Lane; 2] {
        let [one, two] = &mut self.lanes;
        if slot == Slot::One { [one, two] } else { [two, one] }
    }

    /// Whether the settings are other than each other.
    pub fn differ(&self) -> bool {
        self.lanes[0].asked != self.lanes[1].asked
    }

    /// Whether both lanes run.
    pub fn both_run(&self) -> bool {
        self.running == Running::Both
    }

    /// The most that codes of a lane which runs are chosen by.
    pub fn search(&self) -> CodeSearch {
        Slot::ALL.map(|slot| self.by_sound.search(slot)).into_iter().max().unwrap_or(CodeSearch::Latent)
    }

    /// Lets the lanes run that are needed where `heard` is the setting that is heard, and `both` may run. Codes are chosen
    /// by what a lane asks for, but `most` at most.
    ///
    /// # Errors
    /// [`EngineError::Model`] where the runtime fails.
    pub fn arrange(&mut self, heard: Slot, both: bool, most: CodeSearch) -> Result<(), EngineError> {
        self.most = most;
        match self.running {
            Running::One(_) if both && self.differ() => self.start_both()?,
            Running::One(slot) if slot != heard => {
                self.hand_over(slot);
                self.running = Running::One(heard);
            }
            Running::Both if !both || self.alike >= self.enough_alike => self.end_other(heard)?,
            Running::One(_) | Running::Both => {}
        }
        Ok(())
    }

    /// The other lane goes on from where that of `slot` is.
    fn hand_over(&mut self, slot: Slot) {
        let [from, to] = self.pair(slot);
        let asked = to.asked;
        *to = from.clone();
        to.ask(asked);
    }

    fn start_both(&mut self) -> Result<(), EngineError> {
        if let Running::One(slot) = self.running {
            self.hand_over(slot);
            self.decoder.select(&rows(self.channels, &[0, 0]))?;
            (self.running, self.alike) = (Running::Both, 0);
        }
        Ok(())
    }

    fn end_other(&mut self, heard: Slot) -> Result<(), EngineError> {
        let rows = rows(self.channels, &[heard.index()]);
        self.decoder.select(&rows)?;
        if self.encoders_apart {
            self.encoder.select(&rows)?;
            self.encoders_apart = false;
        }
        self.running = Running::One(heard);
        Ok(())
    }

    /// Whether all hops of a step may be coded alike but for their rate and losses: no lane that runs changes its stereo mode.
    pub fn rest(&self) -> bool {
        self.slots().iter().all(|slot| self.lanes[slot.index()].stereo.rests())
    }

    /// Of the lanes that run.
    fn slots(&self) -> &'static [Slot] {
        match self.running {
            Running::One(Slot::One) => &[Slot::One],
            Running::One(Slot::Two) => &[Slot::Two],
            Running::Both => &Slot::ALL,
        }
    }

    /// Whether `asked` of the setting of `slot` can come in force within a step: not where the lanes have to be arranged
    /// anew for it.
    pub fn takes_along(&self, slot: Slot, asked: InForce) -> bool {
        self.lanes[slot.index()].asked.stereo == asked.stereo && (self.both_run() || self.differ())
    }

    /// Sends some hops, `[hops, channels, hop]`, as many as there are `reports`, through both settings and writes what comes
    /// out, `[hops, settings, channels, hop]`, to `output`, and what was packed to `reports`, one for each setting. More
    /// than one hop only where the lanes [`Self::rest`]. Settings change by `turns`.
    ///
    /// # Errors
    /// [`EngineError::Model`] where the runtime fails, [`EngineError::Packet`] where the model gave a code outside
    /// its codebooks.
    pub fn step(
        &mut self,
        input: &[f32],
        turns: &[Turn],
        output: &mut [f32],
        reports: &mut [[FrameReport; 2]],
    ) -> Result<(), EngineError> {
        let (hops, size) = (reports.len(), self.channels * self.hop);
        let slots = self.slots();
        let mut modes = [(StereoMode::LeftRight, Fade::None); 2];
        if self.channels == 2 {
            for slot in slots {
                modes[slot.index()] = self.lanes[slot.index()].stereo.next();
            }
        }
        let lanes = &self.lanes;
        let wanted = slots.iter().map(|&slot| (slot, lanes[slot.index()].asked.search.min(self.most)));
        self.by_sound.arrange(wanted.filter(|&(_, search)| search > CodeSearch::Latent))?;
        self.encoder.keep_candidates(self.by_sound.candidates());
        self.encode(input, slots, modes, turns)?;
        for (hop, reports) in reports.iter_mut().enumerate() {
            turns.iter().filter(|turn| turn.hop == hop).for_each(|turn| self.ask(turn.slot, turn.asked, false));
            self.pack((hop, hops), slots, modes, reports)?;
        }
        let rows = slots.len() * self.channels;
        let codebooks = self.codes.len() / self.counts.len();
        self.decoder.step(
            &self.codes[..rows * hops * codebooks],
            &self.counts[..rows * hops],
            hops,
            &mut self.output[..hops * rows * self.hop],
        )?;
        for (hop, output) in output.chunks_exact_mut(2 * size).enumerate() {
            for (lane, slot) in slots.iter().enumerate() {
                let made = &mut output[slot.index() * size..][..size];
                for (channel, made) in made.chunks_exact_mut(self.hop).enumerate() {
                    let row = lane * self.channels + channel;
                    made.copy_from_slice(&self.output[(row * hops + hop) * self.hop..][..self.hop]);
                }
                let (mode, fade) = modes[slot.index()];
                self.concealments[hop][slot.index()].apply(made, self.channels);
                if self.channels == 2 {
                    stereo::to_left_right(mode, made);
                }
                if fade != Fade::None {
                    stereo::fade(made, self.channels, fade);
                }
            }
            if let Running::One(slot) = self.running {
                let from = slot.index() * size;
                output.copy_within(from..from + size, slot.other().index() * size);
            }
        }
        Ok(())
    }

    /// Packs hop `hop` of the `hops` that were encoded, for the lanes of `slots`, and lays what arrives before the decoder.
    fn pack(
        &mut self,
        (hop, hops): (usize, usize),
        slots: &[Slot],
        modes: [(StereoMode, Fade); 2],
        reports: &mut [FrameReport; 2],
    ) -> Result<(), EngineError> {
        let codebooks = self.codes.len() / self.counts.len();
        let (channels, apart) = (self.channels, self.encoders_apart);
        let coded = |slot: Slot| channels.min(modes[slot.index()].0.channel_names().len());
        let frame_of = |slot: Slot, channel: usize| {
            let first = if apart { slot.index() * channels } else { 0 };
            (first + channel) * hops + hop
        };
        let mut rates = [Rate::Codebooks(1); 2];
        slots.iter().for_each(|slot| rates[slot.index()] = self.lanes[slot.index()].rate());
        let count_of = |slot: Slot, channel: usize| {
            let importance = self.encoded.importance[frame_of(slot, channel)];
            if channel < coded(slot) { rates[slot.index()].count(importance, codebooks) as u8 } else { 1 }
        };
        self.by_sound.choose(&self.encoded, frame_of, count_of)?;
        for (index, &slot) in slots.iter().enumerate() {
            let lane = &mut self.lanes[slot.index()];
            let report = &mut reports[slot.index()];
            let (coded, rate, lost) = (coded(slot), rates[slot.index()], lane.loss.advance());
            let frame_of = |channel: usize| frame_of(slot, channel);
            let sent = |channel: usize| (frame_of(channel), self.by_sound.codes(slot, channel));
            lane.wire.send(&self.encoded, sent, coded, rate, lost, report)?;
            report.stereo = modes[slot.index()].0;
            report.search = self.by_sound.search(slot);
            let aimed = matches!(lane.asked.rate, RateControl::Target(_));
            let bits = aimed.then(|| report.bits());
            let mut importance = [0.0; MAX_CHANNELS];
            (0..coded).for_each(|channel| importance[channel] = self.encoded.importance[frame_of(channel)]);
            lane.target.push(&importance[..coded], bits);
            self.concealments[hop][slot.index()] = lane.wire.concealment();
            for channel in 0..self.channels {
                let at = (index * self.channels + channel) * hops + hop;
                self.counts[at] = lane.wire.counts()[channel];
                self.codes[at * codebooks..][..codebooks]
                    .copy_from_slice(&lane.wire.codes()[channel * codebooks..][..codebooks]);
            }
        }
        match self.running {
            Running::One(slot) => reports[slot.other().index()] = reports[slot.index()],
            Running::Both => self.count_alike(),
        }
        Ok(())
    }

    /// Encodes some hops, `[hops, channels, hop]`, for the lanes of `slots`, in `modes`: once, where they are the same.
    fn encode(
        &mut self,
        input: &[f32],
        slots: &[Slot],
        modes: [(StereoMode, Fade); 2],
        turns: &[Turn],
    ) -> Result<(), EngineError> {
        let (size, channels) = (input.len(), self.channels);
        let hops = size / (channels * self.hop);
        let apart = slots.len() > 1 && modes[0].0 != modes[1].0;
        if apart && !self.encoders_apart {
            self.encoder.select(&rows(channels, &[0, 0]))?;
        } else if !apart && self.encoders_apart {
            // The lane that has just switched is silent for this hop, so the other one's state is the one to keep.
            let kept = usize::from(modes[0].1 == Fade::Silent);
            self.encoder.select(&rows(channels, &[kept]))?;
        }
        self.encoders_apart = apart;
        let inputs = if apart { slots } else { &slots[..1] };
        for (slot, coded) in inputs.iter().zip(self.input.chunks_exact_mut(size)) {
            for (at, samples) in input.chunks_exact(self.hop).enumerate() {
                let (hop, channel) = (at / channels, at % channels);
                coded[(channel * hops + hop) * self.hop..][..self.hop].copy_from_slice(samples);
            }
            if channels == 2 {
                stereo::to_coded(modes[slot.index()].0, coded);
            }
        }
        // Rows of one lane, or of both.
        let codebooks = self.codes.len() / self.counts.len();
        let mut rates = [None; 2];
        slots.iter().for_each(|&slot| rates[slot.index()] = self.rate_of_all(slot, hops, turns));
        let most = |row: usize, importance: f32| {
            let sharing = if apart { &slots[row / channels..][..1] } else { slots };
            let counts = sharing
                .iter()
                .map(|slot| rates[slot.index()].map_or(codebooks, |rate: Rate| rate.count(importance, codebooks)));
            counts.max().unwrap_or(codebooks)
        };
        self.encoder.step_up_to(&self.input[..inputs.len() * size], hops, most, &mut self.encoded)?;
        Ok(())
    }

    /// What all `hops` of a step with `turns` will be packed at by the lane of `slot`; `None` where that isn't known before
    /// they are encoded.
    fn rate_of_all(&mut self, slot: Slot, hops: usize, turns: &[Turn]) -> Option<Rate> {
        let lane = &mut self.lanes[slot.index()];
        if self.thorough || turns.iter().any(|turn| turn.slot == slot) {
            return None;
        }
        match lane.asked.rate {
            // It follows the bits of each frame.
            RateControl::Target(_) if hops > 1 => None,
            _ => Some(lane.rate()),
        }
    }

    fn count_alike(&mut self) {
        let [one, two] = &self.lanes;
        let alike = one.asked == two.asked
            && one.stereo == two.stereo
            && one.wire.counts() == two.wire.counts()
            && one.wire.codes() == two.wire.codes();
        self.alike = if alike { self.alike + 1 } else { 0 };
    }
}
