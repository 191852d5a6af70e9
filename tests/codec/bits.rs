//! Counts, packets and bitrates equal the method's.

use vrvq::codec::{
    BitrateMeter, MAX_CODEBOOKS, Packet, PacketError, PacketFormat, Rate, RateControl, Target, clamp_level, count,
    kilobits_per_second, level_for_count,
};

const FRAME_RATE: f64 = 44_100.0 / 512.0;

fn format() -> PacketFormat {
    PacketFormat::new(8, 1024).unwrap()
}

#[test]
fn counts_follow_the_mask_at_its_edges() {
    // Codebook k is used where level * p >= k.
    for (importance, level, expected) in [
        (0.0, 48.0, 1),
        (1.0, 1.0, 2),
        (0.999, 1.0, 1),
        (0.5, 4.0, 3),
        (0.5, 3.999, 2),
        (1.0, 7.0, 8),
        (1.0, 48.0, 8),
        (0.02, 48.0, 1),
        (f32::NAN, 16.0, 1),
        (-1.0, 16.0, 1),
    ] {
        assert_eq!(count(importance, level, 8), expected, "p = {importance}, l = {level}");
    }
    assert_eq!(clamp_level(f32::NAN), 1.0);
    assert_eq!(clamp_level(1e9), 48.0);
}

#[test]
fn a_frame_costs_ten_bits_a_code_and_three_for_the_count() {
    for n in 1..=8 {
        assert_eq!(format().frame_bits(n), 10 * n + 3);
    }
    let rate = |n: usize| kilobits_per_second(format().frame_bits(n) as u64, 1, FRAME_RATE);
    assert!((rate(1) - 1.12).abs() < 0.005, "{}", rate(1));
    assert!((rate(8) - 7.15).abs() < 0.005, "{}", rate(8));
}

#[test]
fn packets_come_back_as_they_were() {
    let mut packet = Packet::default();
    let mut random = 12345_u32;
    for round in 0..2000 {
        let codes: Vec<u16> = (0..round % 8 + 1)
            .map(|_| {
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (random >> 22) as u16
            })
            .collect();
        format().pack(&codes, &mut packet).unwrap();
        assert_eq!(packet.bits(), 10 * codes.len() + 3);
        assert_eq!(packet.bytes().len(), packet.bits().div_ceil(8));
        let mut back = [0; MAX_CODEBOOKS];
        let n = format().unpack(packet.bytes(), &mut back).unwrap();
        assert_eq!(&back[..n], &codes[..]);
    }
}

#[test]
fn other_models_pack_too() {
    // DAC at 24 kHz has 32 codebooks, at 16 kHz 12: counts beyond them are possible bits but no frames.
    let twelve = PacketFormat::new(12, 1024).unwrap();
    assert_eq!(twelve.frame_bits(12), 4 + 120);
    let mut codes = [0; MAX_CODEBOOKS];
    assert_eq!(twelve.unpack(&[0xff; 32], &mut codes), Err(PacketError::Count { count: 16, codebooks: 12 }));
    assert!(PacketFormat::new(0, 1024).is_err());
    assert!(PacketFormat::new(8, 1).is_err());
}

#[test]
fn bad_packets_are_named() {
    let mut packet = Packet::default();
    let mut codes = [0; MAX_CODEBOOKS];
    assert_eq!(format().pack(&[], &mut packet), Err(PacketError::Count { count: 0, codebooks: 8 }));
    assert_eq!(format().pack(&[0; 9], &mut packet), Err(PacketError::Count { count: 9, codebooks: 8 }));
    let wrong = format().pack(&[3, 1024], &mut packet);
    assert_eq!(wrong, Err(PacketError::Code { code: 1024, codebook: 1, codebook_size: 1024 }));
    format().pack(&[1, 2, 3], &mut packet).unwrap();
    for length in 0..packet.bytes().len() {
        let cut = format().unpack(&packet.bytes()[..length], &mut codes);
        assert_eq!(cut, Err(PacketError::Truncated { bits: length * 8 }));
    }
}

#[test]
fn the_meter_counts_bits_over_time() {
    let mut meter = BitrateMeter::new(100.0, 0.1);
    for _ in 0..10 {
        meter.push(83);
    }
    for _ in 0..10 {
        meter.push(13);
    }
    assert!((meter.current() - 1.3).abs() < 1e-9);
    assert!((meter.mean() - 4.8).abs() < 1e-9);
    assert!((meter.peak() - 8.3).abs() < 1e-9);
    meter.reset();
    assert_eq!((meter.frames(), meter.mean(), meter.peak(), meter.current()), (0, 0.0, 0.0, 0.0));
}

#[test]
fn constant_bitrate_sends_no_count() {
    let codes = [1023, 0, 512, 7];
    let constant = format().with_constant_count(4).unwrap();
    assert_eq!((constant.frame_bits(4), constant.count_bits()), (40, 0));
    // 0.861 kb/s a codebook.
    assert!((kilobits_per_second(constant.frame_bits(4) as u64, 1, FRAME_RATE) - 4.0 * 0.861).abs() < 0.002);
    let mut packet = Packet::default();
    constant.pack(&codes, &mut packet).unwrap();
    assert_eq!((packet.bits(), packet.bytes().len()), (40, 5));
    let mut unpacked = [0; MAX_CODEBOOKS];
    assert_eq!(constant.unpack(packet.bytes(), &mut unpacked), Ok(4));
    assert_eq!(unpacked[..4], codes);
    assert_eq!(constant.pack(&codes[..3], &mut packet), Err(PacketError::Count { count: 3, codebooks: 8 }));
    assert!(matches!(constant.unpack(&[0; 4], &mut unpacked), Err(PacketError::Truncated { .. })));
    assert!(format().with_constant_count(0).is_err() && format().with_constant_count(9).is_err());
}

#[test]
fn a_rate_gives_a_count_and_its_name() {
    assert_eq!(Rate::Level(4.0).count(0.5, 8), 3);
    assert_eq!([0, 1, 5, 200].map(|n| Rate::Codebooks(n).count(0.9, 8)), [1, 1, 5, 8]);
    assert_eq!(RateControl::Level(f32::NAN).clamped(), RateControl::Level(1.0));
    let target = RateControl::Target(Target { kilobits: 4.0, window: 10.0 });
    let names = [RateControl::Level(16.0), RateControl::Codebooks(1), RateControl::Codebooks(6), target];
    let shown = ["level 16.0", "1 codebook", "6 codebooks", "4.00 kb/s over 10 s"];
    assert_eq!(names.map(|rate| rate.to_string()), shown);
}

#[test]
fn a_level_is_found_for_a_mean_count() {
    let importances: Vec<f32> = (0..1000).map(|i| 0.02 + 0.4 * (i as f32 * 0.37).sin().abs()).collect();
    for wanted in [1.5, 2.7, 4.0, 6.2] {
        let level = level_for_count(&importances, wanted, 8).unwrap();
        let counts: usize = importances.iter().map(|&p| count(p, level, 8)).sum();
        assert!((counts as f64 / 1000.0 - wanted).abs() < 0.02, "{wanted}: level {level} gives {counts}");
    }
    // What the map doesn't allow is met as nearly as it does.
    assert_eq!(level_for_count(&[0.0; 10], 4.0, 8).map(|level| count(0.0, level, 8)), Some(1));
    assert!(level_for_count(&[], 4.0, 8).is_none());
}
