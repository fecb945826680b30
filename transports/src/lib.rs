//! Endpoints, listeners, byte streams and message pipes under Zeroxide.
