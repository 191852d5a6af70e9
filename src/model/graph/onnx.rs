//! The part of ONNX's format (onnx.proto3, IR version 8, operators of version 17) that graphs are written in here, and
//! read again. Lists aren't packed and a value of 0 is written where it is meant, as ONNX's own library does it.

use half::f16;
use prost::Message;

pub(super) const FLOAT: i32 = 1;
pub(super) const INT32: i32 = 6;
pub(super) const INT64: i32 = 7;
pub(super) const HALF: i32 = 10;
/// Where the values of a tensor are: not in the file.
const EXTERNAL: i32 = 1;
pub(super) const IR_VERSION: i64 = 8;
pub(super) const OPERATORS: i64 = 17;

#[derive(Clone, PartialEq, Message)]
pub(super) struct ModelProto {
    #[prost(int64, tag = "1")]
    pub ir_version: i64,
    #[prost(string, tag = "2")]
    pub producer_name: String,
    #[prost(message, optional, tag = "7")]
    pub graph: Option<GraphProto>,
    #[prost(message, repeated, tag = "8")]
    pub opset_import: Vec<OperatorSet>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct OperatorSet {
    #[prost(string, optional, tag = "1")]
    pub domain: Option<String>,
    #[prost(int64, tag = "2")]
    pub version: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct GraphProto {
    #[prost(message, repeated, tag = "1")]
    pub node: Vec<NodeProto>,
    #[prost(string, tag = "2")]
    pub name: String,
    #[prost(message, repeated, tag = "5")]
    pub initializer: Vec<TensorProto>,
    #[prost(message, repeated, tag = "11")]
    pub input: Vec<ValueInfo>,
    #[prost(message, repeated, tag = "12")]
    pub output: Vec<ValueInfo>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct NodeProto {
    #[prost(string, repeated, tag = "1")]
    pub input: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    pub output: Vec<String>,
    #[prost(string, tag = "3")]
    pub name: String,
    #[prost(string, tag = "4")]
    pub op_type: String,
    #[prost(message, repeated, tag = "5")]
    pub attribute: Vec<AttributeProto>,
    #[prost(string, tag = "7")]
    pub domain: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct AttributeProto {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(int64, optional, tag = "3")]
    pub i: Option<i64>,
    #[prost(int64, repeated, packed = "false", tag = "8")]
    pub ints: Vec<i64>,
    #[prost(int32, tag = "20")]
    pub r#type: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct TensorProto {
    #[prost(int64, repeated, packed = "false", tag = "1")]
    pub dims: Vec<i64>,
    #[prost(int32, tag = "2")]
    pub data_type: i32,
    #[prost(string, tag = "8")]
    pub name: String,
    #[prost(bytes = "vec", tag = "9")]
    pub raw_data: Vec<u8>,
    #[prost(message, repeated, tag = "13")]
    pub external_data: Vec<Entry>,
    #[prost(int32, tag = "14")]
    pub data_location: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Entry {
    #[prost(string, tag = "1")]
    pub key: String,
    #[prost(string, tag = "2")]
    pub value: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ValueInfo {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(message, optional, tag = "2")]
    pub r#type: Option<TypeProto>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct TypeProto {
    #[prost(message, optional, tag = "1")]
    pub tensor_type: Option<TensorType>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct TensorType {
    #[prost(int32, tag = "1")]
    pub elem_type: i32,
    #[prost(message, optional, tag = "2")]
    pub shape: Option<Shape>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Shape {
    #[prost(message, repeated, tag = "1")]
    pub dim: Vec<Dimension>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Dimension {
    #[prost(oneof = "Length", tags = "1, 2")]
    pub value: Option<Length>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum Length {
    #[prost(int64, tag = "1")]
    Value(i64),
    #[prost(string, tag = "2")]
    Name(String),
}

/// A dimension of an input or output: a number, or a name for what a run decides.
#[derive(Debug, Clone, Copy)]
pub(super) enum Size {
    Fixed(usize),
    Free(&'static str),
}

impl ModelProto {
    /// The model `bytes`; `None` where it holds what isn't known here, which would be lost when it is written again.
    pub fn known(bytes: &[u8]) -> Option<Self> {
        Self::decode(bytes).ok().filter(|model| model.encoded_len() == bytes.len())
    }
}

impl GraphProto {
    /// The node that makes `value`; `None` for a weight or an input.
    pub fn made_by(&self, value: &str) -> Option<&NodeProto> {
        self.node.iter().find(|node| node.output.iter().any(|output| output == value))
    }

    /// The graph's own name of the value that an input of one of its nodes is called.
    pub fn name_of(&self, value: &str) -> Option<&str> {
        self.node.iter().flat_map(|node| &node.input).find(|input| *input == value).map(String::as_str)
    }

    /// The weight that `value` is; one in half precision is cast first.
    pub fn weight(&self, value: &str) -> Option<&TensorProto> {
        let name = match self.made_by(value) {
            Some(cast) if cast.op_type == "Cast" => cast.input.first()?,
            Some(_) => return None,
            None => value,
        };
        self.initializer.iter().find(|tensor| tensor.name == name)
    }
}

impl AttributeProto {
    pub fn int(name: &str, value: i64) -> Self {
        Self { name: name.into(), i: Some(value), ints: vec![], r#type: 2 }
    }

    pub fn ints(name: &str, values: &[usize]) -> Self {
        Self { name: name.into(), i: None, ints: values.iter().map(|&value| value as i64).collect(), r#type: 7 }
    }
}

impl TensorProto {
    pub fn floats(name: &str, shape: &[usize], values: &[f32]) -> Self {
        let raw_data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self { dims: dims(shape), data_type: FLOAT, name: name.into(), raw_data, ..Self::default() }
    }

    /// Floats that whoever loads the graph brings along.
    pub fn brought(name: &str, dims: &[i64]) -> Self {
        // The format wants a file's name; none of it is opened, since the values are there already.
        let external_data = vec![Entry { key: "location".into(), value: "brought along".into() }];
        let dims = dims.to_vec();
        Self { dims, data_type: FLOAT, name: name.into(), external_data, data_location: EXTERNAL, ..Self::default() }
    }

    /// The values in single precision; `None` where they are neither single nor half, or aren't as many as the dimensions say.
    pub fn to_floats(&self) -> Option<Vec<f32>> {
        let count = self.dims.iter().try_fold(1i64, |count, &length| count.checked_mul(length))?;
        let values: Vec<f32> = match self.data_type {
            FLOAT => self.raw_data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
            HALF => self.raw_data.chunks_exact(2).map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32()).collect(),
            _ => return None,
        };
        (i64::try_from(values.len()) == Ok(count)).then_some(values)
    }

    /// The only value of a tensor of one integer.
    pub fn to_integer(&self) -> Option<i64> {
        let bytes = self.raw_data.as_slice().try_into().ok()?;
        (self.data_type == INT64 && self.dims.iter().all(|&length| length == 1)).then(|| i64::from_le_bytes(bytes))
    }

    /// The whole numbers; `None` where they aren't that.
    pub fn to_integers(&self) -> Option<Vec<i64>> {
        let (numbers, rest) = self.raw_data.as_chunks::<8>();
        let all = || numbers.iter().map(|&bytes| i64::from_le_bytes(bytes)).collect();
        (self.data_type == INT64 && rest.is_empty()).then(all)
    }

    /// The values in half precision, in bits; `None` where they aren't that.
    pub fn to_halves(&self) -> Option<Vec<u16>> {
        let bits = || self.raw_data.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        (self.data_type == HALF).then(bits)
    }

    pub fn integers(name: &str, shape: &[usize], values: &[i64]) -> Self {
        let raw_data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self { dims: dims(shape), data_type: INT64, name: name.into(), raw_data, ..Self::default() }
    }
}

fn dims(shape: &[usize]) -> Vec<i64> {
    shape.iter().map(|&length| length as i64).collect()
}

impl ValueInfo {
    pub fn new(name: &str, elem_type: i32, shape: &[Size]) -> Self {
        let dim = shape.iter().map(|size| Dimension {
            value: Some(match *size {
                Size::Fixed(length) => Length::Value(length as i64),
                Size::Free(name) => Length::Name(name.into()),
            }),
        });
        let tensor_type = TensorType { elem_type, shape: Some(Shape { dim: dim.collect() }) };
        Self { name: name.into(), r#type: Some(TypeProto { tensor_type: Some(tensor_type) }) }
    }
}
