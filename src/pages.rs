//! Numbers that every hop reads, in large pages of memory where the system has them.
//!
//! Between two hops other work takes the caches, and with them what the processor knows of its pages: megabytes of weights then
//! wait at each page of 4 KiB for its address. In pages of 2 MiB they are read in 0.7 of the time (10 MB every 9 ms, Linux on a
//! virtual Xeon, a throw-away program). Elsewhere, or where the system has none left, it is memory like any other.

use bytemuck::Pod;
use memmap2::MmapMut;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

/// Bytes of a large page, of x86 and of ARM where small ones have 4 KiB.
const LARGE: usize = 2 << 20;

/// A slice of numbers that live in large pages.
pub(crate) struct Pages<T> {
    /// The memory and the first byte of the numbers; none where there are none.
    memory: Option<(MmapMut, usize)>,
    length: usize,
    of: PhantomData<T>,
}

impl<T: Pod> Pages<T> {
    /// `length` zeros.
    ///
    /// # Panics
    /// Where the system has no memory for them.
    pub fn zeros(length: usize) -> Self {
        let memory = (length > 0).then(|| {
            // Whole pages, from the start of one on. What isn't touched takes no memory.
            let used = length * size_of::<T>();
            let bytes = used.next_multiple_of(LARGE);
            let memory = MmapMut::map_anon(bytes + LARGE).expect("there is memory for the weights");
            let from = memory.as_ptr().align_offset(LARGE);
            // A few small ones aren't worth a large one.
            #[cfg(target_os = "linux")]
            if used * 2 >= LARGE {
                // A kernel without them refuses: nothing is lost but time.
                let _ = memory.advise_range(memmap2::Advice::HugePage, from, bytes);
            }
            (memory, from)
        });
        Self { memory, length, of: PhantomData }
    }

    fn bytes(&self) -> usize {
        self.length * size_of::<T>()
    }
}

impl<T: Pod> Deref for Pages<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        self.memory.as_ref().map_or(&[], |(memory, from)| bytemuck::cast_slice(&memory[*from..][..self.bytes()]))
    }
}

impl<T: Pod> DerefMut for Pages<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        let bytes = self.bytes();
        self.memory.as_mut().map_or(&mut [], |(memory, from)| bytemuck::cast_slice_mut(&mut memory[*from..][..bytes]))
    }
}

impl<T: Pod> From<&[T]> for Pages<T> {
    fn from(values: &[T]) -> Self {
        let mut pages = Self::zeros(values.len());
        pages.copy_from_slice(values);
        pages
    }
}

impl<T: Pod> Clone for Pages<T> {
    fn clone(&self) -> Self {
        Self::from(&**self)
    }
}

impl<T: Pod> Default for Pages<T> {
    fn default() -> Self {
        Self::zeros(0)
    }
}

impl<T: Pod + PartialEq> PartialEq for Pages<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Pod + std::fmt::Debug> std::fmt::Debug for Pages<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_hold_what_is_put_into_them() {
        for length in [0, 1, 1000, (2 << 20) / 4, (2 << 20) / 4 + 1] {
            let mut pages = Pages::<f32>::zeros(length);
            assert!(pages.len() == length && pages.iter().all(|&value| value == 0.0));
            pages.iter_mut().enumerate().for_each(|(at, value)| *value = at as f32);
            let copy = pages.clone();
            assert!(copy == pages && copy.iter().enumerate().all(|(at, &value)| value == at as f32));
            assert!(length == 0 || copy.as_ptr() != pages.as_ptr());
        }
    }

    /// Where the system gives them to those that ask for them.
    #[cfg(target_os = "linux")]
    #[test]
    fn large_ones_are_asked_for() {
        let setting = std::fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled").unwrap_or_default();
        if !["[madvise]", "[always]"].iter().any(|given| setting.contains(given)) {
            return;
        }
        let pages = Pages::<u8>::zeros(LARGE);
        let at = pages.as_ptr() as usize;
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let holds = |line: &str| {
            let (from, to) = line.split_once(' ')?.0.split_once('-')?;
            let bound = |hex| usize::from_str_radix(hex, 16).ok();
            Some((bound(from)?..bound(to)?).contains(&at))
        };
        let mut lines = maps.lines().skip_while(|line| holds(line) != Some(true));
        let flags = lines.find(|line| line.starts_with("VmFlags:")).expect("the memory is mapped");
        assert!(flags.split_whitespace().any(|flag| flag == "hg"), "{flags}");
    }
}
