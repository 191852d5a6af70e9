//! A clip played in a loop on the audio thread.

use super::clip::Clip;
use super::declick::Declick;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

/// Cross-fade from the end of the clip to its start.
const CROSSFADE_SECONDS: f64 = 0.010;
/// No position is asked for.
const NOWHERE: usize = usize::MAX;

/// Play, pause and position, shared by the window and the audio thread.
#[derive(Debug)]
pub struct Transport {
    playing: AtomicBool,
    position: AtomicUsize,
    wanted: AtomicUsize,
}

impl Transport {
    /// A transport at the start of the clip.
    pub fn new(playing: bool) -> Arc<Self> {
        Arc::new(Self {
            playing: AtomicBool::new(playing),
            position: AtomicUsize::new(0),
            wanted: AtomicUsize::new(NOWHERE),
        })
    }

    /// Whether the clip is played.
    pub fn playing(&self) -> bool {
        self.playing.load(Relaxed)
    }

    /// Plays or pauses.
    pub fn set_playing(&self, playing: bool) {
        self.playing.store(playing, Relaxed);
    }

    /// Sample the clip is played at.
    pub fn position(&self) -> usize {
        self.position.load(Relaxed)
    }

    /// Goes to a sample of the clip.
    pub fn seek(&self, position: usize) {
        self.wanted.store(position, Relaxed);
    }
}

/// The audio thread's end: reads the clip.
pub struct Player {
    clip: Arc<Clip>,
    transport: Arc<Transport>,
    position: usize,
    /// Samples over which the end fades into the start; the start is then played on from there.
    crossfade: usize,
    looped: bool,
    declick: Declick,
    was_playing: bool,
}

impl Player {
    /// A player of `clip`, which must have at least one sample. It is looped by a cross-fade, or else plays once and
    /// is silent from then on.
    pub fn new(clip: Arc<Clip>, transport: Arc<Transport>, looped: bool) -> Self {
        let crossfade = (CROSSFADE_SECONDS * f64::from(clip.sample_rate)) as usize;
        let declick = Declick::new(clip.sample_rate);
        Self {
            crossfade: crossfade.min(clip.frames() / 4),
            clip,
            transport,
            position: 0,
            looped,
            declick,
            was_playing: true,
        }
    }

    /// Channels of the clip.
    pub fn channels(&self) -> usize {
        self.clip.channels.len()
    }

    /// Fills `out`, as many channels as the clip has. Real-time safe.
    pub fn read(&mut self, out: &mut [&mut [f32]]) {
        let wanted = self.transport.wanted.swap(NOWHERE, Relaxed);
        if wanted != NOWHERE {
            self.position = wanted.min(self.clip.frames() - 1);
            self.declick.jump();
        }
        let playing = self.transport.playing();
        if playing != self.was_playing {
            self.declick.jump();
            self.was_playing = playing;
        }
        if playing {
            self.play(out);
        } else {
            out.iter_mut().for_each(|channel| channel.fill(0.0));
        }
        self.declick.process(out);
        self.transport.position.store(self.position, Relaxed);
    }

    fn play(&mut self, out: &mut [&mut [f32]]) {
        let frames = out.iter().map(|channel| channel.len()).min().unwrap_or(0);
        let end = self.clip.frames();
        for frame in 0..frames {
            if self.position >= end && !self.looped {
                out.iter_mut().for_each(|channel| channel[frame] = 0.0);
                continue;
            }
            // The last `crossfade` samples carry the first ones, rising; the loop goes on behind those.
            let into = (self.position + self.crossfade).saturating_sub(end);
            let rise = if self.looped && into > 0 { into as f32 / self.crossfade as f32 } else { 0.0 };
            for (channel, samples) in out.iter_mut().zip(&self.clip.channels) {
                let sample = samples[self.position];
                channel[frame] = sample + rise * (samples[into] - sample);
            }
            self.position += 1;
            if self.position >= end && self.looped {
                self.position = self.crossfade.min(end - 1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clip(samples: Vec<f32>) -> Arc<Clip> {
        Arc::new(Clip { name: String::new(), sample_rate: 1000, channels: vec![samples], notes: Vec::new() })
    }

    fn read(player: &mut Player, frames: usize) -> Vec<f32> {
        let mut out = vec![0.0; frames];
        player.read(&mut [&mut out]);
        out
    }

    #[test]
    fn plays_exactly_once_when_not_looped() {
        let ramp: Vec<f32> = (0..100).map(|i| i as f32).collect();
        let mut player = Player::new(clip(ramp.clone()), Transport::new(true), false);
        let out = read(&mut player, 150);
        assert_eq!(out[..100], ramp[..]);
        assert!(out[100..].iter().all(|&s| s == 0.0));
    }

    #[test]
    fn loops_without_a_step() {
        let sine: Vec<f32> = (0..100).map(|i| (i as f32 * 0.1).sin()).collect();
        let transport = Transport::new(true);
        let mut player = Player::new(clip(sine), transport.clone(), true);
        let out = read(&mut player, 1000);
        let step = out.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max);
        assert!(step < 0.25, "{step}");
        assert!(transport.position() < 100);
    }

    #[test]
    fn a_single_sample_can_be_looped() {
        let mut player = Player::new(clip(vec![0.5]), Transport::new(true), true);
        assert!(read(&mut player, 64).iter().all(|s| (s - 0.5).abs() < 1e-6));
    }

    #[test]
    fn pausing_and_seeking_make_no_step() {
        let transport = Transport::new(true);
        let mut player = Player::new(clip(vec![1.0; 1000]), transport.clone(), true);
        read(&mut player, 20);
        transport.set_playing(false);
        let out = read(&mut player, 100);
        assert!((out[0] - 1.0).abs() < 0.5 && out[99].abs() < 1e-6);
        transport.seek(500);
        transport.set_playing(true);
        read(&mut player, 1);
        assert_eq!(transport.position(), 501);
    }
}
