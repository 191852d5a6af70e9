//! How the entries of the codebooks are used, in bits: what is sent, and what it could be told in.

/// Counts of codes and of counts over some frames.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// `[codebooks][entries]`
    codes: Vec<Vec<u32>>,
    /// Frames that used one codebook, two, ...
    counts: Vec<u32>,
}

impl Usage {
    /// Nothing yet, of `codebooks` of `entries` each.
    pub fn new(codebooks: usize, entries: usize) -> Self {
        Self { codes: vec![vec![0; entries]; codebooks], counts: vec![0; codebooks] }
    }

    /// Adds a frame of one channel: its codes, first codebook first. Codes outside the codebooks don't count.
    pub fn push(&mut self, codes: &[u16]) {
        if let Some(count) = codes.len().checked_sub(1).and_then(|n| self.counts.get_mut(n)) {
            *count += 1;
        }
        for (codebook, &code) in self.codes.iter_mut().zip(codes) {
            if let Some(times) = codebook.get_mut(usize::from(code)) {
                *times += 1;
            }
        }
    }

    /// Number of codebooks.
    pub fn codebooks(&self) -> usize {
        self.codes.len()
    }

    /// Frames that were added, each channel on its own.
    pub fn frames(&self) -> u64 {
        self.counts.iter().map(|&times| u64::from(times)).sum()
    }

    /// How often each entry of a codebook was used.
    pub fn histogram(&self, codebook: usize) -> &[u32] {
        &self.codes[codebook]
    }

    /// Share of the frames that used a codebook.
    pub fn sent(&self, codebook: usize) -> f64 {
        let sent: u64 = self.codes[codebook].iter().map(|&times| u64::from(times)).sum();
        sent as f64 / self.frames().max(1) as f64
    }

    /// Share of the frames that used `count` codebooks, from 1 on.
    pub fn share_of_count(&self, count: usize) -> f64 {
        let times = count.checked_sub(1).and_then(|n| self.counts.get(n)).copied().unwrap_or(0);
        f64::from(times) / self.frames().max(1) as f64
    }

    /// Entropy of a codebook's codes in bits; `None` where it wasn't used. See [`entropy_bits`].
    pub fn entropy_bits(&self, codebook: usize) -> Option<f64> {
        entropy_bits(&self.codes[codebook])
    }

    /// Entropy of the counts in bits.
    pub fn count_entropy_bits(&self) -> Option<f64> {
        entropy_bits(&self.counts)
    }

    /// Bits of a frame of one channel that a coder would need on average that knows how often each code and count
    /// comes, and nothing else.
    pub fn frame_entropy_bits(&self) -> Option<f64> {
        let codes = |k| self.sent(k) * self.entropy_bits(k).unwrap_or(0.0);
        Some(self.count_entropy_bits()? + (0..self.codebooks()).map(codes).sum::<f64>())
    }
}

/// Entropy in bits of what was counted in `counts`, `None` where nothing was. Few samples make it look smaller than it
/// is; the first-order correction for that (Miller, "Note on the bias of information estimates", 1955) is included,
/// but no more than all equally often is told.
pub fn entropy_bits(counts: &[u32]) -> Option<f64> {
    let total: f64 = counts.iter().map(|&times| f64::from(times)).sum();
    if total == 0.0 {
        return None;
    }
    let term = |&times: &u32| {
        let share = f64::from(times) / total;
        if times > 0 { -share * share.log2() } else { 0.0 }
    };
    let seen = counts.iter().filter(|&&times| times > 0).count() as f64;
    let correction = (seen - 1.0) / (2.0 * total * std::f64::consts::LN_2);
    Some((counts.iter().map(term).sum::<f64>() + correction).min((counts.len() as f64).log2()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_is_that_of_the_source() {
        assert_eq!(entropy_bits(&[0, 0]), None);
        assert_eq!(entropy_bits(&[7, 0, 0]), Some(0.0));
        assert_eq!(entropy_bits(&[5000; 8]), Some(3.0));
        // Three thousand draws of a thousand equally likely entries: ten bits but for what can't be known.
        let mut counts = vec![0; 1024];
        let mut random = fastrand::Rng::with_seed(1);
        (0..3000).for_each(|_| counts[random.usize(..1024)] += 1);
        let bits = entropy_bits(&counts).unwrap();
        assert!((9.85..=10.0).contains(&bits), "{bits}");
    }

    #[test]
    fn counts_and_codes_are_counted_apart() {
        let mut usage = Usage::new(3, 4);
        usage.push(&[0]);
        usage.push(&[1, 2]);
        usage.push(&[0, 2, 3]);
        usage.push(&[1, 2, 3]);
        assert_eq!((usage.frames(), usage.sent(0), usage.sent(1), usage.sent(2)), (4, 1.0, 0.75, 0.5));
        assert_eq!((usage.share_of_count(1), usage.share_of_count(3)), (0.25, 0.5));
        assert_eq!(usage.histogram(1), [0, 0, 3, 0]);
        assert_eq!(usage.entropy_bits(2), Some(0.0));
    }
}
