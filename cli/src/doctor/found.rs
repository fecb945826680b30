//! The result of a step.

/// What a step has found: a text, and what the next steps need.
pub(super) struct Found<T> {
    pub(super) text: String,
    pub(super) value: T,
}

impl<T> Found<T> {
    pub(super) fn new(text: impl Into<String>, value: T) -> Found<T> {
        Found { text: text.into(), value }
    }
}
