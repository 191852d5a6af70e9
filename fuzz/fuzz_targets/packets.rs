//! Any bytes as a packet of any format: what can be unpacked packs to the same bits.

#![no_main]

use libfuzzer_sys::fuzz_target;
use vrvq::codec::{MAX_CODEBOOKS, Packet, PacketFormat};

fuzz_target!(|input: (u8, u16, Option<u8>, &[u8])| {
    let (codebooks, size, constant, bytes) = input;
    let Ok(format) = PacketFormat::new(codebooks.into(), usize::from(size) + 1) else { return };
    let format = match constant.map(|count| format.with_constant_count(count.into())) {
        None => format,
        Some(Ok(format)) => format,
        Some(Err(_)) => return,
    };
    let mut codes = [0; MAX_CODEBOOKS];
    let Ok(count) = format.unpack(bytes, &mut codes) else { return };
    let mut packet = Packet::default();
    format.pack(&codes[..count], &mut packet).expect("what was unpacked can be packed");
    assert_eq!(packet.bits(), format.frame_bits(count));
    let whole = packet.bits() / 8;
    assert_eq!(packet.bytes()[..whole], bytes[..whole]);
});
