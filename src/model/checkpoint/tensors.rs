//! The tensors of a checkpoint by name, read one by one, so that no more is in memory than a model needs.

use super::{ImportError, torch};
use half::{bf16, f16};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Largest checkpoint read, in bytes.
const MAX_FILE: u64 = 2 << 30;

/// A tensor of single precision, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

/// How a number is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    F64,
    F32,
    F16,
    Bf16,
    /// Integers and the like, which no weight is made of.
    Other,
}

impl Number {
    pub fn bytes(self) -> usize {
        match self {
            Self::F64 => 8,
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
            Self::Other => 1,
        }
    }

    /// The number in its bytes, little-endian.
    fn read(self, bytes: &[u8]) -> f32 {
        let mut wide = [0; 8];
        wide[..bytes.len()].copy_from_slice(bytes);
        let [a, b, c, d, ..] = wide;
        match self {
            Self::F64 => f64::from_le_bytes(wide) as f32,
            Self::F32 => f32::from_le_bytes([a, b, c, d]),
            Self::F16 => f16::from_le_bytes([a, b]).to_f32(),
            Self::Bf16 => bf16::from_le_bytes([a, b]).to_f32(),
            Self::Other => f32::NAN,
        }
    }
}

/// Where a tensor lies: a part of a piece of the file, and the step from element to element along each dimension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub number: Number,
    /// Bytes of the file.
    pub bytes: std::ops::Range<usize>,
    /// First element within them.
    pub offset: usize,
    pub shape: Vec<usize>,
    pub strides: Vec<usize>,
}

/// Tensors by name and what the checkpoint says of its model.
pub struct StateDict {
    file: Vec<u8>,
    places: BTreeMap<String, Place>,
    /// Numbers by the name of the constructor's argument they were given to, e.g. `sample_rate`.
    arguments: BTreeMap<String, i64>,
}

impl StateDict {
    /// Opens a PyTorch checkpoint (a state dict, bare or under `state_dict`) or a safetensors file.
    ///
    /// # Errors
    /// [`ImportError`] naming what is wrong and where.
    pub fn open(path: &Path) -> Result<Self, ImportError> {
        let read = |source| ImportError::Read { path: path.into(), source };
        let length = std::fs::metadata(path).map_err(read)?.len();
        if length > MAX_FILE {
            return Err(ImportError::Kind(format!("{length} bytes are more than the {MAX_FILE} that are read")));
        }
        Self::from_bytes(std::fs::read(path).map_err(read)?)
    }

    /// The same of a file in memory.
    ///
    /// # Errors
    /// [`ImportError`] naming what is wrong and where.
    pub fn from_bytes(file: Vec<u8>) -> Result<Self, ImportError> {
        let (places, arguments) = match file.get(..9) {
            Some([b'P', b'K', 3, 4, ..]) => torch::places(&file)?,
            Some([.., b'{']) => safetensors_places(&file)?,
            Some([0x80, 2..=5, ..]) => {
                let old = "it was saved by PyTorch before 1.6; open it there and save it again with a newer one";
                return Err(ImportError::Kind(old.into()));
            }
            Some(_) => return Err(ImportError::Kind("it is neither of PyTorch's format nor safetensors".into())),
            None => return Err(ImportError::Kind(format!("it has {} bytes only", file.len()))),
        };
        Ok(Self { file, places, arguments })
    }

    /// The shape of a tensor.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.places.get(name).map(|place| place.shape.as_slice())
    }

    /// The names of all tensors.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.places.keys().map(String::as_str)
    }

    /// A number that the model was constructed with.
    pub fn argument(&self, name: &str) -> Option<i64> {
        self.arguments.get(name).copied()
    }

    /// A tensor of a shape that the caller knows.
    ///
    /// # Errors
    /// [`ImportError::Missing`], or [`ImportError::Tensor`] where it has another shape, is not of floats, or isn't finite.
    pub fn tensor(&self, name: &str, shape: &[usize]) -> Result<Tensor, ImportError> {
        let place = self.places.get(name).ok_or_else(|| ImportError::Missing { name: name.into() })?;
        let wrong = |reason: String| Err(ImportError::Tensor { name: name.into(), reason });
        if place.shape != shape {
            return wrong(format!("its shape is {:?} where the others ask for {shape:?}", place.shape));
        }
        if place.number == Number::Other {
            return wrong("it doesn't hold floating-point numbers".into());
        }
        let (size, count) = (place.number.bytes(), shape.iter().product::<usize>());
        let stored = &self.file[place.bytes.clone()];
        let mut values = Vec::with_capacity(count);
        for index in 0..count {
            let (mut rest, mut at) = (index, place.offset);
            for (length, stride) in shape.iter().zip(&place.strides).rev() {
                at += rest % length * stride;
                rest /= length;
            }
            values.push(place.number.read(&stored[at * size..][..size]));
        }
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            return wrong(format!("its element {index} isn't finite"));
        }
        Ok(Tensor { shape: shape.to_vec(), values })
    }
}

/// Places of tensors and numbers of the constructor.
pub(super) type Contents = (BTreeMap<String, Place>, BTreeMap<String, i64>);

/// Largest header of a safetensors file, as its own library has it.
const MAX_HEADER: usize = 100 << 20;

/// A tensor in the header of a safetensors file.
#[derive(Deserialize)]
struct Described {
    dtype: String,
    shape: Vec<usize>,
    /// Bytes after the header.
    data_offsets: (usize, usize),
}

/// A safetensors file: the length of its header in eight bytes, the header in JSON, the numbers.
fn safetensors_places(file: &[u8]) -> Result<Contents, ImportError> {
    let broken = |reason: String| ImportError::Kind(format!("damaged safetensors: {reason}"));
    let (length, rest) = file.split_first_chunk().ok_or_else(|| broken("it has no header".into()))?;
    let length = u64::from_le_bytes(*length);
    let header = usize::try_from(length).ok().filter(|&length| length <= MAX_HEADER);
    let header = header.and_then(|length| rest.get(..length));
    let header = header.ok_or_else(|| broken(format!("its header of {length} bytes isn't there")))?;
    let start = 8 + header.len();
    let mut entries: BTreeMap<String, serde_json::Value> =
        serde_json::from_slice(header).map_err(|error| broken(format!("its header: {error}")))?;
    let notes = entries.remove("__metadata__").unwrap_or_default();
    let notes: BTreeMap<String, String> = serde_json::from_value(notes).unwrap_or_default();
    let arguments = notes.into_iter().filter_map(|(name, value)| Some((name, value.parse().ok()?))).collect();
    let mut places = BTreeMap::new();
    for (name, entry) in entries {
        let wrong = |reason: String| ImportError::Tensor { name: name.clone(), reason };
        let Described { dtype, shape, data_offsets } =
            serde_json::from_value(entry).map_err(|error| wrong(error.to_string()))?;
        let number = match dtype.as_str() {
            "F64" => Number::F64,
            "F32" => Number::F32,
            "F16" => Number::F16,
            "BF16" => Number::Bf16,
            _ => Number::Other,
        };
        let bound = |offset: usize| start.checked_add(offset).filter(|&at| at <= file.len());
        let (from, to) = (bound(data_offsets.0), bound(data_offsets.1));
        let (Some(from), Some(to)) = (from, to) else {
            return Err(wrong("it reaches beyond the end of the file".into()));
        };
        let count = shape.iter().try_fold(1usize, |count, &length| count.checked_mul(length));
        let bytes = count.and_then(|count| count.checked_mul(number.bytes()));
        if number != Number::Other && (from > to || bytes != Some(to - from)) {
            return Err(wrong(format!("its bytes don't make its shape {shape:?}")));
        }
        let strides = row_strides(&shape);
        places.insert(name, Place { number, bytes: from..to.max(from), offset: 0, shape, strides });
    }
    Ok((places, arguments))
}

/// Strides of a tensor without gaps.
fn row_strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1usize; shape.len()];
    for dimension in (1..shape.len()).rev() {
        strides[dimension - 1] = strides[dimension].saturating_mul(shape[dimension]);
    }
    strides
}
