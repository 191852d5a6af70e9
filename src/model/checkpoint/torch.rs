//! PyTorch's file format (since 1.6): a ZIP archive of a pickle, `data.pkl`, and of the storages that it refers to,
//! stored as they are.

use super::ImportError;
use super::pickle::{MAX_PICKLE, Node, Pickle};
use super::tensors::{Contents, Number, Place};
use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::ops::Range;
use zip::{CompressionMethod, ZipArchive};

type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;

/// Most tensors that a checkpoint may have.
const MAX_TENSORS: usize = 1 << 16;
/// Most dimensions of a tensor.
const MAX_DIMENSIONS: usize = 8;

fn archive_error(entry: &str) -> impl Fn(String) -> ImportError + '_ {
    move |reason| ImportError::Archive { entry: entry.into(), reason }
}

/// Places of all tensors in `file`, and the integers among the constructor's arguments.
pub(super) fn places(file: &[u8]) -> Result<Contents, ImportError> {
    let mut archive = ZipArchive::new(Cursor::new(file)).map_err(|e| archive_error("(directory)")(e.to_string()))?;
    let is_pickle = |name: &str| name.ends_with("/data.pkl") || name == "data.pkl";
    let pickle_name = archive.file_names().flatten().map(|name| name.into_owned()).find(|name| is_pickle(name));
    let Some(pickle_name) = pickle_name else {
        return Err(ImportError::Kind("the ZIP archive holds no data.pkl".into()));
    };
    let prefix = pickle_name.trim_end_matches("data.pkl").to_owned();
    let order = read(&mut archive, &format!("{prefix}byteorder"), 16);
    if order.is_ok_and(|order| order == b"big") {
        return Err(ImportError::Kind("its numbers are stored big-endian".into()));
    }
    let pickle = Pickle::parse(&read(&mut archive, &pickle_name, MAX_PICKLE)?)?;
    let root = pickle.root();
    let state = pickle.item(root, "state_dict").unwrap_or(root);
    let Node::Dict(items) = state else {
        return Err(ImportError::Kind("it holds no state dict but something else".into()));
    };
    let mut storages = Storages { archive, file, prefix, known: BTreeMap::new() };
    let mut places = BTreeMap::new();
    for &(key, value) in items {
        let Node::Text(name) = pickle.get(key) else { continue };
        if let Some(view) = view(&pickle, pickle.get(value), name)? {
            places.insert(name.clone(), storages.place(view, name)?);
        }
        if places.len() > MAX_TENSORS {
            return Err(ImportError::Kind(format!("it has more than {MAX_TENSORS} tensors")));
        }
    }
    if places.is_empty() {
        return Err(ImportError::Kind("its state dict holds no tensor".into()));
    }
    Ok((places, arguments(&pickle, root)))
}

/// The integers among what the model was constructed with: `metadata`, and `kwargs` in it.
fn arguments(pickle: &Pickle, root: &Node) -> BTreeMap<String, i64> {
    let metadata = pickle.item(root, "metadata");
    let inner = metadata.and_then(|metadata| pickle.item(metadata, "kwargs"));
    let mut arguments = BTreeMap::new();
    for node in [metadata, inner].into_iter().flatten() {
        let Node::Dict(items) = node else { continue };
        for &(key, value) in items {
            if let (Node::Text(name), Node::Int(value)) = (pickle.get(key), pickle.get(value)) {
                arguments.insert(name.clone(), *value);
            }
        }
    }
    arguments
}

/// A tensor as the pickle names it.
struct View<'a> {
    number: Number,
    storage: &'a str,
    offset: usize,
    shape: Vec<usize>,
    strides: Vec<usize>,
}

/// The tensor that a value stands for; `None` for what is no tensor.
fn view<'a>(pickle: &'a Pickle, value: &'a Node, name: &str) -> Result<Option<View<'a>>, ImportError> {
    let wrong = |reason: &str| Err(ImportError::Tensor { name: name.into(), reason: reason.into() });
    let Node::Call { callee, arguments } = value else { return Ok(None) };
    let Node::Global { module, name: callee } = pickle.get(*callee) else { return Ok(None) };
    let Some(arguments) = pickle.elements(pickle.get(*arguments)) else { return Ok(None) };
    match (module.as_str(), callee.as_str(), arguments.as_slice()) {
        // A parameter around its tensor; deeper than that none is.
        ("torch._utils", "_rebuild_parameter", [inner @ Node::Call { callee, .. }, ..]) => match pickle.get(*callee) {
            Node::Global { name: inner_name, .. } if inner_name == "_rebuild_tensor_v2" => view(pickle, inner, name),
            _ => wrong("a parameter is no tensor"),
        },
        ("torch._utils", "_rebuild_tensor_v2", [Node::Persistent(id), Node::Int(offset), shape, strides, ..]) => {
            let Some(storage) = pickle.elements(pickle.get(*id)) else { return wrong("its storage has no name") };
            let [Node::Text(kind), Node::Global { name: class, .. }, Node::Text(key), ..] = storage.as_slice() else {
                return wrong("its storage isn't described as PyTorch does it");
            };
            if kind != "storage" {
                return wrong("it refers to something else than a storage");
            }
            let sizes = |node| -> Option<Vec<usize>> {
                let integers = pickle.integers(node)?;
                integers.into_iter().map(|value| usize::try_from(value).ok()).collect()
            };
            let (Some(shape), Some(strides), Ok(offset)) = (sizes(shape), sizes(strides), usize::try_from(*offset))
            else {
                return wrong("its shape, strides and offset aren't natural numbers");
            };
            if shape.len() != strides.len() || shape.len() > MAX_DIMENSIONS {
                return wrong("its shape and its strides don't fit");
            }
            let number = match class.as_str() {
                "DoubleStorage" => Number::F64,
                "FloatStorage" => Number::F32,
                "HalfStorage" => Number::F16,
                "BFloat16Storage" => Number::Bf16,
                _ => Number::Other,
            };
            Ok(Some(View { number, storage: key, offset, shape, strides }))
        }
        _ => Ok(None),
    }
}

/// Pieces of the file that storages lie in.
struct Storages<'a> {
    archive: Archive<'a>,
    file: &'a [u8],
    prefix: String,
    known: BTreeMap<String, Range<usize>>,
}

impl Storages<'_> {
    fn place(&mut self, view: View<'_>, name: &str) -> Result<Place, ImportError> {
        let View { number, storage, offset, shape, strides } = view;
        let bytes = match self.known.get(storage) {
            Some(bytes) => bytes.clone(),
            None => {
                let bytes = self.find(&format!("{}data/{storage}", self.prefix))?;
                self.known.insert(storage.to_owned(), bytes.clone());
                bytes
            }
        };
        let wrong = |reason: &str| Err(ImportError::Tensor { name: name.into(), reason: reason.into() });
        let room = bytes.len() / number.bytes();
        // Views that repeat elements could make much of little.
        let count = shape.iter().try_fold(1usize, |count, &length| count.checked_mul(length));
        if count.is_none_or(|count| count > room) {
            return wrong("it has more elements than its storage");
        }
        let last = shape.iter().zip(&strides).try_fold(offset, |last, (&length, &stride)| {
            last.checked_add(length.saturating_sub(1).checked_mul(stride)?)
        });
        if count != Some(0) && last.is_none_or(|last| last >= room) {
            return wrong("it reaches beyond its storage");
        }
        Ok(Place { number, bytes, offset, shape, strides })
    }

    /// The bytes of an entry in the file. PyTorch stores without compression, so what is compressed isn't PyTorch's.
    fn find(&mut self, entry: &str) -> Result<Range<usize>, ImportError> {
        let wrong = archive_error(entry);
        let found = self.archive.by_name(entry).map_err(|e| wrong(e.to_string()))?;
        if found.compression() != CompressionMethod::Stored {
            return Err(wrong("it is compressed, which PyTorch never does".into()));
        }
        let start = found.data_start().ok_or_else(|| wrong("it has no place in the file".into()))?;
        let end = start.checked_add(found.size()).filter(|&end| end <= self.file.len() as u64);
        let end = end.ok_or_else(|| wrong("it reaches beyond the end of the file".into()))?;
        Ok(start as usize..end as usize)
    }
}

/// The whole of an entry of at most `limit` bytes.
fn read(archive: &mut Archive<'_>, entry: &str, limit: usize) -> Result<Vec<u8>, ImportError> {
    let wrong = archive_error(entry);
    let found = archive.by_name(entry).map_err(|e| wrong(e.to_string()))?;
    let mut bytes = Vec::new();
    found.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(|e| wrong(e.to_string()))?;
    if bytes.len() > limit {
        return Err(wrong(format!("it is larger than {limit} bytes")));
    }
    Ok(bytes)
}
