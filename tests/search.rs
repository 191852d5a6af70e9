//! The search for codes: greedy where the beam is one, better where it is wider, the same for every frame.

use vrvq::codec::{Codebooks, MAX_BEAM, SearchBuffers};

const STAGES: usize = 4;
const SIZE: usize = 200;
const DIMS: usize = 7;

/// Values in -1..1, the same every time.
fn noise(seed: u32, length: usize) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..length).map(|_| next()).collect()
}

/// Entries that get smaller from stage to stage, as residuals do.
fn entries() -> Vec<f32> {
    let mut entries = noise(1, STAGES * SIZE * DIMS);
    for (stage, book) in entries.chunks_exact_mut(SIZE * DIMS).enumerate() {
        book.iter_mut().for_each(|value| *value *= 0.6f32.powi(stage as i32));
    }
    entries
}

fn codebooks(beam: usize) -> Codebooks {
    Codebooks::new(entries(), STAGES, SIZE, DIMS, beam).unwrap()
}

fn search(beam: usize, latents: &[f32]) -> Vec<u16> {
    let mut codes = Vec::new();
    codebooks(beam).search(latents, &mut SearchBuffers::default(), &mut codes);
    codes
}

fn entry(stage: usize, code: u16) -> &'static [f32] {
    static ENTRIES: std::sync::OnceLock<Vec<f32>> = std::sync::OnceLock::new();
    &ENTRIES.get_or_init(entries)[(stage * SIZE + usize::from(code)) * DIMS..][..DIMS]
}

/// Squared error of each frame's sum of entries.
fn errors(latents: &[f32], codes: &[u16]) -> Vec<f32> {
    let frames = latents.chunks_exact(DIMS).zip(codes.chunks_exact(STAGES));
    let error = |(latent, codes): (&[f32], &[u16])| {
        let mut residual = latent.to_vec();
        for (stage, &code) in codes.iter().enumerate() {
            residual.iter_mut().zip(entry(stage, code)).for_each(|(r, e)| *r -= e);
        }
        residual.iter().map(|r| r * r).sum()
    };
    frames.map(error).collect()
}

#[test]
fn a_beam_of_one_takes_the_nearest_entry_each_time() {
    let latents = noise(2, 50 * DIMS);
    let mut expected = Vec::new();
    for latent in latents.chunks_exact(DIMS) {
        let mut residual = latent.to_vec();
        for stage in 0..STAGES {
            let distance =
                |code: &u16| residual.iter().zip(entry(stage, *code)).map(|(r, e)| (r - e) * (r - e)).sum::<f32>();
            let nearest = (0..SIZE as u16).min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap();
            residual.iter_mut().zip(entry(stage, nearest)).for_each(|(r, e)| *r -= e);
            expected.push(nearest);
        }
    }
    assert_eq!(search(1, &latents), expected);
}

/// The search as a textbook has it: all candidates of a stage, sorted, and the best kept.
#[test]
fn a_beam_keeps_the_best_of_all_candidates() {
    const BEAM: usize = 8;
    let latents = noise(5, 100 * DIMS);
    let mut expected = Vec::new();
    for latent in latents.chunks_exact(DIMS) {
        let mut kept = vec![(Vec::new(), latent.to_vec())];
        for stage in 0..STAGES {
            let extend = |(codes, residual): &(Vec<u16>, Vec<f32>)| {
                let (codes, residual) = (codes.clone(), residual.clone());
                (0..SIZE as u16).map(move |code| {
                    let left = residual.iter().zip(entry(stage, code)).map(|(r, e)| r - e).collect::<Vec<f32>>();
                    ([&codes[..], &[code]].concat(), left)
                })
            };
            let mut all: Vec<_> = kept.iter().flat_map(extend).collect();
            let error = |residual: &[f32]| residual.iter().map(|r| f64::from(*r).powi(2)).sum::<f64>();
            all.sort_by(|(_, a), (_, b)| error(a).total_cmp(&error(b)));
            all.truncate(BEAM);
            kept = all;
        }
        expected.extend_from_slice(&kept[0].0);
    }
    assert_eq!(search(BEAM, &latents), expected);
}

#[test]
fn a_wider_beam_comes_nearer() {
    let latents = noise(3, 400 * DIMS);
    let mean = |beam| {
        let errors = errors(&latents, &search(beam, &latents));
        errors.iter().sum::<f32>() / errors.len() as f32
    };
    let means = [1, 4, 16, MAX_BEAM].map(mean);
    assert!(means.is_sorted_by(|a, b| a > b), "errors by beam: {means:?}");
    assert!(means[1] < 0.9 * means[0], "errors by beam: {means:?}");
}

#[test]
fn frames_do_not_depend_on_their_neighbours() {
    let latents = noise(4, 75 * DIMS);
    let together = search(8, &latents);
    let alone: Vec<u16> = latents.chunks_exact(DIMS).flat_map(|latent| search(8, latent)).collect();
    assert_eq!(together, alone);
}

#[test]
fn a_latent_that_is_not_a_number_still_gives_codes() {
    let codes = search(8, &[f32::NAN; DIMS]);
    assert!(codes.len() == STAGES && codes.iter().all(|&code| usize::from(code) < SIZE));
}

#[test]
fn impossible_codebooks_are_refused() {
    let new = |entries: Vec<f32>, beam| Codebooks::new(entries, STAGES, SIZE, DIMS, beam);
    assert!(new(entries()[1..].to_vec(), 1).is_none(), "an entry is missing");
    assert!(new(entries(), 0).is_none(), "no beam");
    assert!(new(entries(), MAX_BEAM + 1).is_none(), "too wide a beam");
    assert!(Codebooks::new(Vec::new(), 0, SIZE, DIMS, 1).is_none(), "no codebooks");
    assert!(Codebooks::new(Vec::new(), usize::MAX, usize::MAX, 2, 1).is_none(), "too many");
    let mut infinite = entries();
    infinite[5] = f32::INFINITY;
    assert!(new(infinite, 1).is_none(), "an entry isn't finite");
}
