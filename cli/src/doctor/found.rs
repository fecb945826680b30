//! The result of one step of `doctor`.

/// What a step has found: a text for the user, and a value for the next steps.
pub(super) struct Found<T> {
    pub(super) text: String,
    pub(super) value: T,
}

impl<T> Found<T> {
    pub(super) fn new(text: impl Into<String>, value: T) -> Found<T> {
        Found { text: text.into(), value }
    }
}
