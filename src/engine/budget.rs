//! Whether the machine has time for what isn't needed: both settings at once, or codes chosen by their sound or refined.

/// Load with it from which it is given up.
const HIGH_LOAD: f32 = 0.8;
/// Load without it up to which it may run: with it a hop takes about twice as much.
const LOW_LOAD: f32 = 0.45;
/// Seconds until it is tried again, the first time and at most.
const FIRST_WAIT: f64 = 10.0;
const LONGEST_WAIT: f64 = 320.0;

/// Gives it up where it costs too much, and tries again, each time after twice as long.
pub(super) struct Budget {
    hop_seconds: f64,
    /// Seconds until the next try.
    wait: f64,
    next_wait: f64,
}

impl Budget {
    pub fn new(hop_seconds: f64) -> Self {
        Self { hop_seconds, wait: 0.0, next_wait: FIRST_WAIT }
    }

    /// So many hops have gone by.
    pub fn pass(&mut self, hops: usize) {
        self.wait = (self.wait - hops as f64 * self.hop_seconds).max(0.0);
    }

    /// Whether it may run for the next hop: `load` is the share of real time so far, `late` whether the last hop came too
    /// late, `runs` whether it runs now.
    pub fn allows(&mut self, load: f32, late: bool, runs: bool) -> bool {
        if runs && (late || load > HIGH_LOAD) {
            self.wait = self.next_wait;
            self.next_wait = (2.0 * self.next_wait).min(LONGEST_WAIT);
        }
        self.wait == 0.0 && (runs || load <= LOW_LOAD)
    }
}

/// Hops after a late frame at which another one means that the machine is too slow: sooner it is of the same stall, and later
/// it is one of its own.
const AGAIN: std::ops::Range<u64> = 40..600;

/// Whether late frames come again and again. A host that is waited for loses some until it is recognised as ahead of the
/// clock; more of them later say that waiting isn't enough.
#[derive(Debug, Default)]
pub(super) struct Recurring {
    /// Late frames so far.
    count: u64,
    /// Hop of the first of those that belong together.
    from: Option<u64>,
}

impl Recurring {
    /// At hop `hop`, `count` frames have been late so far; fewer than before where the count was cleared.
    pub fn late_again(&mut self, hop: u64, count: u64) -> bool {
        let more = count > std::mem::replace(&mut self.count, count);
        let Some(hops) = self.from.map(|from| hop - from).filter(|&hops| hops < AGAIN.end) else {
            if more {
                self.from = Some(hop);
            }
            return false;
        };
        more && AGAIN.contains(&hops)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_frames_of_one_stall_are_not_late_again() {
        let mut recurring = Recurring::default();
        let mut again = |hop, count| recurring.late_again(hop, count);
        // A start that costs five frames, then nothing.
        assert!((30..50).all(|hop| !again(hop, (hop - 29).min(5))));
        assert!((50..500).all(|hop| !again(hop, 5)));
        assert!(again(500, 6), "and then one more");
        assert!(again(520, 7) && !again(521, 7));
        assert!(!again(900, 8), "long after it is a stall of its own");
        assert!(!again(905, 12) && again(950, 13));
        // Cleared by the user.
        assert!(!again(951, 0) && again(952, 1));
    }

    /// Seconds until both may run again, at a load of `single` with one.
    fn pause(budget: &mut Budget, single: f32) -> Option<f64> {
        let allowed = |_: &i32| {
            budget.pass(1);
            budget.allows(single, false, false)
        };
        (1..100_000).find(allowed).map(|hops| f64::from(hops) * 0.01)
    }

    #[test]
    fn a_machine_that_is_too_slow_is_asked_more_and_more_rarely() {
        let mut budget = Budget::new(0.01);
        assert!(budget.allows(0.2, false, false));
        assert!(budget.allows(0.7, false, true));
        assert!(!budget.allows(0.85, false, true));
        assert!((pause(&mut budget, 0.4).unwrap() - 10.0).abs() < 0.1);
        assert!(!budget.allows(0.5, true, true), "late frames count too");
        assert!((pause(&mut budget, 0.4).unwrap() - 20.0).abs() < 0.1);
        assert_eq!(pause(&mut budget, 0.5), None, "a machine busy with one isn't given two");
    }
}
