//! The live stream: server-sent events over the journal.
//!
//! A stream subscribes first and then reads what it missed, so nothing falls between. Frames of
//! one moment are rendered once for each project and role and shared by all streams. A stream
//! pulls: when its client is slow it falls behind the broadcast, and is told to start over.

mod frames;
mod stream;
mod updates;

pub(crate) use frames::{Frames, StreamEvent};
pub(crate) use stream::{Opening, open};
pub(crate) use updates::{Client, MESSAGE_BYTES_MAX};
