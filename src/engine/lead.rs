//! How far the host runs ahead of the clock.
//!
//! Some hosts render faster than real time without saying so: Ardour's export and JACK's freewheeling leave a plug-in in
//! real-time mode, and what they would get is gaps. They are recognised by audio that comes sooner than any sound device
//! takes it. In real time nothing is waited for, nor in the bursts of a host that cuts a device's buffer into blocks.

use std::time::{Duration, Instant};

/// Lead beyond what the latency allows for, from which it is no jitter. Sound devices' wake-ups vary by less.
const MARGIN: f64 = 0.02;
/// Most that is remembered: so soon after a rendering the clock counts again.
const LONGEST: f64 = 4.0;
/// The lead drains by this much faster than the clock, so that a host which once came late, and has been on time since,
/// isn't taken to be ahead for good.
const DRAIN: f64 = 1.02;

/// Whether late frames are waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// In real time.
    Never,
    /// The host is ahead of the clock, by as much as to wait until then.
    Until(Instant),
    /// In offline rendering.
    Offline,
}

impl Patience {
    pub fn new(offline: bool) -> Self {
        if offline { Self::Offline } else { Self::Never }
    }
}

/// Audio that has come minus time that has passed, in seconds; a pause makes no debt.
#[derive(Debug, Default)]
pub(super) struct Lead {
    seconds: f64,
    last: Option<Instant>,
}

impl Lead {
    /// A block of `length` seconds comes `now`; `due` is the time in seconds that its codec has by the latency. For how long
    /// what is late may be waited for: not at all in real time, and at most for half of the lead.
    pub fn block(&mut self, length: f64, due: f64, now: Instant) -> Duration {
        let passed = self.last.map_or(0.0, |last| now.saturating_duration_since(last).as_secs_f64());
        self.last = Some(now);
        let ahead = (self.seconds - DRAIN * passed).max(0.0);
        self.seconds = (ahead + length).min(LONGEST);
        if ahead > due + MARGIN { Duration::from_secs_f64(ahead / 2.0) } else { Duration::ZERO }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: f64 = 0.01;
    const DUE: f64 = 0.02;

    /// The longest wait over blocks that come at these times.
    fn longest(lead: &mut Lead, start: Instant, times: impl Iterator<Item = f64>) -> Duration {
        times.map(|at| lead.block(BLOCK, DUE, start + Duration::from_secs_f64(at))).max().unwrap()
    }

    #[test]
    fn real_time_never_waits() {
        let (mut lead, start) = (Lead::default(), Instant::now());
        // With jitter, then in bursts of four, then with pauses.
        let jitter = (0..1000).map(|index| f64::from(index) * BLOCK + f64::from(index * 7 % 5) * 0.003);
        let bursts = (0..1000).map(|index| 20.0 + f64::from(index / 4) * 4.0 * BLOCK);
        let pauses = (0..1000).map(|index| 40.0 + f64::from(index) * BLOCK + f64::from(index / 100) * 3.0);
        for times in [Box::new(jitter) as Box<dyn Iterator<Item = f64>>, Box::new(bursts), Box::new(pauses)] {
            assert_eq!(longest(&mut lead, start, times), Duration::ZERO);
        }
    }

    #[test]
    fn a_host_that_was_late_once_is_not_ahead_for_good() {
        let (mut lead, start) = (Lead::default(), Instant::now());
        longest(&mut lead, start, (0..100).map(|index| f64::from(index) * BLOCK));
        // 80 ms too late, then on time again.
        let caught_up = (100..1000).map(|index| (f64::from(index) * BLOCK).max(1.08));
        longest(&mut lead, start, caught_up);
        let on_time = (1000..2000).map(|index| f64::from(index) * BLOCK);
        assert_eq!(longest(&mut lead, start, on_time), Duration::ZERO);
    }

    #[test]
    fn rendering_waits_soon_and_no_longer_than_it_lasts() {
        let (mut lead, start) = (Lead::default(), Instant::now());
        let waits: Vec<_> = (0..10).map(|_| lead.block(BLOCK, DUE, start)).collect();
        let soon = waits.iter().position(|wait| !wait.is_zero()).unwrap();
        assert!((4..=6).contains(&soon), "after {soon} blocks");
        assert!(waits.iter().enumerate().all(|(index, wait)| wait.as_secs_f64() <= BLOCK * index as f64 / 2.0 + 1e-9));
        longest(&mut lead, start, (0..10_000).map(|_| 0.0));
        let after = (0..1000).map(|index| LONGEST + f64::from(index) * BLOCK);
        assert_eq!(longest(&mut lead, start, after), Duration::ZERO);
    }
}
