//! The inner loop of a product with halves or bytes, by what the processor has: AVX2 with F16C, or AVX-512.

use half::f16;

/// Columns that are summed together.
pub(super) const WIDTH: usize = 32;
/// Most vectors that are.
pub(super) const MOST_TOGETHER: usize = 8;

/// Weights as a panel holds them, `[rows, WIDTH]`.
#[derive(Debug, Clone, Copy)]
pub(super) enum Values<'a> {
    Halves(&'a [f16]),
    Bytes(&'a [i8]),
    Singles(&'a [f32]),
}

impl Values<'_> {
    fn len(self) -> usize {
        match self {
            Self::Halves(values) => values.len(),
            Self::Bytes(values) => values.len(),
            Self::Singles(values) => values.len(),
        }
    }
}

/// One that this processor can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Instructions(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Instructions {
    /// Those that this processor can run, the fastest first.
    #[cfg(target_arch = "x86_64")]
    pub fn all() -> Vec<Self> {
        use std::arch::is_x86_feature_detected as has;
        let avx512 = has!("avx512f").then_some(Self(Kind::Avx512));
        let avx2 = (has!("avx2") && has!("fma") && has!("f16c")).then_some(Self(Kind::Avx2));
        [avx512, avx2].into_iter().flatten().collect()
    }

    /// None: others than x86 aren't known here.
    #[cfg(not(target_arch = "x86_64"))]
    pub fn all() -> Vec<Self> {
        Vec::new()
    }

    /// As many vectors as its registers hold the sums of.
    pub fn together(self) -> usize {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => 3,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => MOST_TOGETHER,
        }
    }

    /// Adds to `sums`, of as many vectors as there are up to [`Self::together`], their products with `values`.
    /// The order in which a sum is made is always the same, however many there are.
    ///
    /// # Panics
    /// Where the lengths don't fit.
    pub fn add(self, vectors: &[f32], values: Values, sums: &mut [[f32; WIDTH]]) {
        let rows = values.len() / WIDTH;
        assert!(values.len() == rows * WIDTH && vectors.len() == sums.len() * rows);
        // SAFETY: whoever made it has seen that the processor can, and the lengths are those they read.
        #[cfg(target_arch = "x86_64")]
        unsafe {
            match (self.0, values) {
                (Kind::Avx2, Values::Halves(values)) => x86::avx2_halves::add(vectors, values, rows, sums),
                (Kind::Avx2, Values::Bytes(values)) => x86::avx2_bytes::add(vectors, values, rows, sums),
                (Kind::Avx2, Values::Singles(values)) => x86::avx2_singles::add(vectors, values, rows, sums),
                (Kind::Avx512, Values::Halves(values)) => x86::avx512_halves::add(vectors, values, rows, sums),
                (Kind::Avx512, Values::Bytes(values)) => x86::avx512_bytes::add(vectors, values, rows, sums),
                (Kind::Avx512, Values::Singles(values)) => x86::avx512_singles::add(vectors, values, rows, sums),
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        match self.0 {}
    }

    /// The same values in single precision, of which no sum is another one.
    pub fn widen<'a>(self, values: Values<'a>, room: &'a mut Vec<f32>) -> Values<'a> {
        assert_eq!(values.len() % WIDTH, 0);
        room.resize(values.len(), 0.0);
        // SAFETY: as in `add`; there is room for each value.
        #[cfg(target_arch = "x86_64")]
        unsafe {
            match (self.0, values) {
                (Kind::Avx2, Values::Halves(values)) => x86::avx2_halves::widen(values, room),
                (Kind::Avx2, Values::Bytes(values)) => x86::avx2_bytes::widen(values, room),
                (Kind::Avx2, Values::Singles(values)) => x86::avx2_singles::widen(values, room),
                (Kind::Avx512, Values::Halves(values)) => x86::avx512_halves::widen(values, room),
                (Kind::Avx512, Values::Bytes(values)) => x86::avx512_bytes::widen(values, room),
                (Kind::Avx512, Values::Singles(values)) => x86::avx512_singles::widen(values, room),
            }
            Values::Singles(room)
        }
        #[cfg(not(target_arch = "x86_64"))]
        match self.0 {}
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::WIDTH;
    use half::f16;
    use std::arch::x86_64::*;

    /// Bytes ahead that are fetched: by itself the processor stops at the end of each page.
    const AHEAD: usize = 4096;

    /// A kernel for each number of vectors, by the intrinsics of one width, and what widens values.
    macro_rules! kernel {
        ($name:ident, $features:literal, $lanes:literal, [$($count:literal)*], |$at:ident: *const $value:ty| $widened:expr,
         $load:ident, $splat:ident, $fma:ident, $store:ident) => {
            pub mod $name {
                use super::*;

                /// # Safety
                /// The processor has the features; there are `sums.len()` vectors of `rows` floats, and `rows` · `WIDTH` values.
                #[target_feature(enable = $features)]
                pub unsafe fn add(vectors: &[f32], values: &[$value], rows: usize, sums: &mut [[f32; WIDTH]]) {
                    // SAFETY: the caller's promise is passed on.
                    match sums.len() {
                        0 => {}
                        $($count => unsafe { of::<$count>(vectors, values, rows, sums) },)*
                        count => unreachable!("{count} vectors together"),
                    }
                }

                /// # Safety
                /// The processor has the features; there is room for as many values, a multiple of `WIDTH`.
                #[target_feature(enable = $features)]
                pub unsafe fn widen(values: &[$value], room: &mut [f32]) {
                    // SAFETY: all loads and stores are inside the slices, as the caller promises.
                    unsafe {
                        for part in 0..values.len() / $lanes {
                            let $at = values.as_ptr().add(part * $lanes);
                            $store(room.as_mut_ptr().add(part * $lanes), $widened);
                        }
                    }
                }

                /// # Safety
                /// As the first one's, with `N` sums.
                #[target_feature(enable = $features)]
                unsafe fn of<const N: usize>(vectors: &[f32], values: &[$value], rows: usize, sums: &mut [[f32; WIDTH]]) {
                    const PARTS: usize = WIDTH / $lanes;
                    // SAFETY: all loads and stores are inside the slices, as the caller promises; fetching touches nothing.
                    unsafe {
                        let mut kept = [[$splat(0.0); PARTS]; N];
                        for (sums, kept) in sums.iter().zip(&mut kept) {
                            for (part, kept) in kept.iter_mut().enumerate() {
                                *kept = $load(sums.as_ptr().add(part * $lanes));
                            }
                        }
                        for row in 0..rows {
                            let values = values.as_ptr().add(row * WIDTH);
                            _mm_prefetch::<_MM_HINT_T1>(values.wrapping_byte_add(AHEAD).cast());
                            for part in 0..PARTS {
                                let $at = values.add(part * $lanes);
                                let value = $widened;
                                for (vector, kept) in kept.iter_mut().enumerate() {
                                    let element = $splat(*vectors.as_ptr().add(vector * rows + row));
                                    kept[part] = $fma(element, value, kept[part]);
                                }
                            }
                        }
                        for (sums, kept) in sums.iter_mut().zip(kept) {
                            for (part, kept) in kept.into_iter().enumerate() {
                                $store(sums.as_mut_ptr().add(part * $lanes), kept);
                            }
                        }
                    }
                }
            }
        };
    }

    kernel!(
        avx2_halves, "avx2,fma,f16c", 8, [1 2 3], |at: *const f16| _mm256_cvtph_ps(_mm_loadu_si128(at.cast())),
        _mm256_loadu_ps, _mm256_set1_ps, _mm256_fmadd_ps, _mm256_storeu_ps
    );
    kernel!(
        avx2_bytes, "avx2,fma,f16c", 8, [1 2 3],
        |at: *const i8| _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64(at.cast()))),
        _mm256_loadu_ps, _mm256_set1_ps, _mm256_fmadd_ps, _mm256_storeu_ps
    );
    kernel!(
        avx512_halves, "avx512f", 16, [1 2 3 4 5 6 7 8], |at: *const f16| _mm512_cvtph_ps(_mm256_loadu_si256(at.cast())),
        _mm512_loadu_ps, _mm512_set1_ps, _mm512_fmadd_ps, _mm512_storeu_ps
    );
    kernel!(
        avx512_bytes, "avx512f", 16, [1 2 3 4 5 6 7 8],
        |at: *const i8| _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(at.cast()))),
        _mm512_loadu_ps, _mm512_set1_ps, _mm512_fmadd_ps, _mm512_storeu_ps
    );
    kernel!(
        avx2_singles, "avx2,fma,f16c", 8, [1 2 3], |at: *const f32| _mm256_loadu_ps(at),
        _mm256_loadu_ps, _mm256_set1_ps, _mm256_fmadd_ps, _mm256_storeu_ps
    );
    kernel!(
        avx512_singles, "avx512f", 16, [1 2 3 4 5 6 7 8], |at: *const f32| _mm512_loadu_ps(at),
        _mm512_loadu_ps, _mm512_set1_ps, _mm512_fmadd_ps, _mm512_storeu_ps
    );
}
