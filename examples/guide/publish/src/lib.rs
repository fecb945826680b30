//! What the programs of the chapter "Advanced publishing" share.
