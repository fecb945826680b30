//! An endpoint as a value of serde: its text, in every format.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::endpoint::Endpoint;

impl Serialize for Endpoint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What can be connected to or bound.
impl<'de> Deserialize<'de> for Endpoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Endpoint, D::Error> {
        let text = String::deserialize(deserializer)?;
        let dialled = Endpoint::parse_connect(&text);
        dialled.or_else(|error| Endpoint::parse_bind(&text).map_err(|_| error)).map_err(D::Error::custom)
    }
}
