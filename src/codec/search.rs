//! Residual vector quantization as a beam search.
//!
//! Taking the nearest entry stage by stage is greedy: an entry that is second best now may leave a residual that the
//! later codebooks code better. A search that carries the best few partial sums along costs the decoder nothing, needs
//! no other training and no more bits; on the bundled model it is worth more than ten thousand steps of training
//! (figures in `training/RESULTS.md`). The search stays outside the graph, since the built-in runtime has no fast
//! selection of the best k. It keeps the best codes for each count ([`Codes`]), and ends at the count where that is known.

use super::Codes;
use crate::pages::Pages;
use gemm::Parallelism;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// Codebooks that are searched outside the model's graph, by Euclidean distance.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Codebooks {
    /// `[codebooks, entries, dims]`.
    entries: Vec<f32>,
    /// The same as the matrix product reads them, `[codebooks, dims, entries + PADDING]`.
    columns: Pages<f32>,
    /// Half the squared norm of each entry, `[codebooks, entries]`.
    half_norms: Vec<f32>,
    codebooks: usize,
    size: usize,
    dims: usize,
    beam: usize,
}

/// What a frame's codes are chosen by, the least effort first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum CodeSearch {
    /// The error of its latent alone.
    Latent,
    /// Of the best by that, what the decoder makes of them: nearer in sound for the same bits, and slower.
    Sound,
    /// By the sound, among what is searched anew near what the best so far asks for: nearer still, and slower.
    Refined,
}

impl CodeSearch {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Latent, Self::Sound, Self::Refined];
}

impl std::fmt::Display for CodeSearch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Latent => "latent",
            Self::Sound => "sound",
            Self::Refined => "refined",
        })
    }
}

impl FromStr for CodeSearch {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = Self::ALL.into_iter().find(|search| search.to_string() == text);
        named.ok_or_else(|| "codes are chosen by \"latent\", by \"sound\" or \"refined\"".into())
    }
}

/// Widest beam a model may ask for, and most candidates.
pub const MAX_BEAM: usize = 64;
/// Frames that are searched in one matrix product.
const FRAMES_AT_ONCE: usize = 32;
/// Values between the columns of a codebook, so that those of 1024 entries don't compete for the same lines of the cache.
const PADDING: usize = 16;

/// One partial sum of a frame's search.
#[derive(Clone, Copy)]
struct Candidate {
    /// Half the squared residual, up to a constant of the frame.
    cost: f32,
    /// Which of the frame's partial sums it extends.
    parent: usize,
    code: usize,
}

/// Buffers of a search, kept from call to call.
#[derive(Debug, Default, Clone)]
pub struct SearchBuffers {
    /// `[frames, beam, dims]`.
    residuals: Vec<f32>,
    next_residuals: Vec<f32>,
    /// `[frames, beam]`.
    costs: Vec<f32>,
    next_costs: Vec<f32>,
    /// `[frames, beam, codebooks]`.
    paths: Vec<u16>,
    next_paths: Vec<u16>,
    /// `[frames, beam, entries]`.
    products: Vec<f32>,
    /// Those that are searched still.
    frames: Vec<usize>,
    next_frames: Vec<usize>,
    blocks: Blocks,
}

/// Least costs of the blocks of one frame's candidates.
#[derive(Debug, Default, Clone)]
struct Blocks {
    least: Vec<f32>,
    sorted: Vec<f32>,
}

impl Codebooks {
    /// Codebooks of `entries`, `[codebooks, size, dims]`, searched with a beam of `beam` partial sums (1 is greedy).
    /// `None` where a length is zero or doesn't fit, the beam is wider than [`MAX_BEAM`], or an entry isn't finite.
    pub fn new(entries: Vec<f32>, codebooks: usize, size: usize, dims: usize, beam: usize) -> Option<Self> {
        let expected = codebooks.checked_mul(size)?.checked_mul(dims)?;
        let sound = expected > 0 && entries.len() == expected && (1..=MAX_BEAM).contains(&beam);
        if !sound || size > 1 << 16 || entries.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let half_norms = entries.chunks_exact(dims).map(|e| 0.5 * e.iter().map(|v| v * v).sum::<f32>()).collect();
        let stride = size + PADDING;
        let mut columns = Pages::zeros(codebooks * dims * stride);
        for (book, columns) in entries.chunks_exact(size * dims).zip(columns.chunks_exact_mut(stride * dims)) {
            for (code, entry) in book.chunks_exact(dims).enumerate() {
                entry.iter().enumerate().for_each(|(dim, &value)| columns[dim * stride + code] = value);
            }
        }
        Some(Self { entries, columns, half_norms, codebooks, size, dims, beam })
    }

    /// Dimensions of a latent.
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// Partial sums carried along.
    pub fn beam(&self) -> usize {
        self.beam
    }

    /// The sum of `codes`' entries, the first of the first codebook, `[dims]`.
    ///
    /// # Panics
    /// Where there is no such code or codebook.
    pub fn sum(&self, codes: &[u16]) -> Vec<f32> {
        let mut sum = vec![0.0; self.dims];
        for (codebook, &code) in codes.iter().enumerate() {
            let entry = &self.entries[(codebook * self.size + usize::from(code)) * self.dims..][..self.dims];
            sum.iter_mut().zip(entry).for_each(|(sum, value)| *sum += value);
        }
        sum
    }

    /// Codes of `latents` `[frames, dims]`, in `codes`: of frame t for every count up to `most(t)`, at which its search
    /// ends, since most of its time goes into the later codebooks, the best `candidates` for each: of more than the beam
    /// the beam is as wide. A frame's codes don't depend on the frames that are searched with it, on where its search ends,
    /// nor on how many candidates there are up to the beam.
    ///
    /// # Panics
    /// Where `latents` isn't a whole number of frames, or `candidates` isn't 1 to [`MAX_BEAM`].
    pub fn search(
        &self,
        latents: &[f32],
        most: impl Fn(usize) -> usize,
        candidates: usize,
        buffers: &mut SearchBuffers,
        codes: &mut Codes,
    ) {
        assert_eq!(latents.len() % self.dims, 0, "latents are [frames, dims]");
        assert!((1..=MAX_BEAM).contains(&candidates), "{candidates} candidates are none or too many");
        codes.clear(self.codebooks, candidates);
        codes.grow(latents.len() / self.dims);
        for (chunk, latents) in latents.chunks(FRAMES_AT_ONCE * self.dims).enumerate() {
            self.search_chunk(latents, chunk * FRAMES_AT_ONCE, &most, buffers, codes);
        }
    }

    /// `first` is the number of the first frame of `latents`.
    fn search_chunk(
        &self,
        latents: &[f32],
        first: usize,
        most: &impl Fn(usize) -> usize,
        b: &mut SearchBuffers,
        codes: &mut Codes,
    ) {
        let (dims, size, stages) = (self.dims, self.size, self.codebooks);
        let stride = size + PADDING;
        let frames = latents.len() / dims;
        b.frames.clear();
        b.frames.extend(first..first + frames);
        b.residuals.clear();
        b.residuals.extend_from_slice(latents);
        b.costs.clear();
        b.costs.resize(frames, 0.0);
        b.paths.clear();
        let mut width = 1;
        for stage in 0..stages {
            let book = &self.entries[stage * size * dims..][..size * dims];
            let half_norms = &self.half_norms[stage * size..][..size];
            let rows = b.frames.len() * width;
            b.products.resize(rows * size, 0.0);
            let columns = &self.columns[stage * dims * stride..][..dims * stride];
            multiply(&b.residuals, columns, rows, dims, size, &mut b.products);
            let next_width = self.beam.max(codes.candidates()).min(width * size);
            b.next_residuals.clear();
            b.next_costs.clear();
            b.next_paths.clear();
            b.next_frames.clear();
            for (row, &frame) in b.frames.iter().enumerate() {
                let products = &b.products[row * width * size..][..width * size];
                let costs = &b.costs[row * width..][..width];
                let mut kept = [Candidate { cost: f32::INFINITY, parent: 0, code: 0 }; MAX_BEAM];
                let ends = stage + 1 >= most(frame).min(stages);
                let kept = &mut kept[..if ends { next_width.min(codes.candidates()) } else { next_width }];
                select(products, half_norms, costs, &mut b.blocks, kept);
                for candidate in 0..codes.candidates() {
                    let Candidate { parent, code, .. } = *kept.get(candidate).unwrap_or(&kept[0]);
                    let (path, last) = codes.candidate_mut(frame, stage + 1, candidate).split_at_mut(stage);
                    path.copy_from_slice(&b.paths[(row * width + parent) * stage..][..stage]);
                    last[0] = code as u16;
                }
                if ends {
                    continue;
                }
                b.next_frames.push(frame);
                for candidate in &*kept {
                    let parent = row * width + candidate.parent;
                    let entry = &book[candidate.code * dims..][..dims];
                    let residual = &b.residuals[parent * dims..][..dims];
                    b.next_residuals.extend(residual.iter().zip(entry).map(|(r, e)| r - e));
                    b.next_costs.push(candidate.cost);
                    b.next_paths.extend_from_slice(&b.paths[parent * stage..][..stage]);
                    b.next_paths.push(candidate.code as u16);
                }
            }
            std::mem::swap(&mut b.residuals, &mut b.next_residuals);
            std::mem::swap(&mut b.costs, &mut b.next_costs);
            std::mem::swap(&mut b.paths, &mut b.next_paths);
            std::mem::swap(&mut b.frames, &mut b.next_frames);
            width = next_width;
            if b.frames.is_empty() {
                break;
            }
        }
    }
}

/// Entries whose costs are looked at together.
const BLOCK: usize = 64;
/// Minima that are kept side by side, so that none waits for the one before it.
const LANES: usize = 16;

/// The candidates of least cost, in rising order; of equal ones the first found. Two passes, since a branch that nobody can
/// foretell costs more than a block of arithmetic: the least cost of each block bounds what can be kept, and few blocks
/// are within that bound.
fn select(products: &[f32], half_norms: &[f32], costs: &[f32], blocks: &mut Blocks, kept: &mut [Candidate]) {
    let all = || {
        let parents = products.chunks_exact(half_norms.len()).zip(costs).enumerate();
        parents.flat_map(|(parent, (products, &cost))| {
            let blocks = products.chunks(BLOCK).zip(half_norms.chunks(BLOCK)).enumerate();
            blocks.map(move |(block, (products, half_norms))| (parent, block, cost, products, half_norms))
        })
    };
    blocks.least.clear();
    blocks
        .least
        .extend(all().map(|(_, _, cost, products, half_norms)| least(&block_costs(cost, products, half_norms))));
    // As many blocks as are to be kept hold a candidate each that is no worse.
    let bound = if blocks.least.len() > kept.len() {
        blocks.sorted.clone_from(&blocks.least);
        *blocks.sorted.select_nth_unstable_by(kept.len() - 1, f32::total_cmp).1
    } else {
        f32::INFINITY
    };
    for ((parent, block, cost, products, half_norms), least) in all().zip(&blocks.least) {
        if *least <= bound {
            insert(&block_costs(cost, products, half_norms), parent, block * BLOCK, kept);
        }
    }
}

/// Costs of a block's entries; infinite where it has fewer.
fn block_costs(cost: f32, products: &[f32], half_norms: &[f32]) -> [f32; BLOCK] {
    let mut costs = [f32::INFINITY; BLOCK];
    for ((to, product), half_norm) in costs.iter_mut().zip(products).zip(half_norms) {
        *to = cost + half_norm - product;
    }
    costs
}

fn least(costs: &[f32; BLOCK]) -> f32 {
    let mut lanes = [f32::INFINITY; LANES];
    for costs in costs.chunks_exact(LANES) {
        for (least, &cost) in lanes.iter_mut().zip(costs) {
            *least = if cost < *least { cost } else { *least };
        }
    }
    lanes.into_iter().fold(f32::INFINITY, f32::min)
}

/// Keeps those of a block's candidates that are better than the worst kept.
fn insert(costs: &[f32], parent: usize, first: usize, kept: &mut [Candidate]) {
    let last = kept.len() - 1;
    for (at, &cost) in costs.iter().enumerate() {
        if cost < kept[last].cost {
            let place = kept.partition_point(|candidate| candidate.cost <= cost);
            kept.copy_within(place..last, place + 1);
            kept[place] = Candidate { cost, parent, code: first + at };
        }
    }
}

/// `products[row, entry]` = `residuals[row]` · `columns[.., entry]`, with [`PADDING`] between columns. The library reads the
/// codebook where it lies: to repack it for each call would take longer than the product.
fn multiply(residuals: &[f32], columns: &[f32], rows: usize, dims: usize, size: usize, products: &mut [f32]) {
    let stride = size + PADDING;
    assert!(residuals.len() >= rows * dims && columns.len() >= dims * stride && products.len() >= rows * size);
    // SAFETY: the assertion keeps all three matrices inside their slices; `products` overlaps neither of the others.
    unsafe {
        gemm::gemm(
            size,
            rows,
            dims,
            products.as_mut_ptr(),
            size as isize,
            1,
            false,
            columns.as_ptr(),
            stride as isize,
            1,
            residuals.as_ptr(),
            dims as isize,
            1,
            0.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}
