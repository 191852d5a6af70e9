//! A stream's frames behind those of its state.

use super::tensors::Run;
use super::{Size, Step};
use crate::model::graph::Past;
use ort::value::TensorElementType;

impl Past {
    /// Whether frames and states of these dimensions, `[streams, frames, width]` and `[streams, floats]`, have such a past: how many
    /// streams and frames.
    pub(super) fn fits(&self, frames: &[i64], state: &[i64]) -> Option<(i64, i64)> {
        let (&[streams, frames, width], &[states, floats]) = (frames, state) else { return None };
        let enough = usize::try_from(floats).is_ok_and(|floats| floats >= self.from + self.values());
        (streams == states && width == self.width as i64 && enough).then_some((streams, frames))
    }

    /// `joined` gets each stream's past and its frames `x`, one stream after the other, `kept` the past of the frames that follow.
    pub(super) fn join(&self, streams: usize, x: &[f32], state: &[f32], joined: &mut [f32], kept: &mut [f32]) {
        if streams == 0 {
            return;
        }
        let (past, length, floats) = (self.values(), x.len() / streams, state.len() / streams);
        for (stream, joined) in joined.chunks_exact_mut(past + length).enumerate() {
            joined[..past].copy_from_slice(&state[stream * floats + self.from..][..past]);
            joined[past..].copy_from_slice(&x[stream * length..][..length]);
            kept[stream * past..][..past].copy_from_slice(&joined[length..]);
        }
    }
}

impl Step for Past {
    const INPUTS: &[TensorElementType] = &[TensorElementType::Float32; 2];
    const OUTPUTS: usize = 2;

    fn shapes<D: Size>(&self, inputs: &[&[D]]) -> Option<Vec<Vec<D>>> {
        let [streams, frames, _] = inputs.first()? else { return None };
        let joined = vec![streams.clone(), frames.plus(self.frames as isize), D::of(self.width)];
        Some(vec![joined, vec![streams.clone(), D::of(self.values())]])
    }

    fn run(&self, run: Run) -> ort::Result<()> {
        let ((shape, x), (of_state, state)) = (run.input(0)?, run.input(1)?);
        let fits = self.fits(shape, of_state);
        let [joined, kept] = run.results(fits.and_then(|_| self.shapes(&[shape])))?;
        self.join(fits.map_or(0, |(streams, _)| streams as usize), x, state, joined, kept);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stream_has_its_own_past() {
        let past = Past { frames: 2, width: 1, from: 1 };
        assert_eq!(past.fits(&[2, 5, 1], &[2, 3]), Some((2, 5)));
        for (frames, state) in [([2, 5, 1], [1, 3]), ([2, 5, 2], [2, 3]), ([2, 5, 1], [2, 2])] {
            assert_eq!(past.fits(&frames, &state), None);
        }
        let (mut joined, mut kept) = ([0.0; 6], [0.0; 4]);
        past.join(2, &[3.0, 6.0], &[9.0, 1.0, 2.0, 9.0, 4.0, 5.0], &mut joined, &mut kept);
        assert_eq!((joined, kept), ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [2.0, 3.0, 5.0, 6.0]));
        // No frames keep it.
        let (mut joined, mut kept) = ([0.0; 2], [0.0; 2]);
        past.join(1, &[], &[9.0, 1.0, 2.0], &mut joined, &mut kept);
        assert_eq!((joined, kept), ([1.0, 2.0], [1.0, 2.0]));
        past.join(0, &[], &[], &mut [], &mut []);
    }
}
