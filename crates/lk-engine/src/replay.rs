//! Runs stored failures through the rules again, after the rules or the documents changed.
