//! The HTTP surface, from outside: the router over a temporary store and a running engine.

mod openapi;
