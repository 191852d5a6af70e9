//! The search for codes: greedy where the beam is one, better where it is wider, the same for every frame.

use vrvq::codec::{Codebooks, Codes, MAX_BEAM, SearchBuffers};

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

/// Codes for the counts up to `most` of each frame.
fn search_up_to(beam: usize, latents: &[f32], most: impl Fn(usize) -> usize) -> Codes {
    let mut codes = Codes::default();
    codebooks(beam).search(latents, most, 1, &mut SearchBuffers::default(), &mut codes);
    assert_eq!((codes.frames(), codes.codebooks()), (latents.len() / DIMS, STAGES));
    codes
}

/// Codes of all codebooks.
fn search(beam: usize, latents: &[f32]) -> Vec<u16> {
    search_up_to(beam, latents, |_| STAGES).all()
}

fn entry(stage: usize, code: u16) -> &'static [f32] {
    static ENTRIES: std::sync::OnceLock<Vec<f32>> = std::sync::OnceLock::new();
    &ENTRIES.get_or_init(entries)[(stage * SIZE + usize::from(code)) * DIMS..][..DIMS]
}

/// Squared error of each frame's sum of entries.
fn errors(latents: &[f32], codes: &[u16]) -> Vec<f32> {
    latents.chunks_exact(DIMS).zip(codes.chunks_exact(STAGES)).map(|(latent, codes)| error(latent, codes)).collect()
}

/// Squared error of a sum of entries.
fn error(latent: &[f32], codes: &[u16]) -> f32 {
    let mut residual = latent.to_vec();
    for (stage, &code) in codes.iter().enumerate() {
        residual.iter_mut().zip(entry(stage, code)).for_each(|(r, e)| *r -= e);
    }
    residual.iter().map(|r| r * r).sum()
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
        expected.push(kept.into_iter().map(|(codes, _)| codes).collect::<Vec<_>>());
    }
    let mut codes = Codes::default();
    codebooks(BEAM).search(&latents, |_| STAGES, BEAM, &mut SearchBuffers::default(), &mut codes);
    for (frame, expected) in expected.iter().enumerate() {
        let found: Vec<&[u16]> = (0..BEAM).map(|candidate| codes.candidate(frame, STAGES, candidate)).collect();
        assert_eq!(found, *expected, "frame {frame}");
    }
}

/// Asked for fewer, the search gives the first of them, at every count.
#[test]
fn candidates_come_best_first() {
    let latents = noise(8, 60 * DIMS);
    let one = search_up_to(8, &latents, |_| STAGES);
    let mut codes = Codes::default();
    codebooks(8).search(&latents, |_| STAGES, 5, &mut SearchBuffers::default(), &mut codes);
    assert_eq!((codes.frames(), codes.candidates(), one.candidates()), (60, 5, 1));
    for (frame, latent) in latents.chunks_exact(DIMS).enumerate() {
        for count in 1..=STAGES {
            assert_eq!(codes.of(frame, count), one.of(frame, count));
            let errors: Vec<f32> =
                (0..5).map(|candidate| error(latent, codes.candidate(frame, count, candidate))).collect();
            assert!(errors.windows(2).all(|pair| pair[1] >= pair[0] - 1e-4), "{errors:?}");
            assert!(errors[4] > errors[0], "they are other ones: {errors:?}");
        }
    }
    // Three entries are three candidates of one codebook, nine of two.
    let few = Codebooks::new(noise(9, 2 * 3 * DIMS), 2, 3, DIMS, 8).unwrap();
    few.search(&latents, |_| 2, 5, &mut SearchBuffers::default(), &mut codes);
    assert_eq!([3, 4].map(|candidate| codes.candidate(0, 1, candidate)), [codes.of(0, 1); 2]);
    assert_ne!(codes.candidate(0, 2, 4), codes.of(0, 2));
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

/// What a frame sends with some codebooks is what a model of so many would.
#[test]
fn codes_for_a_count_are_those_of_fewer_codebooks() {
    let latents = noise(6, 90 * DIMS);
    let codes = search_up_to(8, &latents, |_| STAGES);
    for count in 1..=STAGES {
        let fewer = Codebooks::new(entries()[..count * SIZE * DIMS].to_vec(), count, SIZE, DIMS, 8).unwrap();
        let mut alone = Codes::default();
        fewer.search(&latents, |_| count, 1, &mut SearchBuffers::default(), &mut alone);
        let frames = alone.all();
        assert!(frames.chunks_exact(count).enumerate().all(|(frame, alone)| codes.of(frame, count) == alone));
    }
    let mean = |codes_of: &dyn Fn(usize) -> Vec<u16>| {
        let errors = latents.chunks_exact(DIMS).enumerate().map(|(frame, latent)| error(latent, &codes_of(frame)));
        errors.sum::<f32>()
    };
    for count in 1..STAGES {
        let (own, start) = (mean(&|f| codes.of(f, count).to_vec()), mean(&|f| codes.of(f, STAGES)[..count].to_vec()));
        assert!(own < 0.99 * start, "{count} codebooks: error {own}, {start} with the start of all codes");
    }
}

#[test]
fn a_search_that_ends_at_the_count_finds_the_same() {
    let latents = noise(7, 90 * DIMS);
    let everything = search_up_to(8, &latents, |_| usize::MAX);
    let most = |frame: usize| frame % (STAGES + 2);
    let codes = search_up_to(8, &latents, most);
    let counts: Vec<u8> = (0..90).map(|frame| most(frame).clamp(1, STAGES) as u8).collect();
    assert_eq!(codes.sent(&counts), everything.sent(&counts));
    for (frame, &most) in counts.iter().enumerate() {
        for count in 1..=STAGES {
            let (found, expected) = (codes.of(frame, count), everything.of(frame, count));
            assert!(if count <= most.into() { found == expected } else { found.iter().all(|&code| code == 0) });
        }
    }
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
