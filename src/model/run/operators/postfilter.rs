//! The decoder's postfilter in one step: frame by frame, so that what its layers make stays in the nearest caches.

use super::frames::silu;
use super::panels::Panels;
use super::tensors::Run;
use super::{Size, Step};
use crate::model::graph::{FLOOR, GROUP, Postfilter, SHIFTS};
use ort::value::TensorElementType;
use std::sync::Arc;

/// See the module.
pub(super) struct Filtering {
    of: Postfilter,
    first: Arc<Panels>,
    layers: Vec<[Arc<Panels>; 2]>,
    last: Arc<Panels>,
}

/// What one frame is computed in.
#[derive(Default)]
struct Buffers {
    /// The past's frames and this one, companded, a group of zeros on either side of each.
    low: Vec<f32>,
    /// `[groups, rows]` of the product that comes next.
    vectors: Vec<f32>,
    /// `[groups, channels]`, a group of zeros on either side.
    x: Vec<f32>,
    wide: Vec<f32>,
    more: Vec<f32>,
    /// The frames that filters reach over, a zero on either side of each.
    reached: Vec<f32>,
}

/// One frame of a stream.
struct Frame<'a> {
    /// `[hop]`.
    spectrum: &'a [f32],
    /// `[past + 1, bins]`.
    low: &'a [f32],
    /// `[taps, bins]`.
    reached: &'a [f32],
    /// `[channels]`.
    told: &'a [f32],
}

impl Filtering {
    /// `None` where there are fewer products than it names.
    pub fn new(of: Postfilter, products: &[Arc<Panels>]) -> Option<Self> {
        let [first, layers @ .., last] = products.get(of.products.clone())? else { return None };
        let layers = layers.as_chunks::<2>().0.to_vec();
        Some(Self { first: first.clone(), layers, last: last.clone(), of })
    }

    /// How many streams and frames; `None` where the inputs don't fit.
    fn fits(&self, spectrum: &[i64], low: &[i64], reached: &[i64], told: &[i64]) -> Option<(usize, usize)> {
        let &[streams, frames, hop] = spectrum else { return None };
        let Postfilter { bins, past, taps, .. } = self.of;
        let fits = hop >= bins as i64
            && low == [streams, frames + past as i64, bins as i64]
            && reached == [streams, frames + taps as i64 - 1, bins as i64]
            && told == [streams, frames, self.last.rows() as i64];
        fits.then_some((usize::try_from(streams).ok()?, usize::try_from(frames).ok()?))
    }

    /// `filtered` is `spectrum`, `[streams, frames, hop]`, filtered.
    fn compute(&self, frames: usize, [spectrum, low, reached, told]: [&[f32]; 4], filtered: &mut [f32]) {
        let Postfilter { bins, past, taps, .. } = self.of;
        let channels = self.last.rows();
        let all = told.len() / channels;
        if all == 0 {
            return;
        }
        let hop = spectrum.len() / all;
        let mut buffers = Buffers::default();
        for (at, filtered) in filtered.chunks_exact_mut(hop).enumerate() {
            let (stream, frame) = (at / frames, at % frames);
            let frame = Frame {
                spectrum: &spectrum[at * hop..][..hop],
                low: &low[(stream * (frames + past) + frame) * bins..][..(past + 1) * bins],
                reached: &reached[(stream * (frames + taps - 1) + frame) * bins..][..taps * bins],
                told: &told[at * channels..][..channels],
            };
            self.filter(&frame, &mut buffers, filtered);
        }
    }

    fn filter(&self, frame: &Frame, b: &mut Buffers, filtered: &mut [f32]) {
        let Postfilter { bins, taps, .. } = self.of;
        let (groups, channels) = (bins / GROUP, self.last.rows());
        self.look(frame.low, b);
        let inner = channels..(groups + 1) * channels;
        b.x.resize((groups + 2) * channels, 0.0);
        self.first.multiply(&b.vectors, &mut b.x[inner.clone()]);
        let places = self.of.place.chunks_exact(channels);
        for (x, place) in b.x[inner.clone()].chunks_exact_mut(channels).zip(places) {
            for ((x, place), told) in x.iter_mut().zip(place).zip(frame.told) {
                *x = *x + place + told;
            }
        }
        silu(&mut b.x[inner.clone()]);
        for [widen, narrow] in &self.layers {
            b.vectors.clear();
            b.x.windows(3 * channels).step_by(channels).for_each(|near| b.vectors.extend_from_slice(near));
            b.wide.resize(groups * widen.columns(), 0.0);
            widen.multiply(&b.vectors, &mut b.wide);
            b.more.resize(groups * channels, 0.0);
            narrow.multiply(&b.wide, &mut b.more);
            b.x[inner.clone()].iter_mut().zip(&b.more).for_each(|(x, more)| *x += more);
        }
        let reach = SHIFTS * taps * GROUP;
        b.more.resize(groups * reach, 0.0);
        self.last.multiply(&b.x[inner], &mut b.more);
        let padded = bins + SHIFTS - 1;
        b.reached.clear();
        b.reached.resize(taps * padded, 0.0);
        for (padded, bins) in b.reached.chunks_exact_mut(padded).zip(frame.reached.chunks_exact(bins)) {
            padded[SHIFTS / 2..][..bins.len()].copy_from_slice(bins);
        }
        filtered.copy_from_slice(frame.spectrum);
        let all = filtered[..bins].as_chunks_mut::<GROUP>().0.iter_mut().zip(b.more.chunks_exact(reach));
        for (group, (bins, filters)) in all.enumerate() {
            for (filter, of) in filters.as_chunks::<GROUP>().0.iter().enumerate() {
                let near = &b.reached[filter % taps * padded + group * GROUP + filter / taps..][..GROUP];
                bins.iter_mut().zip(of).zip(near).for_each(|((bin, of), near)| *bin += of * near);
            }
        }
    }

    /// What the first product is of: each group with its neighbours in all frames of `low`, as loud as may be, and the sizes
    /// of that.
    fn look(&self, low: &[f32], b: &mut Buffers) {
        let bins = self.of.bins;
        let padded = bins + 2 * GROUP;
        b.low.clear();
        b.low.resize(low.len() / bins * padded, 0.0);
        for (padded, bins) in b.low.chunks_exact_mut(padded).zip(low.chunks_exact(bins)) {
            padded[GROUP..][..bins.len()].copy_from_slice(bins);
        }
        let near = SHIFTS * GROUP;
        b.vectors.resize(bins / GROUP * self.first.rows(), 0.0);
        let mut square = 0.0;
        for (group, vector) in b.vectors.chunks_exact_mut(self.first.rows()).enumerate() {
            let seen = vector.len() / 2;
            for (seen, low) in vector[..seen].chunks_exact_mut(near).zip(b.low.chunks_exact(padded)) {
                seen.copy_from_slice(&low[group * GROUP..][..near]);
            }
            square += vector[..seen].iter().map(|x| x * x).sum::<f32>();
        }
        let over = (square / (b.vectors.len() / 2) as f32 + FLOOR).powf(-0.5);
        for vector in b.vectors.chunks_exact_mut(self.first.rows()) {
            let (seen, sizes) = vector.split_at_mut(self.first.rows() / 2);
            for (x, size) in seen.iter_mut().zip(sizes) {
                *x *= over;
                *size = x.abs();
            }
        }
    }
}

impl Step for Filtering {
    const INPUTS: &[TensorElementType] = &[TensorElementType::Float32; 4];

    fn shapes<D: Size>(&self, inputs: &[&[D]]) -> Option<Vec<Vec<D>>> {
        Some(vec![inputs.first()?.to_vec()])
    }

    fn run(&self, run: Run) -> ort::Result<()> {
        let ((shape, spectrum), (of_low, low)) = (run.input(0)?, run.input(1)?);
        let ((of_reached, reached), (of_told, told)) = (run.input(2)?, run.input(3)?);
        let fits = self.fits(shape, of_low, of_reached, of_told);
        let [made] = run.results(fits.and_then(|_| self.shapes(&[shape])))?;
        let frames = fits.map_or(0, |(_, frames)| frames);
        self.compute(frames, [spectrum, low, reached, told], made);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::instructions::Instructions;
    use super::super::panels::exactly;
    use super::*;
    use crate::model::graph::Product;
    use half::f16;

    const BINS: usize = 16;
    const GROUPS: usize = BINS / GROUP;
    const CHANNELS: usize = 6;
    const WIDE: usize = 10;
    const PAST: usize = 2;
    const TAPS: usize = 2;
    const HOP: usize = 20;

    fn silu(x: &mut [f64]) {
        x.iter_mut().for_each(|x| *x /= 1.0 + (-*x).exp());
    }

    /// Value `at` of a row, 0 on either side of it.
    fn or_zero(row: &[f32], at: isize) -> f64 {
        usize::try_from(at).ok().and_then(|at| row.get(at)).map_or(0.0, |&value| f64::from(value))
    }

    /// One frame, as training's definition says it.
    fn expected(products: &[Product], place: &[f32], frame: &Frame) -> Vec<f64> {
        let beside = |x: &[Vec<f64>], group: usize| -> Vec<f64> {
            let at = |group: isize| {
                usize::try_from(group)
                    .ok()
                    .and_then(|group| x.get(group))
                    .cloned()
                    .unwrap_or_else(|| vec![0.0; CHANNELS])
            };
            (-1..=1).flat_map(|by| at(group as isize + by)).collect()
        };
        let seen: Vec<Vec<f64>> = (0..GROUPS as isize)
            .map(|group| {
                let near = |bins: &[f32]| -> Vec<f64> { (-4..8).map(|by| or_zero(bins, group * 4 + by)).collect() };
                frame.low.chunks_exact(BINS).flat_map(near).collect()
            })
            .collect();
        let count = seen.iter().map(Vec::len).sum::<usize>() as f64;
        let over = (seen.iter().flatten().map(|x| x * x).sum::<f64>() / count + f64::from(FLOOR)).sqrt();
        let mut x: Vec<Vec<f64>> = Vec::new();
        for (group, seen) in seen.iter().enumerate() {
            let loud = seen.iter().map(|x| x / over);
            let both: Vec<f64> = loud.clone().chain(loud.map(f64::abs)).collect();
            let mut made = exactly(&products[0], &both);
            for (channel, made) in made.iter_mut().enumerate() {
                *made += f64::from(place[group * CHANNELS + channel]) + f64::from(frame.told[channel]);
            }
            silu(&mut made);
            x.push(made);
        }
        let more: Vec<Vec<f64>> = (0..GROUPS)
            .map(|group| {
                let mut wide = exactly(&products[1], &beside(&x, group));
                silu(&mut wide);
                exactly(&products[2], &wide)
            })
            .collect();
        x.iter_mut().zip(more).for_each(|(x, more)| x.iter_mut().zip(more).for_each(|(x, more)| *x += more));
        let filters: Vec<Vec<f64>> = x.iter().map(|x| exactly(&products[3], x)).collect();
        let bin = |bin: usize| {
            let filter = |shift: usize, tap: usize| filters[bin / GROUP][(shift * TAPS + tap) * GROUP + bin % GROUP];
            let reached = |shift: usize, tap: usize| {
                or_zero(&frame.reached[tap * BINS..][..BINS], bin as isize + shift as isize - 1)
            };
            let all = (0..SHIFTS).flat_map(|shift| (0..TAPS).map(move |tap| (shift, tap)));
            f64::from(frame.spectrum[bin])
                + all.map(|(shift, tap)| filter(shift, tap) * reached(shift, tap)).sum::<f64>()
        };
        (0..HOP).map(|at| if at < BINS { bin(at) } else { f64::from(frame.spectrum[at]) }).collect()
    }

    #[test]
    fn it_computes_what_its_steps_would() {
        let mut random = fastrand::Rng::with_seed(4);
        let mut numbers = |count: usize| (0..count).map(|_| random.f32() - 0.5).collect::<Vec<f32>>();
        let shapes = [
            (2 * SHIFTS * GROUP * (PAST + 1), CHANNELS, false),
            (3 * CHANNELS, WIDE, true),
            (WIDE, CHANNELS, false),
            (CHANNELS, SHIFTS * TAPS * GROUP, false),
        ];
        let products = shapes.map(|(rows, columns, gated)| Product {
            rows,
            columns,
            values: numbers(rows * columns).into_iter().map(|value| f16::from_f32(value).to_bits()).collect(),
            bias: numbers(columns),
            epsilon: None,
            gated,
        });
        let (streams, frames) = (2, 3);
        let of = Postfilter { bins: BINS, past: PAST, taps: TAPS, place: numbers(GROUPS * CHANNELS), products: 0..4 };
        let spectrum = numbers(streams * frames * HOP);
        let low = numbers(streams * (frames + PAST) * BINS);
        let reached = numbers(streams * (frames + TAPS - 1) * BINS);
        let told = numbers(streams * frames * CHANNELS);
        for instructions in Instructions::all() {
            let panels: Vec<_> = Panels::of(&products, instructions).into_iter().map(Arc::new).collect();
            let filtering = Filtering::new(of.clone(), &panels).unwrap();
            let mut made = vec![0.0; spectrum.len()];
            filtering.compute(frames, [&spectrum, &low, &reached, &told], &mut made);
            for (at, made) in made.chunks_exact(HOP).enumerate() {
                let (stream, frame) = (at / frames, at % frames);
                let frame = Frame {
                    spectrum: &spectrum[at * HOP..][..HOP],
                    low: &low[(stream * (frames + PAST) + frame) * BINS..][..(PAST + 1) * BINS],
                    reached: &reached[(stream * (frames + TAPS - 1) + frame) * BINS..][..TAPS * BINS],
                    told: &told[at * CHANNELS..][..CHANNELS],
                };
                let expected = expected(&products, &of.place, &frame);
                let off = made.iter().zip(&expected).map(|(y, e)| (f64::from(*y) - e).abs()).fold(0.0, f64::max);
                assert!(off < 1e-5, "frame {at}: {off} off, {instructions:?}");
            }
            filtering.compute(0, [&[]; 4], &mut []);
        }
    }

    #[test]
    fn inputs_of_other_dimensions_are_refused() {
        let product = |rows, columns| Product {
            rows,
            columns,
            values: vec![0; rows * columns],
            bias: vec![0.0; columns],
            epsilon: None,
            gated: false,
        };
        let products = [product(72, CHANNELS), product(CHANNELS, 24)];
        let of = Postfilter { bins: BINS, past: PAST, taps: TAPS, place: vec![0.0; 24], products: 0..2 };
        for instructions in Instructions::all() {
            let panels: Vec<_> = Panels::of(&products, instructions).into_iter().map(Arc::new).collect();
            assert!(Filtering::new(of.clone(), &panels[..1]).is_none());
            let filtering = Filtering::new(of.clone(), &panels).unwrap();
            let fit: [&[i64]; 4] = [&[2, 3, 20], &[2, 5, 16], &[2, 4, 16], &[2, 3, 6]];
            assert_eq!(filtering.fits(fit[0], fit[1], fit[2], fit[3]), Some((2, 3)));
            for at in 0..4 {
                let mut other = fit;
                other[at] = &[2, 3, 7];
                assert_eq!(filtering.fits(other[0], other[1], other[2], other[3]), None);
            }
        }
    }
}
