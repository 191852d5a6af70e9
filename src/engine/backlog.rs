//! How many of the hops that wait go through the codec in one call.
//!
//! A call reads the model's weights once, so several hops in one call take less than as many calls: the paper's model is
//! bound by that reading. But the first of them comes out with the last. So a call never waits for hops: it takes those
//! that are there, as far as the first still comes in time. A codec that is too slow hop by hop falls behind within the
//! safety hops until its calls are long enough to keep up; the latency stays what it was.

/// Most hops in a call: longer ones save little more, and what they take at once needs twice as many safety hops.
pub(super) const MOST_HOPS: usize = 4;
/// Smoothing of the times, in calls.
const CALLS: f32 = 8.0;
/// Share of real time up to which a codec keeps up without doubt: live, beside other work, it is slower than it was measured.
const EASY_LOAD: f32 = 0.85;

/// What calls of 1, 2, ... hops take, in seconds.
pub(super) struct Backlog {
    seconds: Vec<f32>,
}

impl Backlog {
    /// With times that were measured before: as many as a call may have hops, at least one.
    pub fn new(seconds: Vec<f32>) -> Self {
        Self { seconds }
    }

    /// A call of `hops` hops took this long.
    pub fn took(&mut self, hops: usize, seconds: f32) {
        let mean = &mut self.seconds[hops - 1];
        *mean += (seconds - *mean) / CALLS;
    }

    /// Safety hops with which it keeps up with hops of `hop` seconds: at the end of a call the first of the next one has
    /// waited as long as the call took, and waits for its own. `None` where even the longest calls are too slow.
    pub fn safety(&self, hop: f32) -> Option<u32> {
        let loads: Vec<f32> =
            (1u8..).zip(&self.seconds).map(|(hops, seconds)| seconds / (f32::from(hops) * hop)).collect();
        let needed = |index: usize| {
            let waits = if index == 0 { 1.0 } else { 2.0 };
            (waits * self.seconds[index] / hop).ceil() as u32
        };
        match loads.iter().position(|&load| load <= EASY_LOAD) {
            Some(index) => Some(needed(index)),
            // All that it can have.
            None => (loads[loads.len() - 1] <= 1.0).then_some(2 * loads.len() as u32),
        }
    }

    /// Hops to take of those `waiting`, where the first is due in `slack` seconds.
    pub fn hops(&self, waiting: usize, slack: f32) -> usize {
        let most = waiting.clamp(1, self.seconds.len());
        if self.seconds[0] > slack {
            // Late either way: what catches up fastest.
            return most;
        }
        (1..=most).rev().find(|hops| self.seconds[hops - 1] <= slack).unwrap_or(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_takes_what_waits_as_far_as_the_first_hop_comes_in_time() {
        let mut backlog = Backlog::new(vec![0.020, 0.028, 0.036, 0.044]);
        assert_eq!(backlog.hops(0, 1.0), 1);
        assert_eq!([1, 2, 3, 4, 9].map(|waiting| backlog.hops(waiting, 0.1)), [1, 2, 3, 4, 4]);
        assert_eq!(backlog.hops(4, 0.03), 2, "three would make the first one late");
        assert_eq!(backlog.hops(4, 0.01), 4, "late either way");
        (0..50).for_each(|_| backlog.took(4, 0.2));
        assert_eq!(backlog.hops(4, 0.1), 3);
    }

    /// A codec that takes 18 ms for a hop of 11.6 ms alone, and 6 ms for each further one of a call.
    #[test]
    fn a_codec_too_slow_hop_by_hop_keeps_up_with_safety_hops() {
        const HOP: f32 = 0.0116;
        let seconds = [1, 2, 3, 4].map(|hops| 0.012 + 0.006 * hops as f32);
        let late = |safety: f32, most: usize| {
            let backlog = Backlog::new(seconds[..most].to_vec());
            let (mut now, mut done, mut late) = (0.0f32, 0, 0);
            while done < 1000 {
                now = now.max((done + 1) as f32 * HOP);
                let due = |hop: usize| (hop as f32 + 1.0 + safety) * HOP;
                let waiting = (now / HOP + 1e-3) as usize - done;
                let hops = backlog.hops(waiting, due(done) - now);
                now += seconds[hops - 1];
                late += (done..done + hops).filter(|&hop| due(hop) < now).count();
                done += hops;
            }
            late
        };
        assert!(late(8.0, 1) > 900, "hop by hop it can't");
        assert_eq!(late(8.0, MOST_HOPS), 0);
        let told = Backlog::new(seconds.to_vec()).safety(HOP);
        assert_eq!(told, Some(7), "four hops in 36 of 46.4 ms");
        assert_eq!(late(told.unwrap() as f32, MOST_HOPS), 0);
        assert_eq!(Backlog::new(vec![0.001, 0.002]).safety(HOP), Some(1));
        assert_eq!(Backlog::new(vec![0.020, 0.030, 0.038, 0.045]).safety(HOP), Some(8), "just so");
        assert_eq!(Backlog::new(vec![0.020, 0.030]).safety(HOP), None);
        assert!(late(1.0, MOST_HOPS) > 500, "without time to wait in it can't either");
    }
}
