//! Dry and decoded mixed into what is heard.

use super::blend::{Blend, DRY, decoded, of_setting};
use super::ramp::Ramp;
use super::report::MAX_CHANNELS;
use super::settings::Slot;
use super::wet::Aside;

/// Mixes dry and decoded into `channels`; `wet` has the channels of one setting and then those of the other. A resting
/// blend copies, so the dry path is exact to the bit. Where nothing is decoded the difference is silent: it would be the
/// dry signal, louder.
pub(super) fn mix(
    blend: &mut Blend,
    master: &mut Ramp,
    channels: &mut [&mut [f32]],
    dry: &[&mut [f32]],
    wet: &[&mut [f32]],
    aside: &Aside<'_>,
) {
    let count = channels.len();
    let wet = |slot: Slot| &wet[slot.index() * count..(slot.index() + 1) * count];
    if master.rests_at(1.0) {
        let as_decoded =
            |slot: &Slot| blend.rests_at(decoded(*slot)) && aside.gain[slot.index()].iter().all(|&gain| gain == 1.0);
        let source = if blend.rests_at(DRY) { Some(dry) } else { Slot::ALL.into_iter().find(as_decoded).map(wet) };
        if let Some(source) = source {
            for (channel, source) in channels.iter_mut().zip(source) {
                channel.copy_from_slice(source);
            }
            return;
        }
    }
    for frame in 0..aside.presence.len() {
        let (gains, gain) = (blend.advance(), master.advance());
        let presence = aside.presence[frame];
        let sum = |signal: &[&mut [f32]]| signal.iter().map(|channel| channel[frame]).sum::<f32>() / count as f32;
        let mut heard = [0.0; MAX_CHANNELS];
        for (heard, dry) in heard.iter_mut().zip(dry) {
            *heard = gains[0] * dry[frame];
        }
        for slot in Slot::ALL {
            let of_slot = of_setting(&gains, slot);
            if of_slot == [0.0; 3] {
                continue;
            }
            let ([of_wet, of_difference, of_split], wet) = (of_slot, wet(slot));
            let match_gain = aside.gain[slot.index()][frame];
            let sides = if of_split == 0.0 { [0.0; MAX_CHANNELS] } else { [sum(dry), match_gain * sum(wet)] };
            for (((heard, dry), wet), side) in heard.iter_mut().zip(dry).zip(wet).zip(sides) {
                let difference = presence * dry[frame] - wet[frame];
                *heard += of_wet * match_gain * wet[frame] + of_difference * difference + of_split * side;
            }
        }
        for (channel, heard) in channels.iter_mut().zip(heard) {
            channel[frame] = gain * heard;
        }
    }
}
