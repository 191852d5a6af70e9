//! Tags: what people want to know about a file, as key=value.

use super::ContainerError;
use super::block::MAX_PAYLOAD;
use super::bytes::{FieldReader, Fields, Malformed};

/// Key and value pairs in UTF-8, in order; a key may come more than once. Keys are compared without regard to ASCII
/// case, as in Vorbis comments, whose names (TITLE, ARTIST, …) are the ones to use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tags(Vec<(String, String)>);

impl Tags {
    /// Adds a tag.
    ///
    /// # Errors
    /// [`ContainerError::TagKey`] where the key is empty or holds `=` or a control character,
    /// [`ContainerError::TooLong`] where a block can't hold the tags any more.
    pub fn push(&mut self, key: &str, value: &str) -> Result<(), ContainerError> {
        if key.is_empty() || key.contains(|c: char| c == '=' || c.is_control()) {
            return Err(ContainerError::TagKey(key.into()));
        }
        let old: usize = self.0.iter().map(|(key, value)| key.len() + value.len() + 3).sum();
        if old + key.len() + value.len() + 3 > MAX_PAYLOAD {
            return Err(ContainerError::TooLong { what: "the text of the tags" });
        }
        self.0.push((key.into(), value.into()));
        Ok(())
    }

    /// The first value of a key.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| other.eq_ignore_ascii_case(key)).map(|(_, value)| value.as_str())
    }

    /// Keys and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds the tags of `other` that aren't there yet, as long as a block could hold all.
    pub(super) fn merge(&mut self, other: Self) {
        for (key, value) in other.0 {
            if !self.0.iter().any(|(k, v)| *k == key && *v == value) {
                // What doesn't fit any more is left out: a file may hold any number of blocks of tags.
                let _ = self.push(&key, &value);
            }
        }
    }

    pub(super) fn payload(&self) -> Result<Vec<u8>, ContainerError> {
        let mut fields = Fields::default();
        for (key, value) in self.iter() {
            fields.text(&format!("{key}={value}"))?;
        }
        if fields.0.len() > MAX_PAYLOAD {
            return Err(ContainerError::TooLong { what: "the text of the tags" });
        }
        Ok(fields.0)
    }

    pub(super) fn parse(payload: &[u8]) -> Result<Self, Malformed> {
        let mut fields = FieldReader::new(payload);
        let mut tags = Vec::new();
        while !fields.rest().is_empty() {
            let (key, value) = fields.text()?.split_once('=').ok_or(Malformed)?;
            tags.push((key.to_owned(), value.to_owned()));
        }
        Ok(Self(tags))
    }
}
