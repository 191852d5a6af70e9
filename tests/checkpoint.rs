//! Checkpoints become models whose streams give what PyTorch makes of the whole file
//! (`training/make_checkpoints.py` wrote both).

mod common;

use serde::Deserialize;
use std::path::PathBuf;
use std::sync::Arc;
use vrvq::codec::Rate;
use vrvq::measure::delay_cost;
use vrvq::model::checkpoint::{Architecture, Dial, ImportError, StateDict, model_file, model_file_at};
use vrvq::model::{DecoderStream, Encoded, EncoderStream, Model};

#[derive(Deserialize)]
struct Reference {
    hop: usize,
    audio: Vec<f32>,
    /// `[frames][codebooks]`.
    codes: Vec<Vec<u16>>,
    importance: Option<Vec<f32>>,
    counts: Vec<u8>,
    decoded: Vec<f32>,
}

fn path(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/checkpoints").join(file)
}

fn open(file: &str) -> (Arc<Model>, Reference) {
    let state = StateDict::open(&path(file)).unwrap();
    let model = Model::from_bytes(&model_file(&state, file, None).unwrap()).unwrap();
    (Arc::new(model), reference(file))
}

fn reference(file: &str) -> Reference {
    serde_json::from_slice(&std::fs::read(path(file).with_extension("json")).unwrap()).unwrap()
}

/// Codes and importance of each frame, and decoded samples, of the whole of `reference.audio`, `hops` hops a step.
fn stream(model: &Arc<Model>, reference: &Reference, hops: usize) -> (Vec<u16>, Vec<f32>, Vec<f32>) {
    let card = model.card();
    let (hop, codebooks, frames) = (card.hop, card.codebooks, reference.codes.len());
    let span = card.span.unwrap();
    let (first, late) = (span.decoder_begin() as usize, card.latency_samples.decoder as usize);
    let total = first + frames + late.div_ceil(hop);
    let mut audio = vec![0.0; card.lead()];
    audio.extend_from_slice(&reference.audio);
    audio.resize(total * hop, 0.0);
    let (mut encoder, mut decoder) = (EncoderStream::new(model, 1).unwrap(), DecoderStream::new(model, 1).unwrap());
    encoder.end_after(frames as u64);
    decoder.end_after(frames as u64);
    let (mut codes, mut importance, mut decoded) = (Vec::new(), Vec::new(), Vec::new());
    let mut encoded = Encoded::default();
    for (step, chunk) in audio.chunks(hops * hop).enumerate() {
        let hops_here = chunk.len() / hop;
        encoder.step(chunk, hops_here, &mut encoded).unwrap();
        let count = |hop: usize| {
            let frame = (step * hops + hop).checked_sub(first);
            frame.and_then(|frame| reference.counts.get(frame).copied()).unwrap_or(1)
        };
        let counts: Vec<u8> = (0..hops_here).map(count).collect();
        let mut samples = vec![0.0; chunk.len()];
        decoder.step(&encoded.codes.sent(&counts), &counts, hops_here, &mut samples).unwrap();
        codes.extend(encoded.codes.all());
        importance.extend_from_slice(&encoded.importance);
        decoded.extend_from_slice(&samples);
    }
    (
        codes[first * codebooks..][..frames * codebooks].to_vec(),
        importance[first..][..frames].to_vec(),
        decoded[first * hop + late..][..reference.decoded.len()].to_vec(),
    )
}

fn is_exact(file: &str, sample_rate: u32) {
    let (model, reference) = open(file);
    assert_eq!((model.card().sample_rate, model.card().hop), (sample_rate, reference.hop));
    assert_eq!(model.card().importance, reference.importance.is_some());
    streams_exactly(&model, &reference, file);
}

fn streams_exactly(model: &Arc<Model>, reference: &Reference, file: &str) {
    let expected: Vec<u16> = reference.codes.concat();
    for hops in [1, 2, 7, reference.codes.len() + 40] {
        let (codes, importance, decoded) = stream(model, reference, hops);
        let differing = codes.iter().zip(&expected).filter(|(a, b)| a != b).count();
        assert_eq!(differing, 0, "{file}, {hops} hops a step: of {} codes differ", codes.len());
        if let Some(expected) = &reference.importance {
            let error = common::largest_difference(&importance, expected);
            assert!(error < 1e-4, "{file}, {hops} hops a step: importance differs by {error}");
        }
        let error = common::largest_difference(&decoded, &reference.decoded);
        assert!(error < 1e-4, "{file}, {hops} hops a step: samples differ by {error}");
    }
}

#[test]
fn vrvq_streams_exactly() {
    is_exact("vrvq-44k.pth", 44_100);
}

#[test]
fn dac_at_24_khz_streams_exactly() {
    is_exact("dac-24k.pth", 24_000);
}

#[test]
fn safetensors_at_16_khz_stream_exactly() {
    is_exact("dac-16k.safetensors", 16_000);
}

/// A model that the program imported when its graphs still counted in 64-bit integers and were told a step's first hop only.
#[test]
fn models_of_earlier_imports_stream_exactly() {
    let model = Model::open(&path("dac-16k.earlier.vrvqmodel")).unwrap();
    assert!(model.card().span.is_some_and(|span| !span.each_hop));
    streams_exactly(&model, &reference("dac-16k.safetensors"), "an earlier import");
}

/// Structure alone decides the delay, whatever the widths: that of the paper's model.
#[test]
fn the_delay_of_the_papers_model_is_known() {
    let (model, _) = open("vrvq-44k.pth");
    let card = model.card();
    // The features of a frame need 3733 samples from its first on, and the importance a frame more for each of its
    // convolutions: four here, six in the paper's model.
    let encoder = card.latency_samples.encoder as usize + card.hop;
    assert_eq!(encoder, 3733 + 4 * 512);
    // Ten frames and the part of a frame that is done before the tenth is.
    assert_eq!(card.latency_samples.decoder, 4757);
}

/// Less delay for less right context: each place of the dial is a stream of its own, exact in itself, whose delay the
/// structure tells; what it costs against the exact one is measured.
#[test]
fn the_delay_dial_goes_down_to_a_few_hops() {
    for file in ["vrvq-44k.pth", "dac-24k.pth"] {
        let state = StateDict::open(&path(file)).unwrap();
        let architecture = Architecture::of(&state, None).unwrap();
        let hop = architecture.hop();
        let places = Dial::places(&architecture);
        assert!(places.windows(2).all(|pair| pair[0].delay > pair[1].delay && pair[0].reach > pair[1].reach));
        let hops = |dial: &Dial| dial.delay.div_ceil(hop);
        assert!(hops(places.last().unwrap()) <= 3 && places.len() > 10, "{places:?}");
        let model = |dial: Dial| {
            let bytes = model_file_at(&state, &architecture, file, dial, None).unwrap();
            Arc::new(Model::from_bytes(&bytes).unwrap())
        };
        let (exact, reference) = open(file);
        let rate = Rate::Codebooks(exact.card().codebooks as u8);
        let mut last = 0.0;
        for (index, &dial) in places.iter().enumerate() {
            let reduced = model(dial);
            assert_eq!(reduced.card().delay(), dial.delay, "{file}, {dial:?}");
            if index % 6 != 0 && index + 1 != places.len() {
                continue;
            }
            let cost = delay_cost(&exact, &reduced, &reference.audio, rate).unwrap();
            if index == 0 {
                assert!(cost.codes_differing == 0.0 && cost.si_sdr_db > 90.0, "{cost:?}");
            } else {
                assert!(cost.codes_differing > 0.0 && cost.si_sdr_db < 90.0, "{dial:?}: {cost:?}");
            }
            assert!(cost.codes_differing > last - 0.05, "less context, more codes that differ: {cost:?} after {last}");
            last = cost.codes_differing;
            let (one, seven) = (stream(&reduced, &reference, 1), stream(&reduced, &reference, 7));
            assert_eq!(one.0, seven.0);
            assert!(common::largest_difference(&one.2, &seven.2) < 1e-4);
        }
        let within = |most: u32| Dial::within(&architecture, Some(most));
        assert_eq!(within(8).unwrap(), *places.iter().find(|dial| hops(dial) <= 8).unwrap());
        assert!(within(1).unwrap_err().to_string().contains("can't be shorter than"));
    }
}

fn refused(bytes: Vec<u8>) -> ImportError {
    let state = match StateDict::from_bytes(bytes) {
        Ok(state) => state,
        Err(error) => return error,
    };
    match model_file(&state, "x", None) {
        Ok(_) => panic!("a damaged checkpoint became a model"),
        Err(error) => error,
    }
}

#[test]
fn foreign_and_cut_files_are_named() {
    assert!(refused(b"RIFF....WAVEfmt ".to_vec()).to_string().contains("neither of PyTorch's format nor safetensors"));
    assert!(refused(vec![]).to_string().contains("0 bytes"));
    assert!(refused(b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.".to_vec()).to_string().contains("before 1.6"));
    for file in ["vrvq-44k.pth", "dac-16k.safetensors"] {
        let whole = std::fs::read(path(file)).unwrap();
        for part in 1..20 {
            refused(whole[..whole.len() * part / 20].to_vec());
        }
    }
}

/// A pickle inside the archive that PyTorch writes, stored as it is.
fn archive(pickle: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    archive.start_file("x/data.pkl", stored).unwrap();
    archive.write_all(pickle).unwrap();
    archive.finish().unwrap().into_inner()
}

#[test]
fn hostile_pickles_do_nothing() {
    let marker = std::env::temp_dir().join(format!("vrvq-pickle-{}", std::process::id()));
    // What would run a command in Python: os.system("touch …").
    let mut attack = b"\x80\x02cos\nsystem\nX".to_vec();
    let command = format!("touch {}", marker.display());
    attack.extend((command.len() as u32).to_le_bytes());
    attack.extend(command.bytes());
    attack.extend(b"\x85R.");
    assert!(refused(archive(&attack)).to_string().contains("no state dict"));
    assert!(!marker.exists(), "the pickle was executed");
    // A million lists in one another, a text of four gigabytes that isn't there, a value recalled that never was, and
    // a slot of the memory beyond any.
    let mut deep = b"\x80\x02".to_vec();
    deep.extend(std::iter::repeat_n(b']', 1_000_000));
    deep.extend(std::iter::repeat_n(b'a', 999_999));
    deep.push(b'.');
    refused(archive(&deep));
    for (pickle, named) in [
        (&b"\x80\x02X\xff\xff\xff\xff"[..], "should follow"),
        (b"\x80\x02h\x07.", "recalls"),
        (b"\x80\x02]r\xff\xff\xff\xff.", "remembers"),
        (b"\x80\x02I12\n.", "opcode 0x49"),
        (b"\x80\x02(.", "takes a value"),
        (b"\x80\x02", "ends"),
    ] {
        let error = refused(archive(pickle)).to_string();
        assert!(error.contains(named) && error.contains("data.pkl, byte"), "{error}");
    }
}

#[test]
fn flipped_bytes_never_crash() {
    let whole = std::fs::read(path("vrvq-44k.pth")).unwrap();
    // The directory and the pickle: everything but the weights themselves.
    for at in (0..whole.len()).step_by(97).chain(whole.len() - 400..whole.len()) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x41;
        if let Ok(state) = StateDict::from_bytes(damaged) {
            let _ = model_file(&state, "x", None);
        }
    }
}

#[test]
fn a_missing_or_misshapen_tensor_is_named() {
    let shapes = |names: &[(&str, Vec<usize>)]| {
        let mut header = serde_json::Map::new();
        let mut end = 0;
        for (name, shape) in names {
            let start = end;
            end += shape.iter().product::<usize>() * 4;
            let entry = serde_json::json!({ "dtype": "F32", "shape": shape, "data_offsets": [start, end] });
            header.insert((*name).to_owned(), entry);
        }
        let header = serde_json::to_vec(&header).unwrap();
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend(header);
        file.resize(file.len() + end, 0);
        file
    };
    let error = refused(shapes(&[("some.weight", vec![2, 2])])).to_string();
    assert!(error.contains("encoder.block.0.weight_v"), "{error}");
    let error = refused(shapes(&[
        ("encoder.block.0.weight", vec![2, 1, 7]),
        ("encoder.block.1.block.4.weight", vec![4, 2, 4]),
        ("encoder.block.3.weight", vec![4, 4, 3]),
        ("decoder.model.0.weight", vec![4, 4, 7]),
        ("decoder.model.1.block.1.weight", vec![4, 2, 8]),
        ("quantizer.quantizers.0.codebook.weight", vec![16, 2]),
    ]));
    let error = error.to_string();
    assert!(error.contains("sample rate") || error.contains("hop"), "{error}");
}
